import { YNotebook } from '@jupyter/ydoc';
import { beforeEach, expect, test, vi } from 'vitest';
import { type CellJson, type NotebookJson, outputsToCome, patchModel } from '../src/lab/patching_model';
import { longestRise } from '../src/model/order';

// The shared model's own making of cells is loud.
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));

const code = (id: string, source: string, outputs: object[] = []): CellJson =>
  ({ id, cell_type: 'code', source, metadata: {}, outputs, execution_count: null }) as CellJson;
const stream = (text: string) => ({ output_type: 'stream', name: 'stdout', text });
const notebook = (cells: CellJson[], metadata = {}): NotebookJson => ({
  cells,
  metadata,
  nbformat: 4,
  nbformat_minor: 5
});

function opened(data: NotebookJson): YNotebook {
  const model = YNotebook.create({ disableDocumentWideUndoRedo: true, data: structuredClone(data) as never });
  model.undoManager.clear();
  return model;
}

const ids = (model: YNotebook) => model.cells.map(cell => cell.getId());
const before = notebook([code('a', 'x = 1'), code('b', 'y = 2', [stream('2\n')]), code('c', 'z = 3')]);

test('what is wanted is there afterwards, and one undo brings back what was', () => {
  const model = opened(before);
  const wanted = notebook(
    [
      code('c', 'z = 3'),
      { id: 'm', cell_type: 'markdown', source: ['# On\n', 'top'], metadata: { tags: ['new'] } },
      code('b', 'y = 20\nprint(y)', [stream('20\n'), stream('more')])
    ],
    { title: 'other' }
  );
  const done = patchModel(model, wanted, { trusted: false });
  expect(done).toEqual({ same: 0, changed: 1, inserted: 1, removed: 1, moved: 1 });
  expect(ids(model)).toEqual(['c', 'm', 'b']);
  expect(model.toJSON()).toMatchObject({
    cells: [{ source: 'z = 3' }, { source: '# On\ntop', metadata: { tags: ['new'] } }, wanted.cells[2]!],
    metadata: { title: 'other' }
  });
  expect(model.undo()).toBe(true);
  expect(model.toJSON()).toMatchObject({ ...before });
  expect(model.canUndo()).toBe(false);
  expect(model.redo()).toBe(true);
  expect(ids(model)).toEqual(['c', 'm', 'b']);
});

test('cells that stay are the same objects and keep their own undo', () => {
  const model = opened(before);
  const cell = model.getCell(0);
  cell.updateSource(5, 5, '0');
  patchModel(model, notebook([code('n', 'new'), code('a', 'x = 10'), code('c', 'z = 4')]), { trusted: false });
  expect(model.getCell(1)).toBe(cell);
  expect(cell.undo()).toBe(true);
  expect(cell.getSource()).toBe('x = 1');
});

test('a notebook that is as wanted is not touched, however its lines and texts are cut', () => {
  const data = notebook([{ ...code('a', 'x = 1\ny'), outputs: [stream('1\n2\n')], metadata: { collapsed: true } }]);
  const model = opened(data);
  const changes: unknown[] = [];
  model.ydoc.on('update', () => changes.push(1));
  const cut = notebook([
    { ...data.cells[0]!, source: ['x = 1\n', 'y'], outputs: [{ ...stream(''), text: ['1\n', '2\n'] } as never] }
  ]);
  expect(patchModel(model, cut, { trusted: false })).toEqual({
    same: 1,
    changed: 0,
    inserted: 0,
    removed: 0,
    moved: 0
  });
  expect(changes).toEqual([]);
});

test('cells of old notebooks without ids are told by their content', () => {
  const model = opened(before);
  const { id: _, ...bare } = code('', 'y = 2');
  const cell = model.getCell(1);
  patchModel(model, notebook([bare]), { trusted: false });
  expect(model.cells).toEqual([cell]);
});

test('an id that became another type of cell is another cell', () => {
  const model = opened(before);
  patchModel(model, notebook([{ id: 'a', cell_type: 'markdown', source: 'text', metadata: {} }]), { trusted: false });
  expect(model.toJSON().cells).toMatchObject([{ id: 'a', cell_type: 'markdown', source: 'text' }]);
});

test('kernel and language stay those of the kernel that runs, metadata that is gone goes', () => {
  const model = opened(notebook([], { kernelspec: { name: 'now' }, old: 1 }));
  patchModel(model, notebook([], { kernelspec: { name: 'then' }, title: 't' }), { trusted: false });
  expect(model.getMetadata()).toEqual({ kernelspec: { name: 'now' }, title: 't' });
});

