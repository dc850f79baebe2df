"""A pipeline as a picture: SVG that stands alone, or text for Mermaid.

Invariant: names are text in both, whatever they hold; the picture follows the reader's light or dark theme. Pure.
"""

from __future__ import annotations

import re
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from nbcellar.components.layout import Layout, Point, lay_out
from nbcellar.components.model import Edge, Pipeline
from nbcellar.ids import CellId

WIDTH, HEIGHT = 148, 38
"""Of the box of a component."""
_GAP_X, _GAP_Y, _MARGIN = 22, 46, 16
_LONGEST = 20
_STYLE = """
  svg { font: 12px system-ui, sans-serif; --line: #7b8794; --text: #1f2933; --soft: #5f6c7b; --box: #ffffff;
        --edge: #9aa5b1; --drawn: #2563b0; --seen: #2f7d4f; --wrong: #b3261e; background: #f7f9fb }
  @media (prefers-color-scheme: dark) { svg { --line: #8592a0; --text: #e4e9ee; --soft: #a3adb8; --box: #1f262e;
        --edge: #66727f; --drawn: #79aee8; --seen: #7cc79a; --wrong: #f2b8b5; background: #151a20 } }
  rect { fill: var(--box); stroke: var(--line) } rect.wrong { stroke: var(--wrong); stroke-width: 2 }
  text { fill: var(--text) } text.soft { fill: var(--soft); font-size: 10px }
  path { fill: none; stroke: var(--edge); stroke-width: 1.4 } path.declared { stroke: var(--drawn) }
  path.observed { stroke: var(--seen); stroke-dasharray: 5 3 } marker path { fill: context-stroke; stroke: none }
"""


def to_svg(pipeline: Pipeline, title: str = "") -> str:
    """Return the pipeline as SVG; hovering shows what an edge carries, and where a component is."""
    layout = lay_out(pipeline)
    width, height = size_of(layout)
    names = {component.id: component.name for component in pipeline.components}
    wrong = {id for problem in pipeline.errors for id in problem.cells}
    parts = [head(width, height, title or "pipeline", _STYLE)]
    parts += [_edge(edge, layout, names) for edge in pipeline.edges if (edge.parent, edge.child) in layout.bends]
    for component in pipeline.components:
        x, y = corner(layout.places[component.id])
        told = f"{component.name}, cell {component.place + 1}"
        parts.append(
            f"<g><title>{as_text(told)}</title>"
            f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6"'
            f"{' class=' + quoteattr('wrong') if component.id in wrong else ''}/>"
            f'<text x="{x + 10:g}" y="{y + 16:g}">{as_text(short_name(component.name))}</text>'
            f'<text x="{x + 10:g}" y="{y + 30:g}" class="soft">cell {component.place + 1}</text></g>'
        )
    return "\n".join((*parts, "</svg>", ""))


def to_mermaid(pipeline: Pipeline) -> str:
    """Return the pipeline as a Mermaid flowchart."""
    number = {component.id: at for at, component in enumerate(pipeline.components, 1)}
    lines = ["flowchart TD"]
    lines += [f'    c{number[component.id]}["{as_label(component.name)}"]' for component in pipeline.components]
    for edge in pipeline.edges:
        arrow = "==>" if "declared" in edge.provenance else "-.->" if edge.provenance == ("observed",) else "-->"
        label = f'|"{as_label(", ".join(edge.names))}"|' if edge.names else ""
        lines.append(f"    c{number[edge.parent]} {arrow}{label} c{number[edge.child]}")
    return "\n".join((*lines, ""))


def _edge(edge: Edge, layout: Layout, names: dict[CellId, str]) -> str:
    how = "declared" if "declared" in edge.provenance else edge.provenance[0] if edge.provenance else "inferred"
    carried = ", ".join(edge.names) or "only the order"
    told = f"{names[edge.parent]} → {names[edge.child]}: {carried} ({', '.join(edge.provenance)})"
    return f'<path class="{how}" d="{curve(edge, layout)}" marker-end="url(#end)"><title>{as_text(told)}</title></path>'


def head(width: int, height: int, label: str, style: str, *, arrows: str = "") -> str:
    """Return the beginning of a picture. label: what it is of; arrows: more that is said of the heads of edges."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"\n'
        f'  role="img" aria-label={quoteattr(_printable(label))}>\n<style>{style}</style>\n'
        f'<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"{arrows}\n'
        '  orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
    )


def curve(edge: Edge, layout: Layout) -> str:
    """Return the path of an edge, from box to box through its bends."""
    start, end = layout.places[edge.parent], layout.places[edge.child]
    points = [
        (middle(start), corner(start)[1] + HEIGHT),
        *((middle(bend), corner(bend)[1] + HEIGHT / 2) for bend in layout.bends.get((edge.parent, edge.child), ())),
        (middle(end), corner(end)[1] - 1),
    ]
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (y1 + y2) / 2
        path += f"C{x1:g} {half:g} {x2:g} {half:g} {x2:g} {y2:g}"
    return path


def size_of(layout: Layout) -> tuple[int, int]:
    """Return width and height of a picture."""
    width = round(2 * _MARGIN + layout.columns * (WIDTH + _GAP_X) - _GAP_X)
    return width, 2 * _MARGIN + max(layout.layers, 1) * (HEIGHT + _GAP_Y) - _GAP_Y


def corner(point: Point) -> tuple[float, float]:
    """Return the upper left corner of what stands at a place."""
    return _MARGIN + point.column * (WIDTH + _GAP_X), _MARGIN + point.layer * (HEIGHT + _GAP_Y)


def middle(point: Point) -> float:
    """Return the middle of what stands at a place, from the left."""
    return corner(point)[0] + WIDTH / 2


def short_name(name: str, longest: int = _LONGEST) -> str:
    """Return a name that fits a box."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def as_text(text: str) -> str:
    """Return text for SVG."""
    return escape(_printable(text))


def _printable(text: str) -> str:
    """Return text without control characters: XML has no way to say them."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def as_label(text: str) -> str:
    """Return text for a Mermaid label: what would end or style it comes as a character's number."""
    return re.sub(r"""[^\w ,.:;()/+=*-]""", lambda match: f"#{ord(match[0])};", text)


__all__ = [
    "HEIGHT",
    "WIDTH",
    "as_label",
    "as_text",
    "corner",
    "curve",
    "head",
    "short_name",
    "size_of",
    "to_mermaid",
    "to_svg",
]
