import { expect, test } from 'vitest';
import { compareLines, compareWords, foldLines, splitLines, type LineRow } from '../src/model/lines';

/** A row of dice that falls the same way each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

function sides(rows: readonly LineRow[]): [number[], number[]] {
  const places = (side: 'a' | 'b') => rows.map(row => row[side]).filter((place): place is number => place !== null);
  return [places('a'), places('b')];
}

test('each line of both texts is in one row, in order, and lines called the same are', () => {
  for (let seed = 1; seed < 400; seed++) {
    const next = dice(seed);
    const text = () =>
      Array.from({ length: 1 + Math.floor(next() * 12) }, () => 'abcdx y'[Math.floor(next() * 7)]).join('\n');
    const [before, after] = [text(), text()];
    const rows = compareLines(before, after);
    const [a, b] = [splitLines(before), splitLines(after)];
    expect(sides(rows)).toEqual([[...a.keys()], [...b.keys()]]);
    for (const row of rows) {
      expect(row.kind === 'same').toBe(
        row.a !== null && row.b !== null && a[row.a] === b[row.b] && row.kind !== 'changed'
      );
    }
  }
});

test('as few lines as possible differ', () => {
  const rows = compareLines('a\nb\nc\nd', 'a\nc\nd\ne');
  expect(rows.map(row => row.kind)).toEqual(['same', 'removed', 'same', 'same', 'added']);
});

test('a line that was edited stands beside what it became, with the words that differ', () => {
  const rows = compareLines('x = load("a.csv")\ny = 1', 'x = load("b.csv")\ny = 1');
  expect(rows[0]).toMatchObject({ kind: 'changed', wordsA: [[10, 11]], wordsB: [[10, 11]] });
  expect(rows[1]!.kind).toBe('same');
});

test('lines that have nothing in common are not put beside each other', () => {
  expect(compareLines('import numpy', 'zzz qqq').map(row => row.kind)).toEqual(['removed', 'added']);
});

test('an empty text has no line', () => {
  expect(compareLines('', 'a\nb').map(row => row.kind)).toEqual(['added', 'added']);
  expect(compareLines('', '')).toHaveLength(1);
});

test('a line that is too long is not compared by words', () => {
  expect(compareWords('a'.repeat(5000), 'b')).toBeNull();
});

test('texts that differ everywhere come back, however long', () => {
  const [a, b] = [Array.from({ length: 6000 }, (_, n) => `a${n}`), Array.from({ length: 6000 }, (_, n) => `b ${n}`)];
  expect(sides(compareLines(a.join('\n'), b.join('\n')))).toEqual([[...a.keys()], [...b.keys()]]);
});

test('long stretches of the same are left out, with lines around each change', () => {
  const before = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  const after = before.map((line, n) => (n === 15 ? 'line fifteen' : line));
  const parts = foldLines(compareLines(before.join('\n'), after.join('\n')));
  expect(parts.map(part => ('hidden' in part ? part.hidden : part.rows.length))).toEqual([12, 7, 11]);
});
