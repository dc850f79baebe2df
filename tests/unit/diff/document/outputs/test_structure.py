"""JSON of outputs: paths of what changed; ids that libraries make up."""

from __future__ import annotations

import array
import base64
from typing import Any

import pytest

from nbcellar.diff.document.outputs.model import MimeChange, OutputSettings, TreeChange
from nbcellar.diff.document.outputs.registry import compare_mime

HASHES = "ab" * 16, "cd" * 16


def compare(before: Any, after: Any, settings: OutputSettings | None = None) -> MimeChange:
    return compare_mime("application/vnd.plotly.v1+json", before, after, settings)


def paths(change: MimeChange) -> list[tuple[str, str, str, str]]:
    assert isinstance(change.detail, TreeChange)
    return [(value.change, value.path, value.before, value.after) for value in change.detail.values]


def test_changes_are_told_by_their_paths() -> None:
    before = {"data": [{"y": [1, 2], "name": "a"}], "old key": 1}
    after = {"data": [{"y": [1, 3], "name": "a"}], "new": {"x": [1]}}
    assert paths(compare(before, after)) == [
        ("removed", '["old key"]', "1", ""),
        ("added", "new", "", "{1 key}"),
        ("changed", "data[0].y[1]", "2", "3"),
    ]


def test_an_item_put_into_a_list_is_one_that_came() -> None:
    change = compare([1, 2, 3, 4], [1, 9, 2, 3, 4])
    assert paths(change) == [("added", "[1]", "", "9")]
    assert change.note == "[1] added: 9"


@pytest.mark.parametrize(("before", "after"), [(1, 1.0), (1, True), (0.0, -0.0), (None, False), ([], {}), ("1", 1)])
def test_values_of_other_types_differ(before: Any, after: Any) -> None:
    assert not compare({"x": before}, {"x": after}).only_noise


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ({"model_id": HASHES[0], "version_major": 2}, {"model_id": HASHES[1], "version_major": 2}, "widget state"),
        ({"children": [f"IPY_MODEL_{HASHES[0]}"]}, {"children": [f"IPY_MODEL_{HASHES[1]}"]}, "widget state"),
        ({"uid": "a1b2c3"}, {"uid": "d4e5f6"}, "generated ids"),
        ({"datasets": {f"data-{HASHES[0]}": [1]}}, {"datasets": {f"data-{HASHES[1]}": [1]}}, "generated ids"),
        ({"text": "<A at 0x7f0000000001>"}, {"text": "<A at 0x7f0000000002>"}, "memory addresses"),
        ('{"a": [1, 2]}', {"a": [1, 2]}, "how it is written in the file"),
    ],
)
def test_noise_is_named(before: Any, after: Any, name: str) -> None:
    change = compare(before, after)
    assert (change.only_noise, change.noise) == (True, [name])


def test_an_id_that_somebody_chose_is_a_value() -> None:
    assert not compare({"model_id": "bert-base"}, {"model_id": "bert-large"}).only_noise
    assert not compare({"id": "123456"}, {"id": "654321"}).only_noise
    assert not compare({"features": [{"name": HASHES[0][:10]}]}, {"features": [{"name": HASHES[1][:10]}]}).only_noise


def test_data_under_a_generated_name_is_compared() -> None:
    change = compare({"datasets": {f"data-{HASHES[0]}": [1, 2]}}, {"datasets": {f"data-{HASHES[1]}": [1, 3]}})
    assert [path[1:] for path in paths(change)] == [(f'datasets["data-{HASHES[1]}"][1]', "2", "3")]
    assert change.noise == ["generated ids"] and not change.only_noise


def test_numbers_are_compared_within_a_tolerance() -> None:
    change = compare({"y": [1.0, 2.0]}, {"y": [1.0001, 2.5]}, OutputSettings(relative=1e-3))
    assert paths(change) == [("changed", "y[1]", "2.0", "2.5")]
    assert change.noise == ["numbers within the tolerance"]
    assert compare({"n": 1000}, {"n": 1001}, OutputSettings(relative=1)).only_noise is False


def test_arrays_of_plotly_in_base64_are_compared_by_number() -> None:
    def packed(*numbers: float) -> dict[str, str]:
        return {"dtype": "f8", "bdata": base64.b64encode(array.array("d", numbers).tobytes()).decode()}

    assert paths(compare({"y": packed(1, 2, 3)}, {"y": packed(1, 2.5, 3)})) == [("changed", "y[1]", "2.0", "2.5")]


def test_listed_are_a_hundred_and_counted_are_all() -> None:
    change = compare(list(range(1000)), list(range(1, 1001)))
    assert isinstance(change.detail, TreeChange)
    many = compare({"y": [0] * 1000}, {"y": [1] * 1000})
    assert isinstance(many.detail, TreeChange)
    assert (many.detail.changed, len(many.detail.values), many.detail.more) == (1000, 100, 900)
    assert many.note == "1,000 values changed, 1,000 numbers by 1 at most (0 -> 1)"
