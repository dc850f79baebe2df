"""Figures of matplotlib: drawing them again is no change, and they come back whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbcellar.session import figures

from .live import Live, live_session

MAKE = """
import hashlib, io
import numpy as np
from matplotlib.figure import Figure
fig = Figure(figsize=(3, 2))
ax = fig.subplots()
line, = ax.plot([1, 3, 2], label='first')
image = ax.imshow(np.arange(4.0).reshape(2, 2), extent=(0, 1, 1, 2), cmap='viridis')
ax.legend()
def pixels():
    out = io.BytesIO()
    fig.savefig(out, format='rgba')
    return hashlib.md5(out.getvalue()).hexdigest()
pixels()
"""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    pytest.importorskip("matplotlib")
    with live_session(tmp_path, budget_s=120.0) as session:  # a busy machine may need long to draw
        yield session


def version(live: Live) -> bytes:
    return live.session.tracker.by_name["fig"].version


def test_drawing_a_figure_again_is_no_change(live: Live) -> None:
    live.cell(MAKE)
    before = version(live)
    live.cell("pixels()")
    live.cell("fig.savefig(io.BytesIO())\nfig.canvas.draw()\nax.get_tightbbox()")
    assert version(live) == before


def test_a_figure_comes_back_and_goes_on(live: Live) -> None:
    live.cell(MAKE)
    first = live.value("pixels()")
    live.cell("line.set_ydata([3, 1, 2])\nax.set_title('later')\nimage.set_cmap('gray')")
    second = live.value("pixels()")
    assert first != second
    for _ in range(2):
        live.session.undo()
        assert live.value("pixels()") == first
        assert live.value("line in ax.lines and ax.figure is fig and image in ax.images")
        live.session.redo()
        assert live.value("pixels()") == second
    live.restart()
    live.session.restore(None)
    assert live.value("pixels()") == second
    live.cell("ax.set_xlim(0, 10)\nfig.set_size_inches(4, 4)")
    assert live.value("pixels()") not in (first, second), "what depends on the axes' limits is computed anew"


def test_a_checkout_of_a_figure_ends(live: Live) -> None:
    first = live.cell(MAKE)
    live.cell("ax.set_title('later')")
    live.restart()
    live.session.restore(first)
    live.session.undo()
    live.session.redo()
    assert live.value("ax.get_title()") == ""


TWO = """
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
def drawn(**options):
    fig = Figure(figsize=(3, 2))
    fig.subplots().plot([1, 2], marker='x')
    fig.add_axes((0, 0, 1, 1)).imshow(np.eye(2), **options)
    return fig
norm = Normalize(0, 1)
one, two, three, four = drawn(), drawn(), drawn(norm=norm), drawn(norm=norm)
"""


def test_what_matplotlib_gives_to_every_figure_joins_no_two(live: Live) -> None:
    live.cell(TWO)
    groups = {name: live.session.tracker.by_name[name].names for name in ("one", "two", "three", "four")}
    assert (groups["one"], groups["two"]) == (("one",), ("two",))
    assert groups["three"] == groups["four"] == ("four", "norm", "three")


def test_a_figure_that_stays_as_it_is_stays_the_same_object_when_another_changes(live: Live) -> None:
    live.cell(TWO)
    kept = live.value("one")
    live.cell("two.axes[0].lines[0].set_marker('o')")
    assert live.session.undo()["loaded"] == ["two"]
    assert live.value("one") is kept
    assert live.value("two.axes[0].lines[0].get_marker()") == "x"


LINKED = """
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
fig = Figure()
image = fig.subplots().imshow(np.eye(2))
bar = fig.colorbar(image)
norm = Normalize(0, 1)
mappable = ScalarMappable(norm)
"""


def test_a_colour_bar_follows_its_picture_after_an_undo(live: Live) -> None:
    live.cell(LINKED)
    live.cell("image.set_clim(0, 5)")
    live.session.undo()
    live.cell("image.set_clim(0, 7)")
    assert live.value("(bar.vmin, bar.vmax, bar.norm is image.norm)") == (0, 7, True)
    assert live.value("image.stale and fig.stale")


def test_links_of_colours_keep_their_numbers_through_undo_and_redo(live: Live) -> None:
    live.cell(LINKED)
    numbers = (
        "[sorted(r.callbacks['changed']) for r in (image.norm.callbacks, image.callbacks, mappable.norm.callbacks)]"
    )
    before = live.value(numbers)
    live.cell("fig.set_dpi(50); norm.vmax = 2")
    for _ in range(2):
        live.session.undo()
        assert live.value(numbers) == before
        live.session.redo()
    live.cell(
        "image.norm.callbacks.disconnect(image._colorizer._id_norm if hasattr(image, '_colorizer') else image._id_norm)"
    )
    live.cell("fig.set_dpi(60)")
    live.session.undo()
    live.cell("image.norm.vmax = 9")
    assert live.value("bar.vmax") == 1


OPEN = """
import io
import matplotlib
matplotlib.use('agg')
import matplotlib.pyplot as plt
"""


@pytest.fixture
def plotting(live: Live) -> Iterator[Live]:
    live.cell(OPEN)
    live.value("plt.close('all')")
    yield live
    live.value("plt.close('all')")


def shown(live: Live) -> list[tuple[int, int]]:
    """Return pyplot's figures, the current one last, and how many lines each of them has."""
    from matplotlib._pylab_helpers import Gcf

    return [(n, sum(len(ax.lines) for ax in m.canvas.figure.axes)) for n, m in Gcf.figs.items()]


