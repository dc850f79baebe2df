import { expect, test } from 'vitest';
import { english } from '../src/components/host';
import { choices, type CommitLine, matching, placeOf, withOlder } from '../src/model/choices';
import { leftOut, outcome, seconds, type SessionChange } from '../src/model/outcome';
import { asksKernel, bytes, isUnsettled, type Known, line, type Standing } from '../src/model/recording';

const change = (fields: Partial<SessionChange>): SessionChange => ({
  schema: 1,
  head: 'ab'.repeat(32),
  branch: 'main',
  kept: [],
  loaded: [],
  removed: [],
  replayed: [],
  unverified: {},
  replay: null,
  asks: false,
  uncertain: {},
  not_restored: {},
  undone: [],
  notes: [],
  seconds: 0.1,
  code_file: null,
  target: null,
  threads: [],
  ...fields
});

test('an undo names the cell, and counts what became of the variables', () => {
  const done = outcome(
    change({
      undone: [{ cell: 'df = df.dropna()\ndf', execution_count: 3, commit: '', kind: 'auto' }],
      loaded: ['df'],
      kept: ['a', 'b']
    }),
    'undo',
    english
  );
  expect(done.level).toBe('success');
  expect(done.headline).toBe('Undid [3] df = df.dropna() · 1 loaded, 2 kept');
  expect(done.parts.map(part => part.title)).toEqual(['Cells', 'Loaded', 'Kept as they are']);
});

test('what is uncertain or missing comes first and is never left out', () => {
  const done = outcome(
    change({
      not_restored: { conn: 'a connection' },
      uncertain: { g: 'a generator' },
      unverified: { g: 'x', h: 'y' },
      replayed: ['g', 'h', 'i'],
      target: 'cd'.repeat(32)
    }),
    'checkout',
    english
  );
  expect(done.level).toBe('attention');
  expect(done.headline).toBe('Checked out cdcdcdcd · 1 not restored, 2 uncertain, 3 replayed');
  expect(done.parts[0]).toEqual({
    kind: 'missing',
    title: 'Not restored',
    items: [{ name: 'conn', text: 'a connection' }]
  });
  expect(done.parts.find(part => part.title === 'Replayed, as recorded')?.items).toEqual([{ name: 'i', text: '' }]);
});

test('the longest headline fits a notification', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`v${i}`, 'why']));
  const names = Object.keys(many);
  const done = outcome(
    change({
      undone: [{ cell: 'x'.repeat(500), execution_count: 12345, commit: '', kind: 'auto' }],
      not_restored: many,
      uncertain: many,
      loaded: names,
      removed: names,
      replayed: names,
      kept: names
    }),
    'undo',
    english
  );
  expect(done.headline.length).toBeLessThanOrEqual(140);
});

test('what a refusal says to leave out is known by its names', () => {
  const hint = 'the session is as it was; the same command with --without x --without größe brings back the rest';
  expect(leftOut(hint)).toEqual(['x', 'größe']);
  expect(leftOut('start the kernel')).toEqual([]);
});

test('times and sizes are short', () => {
  expect([0.04, 9.94, 12.4, 119, 600].map(seconds)).toEqual(['< 0.1 s', '9.9 s', '12 s', '119 s', '10 min']);
  expect([0, 999, 1500, 23_456_789].map(bytes)).toEqual(['0 B', '999 B', '1.5 KB', '23 MB']);
});

const standing = (fields: Partial<Standing>): Standing => ({
  version: '1',
  repository: '/r',
  notebook: null,
  enabled: 'auto',
  off: '',
  read_only: false,
  stored_bytes: 0,
  cap_bytes: 0,
  counted_bytes: 0,
  in_git: false,
  ...fields
});
const recorded = (state: string) =>
  standing({
    stored_bytes: 2_000_000,
    notebook: { kernels: [{ state, detail: 'disk full' }] } as never
  });
const known = (fields: Partial<Known>): Known => ({
  standing: undefined,
  kernel: 'idle',
  installed: undefined,
  foreign: false,
  expected: false,
  gone: false,
  python: '',
  ...fields
});

