/**
 * What the cells of an open notebook differ in from a version of it.
 *
 * Invariant: cells are known by their ids here, so marks stay with their cells while others are inserted or moved,
 * until the next answer comes. No DOM.
 */
import type { components } from '../wire/generated/types';

type Marks = components['schemas']['Marks'];
export type MarkKind = components['schemas']['CellMark']['mark'];

export interface CellOnScreen {
  readonly mark: MarkKind;
  readonly moved: boolean;
  /** Its place in the base, null for a cell that is new. */
  readonly base: number | null;
}

export interface MarksOnScreen {
  /** What the base is called, as in `HEAD`. */
  readonly name: string;
  /** Names the base's content; "" where the notebook is not in it. */
  readonly digest: string;
  readonly cells: ReadonlyMap<string, CellOnScreen>;
  /** Places in the base of cells that are gone, by the id of the cell they stood before; "" is the end. */
  readonly gone: ReadonlyMap<string, readonly number[]>;
}

export const NO_MARKS: MarksOnScreen = { name: '', digest: '', cells: new Map(), gone: new Map() };

/** Return the marks of an answer for a notebook whose cells had these ids when it was asked. */
export function marksById(answer: Marks, ids: readonly string[]): MarksOnScreen {
  const cells = new Map<string, CellOnScreen>();
  for (const { cell, mark, moved, base } of answer.cells) {
    const id = ids[cell];
    if (id !== undefined) {
      cells.set(id, { mark, moved: moved ?? false, base: base ?? null });
    }
  }
  const gone = new Map<string, number[]>();
  for (const { before, base } of answer.gone) {
    const id = ids[before] ?? '';
    gone.set(id, [...(gone.get(id) ?? []), base]);
  }
  return { name: answer.name, digest: answer.digest, cells, gone };
}

/** Return fresh marks, made without outputs, with the known marks of outputs: typing does not take these away. */
export function keepOutputMarks(fresh: MarksOnScreen, known: MarksOnScreen): MarksOnScreen {
  if (fresh.digest !== known.digest) {
    return fresh;
  }
  const cells = new Map(fresh.cells);
  for (const [id, cell] of known.cells) {
    if (cell.mark === 'outputs' && !cells.has(id)) {
      cells.set(id, cell);
    }
  }
  return { ...fresh, cells };
}
