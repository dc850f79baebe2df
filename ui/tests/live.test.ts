import { YNotebook } from '@jupyter/ydoc';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { expect, test, vi } from 'vitest';
import { LiveNotebook } from '../src/lab/live';

test('a hundred views of a notebook leave one listener on each cell, and see what is typed', async () => {
  const cell = { id: 'a', cell_type: 'raw', source: 'x', metadata: {} };
  const data = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
  const sharedModel = YNotebook.create({ data: data as never });
  const panel = { isDisposed: false, model: { sharedModel } } as unknown as NotebookPanel;
  const shared = sharedModel.getCell(0);
  const connect = vi.spyOn(shared.changed, 'connect');
  const sourceIn = async (): Promise<unknown> =>
    (JSON.parse(await (await new LiveNotebook(panel).snapshot())!.text()) as typeof data).cells[0]!.source;
  for (let view = 0; view < 100; view++) {
    expect(await sourceIn()).toBe('x');
  }
  expect(connect).toHaveBeenCalledTimes(1);
  shared.setSource('y');
  expect(await sourceIn()).toBe('y');
});
