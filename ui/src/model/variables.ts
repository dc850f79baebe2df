/** The variables of a state as a panel lists them: filtered and sorted, each with the commit that recorded it. Pure. */
import type { Answer } from '../wire/client';
import type { Entry } from './history';

type StateOf = Answer<'state'>;
type Variable = StateOf['variables'][number];
export type SortKey = 'name' | 'type' | 'size' | 'changed' | 'versions';

export interface Line {
  readonly key: string;
  readonly variable: Variable;
  /** Where its version was recorded. */
  readonly entry: Entry | null;
  readonly versions: number;
}

/** Return the lines of a state; `text` is looked for in name, type and preview. */
export function linesOf(
  state: StateOf,
  versions: ReadonlyMap<string, number>,
  text: string,
  sort: SortKey,
  isDown: boolean
): Line[] {
  const entries = new Map(state.recorded.map(entry => [entry.id, entry]));
  const wanted = text.trim().toLowerCase();
  const lines = state.variables
    .filter(({ name, type, preview }) => !wanted || `${name}\n${type}\n${preview}`.toLowerCase().includes(wanted))
    .map(variable => ({
      key: variable.name,
      variable,
      entry: entries.get(variable.recorded_in) ?? null,
      versions: versions.get(variable.name) ?? 0
    }));
  const sign = isDown ? -1 : 1;
  return lines.sort((a, b) => sign * order(a, b, sort) || byName(a, b));
}

/** Say whether a column is read from the largest or newest down, at first. */
export const isDownAtFirst = (sort: SortKey): boolean => sort === 'size' || sort === 'changed' || sort === 'versions';

const byName = (a: Line, b: Line): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

function order(a: Line, b: Line, sort: SortKey): number {
  switch (sort) {
    case 'name':
      return byName(a, b);
    case 'type':
      return a.variable.type < b.variable.type ? -1 : a.variable.type > b.variable.type ? 1 : 0;
    case 'size':
      return sizeOf(a.variable) - sizeOf(b.variable);
    case 'changed':
      return Date.parse(a.entry?.time ?? '') - Date.parse(b.entry?.time ?? '') || 0;
    case 'versions':
      return a.versions - b.versions;
  }
}

/** The size that is shown: of all that is restored together, where that is more than the one object. */
export const sizeOf = (variable: Variable): number => Math.max(variable.size_bytes, variable.together_bytes);
