import { describe, expect, test } from 'vitest';
import * as merge from '../src/model/merge';
import { compose, threeWay, toggled, type Part } from '../src/model/three_way';

const cell = (source: string, more: object = {}) => ({
  cell_type: 'code',
  source,
  metadata: {},
  outputs: [],
  execution_count: null,
  ...more
});
const ALL: merge.Pick[] = ['ours', 'theirs', 'both', 'base', 'edited'];
const conflict = (id: string, more: Partial<merge.MergeConflict> = {}): merge.MergeConflict => ({
  id,
  kind: 'cell',
  what: ['source'],
  cell: 1,
  choices: ALL,
  base: [cell('1')],
  ours: [cell('2', { outputs: [{ output_type: 'stream', text: 'x' }] })],
  theirs: [cell('3')],
  notes: [],
  values: [],
  said: '',
  outputs: { base: [], ours: [], theirs: [] },
  ...more
});
const look = (...conflicts: merge.MergeConflict[]): merge.MergeLook => ({
  state: 'marked',
  target: 'n.ipynb',
  version: 'v',
  labels: { base: 'base', ours: 'main', theirs: 'other' },
  language: 'python',
  marks: 0,
  anew: null,
  holds: '',
  hidden: 0,
  repairs: [],
  warnings: [],
  git: { operation: '', in_conflict: false, others: 0, next: '' },
  conflicts,
  dropped: [{ id: 'd', side: 'theirs', what: 'outputs', reason: 'why', cell: 1, value: [] }]
});
const sources = (cells: merge.CellLike[] | undefined) => cells?.map(one => merge.text(one.source));

describe('deciding', () => {
  const state = merge.begin(look(conflict('a'), conflict('b'), conflict('c')));

  test('each step can be taken back', () => {
    const steps = [
      (s: merge.Deciding) => merge.decide(s, 'a', { pick: 'ours' }),
      (s: merge.Deciding) => merge.decide(s, 'a', { pick: 'theirs' }),
      (s: merge.Deciding) => merge.decideAll(s, 'ours'),
      (s: merge.Deciding) => merge.toggleBack(s, 'd'),
      (s: merge.Deciding) => merge.decide(s, 'b', null)
    ];
    const states = steps.reduce((all, next) => [...all, next(all.at(-1)!)], [state]);
    expect(merge.openCount(states.at(-1)!)).toBe(1);
    let back = states.at(-1)!;
    for (const before of states.slice(0, -1).reverse()) {
      back = merge.undo(back);
      expect(merge.asked(back)).toEqual(merge.asked(before));
    }
    expect(merge.isDirty(back)).toBe(false);
    expect(merge.undo(back)).toBe(back);
  });

  test('a text that is typed is one step', () => {
    let typed = merge.decide(state, 'a', { pick: 'theirs' });
    for (const source of ['x', 'xy', 'xyz']) {
      typed = merge.decide(typed, 'a', { pick: 'edited', source, side: 'theirs' });
    }
    expect(merge.undo(typed).decisions.get('a')).toEqual({ id: 'a', pick: 'theirs' });
  });

  test('going on passes over what is decided, and ends where nothing is open', () => {
    const one = merge.decide(state, 'b', { pick: 'ours' });
    expect(merge.go(one, 1, true).current).toBe('c');
    expect(merge.go(one, 1).current).toBe('b');
    expect(merge.go(one, -1).current).toBe('c');
    const all = merge.decideAll(state, 'theirs');
    expect(merge.go(all, 1, true)).toBe(all);
  });

  test('a cell is decided place by place', () => {
    const two = merge.begin(look(conflict('a')));
    const rows = threeWay('1\n-\n2', '1a\n-\n2a', '1b\n-\n2b');
    const first = merge.takePart(two, 'a', rows, 0, 'theirs');
    expect(merge.openCount(first)).toBe(1);
    const both = merge.takePart(merge.takePart(first, 'a', rows, 1, 'ours'), 'a', rows, 1, 'theirs');
    expect(both.decisions.get('a')).toEqual({ id: 'a', pick: 'edited', source: '1b\n-\n2a\n2b', side: 'ours' });
    const given = merge.takePart(both, 'a', rows, 0, 'theirs');
    expect(merge.openCount(given)).toBe(1);
    expect(merge.undo(given).decisions.get('a')).toEqual(both.decisions.get('a'));
    expect(merge.decide(both, 'a', { pick: 'ours' }).parts.size).toBe(0);
  });

  test('what cannot be picked is not picked', () => {
    const only = merge.begin(look(conflict('a', { kind: 'notebook', choices: ['ours', 'theirs', 'base'] })));
    expect(merge.decide(only, 'a', { pick: 'both' })).toBe(only);
    expect(merge.decide(only, 'nobody', { pick: 'ours' })).toBe(only);
  });

  test('decisions for conflicts that are gone are gone', () => {
    const decided = merge.decideAll(merge.show(state, 'c'), 'ours');
    const after = merge.follow(decided, look(conflict('a'), conflict('b')));
    expect([...after.decisions.keys()]).toEqual(['a', 'b']);
    expect(after.current).toBe('b');
    expect(merge.follow(decided, look()).current).toBeUndefined();
  });

  test('hearing of something else, steps can still be taken back', () => {
    const begun = merge.begin(look(conflict('a')));
    const decided = merge.follow(merge.decide(begun, 'a', { pick: 'both' }), look(conflict('a')));
    expect(merge.undo(decided).decisions.size).toBe(0);
  });
});

