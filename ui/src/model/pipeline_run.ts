/**
 * A run of a pipeline, folded from what it told, and what is said of each component: from the run, from its cache, from
 * edits since. Pure.
 */
import type { Answer } from '../wire/client';
import type { Component } from './pipeline';

export type Line = Answer<'pipeline-lines'>['lines'][number];
type StepError = NonNullable<Line['error']>;
type State = 'waiting' | 'running' | 'done' | 'cached' | 'failed' | 'blocked' | 'cancelled';

interface Step {
  readonly state: State;
  readonly reason: string;
  readonly seconds: number | null;
  readonly error: StepError | null;
  readonly result: string | null;
  /** What else is to be known of it. */
  readonly notes: readonly string[];
}

export interface Run {
  readonly name: string;
  /** How many lines were taken: what comes twice is taken once. */
  readonly taken: number;
  readonly state: 'none' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly steps: ReadonlyMap<string, Step>;
  /** The line that ended it. */
  readonly end: Line | null;
}

export const NO_RUN: Run = { name: '', taken: 0, state: 'none', steps: new Map(), end: null };

/** Begin to follow a run that was asked for and has told nothing yet. */
export const begun = (name: string): Run => ({ ...NO_RUN, name, state: 'running' });

/** Return a run with one more line; one of another run begins that. */
export function withLine(run: Run, line: Line): Run {
  const now = line.run === run.name ? run : begun(line.run);
  if (line.number < now.taken) {
    return run;
  }
  const taken = line.number + 1;
  if (line.event === 'plan') {
    const planned = line.steps.map(({ id, reason, action }): [string, Step] => [
      id,
      { ...NO_STEP, state: action === 'cached' ? 'cached' : 'waiting', reason }
    ]);
    return { ...now, taken, steps: new Map(planned) };
  }
  if (line.event === 'step') {
    const { id, state, reason, seconds, error, result, notes } = line;
    const before = now.steps.get(id) ?? NO_STEP;
    const step: Step = { state: state || 'waiting', reason: reason || before.reason, seconds, error, result, notes };
    return { ...now, taken, steps: new Map([...now.steps, [id, step]]) };
  }
  const state = line.state === 'done' || line.state === 'cancelled' ? line.state : 'failed';
  return { ...now, taken, state, end: line, steps: stopped(now.steps) };
}

/** What did not come to its end when the run ended. */
function stopped(steps: Run['steps']): Run['steps'] {
  const isOpen = ({ state }: Step) => state === 'running' || state === 'waiting';
  return new Map(
    [...steps].map(([id, step]): [string, Step] => [id, isOpen(step) ? { ...step, state: 'cancelled' } : step])
  );
}

const NO_STEP: Step = { state: 'waiting', reason: '', seconds: null, error: null, result: null, notes: [] };

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly running: readonly string[];
}

/** Return how far a run is, and what runs. */
export function progressOf(run: Run): Progress {
  const steps = [...run.steps];
  const open = steps.filter(([, { state }]) => state === 'waiting' || state === 'running');
  return {
    done: steps.length - open.length,
    total: steps.length,
    running: steps.filter(([, { state }]) => state === 'running').map(([id]) => id)
  };
}

/** What is known of a component's cache. */
export type Cached = Answer<'pipeline-status'>['components'][string];

export type Mark = State | 'broken' | 'stale' | 'edited' | 'none';

export interface Status {
  readonly mark: Mark;
  readonly reason: string;
  readonly seconds: number | null;
  readonly error: StepError | null;
  /** The commit with its variables. */
  readonly result: string | null;
  readonly notes: readonly string[];
}

export interface Known {
  readonly run: Run;
  /** What is known of the caches, for the notebook as it was saved; null where nothing is. */
  readonly caches: ReadonlyMap<string, Cached> | null;
  /** What was edited since, and what comes after that. */
  readonly edited: ReadonlySet<string>;
  /** What has another source than when the run began. */
  readonly changed: ReadonlySet<string>;
}

/** Return what is to be said of a component. */
export function statusOf(component: Component, { run, caches, edited, changed }: Known): Status {
  const step = run.steps.get(component.id);
  const cache = caches?.get(component.id) ?? null;
  // Taken away and imported meanwhile: what the run left is not what the next one takes.
  const isOther = !!cache?.cached && !!cache.result && !!step?.result && cache.result !== step.result;
  const result = (changed.has(component.id) || isOther ? null : step?.result) ?? cache?.result ?? null;
  const seconds = step?.seconds ?? cache?.seconds ?? null;
  const said = (mark: Mark, reason = '', error: StepError | null = null): Status => ({
    mark,
    reason,
    seconds,
    error,
    result,
    notes: step?.notes ?? []
  });
  if (component.error) {
    return said('broken', component.error);
  }
  if (step && run.state === 'running') {
    return said(step.state, step.reason, step.error);
  }
  if (edited.has(component.id)) {
    return said('edited');
  }
  const isOfNow = step !== undefined && step.state !== 'waiting' && !changed.has(component.id) && !isOther;
  const hasResult = step?.state === 'done' || step?.state === 'cached';
  if (isOfNow && (cache ? cache.cached === hasResult : true) && !(cache && step.state === 'cached')) {
    return said(step.state, step.reason, step.error);
  }
  if (cache) {
    return said(cache.cached ? 'cached' : 'stale', cache.reason);
  }
  return said('none');
}
