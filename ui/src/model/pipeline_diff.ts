/**
 * What became of a pipeline between two versions, as it is drawn: one drawing of both, and what is said of each part.
 *
 * Invariant: each change of the answer is said once. Pure; words that need translation are not made here.
 */
import type { Answer } from '../wire/client';
import { type Component, type Curve, type Drawing, drawingOf, keyOf } from './pipeline';

export type Difference = Answer<'diff-pipeline'>;
export type ComponentChange = Difference['components'][number];
export type EdgeChange = Difference['edges'][number];
export type ParameterChange = Difference['parameters'][number];
export type Kind = 'added' | 'removed' | 'changed';

/** The signs that go with colour and shape, so that none of them is needed alone. */
export const SIGNS: Record<Kind, string> = { added: '+', removed: '−', changed: '~' };

/** A place in the notebook of one side, from 0. */
export interface CellPlace {
  readonly side: 'before' | 'after';
  readonly place: number;
}

export interface DrawnDifference {
  readonly drawing: Drawing;
  readonly components: ReadonlyMap<string, ComponentChange>;
  readonly edges: ReadonlyMap<string, EdgeChange>;
}

/** Return both versions as one drawing, and what changed by id of the component and by key of the edge. */
export function drawnDifference(answer: Difference): DrawnDifference {
  return {
    drawing: drawingOf(answer.shown),
    components: new Map(answer.components.map(change => [change.id, change])),
    edges: new Map(answer.edges.map(change => [keyOf(change.parent, change.child), change]))
  };
}

/** Return where the cell of a component is: what went is in the version before. */
export function placeOf(component: Component, change: ComponentChange | undefined): CellPlace {
  return change?.kind === 'removed'
    ? { side: 'before', place: (change.old_cell ?? component.cell) - 1 }
    : { side: 'after', place: component.cell - 1 };
}

/** Return the component of a cell, null where it is none. */
export function componentAt(drawn: DrawnDifference, wanted: CellPlace): string | null {
  const isThere = ({ component, id }: { component: Component; id: string }): boolean => {
    const { side, place } = placeOf(component, drawn.components.get(id));
    return side === wanted.side && place === wanted.place;
  };
  return drawn.drawing.boxes.find(isThere)?.id ?? null;
}

/** Return what an edge carries, with signs before the names that came or went. */
export function carriedBy(curve: Curve, change: EdgeChange | undefined): string {
  if (change?.kind !== 'changed') {
    return curve.names.join(', ');
  }
  const came = change.names.filter(name => !change.old_names.includes(name)).map(name => `+${name}`);
  const went = change.old_names.filter(name => !change.names.includes(name)).map(name => `−${name}`);
  return [...change.names.filter(name => change.old_names.includes(name)), ...came, ...went].join(', ');
}

/** Return how many things changed. */
export function countOf({ components, edges, parameters }: Difference): number {
  return components.length + edges.length + parameters.length;
}
