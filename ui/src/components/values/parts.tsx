/** Small parts of a drawn difference. */
import type { ReactNode } from 'react';
import type { Answer } from '../../wire/client';
import { useHost } from '../host';
import { changeWords } from '../parts/change_words';

type Detail = NonNullable<NonNullable<Answer<'diff-commits'>['variables'][number]['value']>['detail']>;
export type ArrayChange = Extract<Detail, { type: 'array' }>;
export type FrameChange = Extract<Detail, { type: 'frame' }>;
export type Changed = NonNullable<ArrayChange['cells']>;
type Statistics = NonNullable<Changed['before']>;

export const count = (number: number): string => number.toLocaleString('en');
export const precise = (number: number): string => String(Number(number.toPrecision(6)));

const MARKS: Record<string, string> = { added: '+', removed: '−', changed: '~' };

export function Mark({ change }: { change: string }): JSX.Element {
  const { trans } = useHost();
  const words: Record<string, string> = changeWords(trans);
  return (
    <span className={`cellar-mark cellar-is-${change}`} role="img" aria-label={words[change] ?? change}>
      {MARKS[change] ?? '~'}
    </span>
  );
}

export function Arrow({ before, after }: { before: string; after: string }): JSX.Element {
  return (
    <span className="cellar-arrow">
      <code className="cellar-old">{before}</code> → <code className="cellar-new">{after}</code>
    </span>
  );
}

/** How much of something changed, as a bar. */
export function Bar({ part, whole }: { part: number; whole: number }): JSX.Element {
  const share = whole ? (100 * part) / whole : 0;
  return (
    <span className="cellar-bar" aria-hidden="true">
      <i style={{ width: `${Math.max(share, part ? 3 : 0)}%` }} />
    </span>
  );
}

/** Least, mean and largest number before and after, where not all that was compared is listed. */
export function StatisticsTable({ named }: { named: readonly (readonly [string, Changed])[] }): JSX.Element | null {
  const { trans } = useHost();
  const rows = named.flatMap(([name, cells]) =>
    cells.compared > 0 && cells.compared <= cells.examples.length
      ? []
      : ([
          [name, trans.__('before'), cells.before],
          [name, trans.__('after'), cells.after]
        ] as const)
  );
  const full = rows.filter((row): row is readonly [string, string, Statistics] => row[2] !== null);
  if (full.length === 0) {
    return null;
  }
  return (
    <Table
      heads={[trans.__('statistics'), trans.__('of')]}
      numbers={[trans.__('least'), trans.__('mean'), trans.__('largest'), trans.__('missing')]}
    >
      {full.map(([name, word, numbers], index) => (
        <tr key={index}>
          <td>
            <code>{name || trans.__('all')}</code>
          </td>
          <td className="cellar-soft">{word}</td>
          <td className="cellar-number">{numbers.min}</td>
          <td className="cellar-number">{numbers.mean === null ? '' : precise(numbers.mean)}</td>
          <td className="cellar-number">{numbers.max}</td>
          <td className="cellar-number">{count(numbers.missing)}</td>
        </tr>
      ))}
    </Table>
  );
}

interface TableProps {
  readonly heads: readonly string[];
  /** Heads of columns of numbers, after the others. */
  readonly numbers?: readonly string[];
  readonly children: ReactNode;
}

/** A table that is scrolled sideways where it is wider than its room. */
export function Table({ heads, numbers = [], children }: TableProps): JSX.Element {
  return (
    <div className="cellar-wide" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map(head => (
              <th key={head}>{head}</th>
            ))}
            {numbers.map(head => (
              <th key={head} className="cellar-number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
