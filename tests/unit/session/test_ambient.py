"""Ambient state comes back as it was, or the report says what did not."""

from __future__ import annotations

import decimal
import os
import random
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.random  # numpy loads it late
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import CorruptStoreError
from nbcellar.session.surroundings.ambient import RANDOM_PARTS, AmbientTracker, RestoreStatus
from nbcellar.session.surroundings.process import is_secret_name


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    tracker = AmbientTracker()
    parts = tracker.capture()
    with warnings.catch_warnings():
        yield
        tracker.restore(parts)


def failures(reports: list[Any]) -> list[Any]:
    return [report for report in reports if report.status is not RestoreStatus.RESTORED]


draws: list[Callable[[], object]] = [
    random.random,
    lambda: random.gauss(0, 1),
    lambda: random.randrange(10**9),
    lambda: random.seed(5),
    np.random.rand,
    np.random.standard_normal,
    lambda: np.random.randint(0, 10**6),
    lambda: np.random.seed(7),
    lambda: np.random.permutation(5).tolist(),
]
steps = st.lists(st.sampled_from(draws), max_size=8)


@settings(max_examples=60, deadline=None)
@given(before=steps, after=steps, meanwhile=steps)
def test_random_streams_continue_exactly_as_they_did(before: list[Any], after: list[Any], meanwhile: list[Any]) -> None:
    tracker = AmbientTracker()
    for draw in before:
        draw()
    parts = tracker.capture()
    expected = [draw() for draw in after]
    for draw in meanwhile:
        draw()
    assert failures(tracker.restore(parts, RANDOM_PARTS)) == []
    assert [draw() for draw in after] == expected


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937"])
def test_numpys_stream_continues_with_any_bit_generator(kind: str) -> None:
    if not hasattr(np.random, "set_bit_generator"):
        pytest.skip("this numpy has one bit generator for its global stream")
    tracker = AmbientTracker()
    np.random.set_bit_generator(getattr(np.random, kind)(3))
    np.random.randint(0, 100, 3, dtype=np.uint8)  # leaves half a word over
    np.random.standard_normal()
    parts = tracker.capture()
    expected = np.random.rand(4).tolist(), np.random.randint(0, 2**31, 4).tolist()
    np.random.set_bit_generator(np.random.MT19937(1))
    assert failures(tracker.restore(parts, {"numpy.random"})) == []
    assert (np.random.rand(4).tolist(), np.random.randint(0, 2**31, 4).tolist()) == expected
    np.random.set_bit_generator(np.random.MT19937(1))


changes: dict[str, Callable[[], object]] = {
    "environ": lambda: os.environ.update(CELLAR_TEST="1"),
    "sys.path": lambda: sys.path.insert(0, "/somewhere/else"),
    "warnings": lambda: warnings.filterwarnings("ignore", message="re+gex", category=pd.errors.PerformanceWarning),
    "decimal": lambda: setattr(decimal.getcontext(), "prec", 7),
    "numpy.print": lambda: np.set_printoptions(precision=2, suppress=True, linewidth=200),
    "numpy.err": lambda: np.seterr(divide="ignore", over="raise"),
    "pandas.options": lambda: pd.set_option("display.max_rows", 7, "display.precision", 3),
    "random": lambda: random.seed(1),
    "numpy.random": lambda: np.random.seed(1),
    "cwd": lambda: os.chdir("/"),
}


@pytest.mark.parametrize("part", sorted(changes))
def test_a_change_is_captured_restored_and_captured_as_before(part: str) -> None:
    tracker = AmbientTracker()
    before = tracker.capture()
    changes[part]()
    after = tracker.capture()
    assert {name for name in after if after[name] != before.get(name)} == {part}
    for target in (before, after, before):
        assert failures(tracker.restore(target)) == []
        assert tracker.capture() == target


@settings(max_examples=25, deadline=None)
@given(first=st.sets(st.sampled_from(sorted(changes))), second=st.sets(st.sampled_from(sorted(changes))))
def test_any_state_is_reached_from_any_other(first: set[str], second: set[str]) -> None:
    tracker = AmbientTracker()
    start = tracker.capture()
    states = [start]
    for names in (first, second):
        for name in sorted(names):
            changes[name]()
        states.append(tracker.capture())
    for target in reversed(states):
        assert failures(tracker.restore(target)) == []
        assert tracker.capture() == target


