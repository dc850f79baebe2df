/** What changed in an array: how many places, by how much at most, examples, and how its numbers lie. */
import { useHost } from '../host';
import { Arrow, Bar, StatisticsTable, Table, count, precise, type ArrayChange, type Changed } from './parts';

const form = (shape: readonly number[], dtype: string): string => `(${shape.map(count).join(' × ')}) ${dtype}`.trim();

export function ArrayDetail({ detail }: { detail: ArrayChange }): JSX.Element {
  const { trans } = useHost();
  const before = form(detail.shape_before, detail.dtype_before);
  const after = form(detail.shape_after, detail.dtype_after);
  return (
    <>
      <p>{before === after ? <code>{after}</code> : <Arrow before={before} after={after} />}</p>
      {detail.cells && (
        <>
          <Cells cells={detail.cells} rows={detail.rows} />
          <Examples cells={detail.cells} />
          <StatisticsTable named={[['', detail.cells]]} />
        </>
      )}
      {detail.mask && (
        <>
          <p className="cellar-soft">{trans.__('the mask:')}</p>
          <Cells cells={detail.mask} rows={null} />
        </>
      )}
    </>
  );
}

function Cells({ cells, rows }: { cells: Changed; rows: number | null }): JSX.Element {
  const { trans } = useHost();
  return (
    <p>
      <Bar part={cells.changed} whole={cells.compared} />
      {rows === null
        ? trans.__('%1 of %2 changed', count(cells.changed), count(cells.compared))
        : trans.__('%1 of %2 of the first %3 rows changed', count(cells.changed), count(cells.compared), count(rows))}
      {cells.largest !== null && cells.changed > 0 && (
        <>
          {', '}
          {trans.__('by up to')} <code>{precise(cells.largest)}</code> {trans.__('at')}{' '}
          <code>[{cells.largest_at}]</code>
        </>
      )}
      {cells.same_number > 0 && (
        <span className="cellar-soft">
          {', '}
          {trans.__('%1 equal as numbers but not as bits', count(cells.same_number))}
        </span>
      )}
    </p>
  );
}

function Examples({ cells }: { cells: Changed }): JSX.Element | null {
  const { trans } = useHost();
  if (cells.examples.length === 0) {
    return null;
  }
  return (
    <Table heads={[trans.__('place'), trans.__('value')]}>
      {cells.examples.map((example, index) => (
        <tr key={index}>
          <td>
            <code>[{example.at}]</code>
          </td>
          <td>
            <Arrow before={example.before} after={example.after} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
