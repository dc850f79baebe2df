/** What is not source: metadata, type and attachments in conflict, settings of the notebook, outputs, side by side. */
import type { JSX } from 'react';
import { partOf, text, type CellLike, type Column, type MergeConflict } from '../../model/merge';
import { useHost } from '../host';
import { StillOutputs } from './still';
import { COLUMNS, ColumnHeads, type HeadProps } from './three_columns';

/** The parts in conflict but for the source, a row each. */
export function Parts({ conflict }: { readonly conflict: MergeConflict }): JSX.Element | null {
  const { trans } = useHost();
  const parts = conflict.what.filter(what => what !== 'source' && !what.startsWith('deleted by'));
  if (!parts.length || conflict.kind !== 'cell') {
    return null;
  }
  return (
    <table className="cellar-merge-parts">
      <caption>{trans.__('Besides the source')}</caption>
      <thead className="cellar-merge-hidden">
        <tr>
          <th scope="col">{trans.__('Part')}</th>
          {COLUMNS.map(side => (
            <th key={side} scope="col">
              {side}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {parts.map(what => (
          <tr key={what}>
            <th scope="row">{what}</th>
            {COLUMNS.map(side => (
              <ValueCell
                key={side}
                side={side}
                {...partOf(conflict[side][0] as CellLike, what === 'type' ? 'cell_type' : what)}
              />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Settings of the notebook, or what a pipeline's metadata says, that both sides changed. */
export function Settings(props: HeadProps): JSX.Element {
  const { trans } = useHost();
  return (
    <table className="cellar-merge-parts">
      <thead>
        <tr>
          <th scope="col">{trans.__('Setting')}</th>
          <ColumnHeads {...props} />
        </tr>
      </thead>
      <tbody>
        {props.conflict.values.map(({ path, label, there, ...sides }) => (
          <tr key={JSON.stringify([label, path])}>
            <th scope="row">{label || path.join('.')}</th>
            {COLUMNS.map(side => (
              <ValueCell key={side} side={side} there={there.includes(side)} value={sides[side]} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ValueCell({
  side,
  there,
  value
}: {
  readonly side: Column;
  readonly there: boolean;
  readonly value?: unknown;
}): JSX.Element {
  const { trans } = useHost();
  return (
    <td data-side={side}>
      {there ? (
        <code>{typeof value === 'string' ? value : JSON.stringify(value, undefined, 1)}</code>
      ) : (
        <em>{trans.__('nothing')}</em>
      )}
    </td>
  );
}

/** What each version put out, where any did. */
export function Outputs({ conflict }: { readonly conflict: MergeConflict }): JSX.Element | null {
  const { trans } = useHost();
  const { outputs } = conflict;
  if (!COLUMNS.some(side => outputs[side].length)) {
    return null;
  }
  return (
    <details className="cellar-merge-ran" open>
      <summary>{trans.__('Outputs')}</summary>
      <div className="cellar-merge-three">
        {COLUMNS.map(side => (
          <div key={side} data-side={side} role="group" aria-label={trans.__('Outputs of %1', side)} tabIndex={0}>
            {outputs[side].length ? <StillOutputs outputs={outputs[side]} /> : <em>{trans.__('no output')}</em>}
          </div>
        ))}
      </div>
    </details>
  );
}

/** Pictures that a text shows, where a side attached any. */
export function Attachments({ conflict }: { readonly conflict: MergeConflict }): JSX.Element | null {
  const { trans } = useHost();
  const held = COLUMNS.map(side => (conflict[side] as CellLike[]).flatMap(cell => names(cell.attachments)));
  if (!held.some(all => all.length)) {
    return null;
  }
  return (
    <details className="cellar-merge-ran">
      <summary>{trans.__('Attachments')}</summary>
      <div className="cellar-merge-three">
        {COLUMNS.map((side, at) => (
          <ul key={side} data-side={side}>
            {held[at]!.map(name => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        ))}
      </div>
    </details>
  );
}

function names(attachments: unknown): string[] {
  if (typeof attachments !== 'object' || attachments === null) {
    return [];
  }
  return Object.entries(attachments).map(([name, bundle]) => {
    const types = typeof bundle === 'object' && bundle !== null ? Object.entries(bundle) : [];
    return `${name}: ${types.map(([type, data]) => `${type}, ${text(data).length}`).join('; ')}`;
  });
}
