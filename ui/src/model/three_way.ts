/**
 * Three versions of a text in rows: lines that correspond stand beside each other, with what each side changed.
 *
 * Invariant: every line of each version is in exactly one row, in order. No DOM, no React.
 */
import { diff } from '@codemirror/merge';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A line of one version. `changed`: other than in the base; `words`: where, in the line. */
export interface Line {
  readonly number: number;
  readonly text: string;
  readonly changed: boolean;
  readonly words: readonly Range[];
}

export interface Row {
  readonly ours: Line | undefined;
  readonly base: Line | undefined;
  readonly theirs: Line | undefined;
  /** Of which place that has to be decided, counted from 0; undefined where ours and theirs agree. */
  readonly place: number | undefined;
}

/** What is taken at one place: of both, ours comes first. */
export type Part = 'ours' | 'theirs' | 'both' | 'base';

/** Undefined for a version that is not there. Words of the base are those that either side changed. */
export function threeWay(base: string | undefined, ours: string | undefined, theirs: string | undefined): Row[] {
  const common = lines(base);
  const mine = new Compared(common, lines(ours), ours !== undefined && base !== undefined);
  const yours = new Compared(common, lines(theirs), theirs !== undefined && base !== undefined);
  const rows: Row[] = [];
  let places = 0;
  for (const { from, to, changed } of chunks(mine.changes, yours.changes, common.length)) {
    const first = rows.length;
    for (let number = from; number <= to; number++) {
      // Lines that the base has not stand before the line that they were put before; one stretch has those of its ends.
      const [put, also] = changed ? [mine.before(number), yours.before(number)] : [[], []];
      for (let at = 0; at < Math.max(put.length, also.length); at++) {
        rows.push({ ours: put[at], base: undefined, theirs: also[at], place: undefined });
      }
      if (number < to) {
        const base = baseLine(common, number, mine, yours);
        rows.push({ ours: mine.at(number), base, theirs: yours.at(number), place: undefined });
      }
    }
    const own = rows.slice(first);
    const texts = (side: 'ours' | 'theirs') => own.flatMap(row => row[side]?.text ?? []);
    if (changed && !same(texts('ours'), texts('theirs'))) {
      const place = places++;
      own.forEach((row, at) => (rows[first + at] = { ...row, place }));
    }
  }
  return rows;
}

/** The text with what was taken at each place; undefined while one is open. */
export function compose(rows: readonly Row[], parts: ReadonlyMap<number, Part>): string | undefined {
  const found: string[] = [];
  for (let at = 0; at < rows.length;) {
    const { place } = rows[at]!;
    const here = rows.slice(at).findIndex(row => row.place !== place);
    const group = rows.slice(at, here < 0 ? rows.length : at + here);
    at += group.length;
    const part = place === undefined ? 'ours' : parts.get(place);
    if (part === undefined) {
      return undefined;
    }
    for (const side of part === 'both' ? (['ours', 'theirs'] as const) : [part]) {
      found.push(...group.flatMap(row => row[side]?.text ?? []));
    }
  }
  return found.join('\n');
}

/** What is taken at a place after a click on one version: ours and theirs go together, the base alone. */
export function toggled(part: Part | undefined, side: 'ours' | 'theirs' | 'base'): Part | undefined {
  if (side === 'base' || part === 'base' || part === undefined) {
    return part === side ? undefined : side;
  }
  const other = side === 'ours' ? 'theirs' : 'ours';
  return part === side ? undefined : part === other ? 'both' : other;
}

interface Change {
  readonly fromA: number;
  readonly toA: number;
  readonly fromB: number;
  readonly toB: number;
}

/** One side beside the base. */
class Compared {
  readonly changes: readonly Change[];
  readonly baseWords = new Map<number, Range[]>();

  constructor(
    base: readonly string[],
    private readonly side: readonly string[],
    comparable: boolean
  ) {
    this.changes = comparable ? diffLines(base, side) : [{ fromA: 0, toA: base.length, fromB: 0, toB: side.length }];
    for (const change of comparable ? this.changes : []) {
      this.compareWords(base, change);
    }
    this.changed = new Set(this.changes.flatMap(({ fromB, toB }) => numbers(fromB, comparable ? toB : fromB)));
    this.match(base.length);
  }

  /** The line that stands for line `number` of the base: the same, or the one that it became. */
  at(number: number): Line | undefined {
    return this.line(this.partner.get(number));
  }

  /** The lines that were put before line `number` of the base. */
  before(number: number): Line[] {
    return (this.put.get(number) ?? []).map(at => this.line(at)!);
  }

  private line(at: number | undefined): Line | undefined {
    return at === undefined
      ? undefined
      : { number: at + 1, text: this.side[at]!, changed: this.changed.has(at), words: this.words.get(at) ?? [] };
  }

