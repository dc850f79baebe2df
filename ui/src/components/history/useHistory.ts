/** The history of a notebook, its graph and its rows, as they are now. */
import { useEffect, useMemo, useReducer, useRef, useState } from 'react';
import { foldRows, plainRows, type Row } from '../../model/fold';
import { HistoryModel, type Entry, type Named } from '../../model/history';
import { Lanes, type LaneRow } from '../../model/lanes';
import { asked, filter, isActive, type Hit, type Query } from '../../model/search';
import { useHost } from '../host';
import { useEvents, useRead } from '../parts/hooks';

/** Return the model of a path; the component is drawn again when it changes. */
export function useHistory(path: string): HistoryModel {
  const { backend } = useHost();
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const model = useMemo(() => new HistoryModel(backend, path, draw), [backend, path]);
  const turn = useEvents(path, 'history');
  useEffect(() => void model.refresh(), [model, turn]);
  useEffect(() => () => model.dispose(), [model]);
  return model;
}

/** Return where entries lie in the graph; what was placed stays when older ones come. */
export function useLanes(entries: readonly Entry[]): readonly LaneRow[] {
  const known = useRef<{ lanes: Lanes; entries: readonly Entry[] }>({ lanes: new Lanes(), entries: [] });
  return useMemo(() => {
    const { lanes, entries: before } = known.current;
    const last = before[before.length - 1];
    const isLonger = before.length <= entries.length && before[0] === entries[0] && last === entries[before.length - 1];
    if (isLonger && before.length > 0) {
      lanes.append(entries.slice(before.length));
      known.current = { lanes, entries };
    } else if (before !== entries) {
      const anew = new Lanes();
      anew.append(entries);
      known.current = { lanes: anew, entries };
    }
    return known.current.lanes.rows.slice();
  }, [entries]);
}

export interface Shown {
  readonly entries: readonly Entry[];
  readonly lanes: readonly LaneRow[];
  readonly rows: readonly Row[];
  readonly hits: ReadonlyMap<string, Hit>;
  readonly isSearching: boolean;
  readonly error: unknown;
}

const NOTHING: ReadonlyMap<string, Hit> = new Map();

/** Return the rows that a query leaves; without one, the graph with its runs folded. */
export function useShown(
  model: HistoryModel,
  lanes: readonly LaneRow[],
  query: Query,
  open: ReadonlySet<string>
): Shown {
  const { entries, names, head } = model;
  const settled = useSettled(query, query.text ? 200 : 0);
  const ask = asked(settled);
  const found = useRead('search', ask && { path: model.path, ...ask }, model.entries.length);
  const last = useRef<Shown | null>(null);
  const shown = useMemo(() => {
    const isSearching = settled !== query || found.isLoading;
    if (!isActive(settled)) {
      const named = new Set(names.map(name => name.commit));
      if (head) {
        named.add(head);
      }
      const rows = foldRows(entries, lanes, { open, named });
      return { entries, lanes, rows, hits: NOTHING, isSearching: false, error: null };
    }
    if (ask && !found.value && !found.error && last.current) {
      return { ...last.current, isSearching: true }; // what was shown stays until there is an answer
    }
    const left = filter(entries, names, head, settled, found.value);
    const rows = plainRows(left.entries);
    const error = isNothingFound(found.error) ? null : found.error;
    return { entries: left.entries, lanes: [], rows, hits: left.hits, isSearching, error };
  }, [entries, names, head, lanes, open, query, settled, found.value, found.isLoading, found.error]);
  last.current = shown;
  return shown;
}

/** True for the error that a variable of that name was never recorded: a search that found nothing. */
const isNothingFound = (error: unknown): boolean => (error as { code?: string } | null)?.code === 'not-found';

/** Return a value once it has not changed for some time. */
export function useSettled<T>(value: T, wait: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (wait === 0) {
      setSettled(value);
      return;
    }
    const timer = setTimeout(() => setSettled(value), wait);
    return () => clearTimeout(timer);
  }, [value, wait]);
  return wait === 0 ? value : settled;
}

/** Return the names of each commit. */
export function useNames(names: readonly Named[]): ReadonlyMap<string, readonly Named[]> {
  return useMemo(() => {
    const found = new Map<string, Named[]>();
    for (const name of names) {
      const there = found.get(name.commit);
      if (there) {
        there.push(name);
      } else {
        found.set(name.commit, [name]);
      }
    }
    return found;
  }, [names]);
}