def test_only_the_parts_asked_for_are_put_back() -> None:
    tracker = AmbientTracker()
    before = tracker.capture()
    changes["decimal"]()
    changes["environ"]()
    assert [report.part for report in tracker.restore(before, {"decimal"})] == ["decimal"]
    assert "CELLAR_TEST" in os.environ
    assert tracker.capture()["decimal"] == before["decimal"]


def test_a_part_that_did_not_change_is_the_very_same_bytes() -> None:
    tracker = AmbientTracker()
    first, second = tracker.capture({"np": np}), tracker.capture({"np": np})
    assert all(first[name] is second[name] for name in first)


def test_two_trackers_capture_equal_bytes() -> None:
    assert AmbientTracker().capture({"np": np}) == AmbientTracker().capture({"np": np})


@pytest.mark.parametrize("name", ["API_KEY", "github_token", "Db_Password", "MY_SECRET_X", "AWS_CREDENTIALS", "KEYS"])
def test_secrets_are_not_recorded_and_not_touched(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_secret_name(name)
    tracker = AmbientTracker()
    before = tracker.capture()
    monkeypatch.setenv(name, "hunter2-of-the-test")
    after = tracker.capture()
    assert after == before
    tracker.restore(before)
    assert os.environ[name] == "hunter2-of-the-test"


def test_a_removed_environment_variable_is_removed_again_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLAR_BASE", "b\udce9\n=")
    tracker = AmbientTracker()
    before = tracker.capture()
    del os.environ["CELLAR_BASE"]
    after = tracker.capture()
    tracker.restore(before)
    assert os.environ["CELLAR_BASE"] == "b\udce9\n="
    tracker.restore(after)
    assert "CELLAR_BASE" not in os.environ


def test_a_folder_that_is_gone_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    tracker = AmbientTracker()
    parts = tracker.capture()
    monkeypatch.chdir(tmp_path)
    folder.rmdir()
    (report,) = failures(tracker.restore(parts))
    assert (report.part, report.status) == ("cwd", RestoreStatus.PARTLY)
    assert str(folder) in report.detail and Path.cwd() == tmp_path


def test_capture_goes_on_when_the_working_directory_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    parts = AmbientTracker().capture()
    assert "cwd" not in parts and "random" in parts
    monkeypatch.chdir(tmp_path)


def test_the_search_path_of_another_environment_keeps_its_own_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "/old/lib", "/old/site"])
    tracker = AmbientTracker()
    sys.path[:] = ["/mine/first", "", "/old/lib", "/mine/last"]  # one taken out, two added
    parts = tracker.capture()
    monkeypatch.setattr(sys, "path", ["", "/new/lib", "/new/site"])
    other = AmbientTracker()
    assert failures(other.restore(parts, {"sys.path"})) == []
    assert sys.path == ["/mine/first", "", "/new/lib", "/new/site", "/mine/last"]


def test_a_filter_of_a_class_that_is_not_loaded_is_named() -> None:
    module = types.ModuleType("short_lived")
    module.Gone = type("Gone", (UserWarning,), {"__module__": "short_lived"})  # type: ignore[attr-defined]
    sys.modules["short_lived"] = module
    tracker = AmbientTracker()
    warnings.simplefilter("error", module.Gone)
    parts = tracker.capture()
    warnings.filters.pop(0)  # type: ignore[attr-defined]
    del sys.modules["short_lived"]
    (report,) = tracker.restore(parts, {"warnings"})
    assert report.status is RestoreStatus.PARTLY and "short_lived.Gone" in report.detail


def test_warnings_behave_as_recorded_after_a_restore() -> None:
    tracker = AmbientTracker()
    warnings.simplefilter("error", UserWarning)
    parts = tracker.capture()
    warnings.simplefilter("ignore")
    warnings.warn("quiet", UserWarning, stackless := 1)
    assert stackless
    tracker.restore(parts, {"warnings"})
    with pytest.raises(UserWarning):
        warnings.warn("loud", UserWarning, 1)


