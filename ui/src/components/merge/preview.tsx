/** The whole result as a notebook. */
import { useEffect, useState, type JSX } from 'react';
import type { CellLike, MergeResult } from '../../model/merge';
import { useHost } from '../host';
import { StillCell } from './still';

interface Props {
  readonly load: () => Promise<MergeResult>;
  readonly language: string;
}

export function Preview({ load, language }: Props): JSX.Element {
  const { trans } = useHost();
  const [found, setFound] = useState<MergeResult | Error>();
  useEffect(() => {
    let gone = false;
    load().then(
      result => !gone && setFound(result),
      (error: unknown) => !gone && setFound(error as Error)
    );
    return () => {
      gone = true;
    };
  }, [load]);
  if (found instanceof Error) {
    return <p role="alert">{found.message}</p>;
  }
  const cells = (found?.notebook as { cells?: CellLike[] } | undefined)?.cells ?? [];
  return (
    <section className="cellar-merge-preview" aria-label={trans.__('The whole result')} aria-busy={!found}>
      {found && (
        <p className="cellar-merge-hint" role="status">
          {trans._n('1 cell', '%1 cells', cells.length)},{' '}
          {found.left
            ? trans._n('1 conflict open', '%1 conflicts open', found.left)
            : trans.__('nothing left to decide')}
        </p>
      )}
      {cells.map((cell, at) => (
        <div
          key={at}
          className="cellar-merge-cell"
          data-type={String(cell.cell_type)}
          data-marked={isMarked(cell) || undefined}
        >
          <span className="cellar-merge-number">{at + 1}</span>
          <div>
            <StillCell cell={cell} language={language} outputs={found?.shown[at]} />
          </div>
        </div>
      ))}
    </section>
  );
}

function isMarked(cell: CellLike): boolean {
  const held = (cell.metadata as { cellar?: { conflict?: unknown } } | undefined)?.cellar;
  return typeof held?.conflict === 'object' && held.conflict !== null;
}