def test_what_pyplot_draws_into_a_figure_of_no_variable_is_undone_and_comes_back(plotting: Live) -> None:
    plotting.cell("plt.plot([1, 2])")
    plotting.cell("plt.plot([2, 1])")
    assert shown(plotting) == [(1, 2)]
    plotting.session.undo()
    assert shown(plotting) == [(1, 1)]
    plotting.session.undo()
    assert shown(plotting) == []
    plotting.session.redo(2)
    assert shown(plotting) == [(1, 2)]
    plotting.value("plt.close('all')")
    plotting.restart()
    plotting.session.restore(None)
    assert shown(plotting) == [(1, 2)]


def test_pyplot_and_variables_name_the_same_figure_under_its_number_after_an_undo(plotting: Live) -> None:
    plotting.cell("first = plt.figure()\nsecond, ax = plt.subplots()\nplt.figure(1)")
    plotting.cell("plt.plot([1, 2])")
    plotting.cell("line, = ax.plot([3, 4])")
    for _ in range(2):
        plotting.session.undo(2)
        assert shown(plotting) == [(2, 0), (1, 0)]
        assert plotting.value("plt.gcf() is first and plt.figure(2) is second and second.axes == [ax]")
        plotting.value("plt.figure(1)")
        plotting.session.redo(2)
        assert plotting.value("plt.gcf() is first and len(plt.gca().lines) == 1 and line.figure is second")
    plotting.cell("plt.plot([5, 6])")
    assert plotting.value("len(first.axes[0].lines)") == 2


def test_the_current_figure_is_turned_back_and_no_figure_is_loaded_for_it(plotting: Live) -> None:
    plotting.cell("first = plt.figure(); second = plt.figure()")
    before = plotting.value("second")
    plotting.cell("plt.figure(1)")
    report = plotting.session.undo()
    assert shown(plotting) == [(1, 0), (2, 0)] and report["loaded"] == []
    assert plotting.value("plt.gcf()") is before


def test_a_closed_figure_is_open_again_after_an_undo(plotting: Live) -> None:
    plotting.cell("fig, ax = plt.subplots()")
    plotting.cell("plt.figure(7)")
    plotting.cell("plt.close('all')")
    plotting.session.undo()
    assert shown(plotting) == [(1, 0), (7, 0)] and plotting.value("plt.figure(1) is fig and fig.axes == [ax]")
    plotting.session.redo()
    assert shown(plotting) == []


def test_a_function_that_plots_is_seen_to_change_the_current_figure(plotting: Live) -> None:
    plotting.cell("fig, ax = plt.subplots()\ndef draw():\n    plt.plot([1, 2])")
    before = version(plotting)
    plotting.session._observe = _without_check(plotting.session._observe)  # type: ignore[method-assign]
    plotting.cell("draw()")
    assert version(plotting) != before


def _without_check(observe: Any) -> Any:
    return lambda touched, check_s=None, only=None: observe(touched, 0.0, only)


