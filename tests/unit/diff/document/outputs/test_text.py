"""Texts of outputs: what a terminal shows in the end, noise and numbers apart from what changed."""

from __future__ import annotations

import pytest

from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings
from nbcellar.diff.document.outputs.registry import compare_mime
from nbcellar.diff.document.outputs.terminal import last_state
from nbcellar.diff.model import TextChange

TIMES = "CPU times: "
RUNS = "mean ± std. dev. of 7 runs, "
TOLERANT = OutputSettings(relative=1e-3)


def compare(before: str, after: str, settings: OutputSettings | None = None) -> MimeChange:
    return compare_mime("text/plain", before, after, settings)


def marked(change: MimeChange) -> list[str]:
    assert isinstance(change.detail, TextChange)
    return [line.mark + line.text for line in change.detail.lines]


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("10%\r50%\r100%\ndone", "100%\ndone"),
        ("abc\rx", "xbc"),
        ("abc\r\x1b[Kx", "x"),
        ("abc\x1b[2Kx", "x"),
        ("ab\x08c", "ac"),
        ("one\r\ntwo", "one\r\ntwo"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("a: 1\nb: 1\x1b[A\ra: 2\nb: 2", "a: 2\nb: 2"),  # two bars of tqdm, one above the other
        ("a\x1b[999Bb", "ab"),
        ("\x1b[A\x1b[Aa", "a"),
        ("a\x1b", "a\x1b"),
    ],
)
def test_what_was_overwritten_is_gone(printed: str, left: str) -> None:
    assert last_state(printed) == left


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("<A at 0x7f0000000001>", "<A at 0x7f0000000002>", "memory addresses"),
        ("<environment: 0x55d5c8a8>", "<environment: 0x55d5c8a9>", "memory addresses"),
        (f"{TIMES}user 1 s, sys: 2 ms, total: 1.1 s", f"{TIMES}user 1 ms, sys: 0 ns, total: 1 ms", "run times"),
        ("Wall time: 2 s", "Wall time: 9 ms", "run times"),
        (f"1.2 µs ± 3 ns per loop ({RUNS}10 loops each)", f"13 ms ± 1 µs per loop ({RUNS}1 loop each)", "run times"),
        ("100% 9/9 [00:01<00:00, 7.5it/s, loss=0.1]", "100% 9/9 [00:03<00:00, 2.9it/s, loss=0.1]", "run times"),
        ("/tmp/ipykernel_7/1.py:3: no", "/var/folders/aa/bb/T/ipykernel_99/22.py:3: no", "temporary files"),
        ("/tmp/tmpab1cd_ef/a", "/tmp/tmpxyz12345/a", "temporary files"),
        ("10%\r100%", "20%\r100%", "states of progress bars"),
        ("\x1b[31mx", "\x1b[32mx", "terminal colours"),
        ("a\n", "a", "line ends"),
        ("a\r\nb", "a\nb", "line ends"),
        ("loss 1.5", "loss 1.500", "digits shown of equal numbers"),
    ],
)
def test_noise_is_named(before: str, after: str, name: str) -> None:
    change = compare(before, after)
    assert (change.only_noise, change.noise, change.note) == (True, [name], f"only {name}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0xdeadbeef", "0xdeadbeee"),
        ("took 3 s", "took 4 s"),
        ("/tmp/tmp_results/a", "/tmp/tmp_outputs/a"),
        ("3f2a1b3c-1111-4222-8333-444455556666", "3f2a1b3c-1111-4222-8333-444455556667"),
        ("  x", "x"),
        ("100%|█| 9/9 [00:01<00:00, 7.5it/s, loss=0.1]", "100%|█| 9/9 [00:01<00:00, 7.5it/s, loss=0.2]"),
        ("1", "1.0"),
        ("1.0", "-1.0"),
        ("0.0", "-0.0"),
    ],
)
def test_what_may_be_a_value_is_no_noise(before: str, after: str) -> None:
    assert not compare(before, after).only_noise


def test_a_line_with_noise_is_shown_as_equal_beside_one_that_changed() -> None:
    change = compare("<A at 0x7f0000000001>\nx = 1", "<A at 0x7f0000000002>\nx = 2")
    assert marked(change) == [" <A at 0x7f0000000002>", "-x = 1", "+x = 2"]
    assert change.noise == ["memory addresses"] and not change.only_noise


def test_numbers_are_told_by_their_largest_difference() -> None:
    change = compare("loss 0.9132\nacc 0.5", "loss 0.9135\nacc 0.7")
    assert change.note == "2 lines changed, 2 numbers by 0.2 at most (0.5 -> 0.7)"
    assert change.numbers is not None
    assert (change.numbers.compared, change.numbers.changed, change.numbers.largest_at) == (2, 2, "line 2")


def test_numbers_within_the_tolerance_are_noise_and_told() -> None:
    change = compare("acc 0.9132", "acc 0.9135", TOLERANT)
    assert change.only_noise and change.noise == ["numbers within the tolerance"]
    assert change.note.endswith("by 0.0003 (0.9132 -> 0.9135)")


def test_of_a_table_only_the_line_beyond_the_tolerance_is_shown() -> None:
    change = compare("   a    b\n0  1.0  2.0\n1  9.5  4.0", "   a     b\n0  1.0  2.0001\n1  10.5 4.0000", TOLERANT)
    assert marked(change) == ["    a     b", " 0  1.0  2.0001", "-1  9.5  4.0", "+1  10.5 4.0000"]
    assert change.numbers is not None and change.numbers.changed == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rows 10000", "rows 10001"),  # whole numbers are counts
        ("2024-01-02", "2024-01-03"),
        ("1.2.3", "1.2.4"),
        ("12:30:01", "12:30:02"),
        ("1,000.5", "1,001.5"),
        ("v1.5", "v1.5001"),
        ("1.5 kg", "1.5001 lb"),
        ("1e400", "2e400"),
        ("nan", "1.0"),
    ],
)
def test_what_a_tolerance_does_not_cover(before: str, after: str) -> None:
    assert not compare(before, after, OutputSettings(relative=1e-3, absolute=1e-9)).only_noise


def test_digits_beyond_those_of_a_float_count() -> None:
    change = compare("x 12345678901234567890", "x 12345678901234567891")
    assert change.note == "1 line changed, 1 number by 1 (12345678901234567890 -> 12345678901234567891)"


def test_ids_and_the_date_of_a_drawing_are_noise() -> None:
    svg = '<svg><dc:date>{}</dc:date><path id="m{}"/><use href="#m{}"/></svg>'
    one, other = (
        svg.format("2024-01-01T10:00:00", *["0a1b2c3d4e"] * 2),
        svg.format("2025-02-02T11:00:00", *["ffffffffff"] * 2),
    )
    assert compare_mime("image/svg+xml", one, other).only_noise
    broken = svg.format("2025-02-02T11:00:00", "ffffffffff", "eeeeeeeeee")
    assert not compare_mime("image/svg+xml", one, broken).only_noise
