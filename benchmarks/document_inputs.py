"""Pairs of notebooks with a known answer: realistic cells, an edit script, and what a perfect diff would say.

Invariant: the same arguments give the same pair. Everything the edit script did is in the `Case`, so that a diff can be
held against it: which cell became which, how many cells were touched, how many bytes the changes need.
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from nbcellar.diff.rising import longest_rising
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, JsonObject, Notebook, cell_to_json

Ids = Literal["stable", "absent", "regenerated"]
IDS: tuple[Ids, ...] = ("stable", "absent", "regenerated")

_NOUNS = (
    "order customer price sample label train test window batch ratio score index region station sensor signal trace "
    "model feature target residual weight group bucket total margin season holiday store product event session click"
).split()
_VERBS = "load clean merge filter rank score plot fit scale split join count map drop fill shift sort bin".split()
_PROSE = (
    "the data show a clear trend over all regions we first remove rows without a price and then compare both groups "
    "note that this step takes some minutes on a laptop results below are for the second half of the year only so the "
    "effect may be smaller in winter see appendix for details about how missing values were treated by station"
).split()


@dataclass(frozen=True)
class Case:
    """A pair of notebooks; `origin` has, for each cell of `after`, its place in `before`, or None for a new one.

    `touched` counts the cells that were edited, inserted, deleted, moved or run again; `ideal_bytes` is the size of the
    shortest JSON, in the words of the diff format, that says so. There may be less to say: where a cell moved past an
    edited one, one may have moved and been edited; a new cell in the place of an empty one is that one, filled.
    """

    before: Notebook
    after: Notebook
    origin: tuple[int | None, ...]
    touched: int
    ideal_bytes: int


def make_notebook(size: int, seed: int, *, with_ids: bool = True) -> Notebook:
    """Return a notebook of `size` cells like those of data analyses."""
    rng = random.Random(f"notebook {size} {seed}")
    cells = [make_cell(rng, count) for count in range(1, size + 1)]
    if with_ids:
        cells = [msgspec.structs.replace(cell, id=_fresh_id(rng)) for cell in cells]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    return Notebook(cells=tuple(cells), metadata=metadata, nbformat_minor=5 if with_ids else 4)


def make_case(
    size: int,
    seed: int = 0,
    *,
    ids: Ids = "stable",
    edited: float = 0.05,
    inserted: float = 0.02,
    deleted: float = 0.02,
    moved: float = 0.02,
    run_again: float = 0.10,
) -> Case:
    """Return a pair whose second notebook has these parts of its cells changed; no cell is changed in two ways."""
    rng = random.Random(f"case {size} {seed}")
    before = make_notebook(size, seed, with_ids=ids != "absent")
    places = list(range(size))
    rng.shuffle(places)
    draw = iter(places)
    edit, drop, move, again = (
        {next(draw) for _ in range(_part(size, share))} for share in (edited, deleted, moved, run_again)
    )
    cost = 0
    changed: dict[int, Cell] = {}
    for place in sorted(edit | again):
        change = _edit if place in edit else _run_again
        changed[place], size_bytes = change(before.cells[place], rng)
        cost += len(_text({"op": "patch", "key": place, "diff": []})) + size_bytes
    touched = len(drop) + sum(1 for place in changed if changed[place] != before.cells[place])
    line: list[tuple[int | None, Cell]] = [
        (place, changed.get(place, cell))
        for place, cell in enumerate(before.cells)
        if place not in drop and place not in move
    ]
    for place in sorted(move):
        line.insert(rng.randrange(len(line) + 1), (place, before.cells[place]))
    # A cell that was put back where it stood did not move, and of two neighbours that changed places one did.
    kept = [place for place, _ in line if place is not None]
    left = set(kept) - {kept[at] for at in longest_rising(kept)}
    cost += sum(len(_text({"op": "move", "key": place, "to": size})) for place in left)
    touched += len(left)
    cost += sum(len(_text({"op": "removerange", "key": place, "length": 1})) for place in drop)
    for _ in range(_part(size, inserted)):
        cell = make_cell(rng, size + 1)
        cell = msgspec.structs.replace(cell, id=_fresh_id(rng) if ids == "stable" else CellId(""))
        line.insert(rng.randrange(len(line) + 1), (None, cell))
        cost += len(_text({"op": "addrange", "key": size, "valuelist": [cell_to_json(cell)]}))
        touched += 1
    cells = [cell for _, cell in line]
    if ids == "regenerated":
        cells = [msgspec.structs.replace(cell, id=_fresh_id(rng)) for cell in cells]
        cost += len(_text([cell.id for cell in cells]))
    after = msgspec.structs.replace(before, cells=tuple(cells))
    return Case(before, after, tuple(place for place, _ in line), touched, cost)


def make_cell(rng: random.Random, count: int) -> Cell:
    """Return a cell without an id: code with outputs, markdown, and now and then one that many notebooks repeat."""
    kind = rng.random()
    if kind < 0.04:
        return Cell(type="code", source="", outputs=(), keys=())
    if kind < 0.10:
        source = rng.choice(["df.head()", "df.describe()", "df.shape", "plt.show()"])
        return Cell(type="code", source=source, outputs=(_table(rng, count),), execution_count=count)
    if kind < 0.35:
        return Cell(type="markdown", source=_prose(rng))
    source, outputs = rng.choice([_imports, _frames, _function, _plot, _loop, _fails])(rng, count)
    return Cell(type="code", source=source, outputs=outputs, execution_count=count)


def _part(size: int, share: float) -> int:
    return min(max(round(size * share), 1 if share else 0), size // 5)


def _fresh_id(rng: random.Random) -> CellId:
    return CellId(f"{rng.getrandbits(32):08x}")


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _name(rng: random.Random) -> str:
    return f"{rng.choice(_NOUNS)}_{rng.choice(_NOUNS)}"


def _prose(rng: random.Random) -> str:
    begin = f"{'#' * rng.randint(1, 3)} {rng.choice(_VERBS).title()} {_name(rng)}\n"
    lines = []
    for _ in range(rng.randint(0, 5)):
        start = rng.randrange(len(_PROSE))
        lines.append(" ".join((_PROSE + _PROSE)[start : start + rng.randint(4, 14)]) + f" {rng.randint(1, 999)}.")
    return begin + "\n".join(["", *lines]) if lines else begin.strip()


_Made = tuple[str, tuple[JsonObject, ...]]


def _imports(rng: random.Random, count: int) -> _Made:
    modules = rng.sample("numpy pandas matplotlib seaborn sklearn json pathlib os re math random".split(), 4)
    return "\n".join([*(f"import {module}" for module in modules), f"SEED = {rng.randint(1, 9999)}"]), ()


def _frames(rng: random.Random, count: int) -> _Made:
    name, other = _name(rng), _name(rng)
    lines = [f"{name} = pd.read_csv('data/{other}_{rng.randint(1, 400)}.csv')"]
    for _ in range(rng.randint(1, 7)):
        column = rng.choice(_NOUNS)
        lines.append(f"{name}['{column}'] = {name}['{column}'].fillna({rng.randint(0, 999)}).astype(float)")
    return "\n".join([*lines, f"{name}.groupby('{rng.choice(_NOUNS)}').mean()"]), (_table(rng, count),)


def _function(rng: random.Random, count: int) -> _Made:
    lines = [f"def {rng.choice(_VERBS)}_{_name(rng)}(frame, threshold={rng.random():.3f}):"]
    for _ in range(rng.randint(2, 14)):
        lines.append(
            f"    {rng.choice(_NOUNS)} = frame['{rng.choice(_NOUNS)}'].{rng.choice(_VERBS)}({rng.random():.4f})"
        )
    return "\n".join([*lines, f"    return {rng.choice(_NOUNS)}"]), ()


def _plot(rng: random.Random, count: int) -> _Made:
    name = _name(rng)
    lines = [
        f"fig, ax = plt.subplots(figsize=({rng.randint(4, 16)}, {rng.randint(3, 9)}))",
        f"ax.plot({name}.index, {name}['{rng.choice(_NOUNS)}'], label='{_name(rng)}')",
        f"ax.set_title('{' '.join(rng.sample(_PROSE, 4))}')",
        "ax.legend()",
        "plt.show()",
    ]
    picture = base64.b64encode(rng.randbytes(rng.randint(500, 6000))).decode() + "\n"
    data = {"image/png": picture, "text/plain": f"<Figure size {rng.randint(400, 900)}x400 with 1 Axes>"}
    return "\n".join(lines), ({"output_type": "display_data", "data": data, "metadata": {}},)


def _loop(rng: random.Random, count: int) -> _Made:
    name = rng.choice(_NOUNS)
    source = f"for epoch in range({rng.randint(3, 30)}):\n    {name} = step(epoch, rate={rng.random():.5f})\n"
    source += f"    print(f'{{epoch}} {{{name}:.4f}}')"
    text = [f"{epoch} {rng.random():.4f}\n" for epoch in range(rng.randint(3, 30))]
    return source, ({"output_type": "stream", "name": "stdout", "text": text},)


def _fails(rng: random.Random, count: int) -> _Made:
    name = _name(rng)
    trace = [f"Traceback (cell {count})", f"----> 1 {name}.{rng.choice(_VERBS)}()", f"NameError: name '{name}'"]
    error = {"output_type": "error", "ename": "NameError", "evalue": f"name '{name}'", "traceback": trace}
    return f"{name}.{rng.choice(_VERBS)}(axis={rng.randint(0, 1)}, limit={rng.randint(1, 9999)})", (error,)


def _table(rng: random.Random, count: int) -> JsonObject:
    columns = rng.sample(_NOUNS, rng.randint(2, 6))
    rows = [[f"{rng.random():.6f}" for _ in columns] for _ in range(rng.randint(1, 8))]
    html = ["<table>\n", f"<tr>{''.join(f'<th>{column}</th>' for column in columns)}</tr>\n"]
    html += [f"<tr>{''.join(f'<td>{value}</td>' for value in row)}</tr>\n" for row in rows]
    plain = ["  ".join(columns) + "\n", *("  ".join(row) + "\n" for row in rows)]
    data = {"text/html": [*html, "</table>"], "text/plain": plain}
    return {"output_type": "execute_result", "execution_count": count, "data": data, "metadata": {}}


def _edit(cell: Cell, rng: random.Random) -> tuple[Cell, int]:
    """Return the cell with one line of its source changed, dropped or added, and the bytes that this takes."""
    lines = cell.source.splitlines(keepends=True)
    place = rng.randrange(len(lines)) if lines else 0
    kind = rng.random()
    if not lines or kind < 0.2:
        line = f"{_name(rng)} = {rng.randint(1, 9999)}  # {rng.choice(_PROSE)}\n"
        lines.insert(place, line)
        operations = [{"op": "addrange", "key": place, "valuelist": [line]}]
    elif kind < 0.35 and len(lines) > 2:
        del lines[place]
        operations = [{"op": "removerange", "key": place, "length": 1}]
    else:
        at = rng.randrange(len(lines[place]) + 1) if not lines[place].endswith("\n") else 0
        word = f"{rng.choice(_VERBS)}_{rng.randint(1, 99)} "
        lines[place] = lines[place][:at] + word + lines[place][at:]
        inner = [{"op": "addrange", "key": at, "valuelist": word}]
        operations = [{"op": "patch", "key": place, "diff": inner}]
    source = "".join(lines)
    return msgspec.structs.replace(cell, source=source), len(
        _text({"op": "patch", "key": "source", "diff": operations})
    )


def _run_again(cell: Cell, rng: random.Random) -> tuple[Cell, int]:
    """Return the cell with another count and, where it has outputs, other numbers in them; and the bytes of that."""
    if cell.type != "code" or not cell.source:
        return cell, 0
    count = (cell.execution_count or 0) + rng.randint(1, 50)
    cost = len(_text({"op": "replace", "key": "execution_count", "value": count}))
    outputs = []
    for place, output in enumerate(cell.outputs or ()):
        output, size_bytes = _other_output(output, count, rng)
        outputs.append(output)
        inner = len(_text({"op": "patch", "key": place, "diff": []}))
        cost += len(_text({"op": "patch", "key": "outputs", "diff": []})) + inner + size_bytes if size_bytes else 0
    outputs = tuple(outputs) if cell.outputs is not None else None
    return msgspec.structs.replace(cell, outputs=outputs, execution_count=count), cost


def _other_output(output: JsonObject, count: int, rng: random.Random) -> tuple[JsonObject, int]:
    kind, cost, made = output["output_type"], 0, dict(output)
    if kind == "stream":
        made["text"] = [*output["text"][:-1], f"done {rng.random():.6f}\n"]
        last = len(made["text"]) - 1
        operations = [
            {"op": "addrange", "key": last, "valuelist": [made["text"][-1]]},
            {"op": "removerange", "key": last, "length": 1},
        ]
        return made, len(_text({"op": "patch", "key": "text", "diff": operations}))
    if kind == "error":
        made["traceback"] = [f"Traceback (cell {count})", *output["traceback"][1:]]
        operations = [{"op": "patch", "key": 0, "diff": _within(output["traceback"][0], made["traceback"][0])}]
        return made, len(_text({"op": "patch", "key": "traceback", "diff": operations}))
    if "execution_count" in output:
        made["execution_count"] = count
        cost = len(_text({"op": "replace", "key": "execution_count", "value": count}))
    if "image/png" in output["data"]:
        picture = base64.b64encode(rng.randbytes(rng.randint(500, 6000))).decode() + "\n"
        made["data"] = {**output["data"], "image/png": picture}
        inner = len(_text({"op": "replace", "key": "image/png", "value": picture}))
        return made, cost + len(_text({"op": "patch", "key": "data", "diff": []})) + inner
    lines = list(output["data"]["text/plain"])
    row = rng.randrange(1, len(lines))
    old, new = lines[row].split("  ")[0], f"{rng.random():.6f}"
    html = list(output["data"]["text/html"])
    html[row + 1] = html[row + 1].replace(old, new, 1)
    lines[row] = lines[row].replace(old, new, 1)
    made["data"] = {"text/html": html, "text/plain": lines}
    for key, place in (("text/html", row + 1), ("text/plain", row)):
        inner = [{"op": "patch", "key": place, "diff": _within(output["data"][key][place], made["data"][key][place])}]
        cost += len(_text({"op": "patch", "key": key, "diff": inner}))
    return made, cost + len(_text({"op": "patch", "key": "data", "diff": []}))


def _within(old: str, new: str) -> list[JsonObject]:
    """Return the shortest change of one stretch of a line."""
    start = next((at for at, (x, y) in enumerate(zip(old, new, strict=False)) if x != y), min(len(old), len(new)))
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return [
        {"op": "addrange", "key": start, "valuelist": new[start : len(new) - end]},
        {"op": "removerange", "key": start, "length": len(old) - end - start},
    ]
