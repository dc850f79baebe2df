"""Two versions of a pipeline as one picture: what came, what went, what changed.

Each change is told by colour, by shape and by a sign before the name, so none of them is needed alone: added has a
thick frame and +, removed a dashed one and -, changed a double one and ~.

Invariant: names are text, whatever they hold; all of both versions is drawn, even where together they go round in a
circle. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

import msgspec

from nbcellar.components.comparing import ComponentChange, EdgeChange, PipelineChanges, compare_pipelines
from nbcellar.components.drawing import HEIGHT, WIDTH, as_label, as_text, corner, curve, head, short_name, size_of
from nbcellar.components.graph import serial_order
from nbcellar.components.layout import Layout, lay_out
from nbcellar.components.model import Component, Edge, Pipeline
from nbcellar.ids import CellId

_SIGNS = {"added": "+ ", "removed": "− ", "changed": "~ ", "": ""}
_LEGEND = 30
_LONGEST = 17
_STYLE = """
  svg { font: 12px system-ui, sans-serif; --line: #7b8794; --text: #1f2933; --soft: #5f6c7b; --box: #ffffff;
        --edge: #9aa5b1; --added: #1a7f37; --removed: #b3261e; --changed: #9a5b00; background: #f7f9fb }
  @media (prefers-color-scheme: dark) { svg { --line: #8592a0; --text: #e4e9ee; --soft: #a3adb8; --box: #1f262e;
        --edge: #66727f; --added: #57ab5a; --removed: #f2857b; --changed: #e0a03c; background: #151a20 } }
  rect { fill: var(--box); stroke: var(--line) } rect.inner { fill: none }
  text { fill: var(--text) } text.soft { fill: var(--soft); font-size: 10px }
  path { fill: none; stroke: var(--edge); stroke-width: 1.4 } marker path { fill: context-stroke; stroke: none }
  rect.added { stroke: var(--added); stroke-width: 3 } path.added { stroke: var(--added); stroke-width: 2.6 }
  rect.removed { stroke: var(--removed); stroke-width: 1.6; stroke-dasharray: 5 3 }
  path.removed { stroke: var(--removed); stroke-dasharray: 5 3 }
  rect.changed { stroke: var(--changed); stroke-width: 1.4 }
  path.changed { stroke: var(--changed); stroke-width: 2; stroke-dasharray: 1 3; stroke-linecap: round }
  text.added { fill: var(--added) } text.removed { fill: var(--removed) }
  text.removed tspan { text-decoration: line-through }
  text.changed { fill: var(--changed) }
"""


def to_svg(before: Pipeline, after: Pipeline, title: str = "") -> str:
    """Return both versions as one SVG; hovering says what changed."""
    both = _Both(before, after)
    layout = lay_out(both.pipeline)
    width, height = size_of(layout)
    width = max(width, 330)
    parts = [
        head(width, height + _LEGEND, title or "difference", _STYLE, arrows=' markerUnits="userSpaceOnUse"'),
        *(both.edge(edge, layout) for edge in both.pipeline.edges),
    ]
    for component in both.pipeline.components:
        parts += both.box(component, layout)
    return "\n".join((*parts, *_legend(height), "</svg>", ""))


def to_mermaid(before: Pipeline, after: Pipeline) -> str:
    """Return both versions as one Mermaid flowchart."""
    both = _Both(before, after)
    number = {component.id: at for at, component in enumerate(both.pipeline.components, 1)}
    lines = ["flowchart TD"]
    for component in both.pipeline.components:
        kind = both.kind(component.id)
        opening, closing = _SHAPES[kind]
        label = as_label(_SIGNS[kind].replace("−", "-") + both.name(component))
        lines.append(f'    c{number[component.id]}{opening}"{label}"{closing}{f":::{kind}" if kind else ""}')
    styled: dict[str, list[int]] = {}
    for at, edge in enumerate(both.pipeline.edges):
        change = both.edges.get((edge.parent, edge.child))
        kind = change.kind if change else ""
        arrow = {"added": "==>", "removed": "-.->"}.get(kind, "-->")
        told = _SIGNS[kind].replace("−", "-") + (_carried(edge, change) or ("only the order" if kind else ""))
        label = f'|"{as_label(told)}"|' if told.strip() else ""
        lines.append(f"    c{number[edge.parent]} {arrow}{label} c{number[edge.child]}")
        if kind:
            styled.setdefault(kind, []).append(at)
    lines += [f"    classDef {kind} fill:transparent,{style}" for kind, style in _CLASSES.items()]
    lines += [f"    linkStyle {','.join(map(str, numbers))} {_LINKS[kind]}" for kind, numbers in styled.items()]
    return "\n".join((*lines, ""))


# Colours that can be read on white and on black; the text keeps the reader's own.
_SHAPES = {"": ("[", "]"), "added": ("([", "])"), "removed": ("[/", "/]"), "changed": ("[[", "]]")}
_CLASSES = {
    "added": "stroke:#2da44e,stroke-width:3px",
    "removed": "stroke:#e5534b,stroke-width:2px,stroke-dasharray:5 3",
    "changed": "stroke:#c98500,stroke-width:2px",
}
_LINKS = {"added": "stroke:#2da44e", "removed": "stroke:#e5534b", "changed": "stroke:#c98500"}


class _Both:
    """Two pipelines as one, with what changed at hand."""

    def __init__(self, before: Pipeline, after: Pipeline) -> None:
        changes: PipelineChanges = compare_pipelines(before, after)
        self.components = {change.id: change for change in changes.components}
        self.edges: Mapping[tuple[CellId, CellId], EdgeChange] = {
            (change.parent, change.child): change for change in changes.edges
        }
        self.pipeline = joined(before, after)

    def kind(self, id: CellId) -> str:
        change = self.components.get(id)
        return change.kind if change else ""

    def name(self, component: Component) -> str:
        change = self.components.get(component.id)
        return f"{change.old_name} → {component.name}" if change and change.old_name else component.name

    def box(self, component: Component, layout: Layout) -> Iterator[str]:
        x, y = corner(layout.places[component.id])
        change, kind = self.components.get(component.id), self.kind(component.id)
        told = f"{self.name(component)}: {_told(change) or 'as it was'}"
        yield f'<g><title>{as_text(told)}</title><rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="6"'
        yield f"  class={quoteattr(kind)}/>"
        if kind == "changed":
            yield (
                f'<rect class="inner changed" x="{x + 3:g}" y="{y + 3:g}" width="{WIDTH - 6}" height="{HEIGHT - 6}"'
                f' rx="4"/>'
            )
        name = as_text(short_name(component.name, _LONGEST if kind else _LONGEST + 2))
        yield f'<text class={quoteattr(kind)} x="{x + 10:g}" y="{y + 16:g}">{_SIGNS[kind]}<tspan>{name}</tspan></text>'
        yield f'<text x="{x + 10:g}" y="{y + 30:g}" class="soft">{as_text(_short_told(change, component))}</text></g>'

    def edge(self, edge: Edge, layout: Layout) -> str:
        change = self.edges.get((edge.parent, edge.child))
        kind = change.kind if change else ""
        names = {component.id: component.name for component in self.pipeline.components}
        told = f"{_SIGNS[kind]}{names[edge.parent]} → {names[edge.child]}: {_carried(edge, change) or 'only the order'}"
        mark = ' marker-end="url(#end)"'
        return f'<path class={quoteattr(kind)} d="{curve(edge, layout)}"{mark}><title>{as_text(told)}</title></path>'


def joined(before: Pipeline, after: Pipeline) -> Pipeline:
    """Return the second pipeline with what only the first has, each where it stood."""
    ids = {component.id for component in after.components}
    components = list(after.components)
    last = -1
    place = {component.id: at for at, component in enumerate(components)}
    for component in before.components:
        if component.id in ids:
            last = max(last, place.get(component.id, last))
        else:
            last += 1
            components.insert(last, component)
            place = {each.id: at for at, each in enumerate(components)}
    edges = {(edge.parent, edge.child): edge for edge in (*before.edges, *after.edges)}
    order = _order([component.id for component in components], after.edges, before.edges)
    return msgspec.structs.replace(after, components=tuple(components), edges=tuple(edges.values()), order=tuple(order))


def _order(ids: Sequence[CellId], *edges: Sequence[Edge]) -> list[CellId]:
    """Return an order that follows all edges, or as many of the lists as make no circle, first ones first."""
    parents: dict[CellId, frozenset[CellId]] = {}
    order = list(ids)
    for more in edges:
        wider = dict(parents)
        for edge in more:
            wider[edge.child] = wider.get(edge.child, frozenset()) | {edge.parent}
        found = serial_order(ids, wider)
        if len(found) == len(ids):
            parents, order = wider, found
    return order


def _carried(edge: Edge, change: EdgeChange | None) -> str:
    if change is None or change.kind != "changed":
        return ", ".join(edge.names)
    came = [f"+{name}" for name in change.names if name not in change.old_names]
    went = [f"-{name}" for name in change.old_names if name not in change.names]
    stays = [name for name in change.names if name in change.old_names]
    if change.provenance != change.old_provenance:
        went.append(f"({', '.join(change.old_provenance)} → {', '.join(change.provenance)})")
    return ", ".join((*stays, *came, *went))


def _told(change: ComponentChange | None) -> str:
    """Return what became of a component, in words."""
    if change is None:
        return ""
    if change.kind != "changed":
        return change.kind
    said = [f"was {change.old_name}"] if change.old_name else []
    if change.code:
        said.append("layout" if change.code.only_layout else f"code +{change.code.added} −{change.code.removed}")
    said += [f"{each.field} {each.before} → {each.after}" for each in change.policy]
    said += [f"moved from cell {change.old_cell}"] if change.moved else []
    return ", ".join(said)


def _short_told(change: ComponentChange | None, component: Component) -> str:
    told = _told(change) or f"cell {component.place + 1}"
    return told if len(told) <= 26 else told[:25] + "…"


def _legend(height: int) -> Iterator[str]:
    x = 16
    for kind in ("added", "removed", "changed"):
        yield f'<rect class="{kind}" x="{x}" y="{height + 4}" width="20" height="14" rx="3"/>'
        if kind == "changed":
            yield f'<rect class="inner changed" x="{x + 3}" y="{height + 7}" width="14" height="8" rx="2"/>'
        yield f'<text class="{kind}" x="{x + 26}" y="{height + 15}">{_SIGNS[kind]}<tspan>{kind}</tspan></text>'
        x += 104


__all__ = ["joined", "to_mermaid", "to_svg"]
