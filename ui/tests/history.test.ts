import { expect, test } from 'vitest';
import { HistoryModel, lineOf, type Entry, type Page } from '../src/model/history';
import { highlight } from '../src/model/highlight';
import { spark } from '../src/model/sparkline';
import { duration, firstLines, size, withoutColours } from '../src/model/words';
import type { Backend } from '../src/wire/client';

const entry = (n: number, title = `step ${n}`): Entry =>
  ({ id: `c${n}`, parents: n ? [`c${n - 1}`] : [], title, kind: 'auto', time: '2026-01-05T12:00:00Z' }) as Entry;

/** A server with a listing that tests change, which answers as `api/entries.py` does. */
class Listing {
  titles: string[] = [];
  asked: Record<string, number | string>[] = [];

  constructor(count: number) {
    this.titles = Array.from({ length: count }, (_, n) => `step ${n}`);
  }

  get backend(): Backend {
    return { read: async (_: string, asked: object) => this.answer(asked as never) } as unknown as Backend;
  }

  private answer(asked: { skip?: number; limit: number; have?: number; digest?: string }): Page {
    this.asked.push(asked as never);
    const all = this.titles.map((title, n) => entry(n, title)).reverse();
    const have = asked.have ?? 0;
    const follows = have > 0 && this.digest(this.titles.slice(0, have)) === asked.digest;
    const skip = asked.skip ?? 0;
    const entries = follows ? all.slice(0, all.length - have) : all.slice(skip, skip + asked.limit);
    const found = { entries, total: all.length, digest: this.digest(this.titles), follows, head: all[0]?.id ?? null };
    return { ...found, branch: 'main', names: [] };
  }

  private digest(titles: string[]): string {
    return `${titles.length}|${titles.join('|')}`;
  }
}

function modelOf(listing: Listing) {
  const seen: number[] = [];
  const model: HistoryModel = new HistoryModel(listing.backend, 'a.ipynb', () => seen.push(model.entries.length));
  return { model, seen };
}

const ids = (model: HistoryModel) => model.entries.map(found => found.id);
const expected = (count: number) => Array.from({ length: count }, (_, n) => `c${count - 1 - n}`);

test('the newest entries are there before the rest', async () => {
  const { model, seen } = modelOf(new Listing(2300));
  await model.refresh();
  expect(seen[0]).toBe(200);
  expect(ids(model)).toEqual(expected(2300));
});

test('what is new comes alone', async () => {
  const listing = new Listing(1500);
  const { model } = modelOf(listing);
  await model.refresh();
  listing.titles.push('new');
  listing.asked = [];
  await model.refresh();
  expect(ids(model)).toEqual(expected(1501));
  expect(listing.asked.length).toBe(1);
});

test('another message leads to reading anew, and nothing is lost from sight meanwhile', async () => {
  const listing = new Listing(1500);
  const { model, seen } = modelOf(listing);
  await model.refresh();
  listing.titles[3] = 'with a message';
  seen.length = 0;
  await model.refresh();
  expect(Math.min(...seen)).toBe(1500);
  expect(model.entries[1496]!.title).toBe('with a message');
});

test('what is recorded while pages are read is not missed and comes once', async () => {
  const listing = new Listing(2500);
  const backend = listing.backend;
  let turn = 0;
  const slow: Backend = {
    ...backend,
    read: (async (route: string, asked: object) => {
      if (++turn === 2) {
        listing.titles.push('meanwhile');
      }
      return backend.read(route as 'history', asked);
    }) as Backend['read']
  };
  const model: HistoryModel = new HistoryModel(slow, 'a.ipynb', () => undefined);
  await model.refresh();
  expect(ids(model)).toEqual(expected(2501));
});

test('asking during a request leads to one more', async () => {
  const listing = new Listing(10);
  const { model } = modelOf(listing);
  await Promise.all([model.refresh(), model.refresh(), model.refresh()]);
  expect(listing.asked.length).toBe(2);
});

test('a shorter history replaces a longer one', async () => {
  const listing = new Listing(10);
  const { model } = modelOf(listing);
  await model.refresh();
  listing.titles.length = 4;
  await model.refresh();
  expect(ids(model)).toEqual(expected(4));
});

test('an error is kept, and goes when it works again', async () => {
  const listing = new Listing(3);
  let fails = true;
  const backend = listing.backend;
  const model: HistoryModel = new HistoryModel(
    {
      ...backend,
      read: (async (route: string, asked: object) => {
        if (fails) {
          throw new Error('offline');
        }
        return backend.read(route as 'history', asked);
      }) as Backend['read']
    },
    'a.ipynb',
    () => undefined
  );
  await model.refresh();
  expect(model.error).toBeInstanceOf(Error);
  fails = false;
  await model.refresh();
  expect([model.error, model.entries.length]).toEqual([null, 3]);
});

test('the line of HEAD is what undo can reach', () => {
  const side = { ...entry(9), id: 'side', parents: ['c0'] };
  expect([...lineOf([side, entry(2), entry(1), entry(0)], 'c2')]).toEqual(['c2', 'c1', 'c0']);
});

test('colours leave the code as it is', () => {
  const code = "# note\ndef f(x):\n    return x['a'] + 1.5e3  # end\n%timeit f({})\n'''open\nend";
  const pieces = highlight(code);
  expect(pieces.map(piece => piece.text).join('')).toBe(code);
  expect(pieces.filter(piece => piece.colour === 'keyword').map(piece => piece.text)).toEqual(['def', 'return']);
  expect(pieces.some(piece => piece.colour === 'comment' && piece.text === '# note')).toBe(true);
});

test('numbers are drawn as steps, other values as ticks', () => {
  const numbers = spark({ name: 'x', versions: 2, places: [0, 10], values: [1, 3] }, 11, 52, 14);
  expect(numbers).toEqual({ ticks: [1, 51], path: 'M1 12H51V2H51' });
  expect(spark({ name: 'x', versions: 1, places: [5], values: [null] }, 11, 52, 14).path).toBe('');
});

test('durations, sizes and texts read as people say them', () => {
  expect([0.0001, 0.0234, 1.234, 45.2, 125, 7300].map(duration)).toEqual([
    '<1 ms',
    '23 ms',
    '1.2 s',
    '45 s',
    '2 min 5 s',
    '2 h 1 min'
  ]);
  expect([12, 2048, 150_000, 5_000_000].map(size)).toEqual(['12 B', '2.0 KB', '146 KB', '4.8 MB']);
  expect(withoutColours('\u001b[0;31mred\u001b[0m')).toBe('red');
  expect(firstLines('a\nb\nc\n', 2)).toEqual({ text: 'a\nb', more: 1 });
});
