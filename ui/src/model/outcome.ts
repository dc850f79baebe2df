/**
 * What an undo, redo, checkout or restore did, in words: one sentence for a notification, and all of it for who looks.
 *
 * Invariant: what is uncertain, unverified or missing is in the sentence, however short that has to be.
 */
import type { Words } from '../components/host';
import type { components } from '../wire/generated/types';

export type SessionChange = components['schemas']['SessionChange'];
export type Replay = components['schemas']['Replay'];

export type Verb = 'undo' | 'redo' | 'checkout' | 'restore';

/** A paragraph of the details: a heading, and names with what is to say of each. */
export interface Part {
  readonly kind: 'missing' | 'doubt' | 'good' | 'gone' | 'plain' | 'note';
  readonly title: string;
  readonly items: readonly Item[];
}

export interface Item {
  readonly name: string;
  readonly text: string;
  /** What a cell does outside of the kernel. */
  readonly effects?: readonly string[];
}

export interface Outcome {
  /** attention: something is not as it was asked for. */
  readonly level: 'success' | 'attention';
  readonly headline: string;
  readonly parts: readonly Part[];
}

const MOST_CELLS = 10;
const LONGEST_TITLE = 32;

export function outcome(change: SessionChange, verb: Verb, words: Words): Outcome {
  const parts = [...detailed(change, words)].filter(part => part.items.length > 0);
  const bad = Object.keys(change.not_restored).length;
  const doubtful = new Set([...Object.keys(change.uncertain), ...Object.keys(change.unverified)]).size;
  const counts = [
    bad && words.__('%1 not restored', bad),
    doubtful && words.__('%1 uncertain', doubtful),
    change.loaded.length && words.__('%1 loaded', change.loaded.length),
    change.replayed.length && words.__('%1 replayed', change.replayed.length),
    change.removed.length && words.__('%1 removed', change.removed.length),
    change.kept.length && words.__('%1 kept', change.kept.length)
  ].filter(Boolean);
  const did = happened(change, verb, words);
  return {
    level: bad || doubtful ? 'attention' : 'success',
    headline: counts.length ? `${did} · ${counts.join(', ')}` : did,
    parts
  };
}

/** The cells that would run, as items. */
export function replayItems(replay: Replay): Part['items'] {
  return replay.cells.map(cell => ({
    name: `[${cell.execution_count}]`,
    text: `${cell.title} (${seconds(cell.duration_s)})`,
    effects: cell.effects
  }));
}

/** The variables that a refusal says to leave out: "the same command with --without x --without y ...". */
export function leftOut(hint: string): string[] {
  return [...hint.matchAll(/--without (\S+)/g)].map(([, name]) => name!);
}

/** A time as people say it: 0.4 s, 12 s, 3 min. */
export function seconds(time: number): string {
  if (time < 0.1) {
    return '< 0.1 s';
  }
  if (time < 10) {
    return `${time.toFixed(1)} s`;
  }
  return time < 120 ? `${Math.round(time)} s` : `${Math.round(time / 60)} min`;
}

/** Cut a text to its first line and a length. */
export function oneLine(text: string, longest: number): string {
  const [first = ''] = text.split('\n');
  return first.length > longest ? `${first.slice(0, longest - 1)}…` : first;
}

function happened(change: SessionChange, verb: Verb, words: Words): string {
  const [first] = change.undone;
  const target = (change.target ?? change.head).slice(0, 8);
  if (verb === 'checkout') {
    return words.__('Checked out %1', target);
  }
  if (verb === 'restore') {
    return words.__('The session is back, as of %1', target);
  }
  if (!first) {
    return verb === 'undo' ? words.__('Undone') : words.__('Redone');
  }
  const count = change.undone.length;
  if (count > 1) {
    return verb === 'undo' ? words.__('Undid %1 cells', count) : words.__('Redid %1 cells', count);
  }
  const title = oneLine(first.cell || first.kind, LONGEST_TITLE);
  const cell = first.execution_count === null ? title : `[${first.execution_count}] ${title}`;
  return verb === 'undo' ? words.__('Undid %1', cell) : words.__('Redid %1', cell);
}

function* detailed(change: SessionChange, words: Words): Generator<Part> {
  const doubted = { ...change.unverified, ...change.uncertain };
  const sure = change.replayed.filter(name => !(name in doubted));
  const cells = change.undone.slice(0, MOST_CELLS);
  yield { kind: 'missing', title: words.__('Not restored'), items: told(change.not_restored) };
  yield { kind: 'doubt', title: words.__('Uncertain'), items: told(change.uncertain) };
  yield { kind: 'doubt', title: words.__('Replayed, unverified'), items: told(change.unverified) };
  yield {
    kind: 'plain',
    title: words.__('Cells'),
    items: cells.map(({ cell, kind, execution_count }) => ({
      name: execution_count === null ? '' : `[${execution_count}]`,
      text: oneLine(cell || kind, 80)
    }))
  };
  yield { kind: 'good', title: words.__('Loaded'), items: named(change.loaded) };
  yield { kind: 'good', title: words.__('Replayed, as recorded'), items: named(sure) };
  yield { kind: 'gone', title: words.__('Removed'), items: named(change.removed) };
  yield { kind: 'plain', title: words.__('Kept as they are'), items: named(change.kept) };
  if (change.replay && change.replay.done) {
    yield { kind: 'plain', title: words.__('Cells that were run again'), items: replayItems(change.replay) };
  } else if (change.replay && change.replay.cells.length) {
    const brings = words.__('These cells would bring back: %1', change.replay.brings.join(', '));
    yield { kind: 'note', title: brings, items: replayItems(change.replay) };
  }
  if (change.threads.length) {
    const text = words.__('may still hold objects that were replaced');
    yield { kind: 'note', title: words.__('Threads that run'), items: change.threads.map(name => ({ name, text })) };
  }
  yield { kind: 'note', title: words.__('Notes'), items: change.notes.map(text => ({ name: '', text })) };
}

function told(reasons: Readonly<Record<string, string>>): Part['items'] {
  return Object.keys(reasons)
    .sort()
    .map(name => ({ name, text: reasons[name]! }));
}

function named(names: readonly string[]): Part['items'] {
  return [...names].sort().map(name => ({ name, text: '' }));
}
