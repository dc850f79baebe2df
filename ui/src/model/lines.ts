/**
 * Two texts compared line by line, and lines that correspond word by word, as rows to draw beside each other.
 *
 * Invariant: the `a` numbers of the rows are 0, 1, 2, ... of the first text, the `b` numbers those of the second; the
 * time is bounded for any texts. Pure.
 */

type LineKind = 'same' | 'changed' | 'removed' | 'added';

/** Begin and end of a stretch within a line. */
export type Stretch = readonly [number, number];

export interface LineRow {
  readonly kind: LineKind;
  /** Place of the line, null where the side has none. */
  readonly a: number | null;
  readonly b: number | null;
  /** What is gone from the line of `a`, and what is new in that of `b`, where they correspond. */
  readonly wordsA?: readonly Stretch[];
  readonly wordsB?: readonly Stretch[];
}

/** Edits that are looked for before the rest counts as replaced as a whole. */
const MOST_EDITS = 1500;
const MOST_WORD_EDITS = 120;
const LONGEST_LINE = 3000;
const ALIKE = 0.35;
const WORDS = /[\p{L}\p{N}_]+|\s+|[^]/gu;

export function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

/** Return the rows of two texts. An empty text has no line where the other has some. */
export function compareLines(before: string, after: string): LineRow[] {
  const a = before === '' && after !== '' ? [] : splitLines(before);
  const b = after === '' && before !== '' ? [] : splitLines(after);
  const rows: LineRow[] = [];
  let x = 0;
  let y = 0;
  for (const [i, j, length] of common(a, b, MOST_EDITS)) {
    pairUp(rows, a, b, x, i, y, j);
    for (let n = 0; n < length; n++) {
      rows.push({ kind: 'same', a: i + n, b: j + n });
    }
    x = i + length;
    y = j + length;
  }
  pairUp(rows, a, b, x, a.length, y, b.length);
  return rows;
}

/** Lines of a replaced stretch beside each other: alike ones in one row, in order, the rest as gone and new. */
function pairUp(rows: LineRow[], a: string[], b: string[], x: number, xEnd: number, y: number, yEnd: number): void {
  while (x < xEnd && y < yEnd) {
    const found = nextAlike(a, b, x, xEnd, y, yEnd);
    if (!found) {
      break;
    }
    while (x < found.x) {
      rows.push({ kind: 'removed', a: x++, b: null });
    }
    while (y < found.y) {
      rows.push({ kind: 'added', a: null, b: y++ });
    }
    rows.push({ kind: 'changed', a: x++, b: y++, wordsA: found.wordsA, wordsB: found.wordsB });
  }
  while (x < xEnd) {
    rows.push({ kind: 'removed', a: x++, b: null });
  }
  while (y < yEnd) {
    rows.push({ kind: 'added', a: null, b: y++ });
  }
}

interface Alike {
  x: number;
  y: number;
  wordsA: Stretch[];
  wordsB: Stretch[];
}

const NEAR = 6;

/** Return the nearest pair of lines that are alike, null if there is none close by. */
function nextAlike(a: string[], b: string[], x: number, xEnd: number, y: number, yEnd: number): Alike | null {
  for (let distance = 0; distance < NEAR; distance++) {
    for (let i = 0; i <= distance; i++) {
      const [px, py] = [x + i, y + distance - i];
      if (px < xEnd && py < yEnd) {
        const words = compareWords(a[px]!, b[py]!);
        if (words && words.alike >= ALIKE) {
          return { x: px, y: py, wordsA: words.a, wordsB: words.b };
        }
      }
    }
  }
  return null;
}

