"""The record itself: it sees every wrong value planted here, and nothing where nothing is.

Without these tests the comparison of analyses would prove nothing: a probe that sees nothing finds no difference.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from . import probe
from .compare import differences, unannounced

MAKE = """
import collections, dataclasses, enum, functools, itertools, random, re, threading, io
import numpy as np, pandas as pd
random.seed(1)
np.random.seed(1)
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KDTree

FACTOR = 3
class A:
    shared = []
    def __init__(self, x):
        self.x = x
    def value(self, by=1):
        return self.x * by
class B(A):
    __slots__ = ("extra",)
@dataclasses.dataclass
class Point:
    x: int
    tags: list
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
def scaled(x, *, by=2):
    return x * by * FACTOR
def counter():
    n = 0
    def up():
        nonlocal n
        n += 1
        return n
    def look():
        return n
    return up, look
@functools.lru_cache
def cached(x):
    return x + 1
def numbers():
    yield from range(10)

number, text, flag, nothing, big = 1.5, "words", True, None, 2**80
plain = {"a": [1, 2], "b": {"c": {3, 4}}, "t": (1, [2])}
same = plain["a"]
a, b = A(2), B(3)
a2 = a
b.extra = "more"
points = [Point(1, []), Point(2, [])]
colour, table = Colour.RED, {Colour.RED: "r"}
up, look = counter()
bound, part = a.value, functools.partial(scaled, by=5)
cached(1)
generator, iterator = numbers(), iter([1, 2, 3])
next(iterator)
queue = collections.deque([1, 2], maxlen=4)
default = collections.defaultdict(list, k=[1])
dice, rng = random.Random(4), np.random.default_rng(4)
array = np.arange(12.0).reshape(3, 4)
view, fortran = array[1:], np.asfortranarray(array)
masked = np.ma.masked_less(array, 3)
objects = np.array([plain, None], dtype=object)
record = np.zeros(2, dtype=[("a", "u1"), ("b", "f8")])
frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": ["p", "q", "p"], "when": pd.date_range("2024", periods=3, tz="UTC")})
frame["kind"] = frame["y"].astype("category")
held = pd.DataFrame(array, copy=False)
series = pd.Series([1, 2, 3], index=list("abc"), name="s")
groups = frame.groupby("y")
whole = pd.array([1, None], dtype="Int64")
matrix = sparse.csr_matrix(np.eye(3))
model = LogisticRegression().fit(array[:, :2], [0, 1, 1])
tree = KDTree(np.arange(40.0).reshape(20, 2))
named, named_too = LogisticRegression().fit(array[:, :2], [0, 1, 1]), LogisticRegression().fit(array[:, :2], [0, 1, 1])
named.feature_names_in_ = named_too.feature_names_in_ = np.array(["x", "y"], dtype=object)
forest = RandomForestClassifier(3, random_state=0).fit(array, [0, 1, 1])
fig, ax = plt.subplots(figsize=(2, 1))
line, = ax.plot([1, 2, 3])
lock, words = threading.Lock(), io.StringIO("text")
pattern = re.compile("a+")
"""

# What is wrong -> the variable that must be named. Each is a value that a restore might get wrong.
MUTANTS = {
    "tree = KDTree(np.arange(40.0).reshape(20, 2) + 1)": "tree",
    "named.feature_names_in_ = np.array(['x', 'z'], dtype=object)": "named",
    "number = 1.5000000001": "number",
    "number = np.float64(1.5)": "number",
    "text = 'word'": "text",
    "flag = 1": "flag",
    "big += 1": "big",
    "nothing = False": "nothing",
    "plain['a'].append(3)": "plain",
    "plain['b']['c'].add(5)": "plain",
    "plain = dict(reversed(plain.items()))": "plain",
    "plain['t'][1].append(3)": "plain",
    "same = list(same)": "same",
    "plain['a'] = list(plain['a'])": "plain",
    "a2 = A(2)": "a2",
    "a.x = 3": "a",
    "a.more = 1": "a",
    "A.shared.append(1)": "A",
    "A.shared = list(A.shared)\nA.value = lambda self, by=1: 0": "A",
    "A.value.__defaults__ = (2,)": "A",
    "b.extra = 'less'": "b",
    "class A(A): pass\na.__class__ = A": "a",
    "A = type('A', (), dict(A.__dict__))": "A",
    "points[0].tags.append(1)": "points",
    "points[1].tags = points[0].tags": "points",
    "colour = Colour.BLUE": "colour",
    "old = Colour\nclass Colour(enum.Enum):\n    RED = 1\n    BLUE = 2": "Colour",
    "table = {Colour.BLUE: 'r'}": "table",
    "def scaled(x, *, by=2):\n    return x * by + FACTOR": "scaled",
    "scaled.__kwdefaults__['by'] = 4": "scaled",
    "scaled.note = 1": "scaled",
    "import types\nscaled = types.FunctionType(scaled.__code__, dict(globals()), 'scaled')": "scaled",
    "up()": "up",
    "look = counter()[1]": "look",
    "bound = A(2).value": "bound",
    "part.keywords['by'] = 6": "part",
    "cached = functools.lru_cache(maxsize=3)(cached.__wrapped__)": "cached",
    "next(generator)": "generator",
    "generator.close()": "generator",
    "next(iterator)": "iterator",
    "queue = collections.deque(queue)": "queue",
    "queue.rotate()": "queue",
    "default.default_factory = None": "default",
    "default['z']": "default",
    "dice.random()": "dice",
    "rng.random()": "rng",
    "array[2, 3] = np.nextafter(11.0, 12)": "array",
    "array = array.astype('f4')": "array",
    "array = array.reshape(4, 3)": "array",
    "array.setflags(write=False)": "array",
    "view = view.copy()": "view",
    "view = array[:2]": "view",
    "fortran = np.ascontiguousarray(fortran)": "fortran",
    "masked.mask[2, 2] = True": "masked",
    "masked.fill_value = 7": "masked",
    "objects[0] = dict(plain)": "objects",
    "record['b'][1] = 1": "record",
    "frame.loc[1, 'x'] = 2.1": "frame",
    "frame['x'] = frame['x'].astype('float32')": "frame",
    "frame.loc[0, 'y'] = 'q'": "frame",
    "frame['when'] = frame['when'].dt.tz_convert('Europe/Berlin')": "frame",
    "frame['kind'] = frame['kind'].cat.add_categories('r')": "frame",
    "frame['kind'] = frame['kind'].cat.as_ordered()": "frame",
    "frame = frame[['y', 'x', 'when', 'kind']]": "frame",
    "frame.index = [0, 1, 3]": "frame",
    "frame.index.name = 'row'": "frame",
    "frame.attrs['unit'] = 'm'": "frame",
    "frame.unit = 'm'": "frame",
    "held = held.copy()": "held",
    "series.name = 't'": "series",
    "series.index = list('abd')": "series",
    "groups = frame.groupby('y', sort=False)": "groups",
    "groups = frame.groupby('x')": "groups",
    "whole[1] = 4": "whole",
    "matrix.data[0] = 2": "matrix",
    "model.coef_ += 1e-9": "model",
    "model.C = 2": "model",
    "forest.estimators_[0].tree_.value[0] = 0.5": "forest",
    "forest.estimators_.pop()": "forest",
    "line.set_color('k')": "line",
    "line.set_ydata([1, 2, 4])": "line",
    "ax.set_title('title')": "ax",
    "fig.set_dpi(50)": "fig",
    "ax.set_xlim(0, 1)": "ax",
    "lock.acquire()": "lock",
    "words.read(1)": "words",
    "pattern = re.compile('a+', re.I)": "pattern",
    "del text": "text",
    "extra = 1": "extra",
    # surroundings
    "random.random()": "random",
    "np.random.rand()": "numpy.random",
    "pd.set_option('display.max_rows', 7)": "pandas.options",
    "plt.rcParams['lines.linewidth'] = 9": "matplotlib.rc",
    "np.set_printoptions(precision=2)": "numpy.print",
    "np.seterr(all='ignore')": "numpy.err",
    "import warnings; warnings.filterwarnings('ignore', message='mine')": "warnings",
    "import decimal; decimal.getcontext().prec = 9": "decimal",
    "import os; os.environ['PROBED'] = '1'": "environ",
    "import sys; sys.path.append('/nowhere')": "sys.path",
    "import os; os.chdir('/')": "cwd",
}
# A call that belongs to the record gives another value, or other pixels: no walk would have to see why.
SEEN_BY = {"FACTOR = 4": "scaled(2)", "A.value = lambda self, by=1: 0": "a.value(7)"}

# Makes everything once, then takes a record of it and, each in a child of its own, of every change.
RUN = """
import json, os, random, sys, warnings
sys.path.insert(0, {here!r})
import probe
warnings.simplefilter("ignore")
space = {{"__name__": "__main__", "__builtins__": __builtins__}}
probe.begin(space)
exec({make!r}, space)
stream = random.getstate()
for number, change in enumerate({changes!r}):
    child = os.fork()
    if child == 0:
        random.setstate(stream)
        exec(change, space)
        probe.take(space, {calls!r}, {folder!r} + f"/{{number}}.json")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, change
