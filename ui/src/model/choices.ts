/**
 * The commits that one may check out, in the order in which people look for them: named ones, branches, tags, the rest.
 *
 * Invariant: each commit stands once; a search finds it by its message, code, names that point at it, variables that it
 * changed, or the beginning of its id, all words of the search in any order. The choice of a commit is the same object
 * however many others come.
 */
import type { components } from '../wire/generated/types';

export type CommitLine = components['schemas']['CommitLine'];

export type Group = 'named' | 'branch' | 'tag' | 'automatic';

export interface Choice {
  readonly commit: CommitLine;
  readonly group: Group;
  /** What is given to a checkout: a branch by its name, so that HEAD is attached to it. */
  readonly ref: string;
  readonly title: string;
  /** The commit's own title, where `title` is the name of a branch or tag. */
  readonly detail: string;
  /** Names of branches and tags that are not the title. */
  readonly labels: readonly string[];
  /** HEAD is here. */
  readonly isNow: boolean;
}

const ORDER: readonly Group[] = ['named', 'branch', 'tag', 'automatic'];

/** Return the choices in order. Commits come newest first. */
export function choices(commits: readonly CommitLine[]): Choice[] {
  const found = commits.map(commit => choice(commit));
  return ORDER.flatMap(group => found.filter(one => one.group === group));
}

/** Return choices with those of older commits put in their order; what comes a second time is left out. */
export function withOlder(found: readonly Choice[], older: readonly Choice[]): Choice[] {
  const known = new Set(found.map(one => one.commit.id));
  const both = [...found, ...older.filter(one => !known.has(one.commit.id))];
  return ORDER.flatMap(group => both.filter(one => one.group === group));
}

/** Return where the choice of a commit stands; the first one's place where it is not there, or none is meant. */
export function placeOf(found: readonly Choice[], id: string | undefined): number {
  return Math.max(
    0,
    found.findIndex(one => one.commit.id === id)
  );
}

/** Return those that a search finds. */
export function matching(found: readonly Choice[], search: string): Choice[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) {
    return [...found];
  }
  return found.filter(one => {
    const text = textOf(one);
    return words.every(word => text.includes(word) || one.commit.id.startsWith(word));
  });
}

/** Return all that a search looks at; made once for each choice, not for each key of ten thousand. */
function textOf(one: Choice): string {
  let text = texts.get(one);
  if (text === undefined) {
    const { commit } = one;
    const changed = [...commit.added, ...commit.changed, ...commit.removed];
    text = [one.title, one.detail, commit.message, commit.title, ...one.labels, ...changed].join('\n').toLowerCase();
    texts.set(one, text);
  }
  return text;
}

const texts = new WeakMap<Choice, string>();

function choice(commit: CommitLine): Choice {
  const label = (kind: string) => commit.labels.filter(one => one.kind === kind).map(one => one.name);
  const [branches, tags] = [label('branch'), label('tag')];
  const isNamed = commit.kind === 'named';
  const group: Group = isNamed ? 'named' : branches.length ? 'branch' : tags.length ? 'tag' : 'automatic';
  const own = commit.message || commit.title || commit.kind;
  const names = [...branches, ...tags];
  const [first = own, ...others] = isNamed ? [own, ...names] : names;
  return {
    commit,
    group,
    ref: branches[0] ?? commit.id,
    title: first,
    detail: first === own ? '' : own,
    labels: others,
    isNow: commit.labels.some(one => one.kind === 'head')
  };
}