def test_options_that_are_functions_are_left_as_they_are() -> None:
    tracker = AmbientTracker()
    plain = tracker.capture()
    pd.set_option("display.float_format", str)
    try:
        with_function = tracker.capture()
        assert with_function["pandas.options"] != plain["pandas.options"]
        assert failures(tracker.restore(plain, {"pandas.options"})) == []
        assert pd.get_option("display.float_format") is str
    finally:
        pd.reset_option("display.float_format")


def test_an_unknown_part_and_a_damaged_one_are_reported_and_the_rest_is_restored() -> None:
    tracker = AmbientTracker()
    parts = tracker.capture() | {"from.the.future": b"\x01", "decimal": b"\xc1"}
    random.random()
    statuses = {report.part: report.status for report in tracker.restore(parts)}
    assert statuses["from.the.future"] is statuses["decimal"] is RestoreStatus.FAILED
    assert statuses["random"] is RestoreStatus.RESTORED


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_validate_accepts_what_was_captured_and_names_what_is_damaged(data: st.DataObject) -> None:
    tracker = AmbientTracker()
    parts = tracker.capture({"np": np})
    tracker.validate(parts)
    name = data.draw(st.sampled_from(sorted(parts)))
    damaged = data.draw(st.sampled_from([b"", b"\xc1", b"\x93\x01", parts[name][:-1], b"\x01"]))
    with pytest.raises(CorruptStoreError, match=name):
        tracker.validate(parts | {name: damaged})
    assert tracker.capture({"np": np}) == parts


def test_modules_lists_the_libraries_behind_variables_with_their_versions() -> None:
    import msgspec

    variables = {"pd": pd, "a": np.zeros(1), "f": pd.concat, "n": 1, "os": os, "Cls": pd.DataFrame}
    listed = msgspec.msgpack.decode(AmbientTracker().capture(variables)["modules"])
    assert listed == {"numpy": np.__version__, "pandas": pd.__version__}


NOT_LOADED = """
import sys
from nbcellar.session.surroundings.ambient import AmbientTracker
tracker = AmbientTracker()
parts = tracker.capture()
assert not [name for name in parts if name.split(".")[0] in ("numpy", "pandas", "torch", "matplotlib")], parts
loaded = [name for name in ("numpy", "pandas", "torch", "matplotlib") if name in sys.modules]
assert loaded == [], loaded
recorded = bytes.fromhex(sys.argv[1])
(report,) = tracker.restore({"numpy.err": recorded})
assert (report.status.name, report.detail) == ("KEPT", "numpy is not loaded"), report
assert tracker.capture()["numpy.err"] == recorded
import numpy
assert tracker.capture()["numpy.err"] != recorded
assert [r.status.name for r in tracker.restore({"numpy.err": recorded})] == ["RESTORED"]
assert numpy.geterr()["divide"] == "raise"
"""


def test_libraries_are_not_imported_and_their_state_waits_for_them() -> None:
    np.seterr(divide="raise")
    recorded = AmbientTracker().capture()["numpy.err"]
    done = subprocess.run(
        [sys.executable, "-c", NOT_LOADED, recorded.hex()], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_matplotlibs_parameters_come_back() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    tracker = AmbientTracker()
    before = tracker.capture()
    matplotlib.rcParams["figure.figsize"] = (3, 2)
    matplotlib.rcParams["axes.prop_cycle"] = matplotlib.rcsetup.cycler(color=["r", "g"])
    matplotlib.rcParams["font.serif"].append("Mine")
    after = tracker.capture()
    assert {name for name in after if after[name] != before[name]} == {"matplotlib.rc"}
    for target in (before, after, before):
        assert failures(tracker.restore(target)) == []
        assert tracker.capture() == target


def test_torchs_stream_continues_exactly_as_it_did() -> None:
    torch = pytest.importorskip("torch")
    tracker = AmbientTracker()
    parts = tracker.capture()
    expected = torch.rand(4).tolist()
    assert failures(tracker.restore(parts, {"torch"})) == []
    assert torch.rand(4).tolist() == expected
