"""The workloads: cells of notebooks, with their data generators and the bars they are measured against.

Invariant: the same cells give the same values on every machine (frozen seeds, no clock, no network).
Each counted cell ends with a print, so that the time of the last output is defined.

Not for: running them (`kernel.py`) or judging them (`report.py`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bars:
    """Upper limits. None: no limit is set for this figure."""

    cpu_vs_kishu: float | None = None
    cpu_vs_dill: float | None = None
    cpu_vs_bare: float | None = None
    store_vs_state: float | None = None
    bytes_per_cell: float | None = None
    undo_vs_load: float | None = None
    undo_untouched_vs_load: float | None = None
    undo_s: float | None = None


@dataclass(frozen=True)
class Workload:
    """`setup` cells build the data and are recorded, but only `cells` count."""

    number: int
    title: str
    setup: tuple[str, ...]
    cells: tuple[str, ...]
    last: str  # run at the end and undone
    probe: str  # expression that `last` changes; undo must bring its value back
    bars: Bars
    untouched: str = ""  # a last cell that leaves the large data alone, and what it changes
    untouched_probe: str = "None"
    loop: bool = False  # the figure is the time that each cell prints
    marks: tuple[int, ...] = field(default=())  # cells after which the store is weighed, for a slope


def _cells(*sources: str) -> tuple[str, ...]:
    return tuple(f"{textwrap.dedent(source).strip()}\nprint({number})" for number, source in enumerate(sources))


def _cell(text: str) -> str:
    return textwrap.dedent(text).strip()


def data_frame(quick: bool) -> Workload:
    rows = 100_000 if quick else 1_000_000
    return Workload(
        number=1,
        title=f"data frame, {rows:,} rows",
        setup=(
            "import numpy as np\nimport pandas as pd",
            _cell(
                f"""
                rng = np.random.default_rng(20260101)
                df = pd.DataFrame(rng.normal(size=({rows}, 4)), columns=["x", "y", "z", "w"])
                df["group"] = rng.integers(0, 50, {rows})
                """
            ),
        ),
        cells=_cells(
            'df["ratio"] = df["x"] / (df["y"].abs() + 1)',
            'df["positive"] = df["z"] > 0',
            'df = df.drop(columns="ratio")',
            'means = df.groupby("group")["x"].mean()',
            'df["score"] = df["x"] * 2 + df["w"]',
            f'df.loc[{rows // 2}, "y"] = 0.25',
            'positive = df.pop("positive").sum()',
            'df["rank"] = np.arange(len(df))',
            'del df["score"]',
            'df["half"] = df["w"] / 2',
        ),
        last=f'df.loc[{rows // 3}, "x"] = -7.5\nprint("last")',
        probe=f'(list(df.columns), float(df["x"].iloc[{rows // 3}]))',
        untouched='means = df.groupby("group")["y"].mean()\nprint("untouched")',
        untouched_probe="float(means.iloc[3])",
        bars=Bars(cpu_vs_kishu=1 / 10, store_vs_state=1.3, undo_vs_load=1.2, undo_untouched_vs_load=0.2),
    )


def containers(quick: bool) -> Workload:
    ints, words = (100_000, 10_000) if quick else (1_000_000, 100_000)
    return Workload(
        number=2,
        title=f"list of {ints:,} ints, dict of {words:,} strings",
        setup=(
            "import random",
            f"source = random.Random(20260102)\nints = [source.randrange(10**9) for _ in range({ints})]",
            f'words = {{f"key {{i}}": f"word {{ints[i]}}" for i in range({words})}}',
            'small = ["start"]\ntally = {}',
        ),
        cells=_cells(
            "first = ints[0]",
            'small.append(words["key 17"])',
            'tally["first"] = first',
            "size = len(ints)",
            'label = words["key 3"].upper()',
            "small.append(label)",
            "head = ints[:5]",
            'tally["size"] = size + head[1]',
            "small.sort()",
            "ready = bool(small)",
        ),
        last='small.append("one more")\nprint("last")',
        probe="list(small)",
        bars=Bars(cpu_vs_kishu=1 / 20, store_vs_state=1.2, undo_vs_load=1.5),
    )


def models(quick: bool) -> Workload:
    rows, trees = (500, 10) if quick else (4000, 50)
    return Workload(
        number=3,
        title=f"scikit-learn, 3 models on {rows:,} rows",
        setup=(
            _cell(
                """
                import numpy as np
                from sklearn.ensemble import RandomForestClassifier
                from sklearn.linear_model import LogisticRegression, Ridge
                """
            ),
            _cell(
                f"""
                rng = np.random.default_rng(20260103)
                X = rng.normal(size=({rows}, 20))
                y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(scale=0.5, size={rows}) > 0).astype(int)
                """
            ),
        ),
        cells=_cells(
            "ridge = Ridge(alpha=1.0).fit(X, y)",
            "logistic = LogisticRegression(max_iter=200).fit(X, y)",
            f"forest = RandomForestClassifier({trees}, max_depth=8, random_state=1).fit(X, y)",
            "scores = {'forest': forest.score(X, y), 'logistic': logistic.score(X, y)}",
            "ridge.set_params(alpha=2.0).fit(X, y)",
            "residual = y - ridge.predict(X)",
            "logistic.intercept_ += 0.1",
            "scores['logistic'] = logistic.score(X, y)",
            f"forest.set_params(n_estimators={trees + 5}, warm_start=True).fit(X, y)",
            "scores['forest'] = forest.score(X, y)",
        ),
        last='ridge.coef_ = ridge.coef_ * 0.5\nprint("last")',
        probe="ridge.coef_.tolist()",
        bars=Bars(cpu_vs_kishu=1 / 20, store_vs_state=1.5, undo_vs_load=1.5),
    )


def arrays(quick: bool) -> Workload:
    size = 125_000 if quick else 1_250_000
    names = ", ".join(f"a{i}" for i in range(20))
    return Workload(
        number=4,
        title=f"20 arrays, {size * 8 * 20 // 10**6} MB",
        setup=(
            "import numpy as np",
            f"rng = np.random.default_rng(20260104)\n{names} = (rng.normal(size={size}) for _ in range(20))",
        ),
        cells=_cells(*(f"a{i}[{1000 * (i + 1)}:{1000 * (i + 1) + 500}] += {i + 1}" for i in range(10))),
        last='a3[7000:7500] = 0.0\nprint("last")',
        probe="a3[6999:7502].tolist()",
        bars=Bars(cpu_vs_kishu=1 / 100, store_vs_state=1.1, undo_vs_load=0.2),
    )


def _tiny_setup() -> tuple[str, ...]:
    return tuple("\n".join(f"v{i} = {i * 7}" for i in range(start, start + 10)) for start in range(0, 100, 10))


def tiny_cells(quick: bool) -> Workload:
    return Workload(
        number=5,
        title="100 tiny cells, 100 live names",
        setup=_tiny_setup(),
        cells=tuple(f"v{i * 37 % 100} = v{i * 11 % 100} + {i}\nprint({i})" for i in range(100)),
        last='v42 = -1\nprint("last")',
        probe="(v41, v42)",
        bars=Bars(cpu_vs_kishu=1 / 20, undo_s=0.010),
    )


def many_tiny_cells(quick: bool) -> Workload:
    first, total = (100, 1_000) if quick else (1_000, 10_000)
    return Workload(
        number=50,
        title=f"{total:,} tiny cells, 100 live names",
        setup=_tiny_setup(),
        cells=tuple(f"v{i * 37 % 100} = v{i * 11 % 100} % 1000003 + {i}\nprint({i})" for i in range(total)),
        last='v42 = -1\nprint("last")',
        probe="(v41, v42)",
        marks=(first, total),
        bars=Bars(bytes_per_cell=2048, undo_s=0.010),
    )


def small_objects(quick: bool) -> Workload:
    count = 10_000 if quick else 100_000
    return Workload(
        number=6,
        title=f"{count:,} small dicts, {count:,} instances of a notebook class",
        setup=(
            _cell(
                """
                class Point:
                    def __init__(self, number, x, y):
                        self.number = number
                        self.x = x
                        self.y = y
                """
            ),
            "import random\nsource = random.Random(20260106)",
            _cell(
                f"""
                records = [{{"id": i, "name": f"name {{i}}", "score": source.random()}} for i in range({count})]
                points = [Point(i, source.random(), source.random()) for i in range({count})]
                """
            ),
        ),
        cells=_cells(
            f'records[{count // 2}]["score"] = 0.5',
            f"points[{count // 3}].x = -1.0",
            f'records[{count // 4}]["name"] = "changed"',
            f"points[{count // 5}].y = 2.0",
        ),
        last=f'records[{count // 7}]["score"] = -3.0\nprint("last")',
        probe=f"records[{count // 7}]",
        bars=Bars(cpu_vs_dill=1.0, store_vs_state=1.5, undo_vs_load=1.5),
    )


def hot_loop(quick: bool) -> Workload:
    rounds = 200_000 if quick else 1_000_000
    loop = textwrap.dedent(
        f"""
        began = time.perf_counter()
        total = 0
        for i in range({rounds}):
            total = total + i % 7
        elapsed = time.perf_counter() - began
        print(elapsed)
        """
    ).strip()
    return Workload(
        number=7,
        title=f"a loop of {rounds:,} rounds at module level",
        setup=("import time",),
        cells=(loop,) * 10,
        last='total = -1\nprint("last")',
        probe="total",
        loop=True,
        bars=Bars(cpu_vs_bare=1.0),
    )


GENERATORS: dict[str, Callable[[bool], Workload]] = {
    "1": data_frame,
    "2": containers,
    "3": models,
    "4": arrays,
    "5": tiny_cells,
    "5-many": many_tiny_cells,
    "6": small_objects,
    "7": hot_loop,
}
