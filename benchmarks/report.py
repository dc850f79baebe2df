"""Turn figures into one Markdown table, with ratios and the bars beside them.

Invariant: pure; a figure that was not measured is an empty field, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from measure import REST_S, Figures, Undo, median_ms
from workloads import Workload

ORDER = ("bare", "cellar", "dill", "kishu")
LATENCY_BAR_MS = 10.0
SMALL_STATE_BYTES = 100_000


@dataclass(frozen=True)
class Row:
    """One line: a figure of each variant, Cellar's ratio, its bar, whether it is met (None: no bar)."""

    workload: int
    figure: str
    values: Mapping[str, str]
    ratio: str = ""
    bar: str = ""
    met: bool | None = None


def rows(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    """Return the lines of one workload; `figures` holds at least `bare`."""
    found = [*_cpu(workload, figures), *_latency(workload, figures), *_store(workload, figures)]
    return [*found, *_undo(workload, figures), *_loop(workload, figures)]


def table(lines: list[Row]) -> str:
    """Return the lines as Markdown."""
    head = ["#", "figure", *ORDER, "Cellar's ratio", "bar", "met"]
    body = [
        [
            "5" if line.workload == 50 else str(line.workload),
            line.figure,
            *(line.values.get(name, "") for name in ORDER),
            line.ratio,
            line.bar,
            {None: "", True: "yes", False: "**no**"}[line.met],
        ]
        for line in lines
    ]
    return _markdown(head, body)


def _markdown(head: list[str], body: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    texts = [f"| {' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True))} |" for row in [head, *body]]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def cell_table(workload: Workload, figures: Mapping[str, Figures]) -> str:
    """Return one line for each counted cell: what it cost above the same cell in the bare kernel, as Markdown."""
    bare = figures["bare"]
    peers = [name for name in ORDER if name in figures and name != "bare"]
    head = ["#", "cell", "bare: CPU, reply", *(f"{name}: CPU, reply, idle above bare" for name in peers)]
    body = []
    for i, source in enumerate(workload.cells):
        first = source.splitlines()[0].replace("|", "\\|")
        line = [str(i + 1), f"`{first[:48]}`", f"{_time(bare.cell_cpu_s[i])}, {_time(bare.reply_s[i])}"]
        for name in peers:
            f = figures[name]
            above = (
                f.cell_cpu_s[i] - bare.cell_cpu_s[i],
                f.reply_s[i] - bare.reply_s[i],
                f.idle_s[i] - bare.idle_s[i],
            )
            line.append(", ".join(_time(value) for value in above))
        body.append(line)
    return _markdown(head, body)


def _each(figures: Mapping[str, Figures], value: Callable[[Figures], str]) -> dict[str, str]:
    return {name: text for name, found in figures.items() if (text := value(found))}


def _over_bare_s(figures: Mapping[str, Figures], name: str) -> float | None:
    """Return the processor seconds a counted cell costs more than in the bare kernel; None: not measured."""
    if name not in figures:
        return None
    cells = len(figures["bare"].cell_cpu_s)
    return (figures[name].cpu_s - figures["bare"].cpu_s) / cells


def _cpu(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    costs = {name: cost for name in ORDER if name != "bare" and (cost := _over_bare_s(figures, name)) is not None}
    values = {name: _time(cost) for name, cost in costs.items()}
    values["bare"] = f"({_time(figures['bare'].cpu_s / len(figures['bare'].cell_cpu_s))})"
    lines = []
    if not workload.loop:
        for peer, bar in (("kishu", workload.bars.cpu_vs_kishu), ("dill", workload.bars.cpu_vs_dill)):
            if bar is not None:
                ratio = costs["cellar"] / costs[peer] if "cellar" in costs and costs.get(peer, 0) > 0 else None
                limit = f"<= 1/{1 / bar:.0f} of {peer}" if bar < 1 else f"<= {bar:g} x {peer}"
                lines.append(Row(workload.number, "capture CPU a cell", values, *_judged(ratio, bar, limit)))
    if not lines:
        lines.append(Row(workload.number, "capture CPU a cell", values))
    setup = figures["bare"].setup_cpu_s
    first = {n: _time(f.setup_cpu_s - setup) for n, f in figures.items() if n != "bare"}
    lines.append(Row(workload.number, "CPU of recording the data at first", first))
    rest = _each(figures, lambda f: _time(f.rest_cpu_s))
    lines.append(Row(workload.number, f"CPU in {REST_S:g} idle seconds after", rest))
    return lines


def _judged(ratio: float | None, bar: float, limit: str) -> tuple[str, str, bool | None]:
    if ratio is None:
        return "", limit, None
    text = f"1/{1 / ratio:.0f}" if 0 < ratio < 0.2 else f"{ratio:.2f}"
    return text, limit, ratio <= bar


def _latency(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    lines = []
    fields: list[tuple[str, Callable[[Figures], tuple[float, ...]]]] = [
        ("reply", lambda f: f.reply_s),
        ("idle", lambda f: f.idle_s),
        ("last output", lambda f: f.output_s),
    ]
    for name, times in fields:
        values = {
            n: f"{median_ms(times(f)):.1f} / {max(times(f)) * 1000:.1f} ms" for n, f in figures.items() if times(f)
        }
        more = None
        if "cellar" in figures:
            more = median_ms(times(figures["cellar"])) - median_ms(times(figures["bare"]))
        lines.append(
            Row(
                workload.number,
                f"{name}, median / worst",
                values,
                "" if more is None else f"{more:+.1f} ms",
                f"< {LATENCY_BAR_MS:.0f} ms after bare",
                None if more is None else more < LATENCY_BAR_MS,
            )
        )
    at_once = _each(figures, lambda f: _time(f.all_s))
    ratio = f"{figures['cellar'].all_s / figures['bare'].all_s:.2f} x bare" if "cellar" in figures else ""
    lines.append(Row(workload.number, "cells sent at once, last reply", at_once, ratio))
    return lines


def _store(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    state = figures["bare"].state_bytes
    stored = {n: f.stored_bytes for n, f in figures.items() if n != "bare"}
    values = {n: f"{_size(size)}{_by(size, state, state)}" for n, size in stored.items()}
    values["bare"] = f"(state {_size(state)})"
    bar = workload.bars.store_vs_state
    ratio = stored["cellar"] / state if "cellar" in stored else None
    judged = _judged(ratio, bar, f"<= {bar:g} x state") if bar is not None else ("", "", None)
    lines = [Row(workload.number, "store, and by final state", values, *judged)]
    if workload.bars.bytes_per_cell is not None:
        lines.append(_slope(workload, figures, workload.bars.bytes_per_cell))
    return lines


def _slope(workload: Workload, figures: Mapping[str, Figures], bar: float) -> Row:
    first, last = workload.marks
    slopes = {
        n: (f.stored_at_mark[1] - f.stored_at_mark[0]) / (last - first) for n, f in figures.items() if n != "bare"
    }
    mine = slopes.get("cellar")
    return Row(
        workload.number,
        f"store a cell, from {first:,} to {last:,}",
        {n: _size(slope) for n, slope in slopes.items()},
        "" if mine is None else f"{mine / bar:.2f} of the bar",
        f"<= {_size(bar)}",
        None if mine is None else mine <= bar,
    )


def _undo(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    load = figures["bare"].load_s
    kinds: list[tuple[str, Callable[[Figures], Undo | None], float | None]] = [
        ("undo of the last cell, by full load", lambda f: f.undo, workload.bars.undo_vs_load),
        ("undo, data untouched", lambda f: f.undo_untouched, workload.bars.undo_untouched_vs_load),
    ]
    lines = []
    for name, pick, bar in kinds:
        found = {n: undo for n, f in figures.items() if (undo := pick(f)) is not None}
        if not found:
            continue
        size = figures["bare"].state_bytes
        values = {n: f"{_time(u.wall_s)}{_by(u.wall_s, load, size)}" for n, u in found.items()}
        values |= {n: f"{values[n]} WRONG" for n, u in found.items() if not u.right}
        values["bare"] = f"(load {_time(load)})"
        mine = found.get("cellar")
        if workload.bars.undo_s is not None and mine is not None:
            limit = workload.bars.undo_s
            judged: tuple[str, str, bool | None] = (_time(mine.wall_s), f"<= {_time(limit)}", mine.wall_s <= limit)
        elif bar is not None:
            judged = _judged(mine.wall_s / load if mine else None, bar, f"<= {bar:g} x load")
        else:
            judged = ("", "", None)
        if mine is not None and not mine.right:
            judged = (judged[0], judged[1], False)
        lines.append(Row(workload.number, name, values, *judged))
        lines.append(Row(workload.number, f"{name.split(',')[0]}: CPU", {n: _time(u.cpu_s) for n, u in found.items()}))
    return lines


def _loop(workload: Workload, figures: Mapping[str, Figures]) -> list[Row]:
    if not workload.loop:
        return []
    times = {n: min(float(text) for text in f.printed) for n, f in figures.items()}
    bar = workload.bars.cpu_vs_bare or 1.0
    ratio = times["cellar"] / times["bare"] if "cellar" in times else None
    values = {n: f"{_time(t)} ({t / times['bare']:.2f})" for n, t in times.items()}
    text = "" if ratio is None else f"{ratio:.2f}"
    # Within a measurement's noise: two runs of the bare kernel differ by as much.
    met = None if ratio is None else ratio <= bar + 0.05
    return [Row(workload.number, "the loop, best of its cells", values, text, f"{bar:.1f} x bare", met)]


def _by(figure: float, measure: float, state_bytes: int) -> str:
    """Return a ratio in brackets; nothing where the state is so small that it would say nothing."""
    return f" ({figure / measure:.2f})" if state_bytes >= SMALL_STATE_BYTES else ""


def _time(seconds: float) -> str:
    if abs(seconds) >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.3g} ms"


def _size(count: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
