import { YNotebook } from '@jupyter/ydoc';
import { expect, test } from 'vitest';
import { whileUnchanged } from '../src/model/unchanged';

function opened(): YNotebook {
  const cell = { id: 'a', cell_type: 'raw', source: 'x', metadata: {} };
  return YNotebook.create({ data: { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 } as never });
}

test('what was made of a notebook that was edited meanwhile is made again', async () => {
  const model = opened();
  const seen: string[] = [];
  const made = await whileUnchanged(
    () => model.toJSON(),
    async held => {
      const { source } = (held as ReturnType<YNotebook['toJSON']>).cells[0]!;
      seen.push(String(source));
      await Promise.resolve();
      if (seen.length < 3) {
        model.getCell(0).setSource(`${source as string}y`);
      }
      return `of ${source as string}`;
    }
  );
  expect(seen).toEqual(['x', 'xy', 'xyy']);
  expect(made).toBe('of xyy');
});

test('of a notebook that never rests nothing is made', async () => {
  const model = opened();
  let typed = 0;
  const made = await whileUnchanged(
    () => model.toJSON(),
    async () => model.getCell(0).setSource(String(typed++))
  );
  expect(made).toBe(null);
});
