/**
 * A comparison as it is drawn: rows with the sources of both sides, quiet ones folded, the places of changes.
 *
 * Invariant: each row of the server's answer is in exactly one item. Pure.
 */
import type { components } from '../wire/generated/types';

type Schemas = components['schemas'];
export type Answer = Schemas['DocumentDiff'];
export type Change = Schemas['CellChange'];
export type Output = Schemas['OutputShown'];
type RowKind = Schemas['Row']['kind'];

/** A cell of one side, its source always there. */
export interface Cell {
  readonly place: number;
  readonly type: string;
  readonly id: string;
  readonly source: string;
  readonly count: number | null;
  readonly tags: readonly string[];
  readonly outputs: number;
  readonly shown: readonly Output[] | null;
}

export interface Pair {
  /** The same for the same cells, from one answer to the next. */
  readonly key: string;
  readonly kind: RowKind;
  readonly before: readonly Cell[];
  readonly after: readonly Cell[];
  readonly change: Change | null;
  /** Nothing changed, or only what changes by itself. */
  readonly quiet: boolean;
}

/** Something to draw: a row, or a run of rows that are not looked at unless somebody unfolds them. */
export type Item =
  | { readonly kind: 'pair'; readonly key: string; readonly pair: Pair }
  | { readonly kind: 'fold'; readonly key: string; readonly pairs: readonly Pair[]; readonly noisy: number };

/** Return the rows of an answer. */
export function pairsOf(answer: Answer): Pair[] {
  const before = answer.before.map(cell => toCell(cell, ''));
  const beside = new Map<number, string>();
  for (const row of answer.rows) {
    if (row.before?.length === 1 && row.after?.length === 1) {
      beside.set(row.after[0]!, before[row.before[0]!]!.source);
    }
  }
  const after = answer.after.map(cell => toCell(cell, beside.get(cell.place) ?? ''));
  const keys = new Map<string, number>();
  return answer.rows.map(row => {
    const pair = {
      kind: row.kind,
      before: (row.before ?? []).map(place => before[place]!),
      after: (row.after ?? []).map(place => after[place]!),
      change: row.change ?? null,
      quiet: row.kind === 'equal' || Boolean(row.change?.only_noise)
    };
    return { ...pair, key: unique(keyOf(pair), keys) };
  });
}

function toCell(cell: Schemas['CellShown'], beside: string): Cell {
  return {
    place: cell.place,
    type: cell.type,
    id: cell.id ?? '',
    source: cell.source ?? beside,
    count: cell.count ?? null,
    tags: cell.tags ?? [],
    outputs: cell.outputs ?? 0,
    shown: cell.shown ?? null
  };
}

function keyOf(pair: Pick<Pair, 'kind' | 'before' | 'after'>): string {
  const side = pair.kind === 'gone' || !pair.after.length ? 'before' : 'after';
  const cell = pair[side][0];
  return `${pair.kind === 'gone' ? 'gone' : side}:${cell ? cell.id || `#${cell.place}` : ''}`;
}

function unique(key: string, keys: Map<string, number>): string {
  const count = keys.get(key) ?? 0;
  keys.set(key, count + 1);
  return count ? `${key}~${count}` : key;
}

/** Return what to draw: rows whose key is in `unfolded`, or that changed; runs of all others. */
export function itemsOf(pairs: readonly Pair[], options: { noise: boolean; unfolded: ReadonlySet<string> }): Item[] {
  const items: Item[] = [];
  let run: Pair[] = [];
  const flush = (): void => {
    if (run.length) {
      const noisy = run.filter(pair => pair.change).length;
      items.push({ kind: 'fold', key: `fold:${run[0]!.key}`, pairs: run, noisy });
      run = [];
    }
  };
  for (const pair of pairs) {
    const open = options.unfolded.has(pair.key) || (options.noise ? pair.kind !== 'equal' : !pair.quiet);
    if (open) {
      flush();
      items.push({ kind: 'pair', key: pair.key, pair });
    } else {
      run.push(pair);
    }
  }
  flush();
  return items;
}

/** Return the places among `items` of what changed, a moved cell once. */
export function changesAmong(items: readonly Item[], noise: boolean): number[] {
  return items.flatMap((item, at) =>
    item.kind === 'pair' && item.pair.kind !== 'gone' && (noise ? item.pair.kind !== 'equal' : !item.pair.quiet)
      ? [at]
      : []
  );
}

/** The headings of Markdown cells in a run, so that a reader knows where he is. */
export function headingsOf(pairs: readonly Pair[], most = 3): string[] {
  const found: string[] = [];
  for (const pair of pairs) {
    const cell = pair.after[0] ?? pair.before[0];
    const heading = cell?.type === 'markdown' ? /^#{1,6}\s+(.+)$/m.exec(cell.source)?.[1] : undefined;
    if (heading) {
      found.push(heading.trim().slice(0, 60));
    }
  }
  return found.length > most ? [...found.slice(0, most), '…'] : found;
}

/** The source of several cells as one text, as a split or a join is compared. */
export function sourceOf(cells: readonly Cell[]): string {
  return cells.map(cell => cell.source).join('\n');
}

/** What a comparison says of the outputs of a row, by the place in either side. */
export function outputRows(
  pair: Pair
): { before: number | null; after: number | null; change: Schemas['OutputChange'] }[] {
  return (pair.change?.outputs ?? []).map(change => ({
    before: change.before ?? null,
    after: change.after ?? null,
    change
  }));
}
