/** Taking back the change of one cell: a notebook in which that cell is as a version of it has it. Pure. */

export interface PlainCell {
  readonly id?: string;
  readonly [key: string]: unknown;
}

export interface PlainNotebook {
  readonly cells: readonly PlainCell[];
  readonly [key: string]: unknown;
}

/** A version of the notebook; `digest` names its content. */
export interface Base {
  readonly digest: string;
  readonly cells: readonly PlainCell[];
}

/** Return the cell at a place of the version that `digest` names; null where `base` is another one, which moved meanwhile. */
export function cellOfBase(base: Base | null, digest: string, place: number): PlainCell | null {
  return base?.digest === digest ? (base.cells[place] ?? null) : null;
}

/** Return the notebook with the cell `id` as `base` is; without it where `base` is null. The id stays. */
export function revertCell(notebook: PlainNotebook, id: string, base: PlainCell | null): PlainNotebook {
  const cells = base
    ? notebook.cells.map(cell => (cell.id === id ? { ...base, id } : cell))
    : notebook.cells.filter(cell => cell.id !== id);
  return { ...notebook, cells };
}

/** Return the notebook with a cell that is gone, before the cell `before`, or at the end where that is "". */
export function bringBack(notebook: PlainNotebook, before: string, base: PlainCell): PlainNotebook {
  const taken = new Set(notebook.cells.map(cell => cell.id));
  const { id, ...rest } = base;
  const back: PlainCell = id === undefined || taken.has(id) ? rest : base;
  const at = before === '' ? notebook.cells.length : notebook.cells.findIndex(cell => cell.id === before);
  const place = at < 0 ? notebook.cells.length : at;
  return { ...notebook, cells: [...notebook.cells.slice(0, place), back, ...notebook.cells.slice(place)] };
}
