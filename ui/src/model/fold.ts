/**
 * Which rows a list of entries has: days, entries, and long runs of automatic commits as one row.
 *
 * Invariant: every entry is in exactly one row or one closed run; a run lies on one line of the graph, on one day, and
 * has no name, no message and no turn in it. A run is known by its oldest entry, so it stays the same when it grows.
 */
import type { LaneRow } from './lanes';

interface Foldable {
  readonly id: string;
  readonly kind: string;
  readonly time: string;
}

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly time: string; readonly index: number }
  | { readonly kind: 'entry'; readonly key: string; readonly index: number }
  | { readonly kind: 'run'; readonly key: string; readonly from: number; readonly to: number; readonly open: boolean };

interface FoldOptions {
  /** Runs that the user opened. */
  readonly open: ReadonlySet<string>;
  /** Commits that names or HEAD point at. */
  readonly named: ReadonlySet<string>;
  /** So many of the newest entries are never in a run. */
  readonly newest?: number;
  /** The shortest run. */
  readonly least?: number;
}

const NEWEST = 20;
const LEAST = 5;
const PAUSE_MS = 30 * 60_000;
const AUTOMATIC = new Set(['auto', 'between', 'undo', 'redo']);

/** Return the rows of a listing, newest first. */
export function foldRows(entries: readonly Foldable[], lanes: readonly LaneRow[], options: FoldOptions): Row[] {
  const rows: Row[] = [];
  const least = options.least ?? LEAST;
  const newest = options.newest ?? NEWEST;
  const times = entries.map(entry => Date.parse(entry.time));
  let day = '';
  for (let index = 0; index < entries.length;) {
    const entry = entries[index]!;
    const today = dayOf(times[index]!);
    if (today !== day) {
      day = today;
      rows.push({ kind: 'day', key: `day ${entry.id}`, time: entry.time, index });
    }
    const end = index < newest ? index : endOfRun(entries, lanes, times, options.named, index);
    if (end - index >= least) {
      const key = entries[end - 1]!.id;
      const open = options.open.has(key);
      rows.push({ kind: 'run', key: `run ${key}`, from: index, to: end, open });
      for (; open && index < end; index++) {
        rows.push({ kind: 'entry', key: entries[index]!.id, index });
      }
      index = end;
    } else {
      rows.push({ kind: 'entry', key: entry.id, index });
      index++;
    }
  }
  return rows;
}

/** Return the rows of chosen entries, without runs. */
export function plainRows(entries: readonly Foldable[]): Row[] {
  const rows: Row[] = [];
  let day = '';
  entries.forEach((entry, index) => {
    const today = dayOf(Date.parse(entry.time));
    if (today !== day) {
      day = today;
      rows.push({ kind: 'day', key: `day ${entry.id}`, time: entry.time, index });
    }
    rows.push({ kind: 'entry', key: entry.id, index });
  });
  return rows;
}

function endOfRun(
  entries: readonly Foldable[],
  lanes: readonly LaneRow[],
  times: readonly number[],
  named: ReadonlySet<string>,
  start: number
): number {
  let end = start;
  while (end < entries.length && isPlain(entries[end]!, lanes[end], named)) {
    if (end > start) {
      const [before, lane] = [lanes[end - 1]!, lanes[end]!];
      const apart = times[end - 1]! - times[end]! > PAUSE_MS || dayOf(times[end - 1]!) !== dayOf(times[end]!);
      if (apart || lane.node !== before.node || lane.through.length !== before.through.length) {
        break;
      }
    }
    end++;
  }
  return end;
}

function isPlain(entry: Foldable, lane: LaneRow | undefined, named: ReadonlySet<string>): boolean {
  const straight = lane?.into.length === 1 && lane.out.length === 1 && lane.out[0] === lane.node;
  return straight && AUTOMATIC.has(entry.kind) && !named.has(entry.id);
}

function dayOf(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}