/** Return which words of two lines differ and which part of them is common, null where that is too much to tell. */
export function compareWords(a: string, b: string): { a: Stretch[]; b: Stretch[]; alike: number } | null {
  if (a.length > LONGEST_LINE || b.length > LONGEST_LINE) {
    return null;
  }
  const wordsA = a.match(WORDS) ?? [];
  const wordsB = b.match(WORDS) ?? [];
  const found: { a: Stretch[]; b: Stretch[] } = { a: [], b: [] };
  let [x, y, atA, atB, same] = [0, 0, 0, 0, 0];
  const skip = (i: number, j: number): void => {
    const [fromA, fromB] = [atA, atB];
    for (; x < i; x++) {
      atA += wordsA[x]!.length;
    }
    for (; y < j; y++) {
      atB += wordsB[y]!.length;
    }
    if (atA > fromA) {
      found.a.push([fromA, atA]);
    }
    if (atB > fromB) {
      found.b.push([fromB, atB]);
    }
  };
  for (const [i, j, length] of common(wordsA, wordsB, MOST_WORD_EDITS)) {
    skip(i, j);
    for (let n = 0; n < length; n++, x++, y++) {
      const size = wordsA[x]!.length;
      atA += size;
      atB += size;
      same += wordsA[x]!.trim() ? size : 0;
    }
  }
  skip(wordsA.length, wordsB.length);
  const total = visible(a) + visible(b);
  return { ...found, alike: total ? (2 * same) / total : 1 };
}

function visible(text: string): number {
  return text.replace(/\s+/g, '').length;
}

type Run = [number, number, number];

/** Return the stretches that two lists have in common, in order: place in `a`, place in `b`, length. (Myers, 1986) */
export function common(a: readonly string[], b: readonly string[], mostEdits: number): Run[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start++;
  }
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const runs: Run[] = start ? [[0, 0, start]] : [];
  runs.push(...middle(a, b, start, endA, endB, mostEdits));
  if (endA < a.length) {
    runs.push([endA, endB, a.length - endA]);
  }
  return runs;
}

function middle(
  a: readonly string[],
  b: readonly string[],
  start: number,
  endA: number,
  endB: number,
  most: number
): Run[] {
  const n = endA - start;
  const m = endB - start;
  if (!n || !m) {
    return [];
  }
  const limit = Math.min(n + m, most);
  const furthest = new Int32Array(2 * limit + 2);
  const steps: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && furthest[limit + k - 1]! < furthest[limit + k + 1]!);
      let x = down ? furthest[limit + k + 1]! : furthest[limit + k - 1]! + 1;
      while (x < n && x - k < m && x - k >= 0 && a[start + x] === b[start + x - k]) {
        x++;
      }
      furthest[limit + k] = x;
      if (x >= n && x - k >= m) {
        return traced(steps, start, n, m, d, limit);
      }
    }
    steps.push(furthest.slice(limit - d, limit + d + 1));
  }
  return [];
}

/** Go back along what was noted of each number of edits. */
function traced(steps: Int32Array[], start: number, n: number, m: number, edits: number, _limit: number): Run[] {
  const runs: Run[] = [];
  let [x, y] = [n, m];
  for (let d = edits; d > 0; d--) {
    const before = steps[d - 1]!; // of -(d - 1) to d - 1
    const at = (k: number): number => (Math.abs(k) < d ? before[k + d - 1]! : -1);
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const previous = down ? k + 1 : k - 1;
    const fromX = at(previous);
    const fromY = fromX - previous;
    const middleX = down ? fromX : fromX + 1;
    if (x > middleX) {
      runs.push([start + middleX, start + middleX - k, x - middleX]);
    }
    [x, y] = [fromX, fromY];
  }
  if (x > 0) {
    runs.push([start, start, x]);
  }
  return runs.reverse();
}

/** A stretch of rows to draw, or how many the same are left out. */
export type Part = { rows: readonly LineRow[] } | { hidden: number; from: number };

/** Return rows with long stretches of the same left out but for `context` of them beside each change. */
export function foldLines(rows: readonly LineRow[], context = 3, least = 4): Part[] {
  const parts: Part[] = [];
  let kept: LineRow[] = [];
  for (let at = 0; at < rows.length;) {
    let end = at;
    while (end < rows.length && rows[end]!.kind === 'same') {
      end++;
    }
    const head = at === 0 ? 0 : context;
    const tail = end === rows.length ? 0 : context;
    const hidden = end - at - head - tail;
    if (hidden >= least && end > at) {
      kept.push(...rows.slice(at, at + head));
      if (kept.length) {
        parts.push({ rows: kept });
      }
      parts.push({ hidden, from: at + head });
      kept = rows.slice(end - tail, end);
    } else {
      kept.push(...rows.slice(at, end));
    }
    if (end < rows.length) {
      kept.push(rows[end]!);
      end++;
    }
    at = end;
  }
  if (kept.length) {
    parts.push({ rows: kept });
  }
  return parts;
}