"""


def records(folder: Path, changes: list[str], hash_seed: str = "1") -> list[dict[str, Any]]:
    """Return a record of the variables that MAKE makes after each of the changes."""
    calls = list(SEEN_BY.values())
    code = RUN.format(here=str(Path(__file__).parent), folder=str(folder), make=MAKE, changes=changes, calls=calls)
    environ = os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], env=environ, cwd=folder, check=True, timeout=280)
    return [json.loads((folder / f"{number}.json").read_text("utf-8")) for number in range(len(changes))]


@pytest.mark.slow
def test_every_wrong_value_is_seen_and_named(tmp_path: Path) -> None:
    changes = [*MUTANTS, *SEEN_BY]
    base, *found = records(tmp_path, ["", *changes])
    missed = {}
    for change, now in zip(changes, found, strict=True):
        seen = {name for difference in differences(base, now) for name in difference.names}
        if MUTANTS.get(change, change.split()[0].split(".")[0]) not in seen:
            missed[change] = sorted(seen)
    assert not missed


# What is no change: a tree counts how often it was asked; names of columns are a value, whoever holds them.
ALIKE = ["tree.query([[1.0, 2.0]])", "named.feature_names_in_ = named_too.feature_names_in_.copy()"]


@pytest.mark.slow
def test_what_is_as_good_as_it_was_gives_the_same_record(tmp_path: Path) -> None:
    base, *found = records(tmp_path, ["", *ALIKE])
    assert [differences(base, now) for now in found] == [[]] * len(ALIKE)


@pytest.mark.slow
def test_the_same_session_gives_the_same_record_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, again = records(tmp_path / "one", ["", ""])
    (two,) = records(tmp_path / "two", [""], hash_seed="2")
    two["ambient"].pop("environ"), two["ambient"].pop("cwd")
    assert differences(one, again) == []
    assert differences(one, two) == []


def test_a_look_changes_nothing(tmp_path: Path) -> None:
    walked = iter([1, 2, 3])
    noise = random.Random(1)
    space: dict[str, Any] = {"walked": walked, "noise": noise, "ends": lambda: os._exit(3), "grows": []}
    before, state = random.getstate(), noise.getstate()
    probe.begin({})
    target = tmp_path / "record.json"
    probe.take(space, ["grows.append(1)", "next(walked)", "1 / 0"], str(target))
    found = json.loads(target.read_text("utf-8"))
    assert found["calls"]["1 / 0"] == "ZeroDivisionError: division by zero"
    assert (next(walked), space["grows"], random.getstate(), noise.getstate()) == (1, [], before, state)


def test_a_child_that_dies_is_an_error(tmp_path: Path) -> None:
    probe.begin({})
    with pytest.raises(RuntimeError, match="died"):
        probe.take({"ends": lambda: os._exit(3)}, ["ends()"], str(tmp_path / "record.json"))


def test_only_what_was_announced_is_let_pass() -> None:
    def of(value: str) -> dict[str, Any]:
        variables = {n: {"digest": value, "type": "int", "id": 1, "text": "", "parts": {}} for n in ("a", "b")}
        empty: dict[str, Any] = {"calls": {}, "pixels": {}, "futures": {}, "ambient": {}}
        return {"variables": variables, "aliases": [], "memory": [], **empty}

    found = differences(of("1"), of("2"))
    assert [sorted(d.names) for d in found] == [["a"], ["b"]]
    assert [sorted(d.names) for d in unannounced(found, {"a"})] == [["b"]]
