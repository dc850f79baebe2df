import { describe, expect, test } from 'vitest';
import { isName, textOf, valueOf, valueOfNew } from '../src/model/parameters';
import {
  boxAt,
  curvesOf,
  drawingOf,
  fitted,
  keyOf,
  neighbour,
  NODE,
  revealing,
  type Shown,
  shortened,
  styleOf,
  zoomed
} from '../src/model/pipeline';
import { carriedBy, componentAt, countOf, type Difference, drawnDifference, placeOf } from '../src/model/pipeline_diff';
import { begun, type Known, type Line, NO_RUN, progressOf, statusOf, withLine } from '../src/model/pipeline_run';

/** A pipeline by its edges, `a>b`; `a>b!` is declared. Places: [column, layer]. */
function shown(places: Record<string, [number, number]>, edges: string[], after: Record<string, string[]> = {}): Shown {
  const names = Object.keys(places);
  const parsed = edges.map(text => {
    const [parent, child] = text.replace('!', '').split('>') as [string, string];
    const isDeclared = text.endsWith('!');
    return { parent, child, names: isDeclared ? [] : [parent], provenance: [isDeclared ? 'declared' : 'inferred'] };
  });
  const policy = { cache: true, freeze: false, retries: 0, timeout_s: null };
  const component = (id: string, at: number) => ({
    ...{ id, name: id.toUpperCase(), cell: at + 1, reads: [], writes: [], changes: [], needs: {}, policy, error: '' },
    ...{ after: after[id] ?? [], status: null }
  });
  const picture = {
    places: Object.fromEntries(names.map(id => [id, { column: places[id]![0], layer: places[id]![1] }])),
    bends: parsed.map(({ parent, child }) => ({ parent, child, points: [] })),
    columns: 1 + Math.max(...names.map(id => places[id]![0])),
    layers: 1 + Math.max(...names.map(id => places[id]![1]))
  };
  const pipeline = { components: names.map(component), edges: parsed, parameters: [], problems: [], order: names };
  return { pipeline: { schema: 1, notebook: 'n', proposed: false, ...pipeline }, picture } as unknown as Shown;
}

const DIAMOND = shown({ a: [0.5, 0], b: [0, 1], c: [1, 1], d: [0.5, 2], e: [1.5, 2] }, [
  'a>b',
  'a>c',
  'b>d',
  'c>d',
  'c>e!'
]);

