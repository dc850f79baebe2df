/** What changed in a table: its rows, its order, and each column that came, went or changed. */
import { useHost } from '../host';
import { Arrow, Bar, Mark, StatisticsTable, Table, count, precise, type Changed, type FrameChange } from './parts';

type Column = FrameChange['columns'][number];

export function FrameDetail({ detail }: { detail: FrameChange }): JSX.Element {
  const { trans } = useHost();
  const measured = detail.columns.flatMap(column =>
    column.cells ? [[column.name, column.cells] as [string, Changed]] : []
  );
  const remarks = [
    ...(detail.rows_moved ? [trans.__('rows in another order')] : []),
    ...(detail.columns_moved ? [trans.__('columns in another order')] : []),
    ...(detail.index ? [trans.__('index: %1', detail.index)] : [])
  ];
  return (
    <>
      <ul className="cellar-plain">
        <Rows detail={detail} change="added" />
        <Rows detail={detail} change="removed" />
        {remarks.map(remark => (
          <li key={remark}>{remark}</li>
        ))}
      </ul>
      {detail.columns.length > 0 && <Columns columns={detail.columns} />}
      <StatisticsTable named={measured} />
    </>
  );
}

function Rows({ detail, change }: { detail: FrameChange; change: 'added' | 'removed' }): JSX.Element | null {
  const { trans } = useHost();
  const [number, labels] =
    change === 'added' ? [detail.rows_added, detail.added_labels] : [detail.rows_dropped, detail.dropped_labels];
  if (!number) {
    return null;
  }
  const by = {
    label: trans.__('by label'),
    place: trans.__('by place'),
    content: trans.__('by content; the index was numbered anew')
  };
  return (
    <li>
      <Mark change={change} />
      {trans._n('%1 row', '%1 rows', number, count(number))} <span className="cellar-soft">({by[detail.rows_by]})</span>{' '}
      <code>
        {labels.join(', ')}
        {number > labels.length ? ', …' : ''}
      </code>
    </li>
  );
}

function Columns({ columns }: { columns: readonly Column[] }): JSX.Element {
  const { trans } = useHost();
  const heads = [trans.__('column'), trans.__('type'), trans.__('cells'), trans.__('largest'), trans.__('examples')];
  return (
    <Table heads={heads}>
      {columns.map((column, index) => (
        <OneColumn key={index} column={column} />
      ))}
    </Table>
  );
}

function OneColumn({ column }: { column: Column }): JSX.Element {
  const { trans } = useHost();
  const { cells } = column;
  const isRetyped = column.change === 'changed' && column.dtype_before && column.dtype_before !== column.dtype_after;
  return (
    <tr>
      <td>
        <Mark change={column.change} />
        <code>{column.name}</code>
      </td>
      <td>
        {isRetyped ? (
          <Arrow before={column.dtype_before} after={column.dtype_after} />
        ) : (
          <code>{column.dtype_after || column.dtype_before}</code>
        )}
      </td>
      <td>
        {column.renamed_from && (
          <>
            {trans.__('was called')} <code>{column.renamed_from}</code>
          </>
        )}
        {!column.renamed_from && column.change === 'changed' && cells && (
          <>
            <Bar part={cells.changed} whole={cells.compared} />
            {count(cells.changed)}
          </>
        )}
        {column.note && <span className="cellar-soft"> {column.note}</span>}
      </td>
      <td className="cellar-number">{cells && cells.largest !== null ? precise(cells.largest) : ''}</td>
      <td>
        {cells?.examples.slice(0, 3).map((example, index) => (
          <div key={index}>
            <code className="cellar-soft">[{example.at}]</code> <Arrow before={example.before} after={example.after} />
          </div>
        ))}
      </td>
    </tr>
  );
}
