"""Pictures of outputs: by pixels, with Pillow and without."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from nbcellar.diff import png
from nbcellar.diff.document.outputs.model import ImageChange, MimeChange, OutputSettings
from nbcellar.diff.document.outputs.picture_sizes import picture_size
from nbcellar.diff.document.outputs.registry import compare_bundle, compare_mime


@pytest.fixture(params=["with Pillow", "without"])
def reader(request: pytest.FixtureRequest) -> str:
    """What pictures are read with; a test makes its pictures before it calls `without_pillow`."""
    return str(request.param)


def picture(width: int = 20, height: int = 10, mode: str = "RGBA", spot: int = 0) -> Any:
    """Return a picture with a gradient, the first `spot` pixels of which are black."""
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    for place in range(spot):
        image.putpixel((place % width, place // width), (0,) * (len(mode) - 1) + (255,) if mode == "RGBA" else 0)
    return image


def encoded(image: Any, form: str = "PNG", **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return base64.b64encode(file.getvalue()).decode()


def compare(before: str, after: str, mime: str = "image/png", settings: OutputSettings | None = None) -> MimeChange:
    return compare_mime(mime, before, after, settings)


def without_pillow(monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    if reader == "without":
        monkeypatch.setitem(sys.modules, "PIL", None)


def test_pixels_that_differ_are_counted_and_drawn(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = encoded(picture()), encoded(picture(spot=3))
    without_pillow(monkeypatch, reader)
    change = compare(old, new)
    detail = change.detail
    assert isinstance(detail, ImageChange)
    assert (detail.pixels, detail.of, detail.width_after, detail.height_before) == (3, 200, 20, 10)
    assert change.note == "picture of 20 × 10: 3 of 200 pixels differ (1.5 %)"
    assert detail.after == f"data:image/png;base64,{new}"
    drawn = png.decode(base64.b64decode(detail.difference.partition(",")[2]))
    assert drawn is not None and (drawn.width, drawn.height) == (20, 10)
    reds = [place for place in range(0, len(drawn.data), 3) if drawn.data[place] > drawn.data[place + 1] + 50]
    assert reds == [0, 3, 6]


def test_the_same_pixels_in_another_file_are_noise(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Software", "Matplotlib 3.10")
    old = encoded(picture(), compress_level=1)
    others = [encoded(picture(), compress_level=9), encoded(picture(), pnginfo=told), encoded(picture(mode="RGB"))]
    without_pillow(monkeypatch, reader)
    for other in others:
        change = compare(old, other)
        assert (change.only_noise, change.noise) == (True, ["the same picture, stored otherwise"])


def test_transparency_counts(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opaque, clear = (Image.new("RGBA", (9, 9), (255, 255, 255, alpha)) for alpha in (255, 0))
    old, new = encoded(opaque), encoded(clear)
    without_pillow(monkeypatch, reader)
    detail = compare(old, new).detail
    assert isinstance(detail, ImageChange) and detail.pixels == 81


def test_other_sizes_are_told(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = encoded(picture(20, 10)), encoded(picture(21, 10))
    without_pillow(monkeypatch, reader)
    change = compare(old, new)
    assert change.note == "picture of 20 × 10 -> 21 × 10 pixels"
    assert isinstance(change.detail, ImageChange) and change.detail.pixels is None


@pytest.mark.parametrize("form", ["JPEG", "GIF", "WEBP", "BMP"])
def test_other_formats_are_read_where_pillow_is(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = encoded(picture(mode="RGB"), form), encoded(picture(mode="RGB", spot=0).rotate(180), form)
    mime = f"image/{form.lower()}"
    detail = compare(old, new, mime).detail
    assert isinstance(detail, ImageChange) and detail.pixels and (detail.width_after, detail.height_after) == (20, 10)
    without_pillow(monkeypatch, "without")
    change = compare(old, new, mime)
    assert isinstance(change.detail, ImageChange) and change.detail.pixels is None
    assert (change.detail.width_after, change.detail.bytes_after) == (20, len(base64.b64decode(new)))
    assert change.note.endswith("the pixels were not compared: not read without Pillow")


def test_every_frame_of_an_animation_counts() -> None:
    still, moved, last = picture(mode="L"), picture(mode="L").rotate(180), Image.new("L", (20, 10))
    old = encoded(still, "GIF", save_all=True, append_images=[moved, last])
    new = encoded(still, "GIF", save_all=True, append_images=[Image.new("L", (20, 10), 99), last])
    detail = compare(old, new, "image/gif").detail
    assert isinstance(detail, ImageChange) and detail.pixels and detail.of == 600


def test_sixteen_bits_are_not_taken_for_eight(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (encoded(Image.new("I;16", (9, 9), value)) for value in (256, 257))
    without_pillow(monkeypatch, reader)
    assert not compare(old, new).only_noise


@pytest.mark.parametrize("cut", [30, 60])
def test_a_damaged_picture_is_told_by_its_bytes(reader: str, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    old = encoded(picture())
    damaged = base64.b64encode(base64.b64decode(old)[:cut]).decode()
    without_pillow(monkeypatch, reader)
    change = compare(old, damaged)
    assert not change.only_noise and "the pixels were not compared" in change.note


def test_a_picture_that_claims_to_be_huge_is_not_decoded(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(base64.b64decode(encoded(picture())))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    bomb, other = (base64.b64encode(bytes(data) + end).decode() for end in (b"", b"x"))
    without_pillow(monkeypatch, reader)
    assert "more than 16,000,000 pixels" in compare(bomb, other).note


def test_pictures_stay_out_where_they_are_not_wanted() -> None:
    change = compare(encoded(picture()), encoded(picture(spot=3)), settings=OutputSettings(draw=False))
    assert isinstance(change.detail, ImageChange)
    assert (change.detail.pixels, change.detail.before, change.detail.difference) == (3, "", "")


def test_a_picture_that_came_is_shown() -> None:
    (change,) = compare_bundle({}, {"image/png": encoded(picture())})
    assert isinstance(change.detail, ImageChange) and change.detail.after.startswith("data:image/png")
    assert (change.change, change.note) == ("added", "picture of 20 × 10")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_sizes_are_read_from_the_first_bytes(form: str) -> None:
    data = base64.b64decode(encoded(picture(33, 7, "RGB"), form))
    assert picture_size(data) == (33, 7)
    assert all(picture_size(data[:cut]) in (None, (33, 7)) for cut in range(len(data)))
