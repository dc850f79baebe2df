/**
 * Which entries a query leaves: by texts the server looks for, by names, by what they are.
 *
 * Pure: entries, names and the server's answer go in, entries and what matched in them come out.
 */
import type { Answer } from '../wire/client';
import { lineOf, type Entry, type Named } from './history';

export type SearchKind = 'text' | 'code' | 'output' | 'variable' | 'message' | 'name';

export interface Query {
  readonly text: string;
  readonly kind: SearchKind;
  /** Named commits, and those that branches and tags point at. */
  readonly onlyNamed: boolean;
  readonly onlyFailed: boolean;
  /** What HEAD follows from. */
  readonly onlyLine: boolean;
}

export const NO_QUERY: Query = { text: '', kind: 'text', onlyNamed: false, onlyFailed: false, onlyLine: false };

/** A line that matches; marks are (begin, end) in characters. */
export interface Hit {
  readonly where: string;
  readonly text: string;
  readonly marks: readonly (readonly [number, number])[];
}

export type Found = Answer<'search'>;

/** Return what to ask the server for; null: nothing, it is decided here. */
export function asked(query: Query): object | null {
  const text = query.text.trim();
  if (!text || query.kind === 'name') {
    return null;
  }
  if (query.kind === 'variable') {
    return { variable: text };
  }
  return query.kind === 'text' ? { text } : { text, where: query.kind };
}

export const isActive = (query: Query): boolean =>
  query.text.trim() !== '' || query.onlyNamed || query.onlyFailed || query.onlyLine;

/** Return the entries that a query leaves, newest first, and what matched. */
export function filter(
  entries: readonly Entry[],
  names: readonly Named[],
  head: string | null,
  query: Query,
  found: Found | null
): { entries: Entry[]; hits: ReadonlyMap<string, Hit> } {
  const hits = new Map<string, Hit>();
  const text = query.text.trim().toLowerCase();
  if (asked(query)) {
    found?.commits.forEach(each => hits.set(each.commit.id, hitOf(each)));
  } else if (text) {
    names.filter(name => name.name.toLowerCase().includes(text)).forEach(name => hits.set(name.commit, NO_HIT));
  }
  const named = new Set(names.map(name => name.commit));
  const line = query.onlyLine ? lineOf(entries, head) : null;
  const left = entries.filter(
    entry =>
      (!text || hits.has(entry.id)) &&
      (!query.onlyNamed || entry.kind === 'named' || named.has(entry.id)) &&
      (!query.onlyFailed || entry.failed) &&
      (!line || line.has(entry.id))
  );
  return { entries: left, hits };
}

const NO_HIT: Hit = { where: '', text: '', marks: [] };

function hitOf(found: Found['commits'][number]): Hit {
  if (found.event) {
    const shown = found.event.after ?? found.event.before;
    return { where: found.event.change, text: (shown?.preview ?? '').split('\n')[0]!, marks: [] };
  }
  const match = found.matches[0];
  const line = match?.lines[0];
  if (!match || !line) {
    return NO_HIT;
  }
  const where = match.where === 'code' ? '' : match.variable || match.where;
  return { where, text: line.text, marks: line.matches as unknown as [number, number][] };
}
