import { expect, test } from 'vitest';
import { marked, piecesOf } from '../src/components/diff/highlight';
import { english } from '../src/components/host';
import { changesAmong, headingsOf, itemsOf, pairsOf, sourceOf, type Answer } from '../src/model/comparison';
import { MOST_LANES, movesOf } from '../src/model/moves';
import { MeasuredHeights } from '../src/model/measured_heights';
import { formatSide, nameSide, parseSide, type Side } from '../src/model/sides';

const cell = (place: number, source: string | null, id = `c${place}`, type = 'code') => ({
  place,
  type,
  id,
  source,
  count: null,
  tags: [],
  outputs: 0,
  shown: null
});
const change = (only_noise = false) => ({ only_noise, noise: only_noise ? ['run time'] : [], outputs: [] });

/** Five rows: changed, noise, two that are the same, one that moved up; and where it stood. */
const answer = {
  before: [cell(0, 'a'), cell(1, 'b'), cell(2, '# Load', 'c2', 'markdown'), cell(3, 'd'), cell(4, 'e')],
  after: [cell(0, 'A'), cell(1, null, 'c4'), cell(2, null, 'c1'), cell(3, null, 'c2', 'markdown'), cell(4, null, 'c3')],
  rows: [
    { kind: 'changed', before: [0], after: [0], change: change() },
    { kind: 'moved', before: [4], after: [1], change: change() },
    { kind: 'changed', before: [1], after: [2], change: change(true) },
    { kind: 'equal', before: [2], after: [3], change: null },
    { kind: 'equal', before: [3], after: [4], change: null },
    { kind: 'gone', before: [4], after: [1], change: null }
  ]
} as unknown as Answer;

const withMove = (row: Answer['rows'][number]): Answer['rows'][number] =>
  row.kind === 'moved' ? { ...row, change: { ...row.change!, moved: true } } : row;

test('a source that came once is on both sides', () => {
  const pairs = pairsOf(answer);
  expect(pairs.map(pair => [sourceOf(pair.before), sourceOf(pair.after)])).toEqual([
    ['a', 'A'],
    ['e', 'e'],
    ['b', 'b'],
    ['# Load', '# Load'],
    ['d', 'd'],
    ['e', 'e']
  ]);
});

test('each row is in one item, and keys are unique', () => {
  const pairs = pairsOf(answer);
  for (const noise of [true, false]) {
    const items = itemsOf(pairs, { noise, unfolded: new Set() });
    expect(items.flatMap(item => (item.kind === 'pair' ? [item.pair] : [...item.pairs]))).toEqual(pairs);
    expect(new Set(items.map(item => item.key)).size).toBe(items.length);
  }
});

test('quiet rows fold, noise among them, until somebody looks', () => {
  const pairs = pairsOf(answer);
  const shape = (noise: boolean, unfolded: string[] = []) =>
    itemsOf(pairs, { noise, unfolded: new Set(unfolded) }).map(item =>
      item.kind === 'pair' ? item.pair.kind : item.pairs.length
    );
  expect(shape(false)).toEqual(['changed', 'moved', 3, 'gone']);
  expect(shape(true)).toEqual(['changed', 'moved', 'changed', 2, 'gone']);
  expect(shape(false, [pairs[4]!.key])).toEqual(['changed', 'moved', 2, 'equal', 'gone']);
});

test('a moved cell is one change', () => {
  const items = itemsOf(pairsOf(answer), { noise: false, unfolded: new Set() });
  expect(changesAmong(items, false)).toEqual([0, 1]);
});

test('headings say where a run of unchanged cells is', () => {
  expect(headingsOf(pairsOf(answer))).toEqual(['Load']);
});

