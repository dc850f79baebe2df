/**
 * Deciding a merge: what was picked for each conflict, and what that makes of its cells.
 *
 * Invariant: a `Deciding` is never changed; every function returns another one. What `resultOf` shows is what the server
 * makes of the same decisions. No DOM, no React.
 */
import type { components } from '../wire/generated/types';
import { compose, toggled, type Part, type Row } from './three_way';

type Schemas = components['schemas'];
export type MergeLook = Schemas['MergeLook'];
export type MergeConflict = Schemas['MergeConflict'];
export type MergeDropped = Schemas['MergeDropped'];
export type MergeSaved = Schemas['MergeSaved'];
export type MergeResult = Schemas['MergeResult'];
export type Pick = Schemas['Decision']['pick'];
export type Side = 'ours' | 'theirs';
export type Column = Side | 'base';

/** What a person picked. edited: `source` is the cell's text, all else is as `side` has it. */
export interface Decision {
  readonly id: string;
  readonly pick: Pick;
  readonly source?: string;
  readonly side?: Side;
}

/** A cell as nbformat has it, as far as the merge looks at it; anything may be missing or of another kind. */
export interface CellLike {
  readonly id?: unknown;
  readonly cell_type?: unknown;
  readonly source?: unknown;
  readonly metadata?: unknown;
  readonly outputs?: unknown;
  readonly attachments?: unknown;
}

interface Choices {
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly back: ReadonlySet<string>;
  /** Of conflicts that are decided place by place, what was taken so far. */
  readonly parts: ReadonlyMap<string, ReadonlyMap<number, Part>>;
}

export interface Deciding extends Choices {
  readonly look: MergeLook;
  /** The conflict that is shown; undefined when there is none. */
  readonly current: string | undefined;
  readonly before: readonly Choices[];
}

/** Begin with what the server says. */
export function begin(look: MergeLook): Deciding {
  return { look, decisions: new Map(), back: new Set(), parts: new Map(), current: look.conflicts[0]?.id, before: [] };
}

/** The notebook may have changed meanwhile: keep what was picked for conflicts that are still there. */
export function follow(state: Deciding, look: MergeLook): Deciding {
  if (JSON.stringify(look) === JSON.stringify(state.look)) {
    return state; // something else changed, and steps can still be taken back
  }
  const conflicts = look.conflicts;
  const known = new Set(conflicts.map(one => one.id));
  const dropped = new Set(look.dropped.map(one => one.id));
  const at = indexOf(state, state.current);
  return {
    look,
    decisions: new Map([...state.decisions].filter(([id]) => known.has(id))),
    back: new Set([...state.back].filter(id => dropped.has(id))),
    parts: new Map(), // their places are those of the texts as they were
    current:
      state.current && known.has(state.current) ? state.current : conflicts[Math.min(at, conflicts.length - 1)]?.id,
    before: []
  };
}

/** Decide a conflict, or take the decision back. */
export function decide(state: Deciding, id: string, decision: Omit<Decision, 'id'> | null): Deciding {
  const conflict = find(state, id);
  if (!conflict || (decision && !conflict.choices.includes(decision.pick))) {
    return state;
  }
  const decisions = new Map(state.decisions);
  if (decision) {
    decisions.set(id, { ...decision, id });
  } else {
    decisions.delete(id);
  }
  const parts = new Map(state.parts);
  parts.delete(id);
  // A text that is being written is one step, however many keys it takes.
  const isTyping = decision?.pick === 'edited' && state.decisions.get(id)?.pick === 'edited';
  return isTyping ? { ...state, decisions, parts } : step(state, { decisions, back: state.back, parts });
}

/** Take one version at one place of a cell, or give it back; the conflict is decided when no place is open. */
export function takePart(state: Deciding, id: string, rows: readonly Row[], place: number, side: Column): Deciding {
  const taken = new Map(state.parts.get(id));
  const part = toggled(taken.get(place), side);
  if (part) {
    taken.set(place, part);
  } else {
    taken.delete(place);
  }
  const decisions = new Map(state.decisions);
  const source = compose(rows, taken);
  if (source === undefined) {
    decisions.delete(id);
  } else {
    decisions.set(id, { id, pick: 'edited', source, side: 'ours' });
  }
  return step(state, { decisions, back: state.back, parts: new Map(state.parts).set(id, taken) });
}

/** Decide all conflicts for one side, also those that were decided otherwise. */
export function decideAll(state: Deciding, pick: Side): Deciding {
  const decisions = new Map(state.decisions);
  for (const conflict of state.look.conflicts) {
    if (conflict.choices.includes(pick)) {
      decisions.set(conflict.id, { id: conflict.id, pick });
    }
  }
  return step(state, { decisions, back: state.back, parts: new Map() });
}

