"""`Repo.diff` on histories that the engine has recorded: cells, variables, and what surrounds them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.api import Repo, diff_page
from nbcellar.api.diff_views import Diff, VariableDiff
from nbcellar.diff.model import ArrayChange, BlocksChange, FrameChange, PictureChange, TextChange, ValueChange
from nbcellar.errors import NotFoundError
from nbcellar.history.model import CommitKind

from ..session.live import Live, live_session


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_session(tmp_path) as found:
        yield found


def repo_of(live: Live) -> Repo:
    environ = {"NBCELLAR_CONFIG_DIR": str(live.folder / "user"), "HOME": str(live.folder)}
    return Repo(live.repo, environ=environ, folder=live.folder / "project")


def changed(found: Diff, name: str) -> VariableDiff:
    return next(variable for variable in found.variables if variable.name == name)


def leaves(change: ValueChange | None) -> Iterator[ValueChange]:
    if change is not None:
        if not change.parts:
            yield change
        for part in change.parts:
            yield from leaves(part)


def told(found: Diff, name: str) -> dict[str, tuple[str, str]]:
    return {leaf.path: (leaf.before, leaf.after) for leaf in leaves(changed(found, name).value)}


def test_nothing_lies_between_a_commit_and_itself(live: Live) -> None:
    live.cell("x = [1]")
    found = repo_of(live).diff("HEAD", "HEAD")
    assert found.is_empty and found.way == "same" and found.steps == [] and found.unchanged == 1


def test_variables_that_came_went_and_changed_are_told(live: Live) -> None:
    first = live.cell("config = {'lr': 0.1, 'n': [1, 2]}\nold = 3\nstays = [1]\nname = 'x'")
    live.cell("config['lr'] = 0.01\nconfig['n'].append(3)\nnew = old\ndel old, name\nstays = [1]")
    found = repo_of(live).diff(first.hex(), "HEAD")
    assert {v.name: v.change for v in found.variables} == {
        "config": "changed",
        "name": "removed",
        "new": "added",
        "old": "removed",
    }
    assert told(found, "config") == {"config['lr']": ("0.1", "0.01"), "config['n'][2]": ("", "3")}
    assert changed(found, "new").renamed_from == "old"
    assert found.unchanged + len(found.equal) == 1


def test_without_references_it_is_the_last_step(live: Live) -> None:
    live.cell("x = 1")
    live.cell("x = 2")
    live.cell("y = 3")
    found = repo_of(live).diff()
    assert [(step.execution_count, step.source) for step in found.steps] == [(3, "y = 3")]
    assert [variable.name for variable in found.variables] == ["y"]


def test_names_choose_variables_and_unknown_ones_are_refused(live: Live) -> None:
    live.cell("a = b = 1")
    live.cell("a = 2; b = 3")
    repo = repo_of(live)
    assert [variable.name for variable in repo.diff("HEAD~1", "HEAD", names=["b"]).variables] == ["b"]
    with pytest.raises(NotFoundError, match="neither point has a variable 'nope'"):
        repo.diff("HEAD~1", "HEAD", names=["nope"])


def test_the_way_back_is_told_as_that(live: Live) -> None:
    first = live.cell("x = 1")
    live.cell("x = 2")
    found = repo_of(live).diff("HEAD", first.hex())
    assert found.way == "back" and [step.lost for step in found.steps] == [True]
    assert told(found, "x") == {"x": ("2", "1")}


def test_undone_cells_are_marked(live: Live) -> None:
    first = live.cell("x = 1")
    live.cell("x = 2")
    live.cell("x = 3")
    live.session.undo(2)
    live.cell("y = 1")
    found = repo_of(live).diff(first.hex(), "HEAD")
    assert [(step.source or step.kind, step.undone) for step in found.steps] == [
        ("x = 2", True),
        ("x = 3", True),
        (CommitKind.UNDO.value, False),
        ("y = 1", False),
    ]
    assert [variable.name for variable in found.variables] == ["y"]


def test_what_ran_on_both_branches_since_they_parted_is_told(live: Live) -> None:
    base = live.cell("x = 1")
    left = live.cell("x = 2")
    live.session.checkout(base, None)
    live.cell("x = 3")
    found = repo_of(live).diff(left.hex(), "HEAD")
    assert [(step.source, step.lost, step.undone) for step in found.steps if step.source] == [
        ("x = 2", True, False),
        ("x = 3", False, False),
    ]
    assert told(found, "x") == {"x": ("2", "3")}
    assert found.way == "across" and found.base == base.hex()


def test_a_cell_that_ran_again_shows_what_changed_in_it(live: Live) -> None:
    live.cell("x = 1\ny = 2")
    live.count = 0  # the same cell of the notebook
    live.cell("x = 1\ny = 3")
    (step,) = repo_of(live).diff("HEAD~1", "HEAD").steps
    assert step.again and step.source_change is not None
    assert [line.text for line in step.source_change.lines if line.mark in "+-"] == ["y = 2", "y = 3"]


def test_what_surrounds_the_variables_is_told(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(live.folder)
    monkeypatch.delenv("CELLAR_TEST_X", raising=False)
    live.cell("import random, os\nrandom.seed(1)")
    live.cell("random.random()\nos.environ['CELLAR_TEST_X'] = 'on'\nos.chdir('project')")
    parts = {change.part: change.text for change in repo_of(live).diff().surroundings}
    assert parts["random state"] == "moved on or was set anew"
    assert "+CELLAR_TEST_X=on" in parts["environment variables"]
    assert parts["working directory"].endswith("project")
    os.environ.pop("CELLAR_TEST_X", None)


def test_functions_and_classes_show_their_source(live: Live) -> None:
    live.cell(
        "def f(a, b=2):\n    return a + b\n\nclass P:\n    def area(self):\n        return self.x\np = P()\np.x = 1"
    )
    live.cell(
        "pass\n\ndef f(a, b=2):\n    return a * b\n\n"
        "class P:\n    def area(self):\n        return self.x ** 2\n\np.x = 5"
    )
    found = repo_of(live).diff()
    detail = changed(found, "f").value
    assert detail is not None and isinstance(detail.detail, TextChange)
    assert [line.text for line in detail.detail.lines if line.mark in "+-"] == ["    return a + b", "    return a * b"]
    assert told(found, "p")["p.x"] == ("1", "5")
    (method,) = leaves(changed(found, "P").value)
    assert method.path == "P.area" and isinstance(method.detail, TextChange)


def test_a_function_that_only_moved_is_equal(live: Live) -> None:
    live.cell("def f(a):\n    return a")
    live.cell("x = 1\n\n\ndef f(a):\n    return a")
    found = repo_of(live).diff()
    assert found.equal == ["f"] and [variable.name for variable in found.variables] == ["x"]


def test_instances_of_the_notebook_are_named_by_their_class(live: Live) -> None:
    live.cell("class Model:\n    pass\nm = Model()\nm.k = 1\nq = [m]")
    live.cell("m.k = 2\nm.other = Model()")
    value = changed(repo_of(live).diff(), "m").value
    assert value is not None and value.type_after == "Model"
    assert "Model(" in next(leaf.after for leaf in leaves(value) if leaf.path == "m.other")


def test_variables_that_share_parts_are_each_told(live: Live) -> None:
    live.cell("a = [1, [2]]\nb = a[1]")
    live.cell("b.append(3)")
    found = repo_of(live).diff()
    assert told(found, "a") == {"a[1][1]": ("", "3")} and told(found, "b") == {"b[1]": ("", "3")}
    live.cell("b = list(b)")
    assert "b no longer shares parts with a" in repo_of(live).diff().notes


def test_what_is_not_stored_says_so(live: Live) -> None:
    live.cell("g = (n for n in range(3))\nx = 1")
    live.cell("g = (n for n in range(4))")
    found = changed(repo_of(live).diff(), "g")
    assert found.value is None and "not stored" in found.reason


def test_arrays_and_frames_are_compared_through_the_engine(live: Live) -> None:
    pytest.importorskip("pandas")
    live.cell(
        "import numpy as np, pandas as pd\na = np.zeros((300, 1000))\n"
        "df = pd.DataFrame(np.zeros((100000, 4)), columns=list('abcd'))\nv = a[:, 5]\n"
        "objects = np.array([1, 'x'], dtype=object)"
    )
    live.cell("a[7, 3] = 2.5\ndf.loc[5, 'c'] = 1.0\nobjects[1] = 'y'")
    found = repo_of(live).diff()
    array = changed(found, "a").value
    assert array is not None and isinstance(array.detail, ArrayChange) and array.detail.cells is not None
    assert (array.detail.cells.changed, array.detail.cells.largest_at) == (1, "7, 3")
    frame = changed(found, "df").value
    assert frame is not None and isinstance(frame.detail, FrameChange)
    assert [(column.name, column.cells.changed) for column in frame.detail.columns if column.cells] == [("c", 1)]
    assert "v" in found.equal or not any(variable.name == "v" for variable in found.variables)
    assert changed(found, "objects").value is not None


def test_long_containers_are_compared_by_the_parts_that_differ(live: Live) -> None:
    live.cell("items = list(range(20000))\ntable = {n: str(n) for n in range(20000)}")
    live.cell("items[12345] = 'new'\ntable[777] = 'new'\ntable['k'] = 1")
    repo = repo_of(live)
    found = repo.diff()
    assert told(found, "items") == {"items[12345]": ("12345", "'new'")}
    assert told(found, "table") == {"table[777]": ("'777'", "'new'"), "table['k']": ("", "1")}
    live.cell("items.insert(100, 'put')\ndel table[5]")
    found = repo.diff()
    assert told(found, "items") == {"items[100]": ("", "'put'")}
    assert told(found, "table") == {"table[5]": ("'5'", "")}


def test_beyond_the_budget_blocks_are_counted(live: Live) -> None:
    pytest.importorskip("numpy")
    live.cell("import numpy as np\na = np.arange(1000000.)")
    live.cell("a[:] = a[::-1].copy()")
    value = changed(repo_of(live).diff(budget_bytes=1 << 20), "a").value
    assert value is not None and isinstance(value.detail, BlocksChange)
    assert value.detail.changed == value.detail.total and "more would have to be read" in value.notes[0]


def test_a_damaged_block_is_told_of_its_variable_alone(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy")
    live.cell("import numpy as np\na = np.zeros(100000)\nb = 1")
    live.cell("a[5] = 1\nb = 2")
    real = type(live.repo.store).read

    def read(store: Any, digest: bytes) -> bytes:
        data = real(store, digest)  # type: ignore[arg-type]
        if len(data) > 100_000:
            from nbcellar.errors import CorruptStoreError

            raise CorruptStoreError("object 1234 is damaged")
        return data

    monkeypatch.setattr(type(live.repo.store), "read", read)
    found = repo_of(live).diff()
    value = changed(found, "a").value
    assert value is not None and "is damaged" in value.notes[0]
    assert told(found, "b") == {"b": ("1", "2")}


def test_nothing_is_imported_to_compare(live: Live) -> None:
    (live.folder / "cellar_test_module.py").write_text("class Thing:\n    def __init__(self, n):\n        self.n = n\n")
    sys.path.insert(0, str(live.folder))
    try:
        live.cell("import cellar_test_module\nt = cellar_test_module.Thing(1)")
        live.cell("t = cellar_test_module.Thing(2)")
        live.cell("del cellar_test_module")
    finally:
        sys.path.remove(str(live.folder))
        sys.modules.pop("cellar_test_module", None)
    found = repo_of(live).diff("HEAD~2", "HEAD~1")
    assert "cellar_test_module" not in sys.modules
    assert told(found, "t") == {"t.n": ("1", "2")}


def test_texts_that_are_no_unicode_can_be_printed_and_encoded(live: Live) -> None:
    live.cell("x = {'\\ud800': 'a\\n' + '\\udfff'}")
    live.cell("x = {'\\ud800': 'a\\n' + '\\udffe', '\\udc00': 1}")
    found = repo_of(live).diff(pictures=True)
    assert msgspec.json.decode(msgspec.json.encode(found))
    assert diff_page.render(found).encode()


def test_the_page_escapes_what_it_shows_and_loads_nothing(live: Live) -> None:
    live.cell("x = '<script>alert(1)</script>'\ny = {'<b>': [1, 2]}")
    live.cell("x = '\"><img src=x onerror=alert(2)>'\ny['<i>'] = 3  # </pre><script>")
    page = diff_page.render(repo_of(live).diff(pictures=True))
    assert "<script" not in page and "<img" not in page and "<b>'" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_shows_pictures_and_their_difference(live: Live) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("numpy")
    live.cell(
        "from PIL import Image\nimport numpy as np\nim = Image.new('RGB', (20, 10), (255, 0, 0))\n"
        "photo = np.zeros((20, 30, 3), 'uint8')"
    )
    live.cell("im.putpixel((1, 2), (0, 0, 0))\nphoto[5:10] = 200")
    found = repo_of(live).diff(pictures=True)
    for name in ("im", "photo"):
        (picture,) = (leaf.detail for leaf in leaves(changed(found, name).value) if leaf.detail is not None)
        assert isinstance(picture, PictureChange)
        assert all(
            uri.startswith("data:image/png;base64,") for uri in (picture.before, picture.after, picture.difference)
        )
    assert diff_page.render(found).count("<img") == 6


def test_models_show_their_parameters(live: Live) -> None:
    pytest.importorskip("sklearn")
    live.cell(
        "import numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "X = np.random.default_rng(0).normal(size=(40, 3)); y = (X[:, 0] > 0).astype(int)\n"
        "m = LogisticRegression(C=1.0).fit(X, y)"
    )
    live.cell("m = LogisticRegression(C=10.0).fit(X, y)")
    found = repo_of(live).diff()
    assert told(found, "m")["m.C"] == ("1.0", "10.0")
    coefficients = next(leaf for leaf in leaves(changed(found, "m").value) if leaf.path == "m.coef_")
    assert isinstance(coefficients.detail, ArrayChange) and coefficients.detail.cells is not None
    assert coefficients.detail.cells.changed == 3


def test_instances_inside_of_others_have_the_name_of_their_class(live: Live) -> None:
    live.cell("class Point:\n    def __init__(self, n):\n        self.n = n\nclass Other(Point):\n    pass")
    live.cell("points = [Point(1), {'k': Other(2)}, Point]\nwhere = {}")
    found = repo_of(live).diff()
    added = changed(found, "points").value
    assert added is not None and added.after == "[Point(n=1), {'k': Other(n=2)}, Point]"
    live.cell("where['p'] = points[:2]")
    assert told(repo_of(live).diff(), "where") == {"where['p']": ("", "[Point(n=1), {'k': Other(n=2)}]")}


def test_a_variable_that_was_brought_back_is_told_with_where_from(live: Live) -> None:
    there = live.cell("df = [1]; n = 1")
    live.cell("df = [2]")
    live.session.take(there, ["df"])
    found = repo_of(live).diff()
    assert [(v.name, v.change) for v in found.variables] == [("df", "changed")]
    assert [(step.kind, step.title) for step in found.steps] == [("checkout", f"df of {there.hex()[:8]}")]
    assert f"checkout: df of {there.hex()[:8]}" in diff_page.render(found)
    whole = repo_of(live).diff(there.hex(), "HEAD")
    assert whole.is_empty and not any(step.undone for step in whole.steps)
    history = repo_of(live).variable_history("df")
    assert [event.back_to for event in history.events] == [there.hex(), None, None]