  /** Say for each line of the base which line stands for it, and which come before it. */
  private match(length: number): void {
    let [a, b] = [0, 0];
    for (const { fromA, toA, toB } of [...this.changes, { fromA: length, toA: length, toB: -1 }]) {
      while (a < fromA) {
        this.partner.set(a++, b++);
      }
      while (a < toA && b < toB) {
        this.partner.set(a++, b++);
      }
      if (b < toB) {
        this.put.set(toA, [...(this.put.get(toA) ?? []), ...numbers(b, toB)]);
        b = toB;
      }
      a = Math.max(a, toA);
    }
  }

  private compareWords(base: readonly string[], { fromA, toA, fromB, toB }: Change): void {
    if (fromA === toA || fromB === toB) {
      return; // whole lines came or went: that is what the tint of the lines says
    }
    const before = base.slice(fromA, toA).join('\n');
    const after = this.side.slice(fromB, toB).join('\n');
    for (const change of diffWords(before, after)) {
      spread(base, fromA, change.fromA, change.toA, this.baseWords);
      spread(this.side, fromB, change.fromB, change.toB, this.words);
    }
  }

  private readonly changed: ReadonlySet<number>;
  private readonly words = new Map<number, Range[]>();
  private readonly partner = new Map<number, number>();
  private readonly put = new Map<number, number[]>();
}

/** Enter a range of a text that begins at a line into the lines that it covers. */
function spread(all: readonly string[], first: number, from: number, to: number, into: Map<number, Range[]>): void {
  let start = 0;
  for (let number = first; number < all.length && start < to; number++) {
    const length = all[number]!.length;
    const range = { from: Math.max(0, from - start), to: Math.min(length, to - start) };
    if (range.to > range.from) {
      into.set(number, [...(into.get(number) ?? []), range]);
    }
    start += length + 1;
  }
}

/** Cut the base where neither side's changes are cut: stretches that nobody changed, and such that somebody did. */
function chunks(mine: readonly Change[], yours: readonly Change[], length: number) {
  const touched: { from: number; to: number }[] = [];
  for (const { fromA: from, toA: to } of [...mine, ...yours].sort((a, b) => a.fromA - b.fromA || a.toA - b.toA)) {
    const last = touched.at(-1);
    if (last && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else {
      touched.push({ from, to });
    }
  }
  const found: { from: number; to: number; changed: boolean }[] = [];
  let done = 0;
  for (const { from, to } of touched) {
    if (from > done) {
      found.push({ from: done, to: from, changed: false });
    }
    found.push({ from, to, changed: true });
    done = to;
  }
  if (length > done) {
    found.push({ from: done, to: length, changed: false });
  }
  return found;
}

function baseLine(base: readonly string[], number: number, mine: Compared, yours: Compared): Line {
  const words = merged([...(mine.baseWords.get(number) ?? []), ...(yours.baseWords.get(number) ?? [])]);
  const changed = [mine, yours].some(side => side.changes.some(({ fromA, toA }) => fromA <= number && number < toA));
  return { number: number + 1, text: base[number]!, changed, words };
}

function merged(ranges: Range[]): Range[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else {
      found.push({ from, to });
    }
  }
  return found;
}

/** Compare piece by piece: each becomes one letter, so that the comparison of letters does it. */
function diffLines(a: readonly string[], b: readonly string[]): readonly Change[] {
  const letters = new Map<string, string>();
  const code = (piece: string): string => {
    let letter = letters.get(piece);
    if (letter === undefined) {
      const number = 0x20 + letters.size;
      letter = String.fromCharCode(number < 0xd800 ? number : Math.min(number + 0x800, 0xffff)); // past half pairs
      letters.set(piece, letter);
    }
    return letter;
  };
  return diff(a.map(code).join(''), b.map(code).join(''), { scanLimit: 2000 });
}

/** The words that differ, as ranges of letters. */
function diffWords(a: string, b: string): Change[] {
  const [before, after] = [pieces(a), pieces(b)];
  const [startsA, startsB] = [ends(before), ends(after)];
  return diffLines(before, after).map(({ fromA, toA, fromB, toB }) => ({
    fromA: startsA[fromA]!,
    toA: startsA[toA]!,
    fromB: startsB[fromB]!,
    toB: startsB[toB]!
  }));
}

function pieces(text: string): string[] {
  return text.match(/\p{N}+(?:\.\p{N}+)?|[\p{L}_][\p{L}\p{N}_]*|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

/** Where each word begins, and where the last one ends. */
function ends(words: readonly string[]): number[] {
  const found = [0];
  for (const word of words) {
    found.push(found.at(-1)! + word.length);
  }
  return found;
}

function lines(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split('\n');
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}