describe('the result', () => {
  test('is what was picked, and what a person wrote stays', () => {
    const one = conflict('a', { notes: [cell('note')] });
    const result = (pick: merge.Pick) => sources(merge.resultOf(one, { id: 'a', pick }));
    expect(merge.resultOf(one, undefined)).toBeUndefined();
    expect([result('ours'), result('theirs'), result('both'), result('base')]).toEqual([
      ['2', 'note'],
      ['3', 'note'],
      ['2', '3', 'note'],
      ['1', 'note']
    ]);
  });

  test('of another text has no outputs, of the same text those of its side', () => {
    const outputs = (source: string) => merge.resultOf(conflict('a'), { id: 'a', pick: 'edited', source })![0]!.outputs;
    expect(outputs('2')).toHaveLength(1);
    expect(outputs('4')).toEqual([]);
  });

  test('a draft begins with what was picked', () => {
    const one = conflict('a');
    expect(merge.draftOf(one, undefined)).toEqual({ source: '2', side: 'ours' });
    expect(merge.draftOf(one, { id: 'a', pick: 'theirs' })).toEqual({ source: '3', side: 'theirs' });
    expect(merge.draftOf(one, { id: 'a', pick: 'both' })).toEqual({ source: '2\n\n3', side: 'ours' });
    expect(merge.draftOf(conflict('a', { ours: [] }), undefined)).toEqual({ source: '3', side: 'theirs' });
  });

  test('parts are found by keys that may hold dots', () => {
    const one = cell('', { metadata: { 'a.b': { c: 1 }, tags: null } });
    expect(merge.partOf(one, 'metadata.a.b.c')).toEqual({ there: true, value: 1 });
    expect(merge.partOf(one, 'metadata.tags')).toEqual({ there: true, value: null });
    expect(merge.partOf(one, 'metadata.constructor')).toEqual({ there: false });
    expect(merge.partOf(undefined, 'source')).toEqual({ there: false });
  });
});

describe('three versions in rows', () => {
  const shown = (base: string | undefined, ours: string | undefined, theirs: string | undefined) =>
    threeWay(base, ours, theirs).map(
      row =>
        `${row.ours?.text ?? '~'}|${row.base?.text ?? '~'}|${row.theirs?.text ?? '~'}${row.place === undefined ? '' : ' !'}`
    );

  test('lines that correspond stand beside each other', () => {
    expect(shown('a\nb\nc', 'a\nB\nc', 'a\nb\nx\nc')).toEqual(['a|a|a', 'B|b|b !', '~|~|x !', 'c|c|c']);
    expect(shown('a\nb', 'a\nb', 'b')).toEqual(['a|a|~ !', 'b|b|b']);
    expect(shown('a\nb', 'a\nx\nb', 'a\nB')).toEqual(['a|a|a', 'x|~|~ !', 'b|b|B !']);
    expect(shown('a\nb', 'A\nb', 'A\nb')).toEqual(['A|a|A', 'b|b|b']);
  });

  test('a version that is not there leaves its column empty', () => {
    expect(shown('a\nb', undefined, 'a\nB')).toEqual(['~|a|a !', '~|b|B !']);
    expect(shown(undefined, 'x', 'y')).toEqual(['x|~|y !']);
    expect(shown('', '', '')).toEqual([]);
  });

  test('words that changed are known on both sides', () => {
    const [row] = threeWay('price = mean(day)', 'price = median(day)', 'price = mean(week)');
    const word = (line: { text: string; words: readonly { from: number; to: number }[] } | undefined) =>
      line?.words.map(({ from, to }) => line.text.slice(from, to));
    expect(word(row!.ours)).toEqual(['median']);
    expect(word(row!.theirs)).toEqual(['week']);
    expect(word(row!.base)).toEqual(['mean', 'day']);
  });

  test('taking one side at all places gives that side', () => {
    const texts = { base: 'a\nb\nc\nd', ours: 'a\nB\nc\nx\nd', theirs: 'b2\nc\nd\ne' };
    const rows = threeWay(texts.base, texts.ours, texts.theirs);
    const all = (part: Part) => compose(rows, new Map([0, 1, 2, 3].map(place => [place, part])));
    expect([all('ours'), all('theirs'), all('base')]).toEqual([texts.ours, texts.theirs, texts.base]);
    expect(compose(rows, new Map())).toBeUndefined();
    expect(toggled(toggled(undefined, 'theirs'), 'ours')).toBe('both');
    expect(toggled('both', 'ours')).toBe('theirs');
    expect(toggled('both', 'base')).toBe('base');
    expect(toggled('base', 'base')).toBeUndefined();
  });

  test('no line is lost or shown twice, whatever the texts are', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 16807) % 2147483647) % below;
    for (let turn = 0; turn < 500; turn++) {
      const texts = Array.from({ length: 3 }, () =>
        Array.from({ length: random(8) + 1 }, () => 'abcdef'[random(6)]).join('\n')
      ) as [string, string, string];
      const rows = threeWay(texts[0], texts[1], texts[2]);
      (['base', 'ours', 'theirs'] as const).forEach((side, at) => {
        expect(rows.flatMap(row => (row[side] ? [row[side]!.text] : [])).join('\n')).toBe(texts[at]);
      });
    }
  });
});
