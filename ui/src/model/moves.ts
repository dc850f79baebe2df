/**
 * The lines of moved cells: from the row where a cell stood to the row where it stands now, in lanes beside the rows.
 *
 * Invariant: lines whose rows overlap share no lane, up to `MOST_LANES`; short ones lie nearest to the rows. Pure.
 */
import type { Item } from './comparison';

export interface Move {
  readonly key: string;
  /** Places among the items. */
  readonly from: number;
  readonly to: number;
  /** 0 is nearest to the rows. */
  readonly lane: number;
}

export const MOST_LANES = 5;

/** Return the moves among `items`, those whose both ends are drawn. */
export function movesOf(items: readonly Item[]): Move[] {
  const now = new Map<unknown, number>();
  items.forEach((item, at) => {
    if (item.kind === 'pair' && item.pair.kind !== 'gone' && item.pair.change?.moved) {
      now.set(item.pair.before[0], at);
    }
  });
  const found: Omit<Move, 'lane'>[] = [];
  items.forEach((item, from) => {
    const to = item.kind === 'pair' && item.pair.kind === 'gone' ? now.get(item.pair.before[0]) : undefined;
    if (to !== undefined) {
      found.push({ key: item.key, from, to });
    }
  });
  return inLanes(found);
}

function inLanes(moves: readonly Omit<Move, 'lane'>[]): Move[] {
  const span = (move: Omit<Move, 'lane'>): number => Math.abs(move.to - move.from);
  const taken: [number, number][][] = [];
  return [...moves]
    .sort((one, other) => span(one) - span(other) || one.from - other.from)
    .map(move => {
      const [low, high] = [Math.min(move.from, move.to), Math.max(move.from, move.to)];
      let lane = 0;
      while (lane < MOST_LANES - 1 && taken[lane]?.some(([from, to]) => from <= high && low <= to)) {
        lane++;
      }
      (taken[lane] ??= []).push([low, high]);
      return { ...move, lane };
    });
}
