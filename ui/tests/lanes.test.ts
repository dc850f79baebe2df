import { expect, test } from 'vitest';
import { foldRows, plainRows } from '../src/model/fold';
import { Heights } from '../src/model/heights';
import { Lanes } from '../src/model/lanes';

/** A graph as it reads: `c:b` is a commit c with the parent b; children first. */
function graph(text: string) {
  return text.split(' ').map(word => {
    const [id, parents] = word.split(':');
    return { id: id!, parents: parents ? parents.split(',') : [] };
  });
}

function lanes(text: string) {
  const found = new Lanes();
  found.append(graph(text));
  return found.rows;
}

test('a line has one column', () => {
  expect(lanes('c:b b:a a').map(row => row.node)).toEqual([0, 0, 0]);
  expect(lanes('c:b b:a a').map(row => row.width)).toEqual([1, 1, 1]);
});

test('branches have columns of their own until the commit where they part', () => {
  const rows = lanes('e:c d:b c:a b:a a');
  expect(rows.map(row => row.node)).toEqual([0, 1, 0, 1, 0]);
  expect(rows[4]!.into).toEqual([0, 1]);
  expect(rows[2]!.through).toEqual([1]);
});

test('a column that is free is used again', () => {
  const rows = lanes('e:c d:c c:b x:b b');
  expect(rows.map(row => row.node)).toEqual([0, 1, 0, 1, 0]);
});

test('a merge leads to both its parents', () => {
  const rows = lanes('m:a,b a:r b:r r');
  expect(rows[0]!.out).toEqual([0, 1]);
  expect(rows[3]!.into).toEqual([0, 1]);
});

test('every line that leaves a row reaches the next one in the same column', () => {
  const commits = graph('k:h j:g i:f h:e g:d,e f:c e:b d:b c:a b:a a');
  const rows = new Lanes();
  rows.append(commits);
  rows.rows.forEach((row, index) => {
    const below = rows.rows[index + 1];
    const leaving = new Set([...row.through, ...row.out]);
    expect(leaving).toEqual(new Set(below ? [...below.through, ...below.into] : []));
  });
});

test('appending in pieces places as appending at once', () => {
  const commits = graph('k:h j:g i:f h:e g:d,e f:c e:b d:b c:a b:a a');
  const [whole, pieces] = [new Lanes(), new Lanes()];
  whole.append(commits);
  commits.forEach(commit => pieces.append([commit]));
  expect(pieces.rows).toEqual(whole.rows);
});

const line = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `${count - n}`,
    parents: n < count - 1 ? [`${count - n - 1}`] : [],
    kind: 'auto',
    time: new Date(2026, 0, 5, 12, 0, (count - n) * 10).toISOString()
  }));

function rowsOf(entries: ReturnType<typeof line>, named: string[] = [], open: string[] = []) {
  const placed = new Lanes();
  placed.append(entries);
  return foldRows(entries, placed.rows, { open: new Set(open), named: new Set(named), newest: 3 });
}

test('a long run of automatic commits is one row, the newest entries and the first one stand alone', () => {
  const rows = rowsOf(line(20));
  expect(rows.map(row => row.kind)).toEqual(['day', 'entry', 'entry', 'entry', 'run', 'entry']);
  expect(rows[4]).toMatchObject({ from: 3, to: 19, key: 'run 2', open: false });
});

test('names, messages and pauses end a run', () => {
  const entries = line(30);
  entries[10] = { ...entries[10]!, kind: 'named' };
  const rows = rowsOf(entries, ['8']);
  expect(rows.filter(row => row.kind === 'run').map(row => [row.from, row.to])).toEqual([
    [3, 10],
    [11, 22],
    [23, 29]
  ]);
});

test('an open run shows its entries, and every entry is in one row or one closed run', () => {
  const entries = line(30);
  const rows = rowsOf(entries, ['8'], ['2']);
  const seen = rows.flatMap(row =>
    row.kind === 'entry'
      ? [row.index]
      : row.kind === 'run' && !row.open
        ? Array.from({ length: row.to - row.from }, (_, n) => row.from + n)
        : []
  );
  expect(seen).toEqual(entries.map((_, index) => index));
});

test('a new commit leaves the runs below as they are', () => {
  const keys = (count: number) =>
    rowsOf(line(count))
      .filter(row => row.kind === 'run')
      .map(row => row.key);
  expect(keys(20)).toEqual(keys(21));
});

test('another day has a row', () => {
  const entries = line(2);
  entries[1] = { ...entries[1]!, time: new Date(2026, 0, 4, 12).toISOString() };
  expect(plainRows(entries).map(row => row.kind)).toEqual(['day', 'entry', 'day', 'entry']);
});

test('a place is found in rows of different heights', () => {
  const heights = new Heights([10, 20, 30]);
  expect(heights.total).toBe(60);
  expect([-5, 0, 9, 10, 29, 30, 99].map(place => heights.at(place))).toEqual([0, 0, 0, 1, 1, 2, 2]);
  expect(new Heights([]).at(5)).toBe(0);
});
