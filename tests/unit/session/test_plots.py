"""Figures of matplotlib: drawing them again is no change, and they come back whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
    with live_session(tmp_path) as session:
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
