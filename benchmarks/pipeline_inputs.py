"""Notebooks for the benchmark of pipelines: a graph of ten components, sixty small ones, a chain, sixty plain cells.

Pure, but for `write`, which writes one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

GRAPH: dict[str, tuple[str, ...]] = {
    "load": (),
    "clean": ("load",),
    "schema": ("load",),
    "join": ("clean", "schema"),
    "feature1": ("join",),
    "feature2": ("join",),
    "feature3": ("join",),
    "feature4": ("join",),
    "model": ("feature1", "feature2", "feature3", "feature4"),
    "report": ("model",),
}
"""Name -> what it takes; two workers need seven times what one component takes."""
IDEAL = 7
SPIN = "end = time.thread_time() + {seconds}\nwhile time.thread_time() < end:\n    pass"


def graph(seconds: float) -> dict[str, str]:
    """Return ten components that keep a processor busy."""
    found = {}
    for name, parents in GRAPH.items():
        value = " + ".join(parents) or "1"
        found[name] = f"import time\n{SPIN.format(seconds=seconds)}\n{name} = {value}"
    return found


def sixty() -> dict[str, str]:
    """Return sixty components in layers of six, each of which takes two of the layer before."""
    found = {"c0": "import numpy as np\nv0 = np.arange(1000)"}
    for number in range(1, 60):
        one, two = max(number - 6, 0), max(number - 5, 0) if number > 5 else 0
        found[f"c{number}"] = f"v{number} = np.concatenate([v{one}[:500], v{two}[:500]]) + {number}"
    return found


def chain(mbytes: int, *, grows: bool) -> dict[str, str]:
    """Return six components with one value that all of them have; grows: each puts something into it."""
    rows = mbytes * 1_000_000 // (50 * 8)
    found = {
        "made": "import numpy as np, pandas as pd\n"
        f"frame = pd.DataFrame(np.random.default_rng(0).random(({rows}, 50)), columns=[f'x{{n}}' for n in range(50)])"
    }
    for number in range(1, 6):
        step = f"frame['flag{number}'] = frame.x{number} > 0.5" if grows else f"mean{number} = frame.x{number}.mean()"
        found[f"step{number}"] = step
    return found


_PLAIN = """\
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
# next
frame{n} = pd.read_csv('data{n}.csv', parse_dates=['when'])
frame{n}.head()
# next
frame{n} = frame{n}.dropna(subset=['price', 'size'])
frame{n}['per'] = frame{n}['price'] / frame{n}['size']
frame{n} = frame{n}[frame{n}.per.between(*frame{n}.per.quantile([0.01, 0.99]))]
# next
def weighted{n}(group, column='price'):
    weights = group['size'] / group['size'].sum()
    return (group[column] * weights).sum()

by{n} = frame{n}.groupby('town').apply(weighted{n}).sort_values()
# next
fig, axes = plt.subplots(1, 2, figsize=(10, 4))
for ax, column in zip(axes, ('price', 'per')):
    ax.hist(frame{n}[column], bins=50)
    ax.set_title(f'{{column}} of {{len(frame{n}):,}}')
plt.tight_layout()
# next
class Split{n}:
    def __init__(self, share=0.8, seed=0):
        self.share, self.seed = share, seed

    def __call__(self, frame):
        rng = np.random.default_rng(self.seed)
        chosen = rng.random(len(frame)) < self.share
        return frame[chosen], frame[~chosen]
# next
train{n}, test{n} = Split{n}(share=0.75)(frame{n})
features = ['size', 'per', 'rooms']
X{n}, y{n} = train{n}[features].to_numpy(), train{n}.price.to_numpy()
# next
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
models{n} = {{alpha: Ridge(alpha).fit(X{n}, y{n}) for alpha in np.logspace(-3, 3, 7)}}
# next
scores{n} = pd.Series({{alpha: mean_absolute_error(test{n}.price, model.predict(test{n}[features]))
                     for alpha, model in models{n}.items()}})
best{n} = scores{n}.idxmin()
# next
with open('report{n}.md', 'w') as file:
    print(f'best alpha {{best{n}}}', file=file)
    print(by{n}.to_markdown(), file=file)
%timeit -n 1 -r 1 sum(range(1000))
""".split("\n# next\n")


def plain() -> dict[str, str]:
    """Return sixty cells of an analysis, as people write them."""
    return {f"cell{at}": _PLAIN[at % len(_PLAIN)].format(n=at // len(_PLAIN)) for at in range(60)}


def write(path: Path, cells: dict[str, str], *, components: bool = True) -> Path:
    """Write a notebook of these cells."""
    made: Sequence[object] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": name,
            "metadata": {"cellar": {"component": {"name": name}}} if components else {},
            "outputs": [],
            "source": source,
        }
        for name, source in cells.items()
    ]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path