test('a side is spelled and read again', () => {
  const sides: Side[] = [
    { kind: 'open' },
    { kind: 'file' },
    { kind: 'file', path: 'a:b/c.ipynb' },
    { kind: 'git', revision: 'HEAD' },
    { kind: 'git', revision: 'HEAD^{/fix: it}' },
    { kind: 'git', revision: null },
    { kind: 'git', revision: 'HEAD~2', path: 'old/a: b@%.ipynb' },
    { kind: 'commit', revision: 'op:3' },
    { kind: 'nothing' }
  ];
  expect(sides.map(side => parseSide(formatSide(side)))).toEqual(sides);
  expect(parseSide('elsewhere:x')).toBeNull();
  expect(nameSide({ kind: 'git', revision: 'a'.repeat(40) }, english)).toBe('git aaaaaaaa');
});

test('rows in view are found whatever their heights', () => {
  const keys = Array.from({ length: 500 }, (_, n) => `k${n}`);
  const measured = new Map([...keys.entries()].filter(([n]) => n % 3 === 0).map(([n, key]) => [key, 10 + n]));
  const heights = new MeasuredHeights(keys, () => 30, measured);
  expect(heights.total).toBe(keys.reduce((sum, _, n) => sum + (n % 3 === 0 ? 10 + n : 30), 0));
  for (let y = 0; y < heights.total; y += 37) {
    const at = heights.at(y);
    expect(heights.top(at)).toBeLessThanOrEqual(y);
    expect(heights.top(at + 1)).toBeGreaterThan(y);
  }
  const [from, to] = heights.range(1000, 500, 100);
  expect(heights.top(from)).toBeLessThanOrEqual(900);
  expect(heights.top(to)).toBeGreaterThanOrEqual(1600);
  expect(new MeasuredHeights([], () => 1, new Map()).range(0, 100, 10)).toEqual([0, 0]);
});

test('the pieces of coloured lines are the lines', () => {
  const source = 'def f(x):\n    """Two\n    lines."""\n    return "a" + x  # why\n\nclass A: pass';
  const lines = piecesOf(source, 'python').map(line => line.map(piece => piece.text).join(''));
  expect(lines).toEqual(source.split('\n'));
  expect(piecesOf(source, 'python')[0]![0]).toEqual({ text: 'def', classes: 'tok-keyword' });
});

test('words that differ are cut out of the pieces', () => {
  const pieces = [
    { text: 'ab', classes: 'x' },
    { text: 'cdef', classes: '' }
  ];
  const found = marked(pieces, [
    [1, 3],
    [5, 6]
  ]);
  expect(found.map(piece => [piece.text, piece.word])).toEqual([
    ['a', false],
    ['b', true],
    ['c', true],
    ['de', false],
    ['f', true]
  ]);
});

test('a moved cell has a line from where it stood to where it stands', () => {
  const items = itemsOf(pairsOf({ ...answer, rows: answer.rows.map(withMove) }), { noise: true, unfolded: new Set() });
  const moves = movesOf(items);
  expect(moves.map(({ from, to, lane }) => [from, to, lane])).toEqual([[4, 1, 0]]);
  expect(items[4]!.key).toBe(moves[0]!.key);
});

test('lines that overlap lie in lanes of their own, short ones nearest to the rows', () => {
  const count = 8;
  const turned = {
    before: Array.from({ length: count }, (_, at) => cell(at, `s${at}`)),
    after: Array.from({ length: count }, (_, at) => cell(at, null, `c${count - 1 - at}`)),
    rows: [
      ...Array.from({ length: count }, (_, at) => ({
        kind: 'gone',
        before: [at],
        after: [count - 1 - at],
        change: null
      })),
      ...Array.from({ length: count }, (_, at) => ({
        kind: 'moved',
        before: [count - 1 - at],
        after: [at],
        change: { ...change(), moved: true }
      }))
    ]
  } as unknown as Answer;
  const moves = movesOf(itemsOf(pairsOf(turned), { noise: false, unfolded: new Set() }));
  expect(moves.map(move => Math.abs(move.to - move.from))).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
  expect(moves.map(move => move.lane)).toEqual([0, 1, 2, 3, 4, 4, 4, 4].map(lane => Math.min(lane, MOST_LANES - 1)));
});