test('outputs are trusted only where they were', () => {
  const wanted = notebook([{ ...code('n', 'n'), metadata: { trusted: true } }]);
  const [untrusted, trusted] = [opened(before), opened(before)];
  patchModel(untrusted, wanted, { trusted: false });
  patchModel(trusted, wanted, { trusted: true });
  expect(untrusted.getCell(0).getMetadata('trusted')).toBeUndefined();
  expect(trusted.getCell(0).getMetadata('trusted')).toBe(true);
});

test('edits of another tab that come meanwhile stay, whatever the other cells become', async () => {
  const { applyUpdate, encodeStateAsUpdate } = await import('yjs');
  const here = opened(before);
  const there = new YNotebook();
  applyUpdate(there.ydoc, encodeStateAsUpdate(here.ydoc));
  there.getCell(2).updateSource(0, 0, '# mine\n');
  patchModel(here, notebook([code('b', 'y = 7'), code('c', 'z = 3')]), { trusted: false });
  applyUpdate(here.ydoc, encodeStateAsUpdate(there.ydoc));
  expect(here.toJSON().cells).toMatchObject([{ source: 'y = 7' }, { source: '# mine\nz = 3' }]);
});

test('what was done just before and just after are other steps of the undo', () => {
  const model = opened(before);
  model.insertCell(0, code('mine', 'mine') as never);
  patchModel(model, notebook([code('a', 'x = 2')]), { trusted: false });
  model.insertCell(0, code('later', 'later') as never);
  model.undo();
  expect(ids(model)).toEqual(['a']);
  model.undo();
  expect(ids(model)).toEqual(['mine', 'a', 'b', 'c']);
});

test('any order becomes any other', () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (let round = 0; round < 200; round++) {
    const some = () =>
      Array.from({ length: 8 }, (_, i) => code(`k${i}`, `${random(3)}`, random(2) ? [stream(`${random(3)}`)] : []))
        .filter(() => random(4) > 0)
        .sort(() => random(3) - 1);
    const [from, to] = [notebook(some()), notebook(some())];
    const model = opened(from);
    const done = patchModel(model, to, { trusted: false });
    expect(model.toJSON().cells).toEqual(to.cells);
    expect(done.same + done.changed + done.inserted + done.moved).toBe(to.cells.length);
    expect(done.same + done.changed + done.removed + done.moved).toBe(from.cells.length);
    model.undo();
    expect(model.toJSON().cells).toEqual(from.cells);
  }
});

test('the longest rise leaves out what has no place', () => {
  expect(longestRise([2, -1, 0, 1, 3])).toEqual([2, 3, 4]);
  expect(longestRise([])).toEqual([]);
  expect(longestRise([-1])).toEqual([]);
});

test('each cell that gets other outputs is told, also without ids and with the same id twice', () => {
  const evil = { output_type: 'display_data', data: { 'text/html': '<script>evil()</script>' }, metadata: {} };
  const twice = notebook([code('a', 'x = 1', [evil]), code('a', 'x = 1'), code('b', 'y = 2', [stream('2\n')])]);
  expect(outputsToCome(opened(before), twice)).toEqual([0]);
  const { id: _, ...nameless } = code('', 'z = 3', [evil]);
  expect(outputsToCome(opened(before), notebook([nameless as CellJson]))).toEqual([2]);
  expect(outputsToCome(opened(before), before)).toEqual([]);
  expect(
    outputsToCome(opened(before), notebook([{ ...code('a', 'x', [evil]), cell_type: 'raw' } as CellJson]))
  ).toEqual([]);
});

test('of cells that stay, no others get outputs than those that are told', () => {
  const some = [[], [stream('1')], [stream('2')]];
  const at = (n: number) => some[n % 3]!;
  for (let seed = 0; seed < 200; seed++) {
    const make = (salt: number) =>
      notebook(
        [...Array(5).keys()].map(n => {
          const cell = code(`${(seed >> n) % 4}`, `s${(seed * salt + n) % 3}`, at(seed + n * salt));
          return (seed + n) % 4 ? cell : ({ ...cell, id: undefined } as unknown as CellJson);
        })
      );
    const model = opened(make(1));
    const held = model.cells.map(cell => ({ cell, outputs: JSON.stringify(cell.toJSON().outputs) }));
    const told = outputsToCome(model, make(2)).map(index => held[index]!.cell);
    patchModel(model, make(2), { trusted: false });
    for (const { cell, outputs } of held) {
      if (model.cells.includes(cell) && JSON.stringify(cell.toJSON().outputs) !== outputs) {
        expect(told).toContain(cell);
      }
    }
  }
});
