import { expect, test } from 'vitest';
import { keepOutputMarks, marksById } from '../src/model/marks';

const answer = (cells: object[], gone: object[] = [], digest = 'd') =>
  marksById({ name: 'HEAD', digest, cells, gone } as never, ['a', 'b', 'c']);

test('marks go with the cells, by id', () => {
  const marks = answer([{ cell: 1, base: 4, mark: 'changed' }], [{ before: 3, base: 7 }]);
  expect(marks.cells.get('b')).toEqual({ mark: 'changed', moved: false, base: 4 });
  expect(marks.gone.get('')).toEqual([7]);
});

test('typing keeps the marks of outputs, another base does not', () => {
  const known = answer([{ cell: 0, base: 0, mark: 'outputs' }]);
  const typed = answer([{ cell: 2, base: 2, mark: 'changed' }]);
  expect([...keepOutputMarks(typed, known).cells.keys()]).toEqual(['c', 'a']);
  expect([...keepOutputMarks(answer([], [], 'other'), known).cells.keys()]).toEqual([]);
});

test('a cell that is new has no place in the base', () => {
  expect(answer([{ cell: 0, base: null, mark: 'added' }]).cells.get('a')?.base).toBeNull();
});