describe('a drawing', () => {
  test('has a box for each component and a curve for each edge', () => {
    const drawing = drawingOf(DIAMOND);
    expect(drawing.boxes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(drawing.curves.map(styleOf)).toEqual(['inferred', 'inferred', 'inferred', 'inferred', 'declared']);
    for (const { x, y } of drawing.boxes) {
      expect(x + NODE.width).toBeLessThanOrEqual(drawing.width);
      expect(y + NODE.height).toBeLessThanOrEqual(drawing.height);
    }
  });

  test('shows declared edges of a cycle, which the pipeline does not have', () => {
    const drawing = drawingOf(shown({ a: [0, 0], b: [1, 0] }, [], { a: ['b'], b: ['a', 'gone'] }));
    expect(drawing.curves.map(({ key }) => key)).toEqual([keyOf('b', 'a'), keyOf('a', 'b')]);
    expect(drawing.curves.map(styleOf)).toEqual(['wrong', 'wrong']);
  });

  test('finds the box at a point', () => {
    const drawing = drawingOf(DIAMOND);
    for (const { id, x, y } of drawing.boxes) {
      expect(boxAt(drawing, x + 1, y + NODE.height - 1)?.id).toBe(id);
    }
    expect(boxAt(drawing, 0, 0)).toBeNull();
  });

  test.each([
    ['a', 'down', 'b'],
    ['b', 'right', 'c'],
    ['c', 'left', 'b'],
    ['c', 'right', 'c'],
    ['c', 'down', 'd'],
    ['d', 'up', 'b'],
    ['e', 'up', 'c'],
    ['a', 'up', 'a'],
    ['d', 'down', 'd'],
    ['d', 'first', 'a'],
    ['a', 'last', 'e'],
    [null, 'down', 'a']
  ] as const)('from %s %s is %s', (from, direction, to) => {
    expect(neighbour(drawingOf(DIAMOND), from, direction)).toBe(to);
  });

  test('arrows reach every component, and those without edges, too', () => {
    const drawing = drawingOf(shown({ a: [0, 0], b: [1, 0], c: [2, 0], d: [1, 1], e: [0, 1] }, ['c>d']));
    const seen = new Set(['a']);
    for (let before = 0; before < seen.size;) {
      before = seen.size;
      for (const id of [...seen]) {
        for (const direction of ['up', 'down', 'left', 'right'] as const) {
          seen.add(neighbour(drawing, id, direction)!);
        }
      }
    }
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('lists the edges of a component, those into it first', () => {
    const drawing = drawingOf(DIAMOND);
    expect(curvesOf(drawing, 'c').map(({ parent, child }) => parent + child)).toEqual(['ac', 'cd', 'ce']);
  });

  test('is seen whole when it is fitted, and a point stays under the pointer', () => {
    const drawing = drawingOf(DIAMOND);
    const room = { width: 200, height: 150 };
    const view = fitted(drawing, room);
    expect(view.x + drawing.width * view.scale).toBeLessThanOrEqual(room.width + 0.01);
    expect(view.y + drawing.height * view.scale).toBeLessThanOrEqual(room.height + 0.01);
    const near = zoomed(view, 2, 50, 40);
    expect((50 - near.x) / near.scale).toBeCloseTo((50 - view.x) / view.scale);
    expect((40 - near.y) / near.scale).toBeCloseTo((40 - view.y) / view.scale);
    for (const box of drawing.boxes) {
      const moved = revealing(near, box, room);
      expect(moved.x + box.x * near.scale).toBeGreaterThanOrEqual(-0.01);
      expect(moved.y + (box.y + NODE.height) * near.scale).toBeLessThanOrEqual(room.height + 0.01);
      expect(revealing(moved, box, room)).toBe(moved);
    }
  });

  test('all of a large drawing is seen when it is fitted, and it can be made larger from there', () => {
    const room = { width: 250, height: 200 };
    const large = { width: 9000, height: 3000 };
    const view = fitted(large, room);
    expect(large.width * view.scale).toBeLessThanOrEqual(room.width + 0.01);
    expect(zoomed(view, 0.8, 0, 0).scale).toBe(view.scale);
    expect(zoomed(view, 1.25, 0, 0).scale).toBeCloseTo(1.25 * view.scale);
  });

  test('cuts names by letters, not by halves of them', () => {
    expect(shortened('load')).toBe('load');
    expect(shortened('😀'.repeat(30), 4)).toBe('😀😀😀…');
  });
});

const LINE: Line = {
  ...{ event: 'step', run: 'r', number: 0, steps: [], id: '', name: '', state: '', reason: '', seconds: null },
  ...{ error: null, result: null, ran: 0, cached: 0, failed: 0, blocked: 0, notes: [], message: '', hint: '' }
};
const PLAN: Line = {
  ...LINE,
  event: 'plan',
  steps: [
    { id: 'a', name: 'A', action: 'cached', reason: '' },
    { id: 'b', name: 'B', action: 'run', reason: 'data.csv changed' },
    { id: 'c', name: 'C', action: 'run', reason: 'B changed' }
  ]
};
const step = (number: number, id: string, state: Line['state'], more: Partial<Line> = {}): Line => ({
  ...{ ...LINE, number, id, state },
  ...more
});
const LINES = [
  PLAN,
  step(1, 'a', 'cached', { result: 'aa' }),
  step(2, 'b', 'running'),
  step(3, 'b', 'done', { seconds: 2, result: 'bb' }),
  step(4, 'c', 'running')
];

describe('a run', () => {
  test('is folded from its lines, each taken once', () => {
    const once = LINES.reduce(withLine, NO_RUN);
    const twice = [...LINES, ...LINES].reduce(withLine, NO_RUN);
    expect(twice).toEqual(once);
    expect(progressOf(once)).toEqual({ done: 2, total: 3, running: ['c'] });
    expect(once.steps.get('b')).toMatchObject({ state: 'done', reason: 'data.csv changed', seconds: 2, result: 'bb' });
  });

  test('that ends early leaves nothing running', () => {
    const ended = withLine(LINES.reduce(withLine, NO_RUN), { ...LINE, event: 'end', number: 5, state: 'cancelled' });
    expect(ended.state).toBe('cancelled');
    expect(ended.steps.get('c')?.state).toBe('cancelled');
    expect(progressOf(ended).running).toEqual([]);
  });

  test('of another name begins anew', () => {
    const other = withLine(LINES.reduce(withLine, NO_RUN), { ...LINE, run: 'other', id: 'z', state: 'running' });
    expect([...other.steps.keys()]).toEqual(['z']);
    expect(begun('other').state).toBe('running');
  });
});

describe('how a component stands', () => {
  const [a] = DIAMOND.pipeline.components;
  const cache = (cached: boolean, result = 'rr') => new Map([['a', { cached, reason: 'old', result, seconds: 1 }]]);
  const known = (more: Partial<Known>): Known => ({
    run: NO_RUN,
    caches: null,
    edited: new Set(),
    changed: new Set(),
    ...more
  });
  const marks = (more: Partial<Known>) => statusOf(a!, known(more)).mark;
  const running = [PLAN, step(1, 'a', 'running')].reduce(withLine, NO_RUN);
  const done = [step(2, 'a', 'done', { result: 'new' }), { ...LINE, event: 'end', number: 3, state: 'done' } as Line];
  const ended = done.reduce(withLine, running);
  const failed = [step(2, 'a', 'failed'), { ...LINE, event: 'end', number: 3, state: 'failed' } as Line].reduce(
    withLine,
    running
  );

  test.each([
    ['nothing known', {}, 'none'],
    ['cached', { caches: cache(true) }, 'cached'],
    ['to be run', { caches: cache(false) }, 'stale'],
    ['edited since the file', { caches: cache(true), edited: new Set(['a']) }, 'edited'],
    ['running, whatever the cache said', { run: running, caches: cache(false) }, 'running'],
    ['just done', { run: ended, caches: cache(true, 'new') }, 'done'],
    ['done, and another result imported since', { run: ended, caches: cache(true) }, 'cached'],
    ['edited after a run', { run: ended, caches: cache(false) }, 'stale'],
    ['failed', { run: failed, caches: cache(false) }, 'failed'],
    ['failed, and edited since', { run: failed, caches: cache(false), changed: new Set(['a']) }, 'stale'],
    ['failed, and brought back to what is cached', { run: failed, caches: cache(true) }, 'cached']
  ] as [string, Partial<Known>, string][])('%s', (_, more, mark) => {
    expect(marks(more)).toBe(mark);
  });

  test('a source that cannot be read is said before all else', () => {
    expect(statusOf({ ...a!, error: 'invalid syntax' }, known({ run: running })).mark).toBe('broken');
  });

  test('the result is that of the run, or the one that the next run takes, or the last one', () => {
    expect(statusOf(a!, known({ run: ended })).result).toBe('new');
    expect(statusOf(a!, known({ run: ended, caches: cache(false) })).result).toBe('new');
    expect(statusOf(a!, known({ run: ended, caches: cache(true) })).result).toBe('rr');
    expect(statusOf(a!, known({ caches: cache(false) })).result).toBe('rr');
  });
});

describe('parameters', () => {
  test.each([
    ['3', 'integer', { value: 3 }],
    ['3.5', 'integer', { wrong: true }],
    ['1e3', 'integer', { wrong: true }],
    ['3', 'number', { value: 3 }],
    ['three', 'number', { wrong: true }],
    ['true', 'boolean', { value: true }],
    ['1', 'boolean', { wrong: true }],
    ['1', 'string', { value: '1' }],
    ['', 'string', { value: '' }],
    ['[1, "a"]', 'array', { value: [1, 'a'] }],
    ['{}', 'array', { wrong: true }],
    ['{"a": 1}', 'object', { value: { a: 1 } }],
    ['null', 'object', { wrong: true }],
    ['5', 'null', { value: 5 }]
  ] as const)('%s as %s', (text, type, found) => {
    expect(valueOf(text, type)).toEqual(found);
  });

  test('what is shown is read back as it is', () => {
    for (const [value, type] of [
      [3, 'integer'],
      ['a "b"', 'string'],
      [[1, null], 'array'],
      [false, 'boolean']
    ] as const) {
      expect(valueOf(textOf(value, type), type)).toEqual({ value });
    }
  });

  test('a new one is JSON or text, and has the name of a variable', () => {
    expect([valueOfNew('3'), valueOfNew('Graz'), valueOfNew('"3"')]).toEqual([3, 'Graz', '3']);
    expect([isName('größe_2'), isName('2a'), isName('two words'), isName('')]).toEqual([true, false, false, false]);
  });
});

describe('the difference of two versions', () => {
  const change = (id: string, kind: 'added' | 'removed' | 'changed', more: object = {}) => ({
    ...{ id, kind, name: id, old_name: '', cell: 1, old_cell: 2, moved: false, code: null, policy: [] },
    ...more
  });
  const edge = (
    parent: string,
    child: string,
    kind: 'added' | 'changed',
    names: string[],
    old_names: string[] = []
  ) => ({
    ...{ parent, child, kind, names, old_names },
    ...{ provenance: ['inferred'], old_provenance: [] }
  });
  const difference = {
    shown: DIAMOND,
    components: [change('b', 'removed', { old_cell: 7 }), change('d', 'changed', { moved: true })],
    edges: [edge('a', 'c', 'changed', ['x', 'y'], ['x', 'z']), edge('c', 'd', 'added', ['c'])],
    ...{ parameters: [], problems: [], was_proposed: false, is_proposed: false }
  } as unknown as Difference;
  const drawn = drawnDifference(difference);

  test('what went is looked for in the version before, all else in the one after', () => {
    const of = (id: string) => placeOf(drawn.drawing.byId.get(id)!.component, drawn.components.get(id));
    expect(of('a')).toEqual({ side: 'after', place: 0 });
    expect(of('b')).toEqual({ side: 'before', place: 6 });
    expect(of('d')).toEqual({ side: 'after', place: 3 });
  });

  test('a cell is found in the picture, on its side', () => {
    expect(componentAt(drawn, { side: 'before', place: 6 })).toBe('b');
    expect(componentAt(drawn, { side: 'after', place: 3 })).toBe('d');
    expect(componentAt(drawn, { side: 'before', place: 3 })).toBe(null);
    expect(componentAt(drawn, { side: 'after', place: 1 })).toBe(null);
  });

  test('names that an edge carries have signs where they came or went', () => {
    const told = (key: string) => {
      const curve = drawn.drawing.curves.find(each => each.key === key)!;
      return carriedBy(curve, drawn.edges.get(key));
    };
    expect(told(keyOf('a', 'c'))).toBe('x, +y, −z');
    expect(told(keyOf('c', 'd'))).toBe('c');
    expect(told(keyOf('a', 'b'))).toBe('a');
  });

  test('everything that changed counts', () => {
    expect(countOf(difference)).toBe(4);
  });
});