/** Bring back what a policy left out, or leave it out again. */
export function toggleBack(state: Deciding, id: string): Deciding {
  const back = new Set(state.back);
  if (!back.delete(id)) {
    back.add(id);
  }
  return step(state, { ...state, back });
}

/** Take the last step back. */
export function undo(state: Deciding): Deciding {
  const last = state.before.at(-1);
  return last ? { ...state, ...last, before: state.before.slice(0, -1) } : state;
}

export function show(state: Deciding, id: string): Deciding {
  return find(state, id) ? { ...state, current: id } : state;
}

/** Go to the next conflict or the one before, round the end; `open`: to one that is not decided, if there is any. */
export function go(state: Deciding, by: 1 | -1, open = false): Deciding {
  const conflicts = state.look.conflicts;
  const at = indexOf(state, state.current);
  for (let far = 1; far <= conflicts.length; far++) {
    const one = conflicts[(at + by * far + conflicts.length * 2) % conflicts.length]!;
    if (!open || !state.decisions.has(one.id)) {
      return { ...state, current: one.id };
    }
  }
  return state;
}

/** How many conflicts stay open if what was picked is saved; those inside of others are not counted yet. */
export function openCount(state: Deciding): number {
  return state.look.conflicts.filter(one => !state.decisions.has(one.id)).length;
}

export function isDirty(state: Deciding): boolean {
  return state.decisions.size > 0 || state.back.size > 0;
}

/** What the server is sent. */
export function asked(state: Deciding): { decisions: Decision[]; back: string[] } {
  return { decisions: [...state.decisions.values()], back: [...state.back] };
}

export function find(state: Deciding, id: string | undefined): MergeConflict | undefined {
  return state.look.conflicts.find(one => one.id === id);
}

/** The cells that stand there in the end; undefined while nothing is decided. */
export function resultOf(conflict: MergeConflict, decision: Decision | undefined): CellLike[] | undefined {
  if (!decision) {
    return undefined;
  }
  const { ours, theirs, base, notes } = conflict;
  if (decision.pick === 'edited') {
    const model = modelOf(conflict, decision.side ?? 'ours');
    const stale = model?.cell_type === 'code' && text(model.source) !== decision.source;
    const rest = stale ? { outputs: [], execution_count: null } : {};
    return [{ ...model, ...rest, source: decision.source ?? '' }, ...notes];
  }
  const picked = { ours, theirs, base, both: [...ours, ...theirs] }[decision.pick];
  return [...picked, ...notes];
}

/** The cell that takes a text of one's own. */
export function modelOf(conflict: MergeConflict, side: Side): CellLike | undefined {
  const { ours, theirs, base } = conflict;
  return (side === 'ours' ? ours : theirs)[0] ?? ours[0] ?? theirs[0] ?? base[0];
}

/** The text to begin with when a decision is to be written by hand, and the side that it is beside. */
export function draftOf(conflict: MergeConflict, decision: Decision | undefined): { source: string; side: Side } {
  const side = decision?.pick === 'theirs' || !conflict.ours.length ? 'theirs' : (decision?.side ?? 'ours');
  const cells = resultOf(conflict, decision) ?? [modelOf(conflict, side) ?? {}];
  return { source: cells.map(cell => text(cell.source)).join('\n\n'), side };
}

/** The source of all cells of a version; undefined where there is none. */
export function sourceOf(cells: readonly CellLike[] | undefined): string | undefined {
  return cells?.length ? cells.map(cell => text(cell.source)).join('\n\n') : undefined;
}

/** A text that nbformat may hold in lines. */
export function text(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join('') : typeof value === 'string' ? value : '';
}

/** What stands at `metadata.a.b` in a cell: keys may hold dots, so the longest that fits is taken. */
export function partOf(cell: CellLike | undefined, what: string): { there: boolean; value?: unknown } {
  let held: unknown = cell;
  let rest = what.split('.');
  while (rest.length) {
    if (typeof held !== 'object' || held === null) {
      return { there: false };
    }
    let count = rest.length;
    while (count > 0 && !Object.hasOwn(held, rest.slice(0, count).join('.'))) {
      count--;
    }
    if (!count) {
      return { there: false };
    }
    held = (held as Record<string, unknown>)[rest.slice(0, count).join('.')];
    rest = rest.slice(count);
  }
  return { there: true, value: held };
}

function step(state: Deciding, choices: Choices): Deciding {
  const { decisions, back, parts } = state;
  const { before, look, current } = state;
  return {
    look,
    current,
    decisions: choices.decisions,
    back: choices.back,
    parts: choices.parts,
    before: [...before, { decisions, back, parts }]
  };
}

function indexOf(state: Deciding, id: string | undefined): number {
  return Math.max(
    0,
    state.look.conflicts.findIndex(one => one.id === id)
  );
}