def test_a_checkout_that_fails_leaves_pyplot_as_it_was(plotting: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    plotting.cell("fig = plt.figure()\nplt.plot([1, 2])")
    plotting.cell("plt.plot([2, 1])\nother = plt.figure()")
    from matplotlib._pylab_helpers import Gcf

    before = list(Gcf.figs.items())

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(plotting.session, "_record_arrival", fail)
    with pytest.raises(OSError, match="the disk is full"):
        plotting.session.undo()
    assert list(Gcf.figs.items()) == before and plotting.value("fig") is before[0][1].canvas.figure


UNDRAWN = """
import io
import matplotlib
matplotlib.use('agg')
from matplotlib.figure import Figure
fig = Figure(figsize=(3, 2))
ax = fig.subplots()
line, = ax.plot([1, 3, 2])
"""


def idle(live: Live) -> None:
    while not live.session.check_idle(1.0):
        pass


@pytest.mark.parametrize("is_idle", [False, True])
def test_the_first_drawing_of_a_figure_is_no_change(live: Live, is_idle: bool) -> None:
    live.cell(UNDRAWN)
    before = version(live)
    if is_idle:
        idle(live)
    live.cell("ax.get_xlim()")
    live.cell("fig.savefig(io.BytesIO(), dpi=50)")
    live.cell("fig.canvas.draw()")
    assert version(live) == before


@pytest.mark.parametrize(
    "change", ["line.set_color('red')", "ax.set_ylim(0, 9)", "fig.set_dpi(50)", "ax.margins(0.3)", "line.set_gid('g')"]
)
@pytest.mark.parametrize("is_idle", [False, True])
def test_a_change_that_comes_with_the_first_drawing_is_seen(live: Live, change: str, is_idle: bool) -> None:
    live.cell(UNDRAWN)
    before = version(live)
    if is_idle:
        idle(live)
    live.cell(f"{change}\nfig.savefig(io.BytesIO())")
    assert version(live) != before
    live.session.undo()
    live.cell("fig.savefig(io.BytesIO())")
    assert version(live) == before


def test_no_copy_of_a_figure_is_drawn_before_the_kernel_idles(live: Live) -> None:
    live.cell(UNDRAWN)
    live.cell("ax.plot([2, 1])")
    group = live.session.tracker.by_name["fig"]
    assert group.unused is not None and group.unused.copy is not None and not group.unused.settled
    idle(live)
    assert group.unused.copy is None and group.unused.settled
    assert live.session.check_idle(1.0)


def test_what_a_figure_becomes_is_told_from_what_it_held_when_it_was_recorded(live: Live) -> None:
    live.cell(UNDRAWN + "import numpy as np\nimage = ax.imshow(np.zeros((90, 90)))")  # not in the pickle, but beside it
    before = version(live)
    live.cell("image.get_array()[3, 4] = 5.0\nfig.savefig(io.BytesIO())")
    assert version(live) != before
    live.session.undo()
    assert live.value("image.get_array()[3, 4]") == 0.0


def test_a_first_drawing_with_other_options_is_a_change(live: Live) -> None:
    live.cell(UNDRAWN)
    before = version(live)
    live.cell("matplotlib.rcParams['xtick.major.size'] = 20.0\nfig.savefig(io.BytesIO())")
    assert version(live) != before
    live.session.undo()
    live.cell("matplotlib.rcdefaults()")
    live.cell("fig.savefig(io.BytesIO())")
    assert live.value("ax.xaxis.majorTicks[0].tick1line.get_markersize()") < 20


def test_a_figure_that_calls_functions_of_the_notebook_is_not_drawn_to_see_what_it_becomes(live: Live) -> None:
    live.cell(
        UNDRAWN + "calls = []\ndef tick(x, _):\n    calls.append(x)\n    return ''\nax.yaxis.set_major_formatter(tick)"
    )
    live.cell("fig.set_gid('g')")
    assert live.value("calls") == []


def test_a_table_of_colours_that_was_written_to_comes_back(live: Live) -> None:
    live.cell(
        "import matplotlib\nfaint = matplotlib.colormaps['viridis'].with_alpha(0.5)\nplain = matplotlib.colormaps['jet']"
    )
    before = live.session.tracker.by_name["plain"].version
    live.cell("faint(0.3), plain(0.3)")
    assert live.session.tracker.by_name["plain"].version == before
    live.restart()
    live.session.restore(None)
    assert live.value("faint(0.3)[3], plain(0.3)[3]") == (0.5, 1.0)


def test_only_figures_that_were_current_meanwhile_are_looked_at(plotting: Live) -> None:
    plotting.cell("for number in range(1, 5): plt.figure(number)")
    before = tuple(figures.open_figures())
    assert figures.drawn_since(before, "plt.plot([1])") == {"plt.figure(4)"}
    assert figures.drawn_since(before, "plt.figure(3); plt.plot([1]); plt.figure(4)") == set(before)
    plotting.value("plt.figure(3)")
    assert figures.drawn_since(before, "select(3)") == {"plt.figure(3)", "plt.figure(4)"}
    plotting.value("plt.close(4)")
    assert figures.drawn_since(before, "done()") == {"plt.figure(3)", "plt.figure(4)"}


def test_cells_that_run_again_leave_pyplot_as_the_state_has_it(plotting: Live) -> None:
    plotting.cell("fig = plt.figure()\nplt.plot([1, 2])\ng = (i for i in range(3))")
    there = plotting.cell("plt.plot([2, 1])")
    plotting.value("plt.close('all')")
    plotting.restart()
    report = plotting.session.restore(there, (), "yes")
    assert report["replayed"] == ["g"] and plotting.value("next(g)") == 0
    assert shown(plotting) == [(1, 2)] and plotting.value("plt.gcf() is fig")


def test_a_figure_that_cannot_be_stored_is_made_again_under_its_number(plotting: Live) -> None:
    there = plotting.cell("fig = plt.figure(3)\nplt.plot([1, 2])\nfig.note = (i for i in range(3))")
    assert set(plotting.not_stored) == {"fig", "plt.figure(3)"}
    plotting.value("plt.close('all')")
    plotting.restart()
    report = plotting.session.restore(there, (), "yes")
    assert set(report["replayed"]) == {"fig", "plt.figure(3)"}
    assert shown(plotting) == [(3, 1)] and plotting.value("plt.gcf() is fig")