test.each<[string, Partial<Known>]>([
  ['unknown', {}],
  ['error', { standing: 'the server cannot be reached' }],
  ['no-repository', { standing: standing({ repository: '' }) }],
  ['off', { standing: standing({ off: 'record.enabled is false' }) }],
  ['no-kernel', { standing: standing({}), kernel: undefined }],
  ['no-kernel', { standing: recorded('recording'), kernel: 'dead' }],
  ['foreign', { standing: standing({}), foreign: true }],
  ['not-installed', { standing: standing({}), installed: false }],
  ['not-joined', { standing: standing({}), installed: true }],
  ['recording', { standing: recorded('busy'), kernel: 'busy' }],
  ['saving', { standing: recorded('saving') }],
  ['saving', { standing: recorded('recording'), expected: true }],
  ['saved', { standing: recorded('recording') }],
  ['failing', { standing: recorded('failing') }]
])('the status bar says %s', (state, fields) => {
  const said = line(known(fields), english);
  expect(said.state).toBe(state);
  expect(said.text).toMatch(/^Cellar: /);
});

test('the kernel is asked whether Cellar is there only when it is idle and nothing records', () => {
  expect(asksKernel(known({ standing: standing({}) }))).toBe(true);
  expect(asksKernel(known({ standing: standing({}), kernel: 'busy' }))).toBe(false);
  expect(asksKernel(known({ standing: recorded('recording') }))).toBe(false);
  expect(asksKernel(known({ standing: standing({}), installed: false }))).toBe(false);
  expect(asksKernel(known({}))).toBe(false);
});

test('a kernel that saves, or that did not answer though it is idle, is asked again', () => {
  expect(isUnsettled(known({ standing: recorded('saving') }))).toBe(true);
  expect(isUnsettled(known({ standing: recorded('busy') }))).toBe(true);
  expect(isUnsettled(known({ standing: recorded('busy'), kernel: 'busy' }))).toBe(false);
  expect(isUnsettled(known({ standing: recorded('recording') }))).toBe(false);
  expect(isUnsettled(known({ standing: 'the server cannot be reached' }))).toBe(false);
});

test('what is not installed is said with the command that installs it, and the size of the history is there', () => {
  expect(line(known({ standing: standing({}), installed: false }), english).caption).toContain('%pip install nbcellar');
  expect(line(known({ standing: recorded('recording') }), english).text).toBe('Cellar: saved · 2.0 MB');
  expect(line(known({ standing: recorded('failing') }), english).caption).toBe('disk full');
});

const commit = (id: string, fields: Partial<CommitLine> = {}): CommitLine =>
  ({
    id: id.padEnd(64, '0'),
    kind: 'auto',
    title: `cell ${id}`,
    message: '',
    labels: [],
    added: [],
    changed: [],
    removed: [],
    ...fields
  }) as never;

test('named commits come first, then branches and tags, then the rest, each once', () => {
  const found = choices([
    commit('e', {
      labels: [
        { kind: 'head', name: 'HEAD' },
        { kind: 'branch', name: 'main' }
      ]
    }),
    commit('d'),
    commit('c', { kind: 'named', message: 'clean data', labels: [{ kind: 'tag', name: 'v1' }] }),
    commit('b', { labels: [{ kind: 'tag', name: 'first' }], added: ['df'] })
  ]);
  expect(found.map(one => one.commit.id[0])).toEqual(['c', 'e', 'b', 'd']);
  expect(found[1]).toMatchObject({ ref: 'main', title: 'main', detail: 'cell e', isNow: true });
  expect(found[0]).toMatchObject({ title: 'clean data', labels: ['v1'], isNow: false });
  expect(found[2]!.ref).toBe('b'.padEnd(64, '0'));
  expect(matching(found, 'DATA clean').map(one => one.commit.id[0])).toEqual(['c']);
  expect(matching(found, 'df').map(one => one.commit.id[0])).toEqual(['b']);
  expect(matching(found, 'd0').map(one => one.commit.id[0])).toEqual(['d']);
  expect(matching(found, 'v1').map(one => one.commit.id[0])).toEqual(['c']);
  expect(matching(found, ' ')).toHaveLength(4);
});

test('older commits come to their places, and what is marked stays marked', () => {
  const newest = choices([commit('d', { labels: [{ kind: 'branch', name: 'main' }] }), commit('c')]);
  const chosen = newest[0]!.commit.id;
  expect(placeOf(newest, chosen)).toBe(0);
  const all = withOlder(newest, choices([commit('c'), commit('b', { kind: 'named', message: 'begun' }), commit('a')]));
  expect(all.map(one => one.commit.id[0])).toEqual(['b', 'd', 'c', 'a']);
  expect(all[placeOf(all, chosen)]).toBe(newest[0]);
  expect(placeOf(all, undefined)).toBe(0);
  expect(placeOf(matching(all, 'begun'), chosen)).toBe(0);
});
