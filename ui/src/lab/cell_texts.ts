/**
 * The JSON of the cells of an open notebook, made again only after a cell changed, whoever asks for it.
 *
 * Invariant: no step of making it holds the page up for long; a number stands for one text of one cell, in this page for
 * ever.
 */
import type { ISharedCell, ISharedNotebook } from '@jupyter/ydoc';

const STEP_MS = 8;

export interface CellText {
  readonly key: number;
  readonly json: string;
}

let last = 0;
const texts = new WeakMap<ISharedCell, CellText>();
const followed = new WeakSet<ISharedCell>();

/** Return the texts of all cells, in steps between which the page may do something else. */
export async function textsOf(notebook: ISharedNotebook): Promise<CellText[]> {
  const found: CellText[] = [];
  let until = performance.now() + STEP_MS;
  for (const cell of [...notebook.cells]) {
    found.push(textOf(cell));
    if (performance.now() > until) {
      await new Promise(done => setTimeout(done));
      until = performance.now() + STEP_MS;
    }
  }
  return found;
}

function textOf(cell: ISharedCell): CellText {
  const known = texts.get(cell);
  if (known !== undefined) {
    return known;
  }
  if (!followed.has(cell)) {
    followed.add(cell);
    cell.changed.connect(() => texts.delete(cell));
  }
  const text = { key: ++last, json: JSON.stringify(cell.toJSON()) };
  texts.set(cell, text);
  return text;
}
