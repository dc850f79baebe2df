import { expect, test } from 'vitest';
import { bringBack, cellOfBase, revertCell } from '../src/model/revert';

const notebook = {
  cells: [
    { id: 'a', source: 'x = 2' },
    { id: 'b', source: 'y' }
  ],
  metadata: {}
};

test('a reverted cell keeps its id, whatever that of the version is', () => {
  const made = revertCell(notebook, 'a', { id: 'old', source: 'x = 1' });
  expect(made.cells).toEqual([
    { id: 'a', source: 'x = 1' },
    { id: 'b', source: 'y' }
  ]);
});

test('a cell that was added goes', () => {
  expect(revertCell(notebook, 'b', null).cells.map(cell => cell.id)).toEqual(['a']);
});

test('a cell that is gone comes back where it stood, without an id that another one has', () => {
  expect(bringBack(notebook, 'b', { id: 'c', source: 'z' }).cells.map(cell => cell.id)).toEqual(['a', 'c', 'b']);
  expect(bringBack(notebook, '', { id: 'a', source: 'z' }).cells.at(-1)).toEqual({ source: 'z' });
});

test('a cell of another version than the marks are of is none', () => {
  const cells = [{ id: 'a' }, { id: 'b' }];
  expect(cellOfBase({ digest: 'old', cells }, 'old', 1)).toBe(cells[1]);
  expect(cellOfBase({ digest: 'new', cells }, 'old', 1)).toBe(null);
  expect(cellOfBase({ digest: 'old', cells }, 'old', 2)).toBe(null);
  expect(cellOfBase(null, '', 0)).toBe(null);
});
