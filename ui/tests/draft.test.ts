import { expect, test } from 'vitest';
import { Sent, type Open } from '../src/model/draft';

const open = (cells: Record<number, string>, more: Partial<Open> = {}): Open => ({
  cells: Object.entries(cells).map(([key, source]) => ({ key: Number(key), json: JSON.stringify({ source }) })),
  rest: '{"nbformat":4}',
  minor: 5,
  client: 'tab',
  sentMs: 1,
  ...more
});
const missing = (sent: Sent, what: Open) => {
  const pieces = sent.missing('a.ipynb', what, false);
  return pieces && JSON.parse(pieces.join(''));
};

test('all of it comes first, then what changed', () => {
  const sent = new Sent();
  const first = open({ 1: 'one', 2: 'two' });
  expect(missing(sent, first)).toEqual({
    path: 'a.ipynb',
    client: 'tab',
    sent_ms: 1,
    minor: 5,
    opening: false,
    order: [1, 2],
    rest: { nbformat: 4 },
    cells: [
      { key: 1, cell: { source: 'one' } },
      { key: 2, cell: { source: 'two' } }
    ]
  });
  sent.taken(first);
  expect(missing(sent, first)).toBeNull();
  const next = missing(sent, open({ 1: 'one', 3: 'three' }));
  expect([next.order, next.rest, next.cells]).toEqual([[1, 3], null, [{ key: 3, cell: { source: 'three' } }]]);
});

test('a run is told though nothing changed, and so are moves and metadata', () => {
  const sent = new Sent();
  const known = open({ 1: 'one', 2: 'two' });
  sent.taken(known);
  const run = missing(sent, { ...known, sentMs: 2 });
  expect([run.sent_ms, run.cells, run.rest]).toEqual([2, [], null]);
  expect(missing(sent, { ...known, cells: [...known.cells].reverse() }).order).toEqual([2, 1]);
  expect(missing(sent, { ...known, rest: '{"nbformat":4,"metadata":{}}' }).rest).toEqual({ nbformat: 4, metadata: {} });
});

test('what was not taken, what went out of the notebook, and another connection come again', () => {
  const sent = new Sent();
  const known = open({ 1: 'one', 2: 'two' });
  sent.taken(known);
  sent.taken(open({ 2: 'two' }));
  expect(missing(sent, known).cells).toEqual([{ key: 1, cell: { source: 'one' } }]);
  expect(missing(sent, { ...known, client: 'another' }).cells).toHaveLength(2);
  sent.lost();
  expect(missing(sent, known).cells).toHaveLength(2);
});
