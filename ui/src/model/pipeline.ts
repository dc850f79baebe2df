/**
 * A pipeline as it is drawn: boxes and curves in units of its own, what is where, and the way from one to the next.
 *
 * Invariant: places are the server's, so that this picture and that of `cellar pipeline show --graph svg` agree. Pure.
 */
import type { Answer } from '../wire/client';

export type Shown = Answer<'pipeline'>;
export type Component = Shown['pipeline']['components'][number];
export type Parameter = Shown['pipeline']['parameters'][number];
export type PipelineProblem = Shown['pipeline']['problems'][number];
type Provenance = 'declared' | 'inferred' | 'observed';

export const NODE = { width: 136, height: 40 } as const;
const GAP = { x: 20, y: 40 } as const;
const MARGIN = 14;

export interface Box {
  readonly id: string;
  readonly component: Component;
  /** The upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly layer: number;
}

export interface Curve {
  readonly key: string;
  readonly parent: string;
  readonly child: string;
  readonly names: readonly string[];
  /** Empty: a declared edge that leads nowhere, as those of a cycle. */
  readonly provenance: readonly Provenance[];
  readonly path: string;
}

export interface Drawing {
  readonly boxes: readonly Box[];
  readonly curves: readonly Curve[];
  readonly byId: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
}

/** Return where everything is drawn. */
export function drawingOf(shown: Shown): Drawing {
  const { pipeline, picture } = shown;
  const boxes = pipeline.components.map(component => {
    const place = picture.places[component.id] ?? { column: 0, layer: 0 };
    const [x, y] = [MARGIN + place.column * (NODE.width + GAP.x), MARGIN + place.layer * (NODE.height + GAP.y)];
    return { id: component.id, component, x, y, layer: place.layer };
  });
  const byId = new Map(boxes.map(box => [box.id, box]));
  const bends = new Map(picture.bends.map(each => [keyOf(each.parent, each.child), each.points]));
  const known = new Set(pipeline.edges.map(edge => keyOf(edge.parent, edge.child)));
  const lost = pipeline.components.flatMap(({ id, after }) =>
    after
      .filter(parent => byId.has(parent) && !known.has(keyOf(parent, id)))
      .map(parent => ({ parent, child: id, names: [], provenance: [] }))
  );
  const curves = [...pipeline.edges, ...lost].flatMap(edge => {
    const [from, to] = [byId.get(edge.parent), byId.get(edge.child)];
    const key = keyOf(edge.parent, edge.child);
    const path = from && to && pathOf(from, to, bends.get(key) ?? []);
    return path ? [{ ...edge, key, path, provenance: edge.provenance as Provenance[] }] : [];
  });
  return {
    boxes,
    curves,
    byId,
    width: 2 * MARGIN + Math.max(picture.columns, 1) * (NODE.width + GAP.x) - GAP.x,
    height: 2 * MARGIN + Math.max(picture.layers, 1) * (NODE.height + GAP.y) - GAP.y
  };
}

export const keyOf = (parent: string, child: string): string => `${parent}\n${child}`;

