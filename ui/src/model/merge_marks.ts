/** The marks that a merge writes into cells, as far as a notebook editor has to know them: whether one is open. */

const MARKERS = new Set(['begin', 'middle', 'end', 'notebook', 'structure']);

/** True if this cell says that a conflict is open; one that stands inside of another one counts. */
export function isOpenMark(cellar: unknown): boolean {
  let mark = part(cellar, 'conflict');
  for (let depth = 0; depth < 100 && typeof part(mark, 'id') === 'string'; depth++) {
    const role = part(mark, 'role');
    if (typeof role === 'string' && MARKERS.has(role)) {
      return true;
    }
    mark = part(mark, 'within');
  }
  return false;
}

function part(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
