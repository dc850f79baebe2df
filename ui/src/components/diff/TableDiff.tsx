/** A table of an HTML output by its rows and values, as the server compared them. */
import type { JSX } from 'react';
import type { components } from '../../wire/generated/types';
import { useHost } from '../host';

type Table = components['schemas']['TableChange'];

const CLASSES: Record<string, string> = {
  '+': 'cellar-diff-row-new',
  '-': 'cellar-diff-row-old',
  '~': 'cellar-diff-row-changed'
};

export function TableDiff({ table }: { table: Table }): JSX.Element {
  const { trans } = useHost();
  return (
    <div className="cellar-diff-scroll" tabIndex={0} role="group" aria-label={trans.__('Table, compared')}>
      <table className="cellar-diff-table">
        {table.caption && <caption>{table.caption}</caption>}
        {table.header.length > 0 && (
          <thead>
            <tr>
              <td />
              {table.header.map((name, at) => (
                <th key={at} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {table.rows.map((row, at) =>
            row.mark === '…' ? (
              <tr key={at}>
                <td />
                <td colSpan={99} className="cellar-diff-soft">
                  … {/^\d/.test(row.label) ? trans.__('%1 rows', row.label) : row.label}
                </td>
              </tr>
            ) : (
              <tr key={at} className={CLASSES[row.mark]}>
                <td>{row.mark.replace('-', '−').trim()}</td>
                {row.cells.map((cell, column) => (
                  <td key={column}>
                    {row.before[column] !== undefined && (
                      <>
                        <del>{row.before[column]}</del>{' '}
                      </>
                    )}
                    {row.before[column] !== undefined ? <ins>{cell}</ins> : cell}
                  </td>
                ))}
              </tr>
            )
          )}
        </tbody>
      </table>
    </div>
  );
}