function pathOf(from: Box, to: Box, bends: readonly { column: number; layer: number }[]): string {
  const middle = NODE.width / 2;
  let [x, y] = [from.x + middle, from.y + NODE.height];
  let path = `M${x} ${y}`;
  const curve = (nextX: number, nextY: number) => {
    const half = (y + nextY) / 2;
    path += `C${round(x)} ${round(half)} ${round(nextX)} ${round(half)} ${round(nextX)} ${round(nextY)}`;
    [x, y] = [nextX, nextY];
  };
  for (const { column, layer } of bends) {
    curve(MARGIN + column * (NODE.width + GAP.x) + middle, MARGIN + layer * (NODE.height + GAP.y));
    y += NODE.height;
    path += `V${y}`;
  }
  curve(to.x + middle, to.y - 2);
  return path;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Return what is drawn of a curve to a point that somebody drags. */
export function loosePath(from: Box, x: number, y: number): string {
  const [left, top] = [from.x + NODE.width / 2, from.y + NODE.height];
  const half = (top + y) / 2;
  return `M${left} ${top}C${left} ${round(half)} ${round(x)} ${round(half)} ${round(x)} ${round(y)}`;
}

/** Return the box at a point of the drawing. */
export function boxAt(drawing: Drawing, x: number, y: number): Box | null {
  const hit = (box: Box) => x >= box.x && x <= box.x + NODE.width && y >= box.y && y <= box.y + NODE.height;
  return drawing.boxes.find(hit) ?? null;
}

/** How a drawing lies on the screen: a point of it stands at `scale * point + (x, y)`. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const LEAST = 0.15;
const MOST = 2.5;
const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value));

/** Return the view in which all of a drawing is seen, in the middle, not larger than it is, nor smaller than `least`. */
export function fitted({ width, height }: Size, room: Size, least = 0): View {
  const scale = clamp(Math.min(room.width / width, room.height / height, 1), least, MOST);
  const middle = (length: number, space: number) => Math.max(0, (space - length * scale) / 2);
  return { x: middle(width, room.width), y: middle(height, room.height), scale };
}

/** Return a view that is `factor` times as large; the point at (x, y) of the screen stays where it is. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = clamp(view.scale * factor, Math.min(LEAST, view.scale), MOST);
  const by = scale / view.scale;
  return { x: x - (x - view.x) * by, y: y - (y - view.y) * by, scale };
}

/** Return a view in which a box can be seen, the same one where it can be. */
export function revealing(view: View, box: Box, room: Size): View {
  const within = (start: number, length: number, space: number, at: number): number => {
    const [first, last] = [start * view.scale + at, (start + length) * view.scale + at];
    const margin = Math.min(12, Math.max(0, (space - (last - first)) / 2));
    return first < margin ? at + margin - first : last > space - margin ? at + space - margin - last : at;
  };
  const x = within(box.x, NODE.width, room.width, view.x);
  const y = within(box.y, NODE.height, room.height, view.y);
  return Math.abs(x - view.x) < 0.01 && Math.abs(y - view.y) < 0.01 ? view : { ...view, x, y };
}

export type Direction = 'up' | 'down' | 'left' | 'right' | 'first' | 'last';

/** Return the box that lies in a direction of another one: of those above and below, first those that it is tied to. */
export function neighbour(drawing: Drawing, id: string | null, direction: Direction): string | null {
  const ordered = [...drawing.boxes].sort((one, other) => one.layer - other.layer || one.x - other.x);
  const box = id === null ? undefined : drawing.byId.get(id);
  if (!box || direction === 'first' || direction === 'last') {
    return (direction === 'last' ? ordered[ordered.length - 1] : ordered[0])?.id ?? null;
  }
  const near = (found: readonly Box[]): string | null =>
    [...found].sort((one, other) => Math.abs(one.x - box.x) - Math.abs(other.x - box.x))[0]?.id ?? null;
  if (direction === 'left' || direction === 'right') {
    const isBeside = ({ x }: Box) => (direction === 'left' ? x < box.x : x > box.x);
    return near(ordered.filter(other => other.layer === box.layer && isBeside(other))) ?? box.id;
  }
  const tied = drawing.curves.flatMap(curve => {
    const other = direction === 'up' ? curve.parent : curve.child;
    const own = direction === 'up' ? curve.child : curve.parent;
    return own === box.id && drawing.byId.has(other) ? [drawing.byId.get(other)!] : [];
  });
  const isThere = (other: Box) => (direction === 'up' ? other.layer < box.layer : other.layer > box.layer);
  const closest = (found: readonly Box[]): readonly Box[] => {
    const distance = Math.min(...found.map(other => Math.abs(other.layer - box.layer)));
    return found.filter(other => Math.abs(other.layer - box.layer) === distance);
  };
  return near(closest(tied.filter(isThere))) ?? near(closest(drawing.boxes.filter(isThere))) ?? box.id;
}

/** Return the curves that touch a box, those into it first. */
export function curvesOf(drawing: Drawing, id: string): Curve[] {
  const into = drawing.curves.filter(curve => curve.child === id);
  return [...into, ...drawing.curves.filter(curve => curve.parent === id)];
}

/** Return how a curve is drawn: drawn by somebody, found in the sources, both, seen in a run, or leading nowhere. */
export function styleOf({ provenance }: Curve): 'declared' | 'inferred' | 'both' | 'observed' | 'wrong' {
  const [declared, inferred] = [provenance.includes('declared'), provenance.includes('inferred')];
  if (declared) {
    return provenance.length > 1 ? 'both' : 'declared';
  }
  return inferred ? 'inferred' : provenance.length ? 'observed' : 'wrong';
}

/** Return a name that fits on a box. */
export function shortened(name: string, most = 15): string {
  const letters = [...name];
  return letters.length <= most ? name : `${letters.slice(0, most - 1).join('')}…`;
}
