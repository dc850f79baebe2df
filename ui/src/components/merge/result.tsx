/** What will stand there: the cells that were picked, or a text of one's own. */
import { useMemo, type JSX } from 'react';
import { draftOf, modelOf, resultOf, text, type CellLike, type Decision, type MergeConflict } from '../../model/merge';
import { useHost } from '../host';
import { Editor } from './editor';
import { StillCell } from './still';

interface Props {
  readonly conflict: MergeConflict;
  readonly decision: Decision | undefined;
  readonly language: string;
  readonly typing: boolean;
  readonly onDecide: (decision: Omit<Decision, 'id'> | null) => void;
  readonly onEdit: () => void;
  readonly onLeave: () => void;
}

export function Result(props: Props): JSX.Element {
  const { conflict, decision, onDecide } = props;
  const { trans } = useHost();
  return (
    <section className="cellar-merge-result" aria-label={trans.__('Result')} data-open={decision ? undefined : true}>
      <div className="cellar-merge-head">
        <span className="cellar-merge-side">{trans.__('Result')}</span>
        <span className="cellar-merge-label">{said(trans, decision)}</span>
        {(['both', 'edited'] as const)
          .filter(pick => conflict.choices.includes(pick))
          .map(pick => (
            <button
              key={pick}
              type="button"
              className="cellar-merge-take"
              data-pick={pick}
              aria-pressed={decision?.pick === pick}
              aria-keyshortcuts={pick === 'both' ? '3' : 'e'}
              onClick={() => (pick === 'both' ? onDecide({ pick }) : props.onEdit())}
            >
              {pick === 'both' ? trans.__('Take both') : trans.__('Edit')}
              <kbd aria-hidden="true">{pick === 'both' ? '3' : 'e'}</kbd>
            </button>
          ))}
        <button type="button" className="cellar-merge-take" disabled={!decision} onClick={() => onDecide(null)}>
          {trans.__('Reopen')}
        </button>
      </div>
      <Body {...props} />
    </section>
  );
}

function Body({ conflict, decision, language, typing, onDecide, onLeave }: Props): JSX.Element {
  const { trans } = useHost();
  const cells = useMemo(() => resultOf(conflict, decision), [conflict, decision]);
  if (!cells) {
    return (
      <p className="cellar-merge-hint">
        {conflict.choices.includes('both')
          ? trans.__('Not decided yet: take a side, both, the base, or write your own.')
          : trans.__('Not decided yet: take a side or the base.')}
      </p>
    );
  }
  if (conflict.kind === 'structure') {
    return <p className="cellar-merge-hint">{trans.__('The pipeline is that of %1 here.', decision!.pick)}</p>;
  }
  if (conflict.kind === 'notebook') {
    return <p className="cellar-merge-hint">{trans.__('The settings are those of %1.', decision!.pick)}</p>;
  }
  if (!cells.length) {
    return <p className="cellar-merge-hint">{trans.__('The cell is deleted.')}</p>;
  }
  const isOne = cells.length === 1 && conflict.choices.includes('edited');
  if (decision!.pick === 'edited' || isOne) {
    const side = decision!.side ?? draftOf(conflict, decision).side;
    const type = String(modelOf(conflict, side)?.cell_type ?? 'code');
    return (
      <>
        <Editor
          key={conflict.id}
          source={text(cells[0]!.source)}
          type={type}
          label={trans.__('Source of the result')}
          focused={typing}
          onLeave={onLeave}
          onChange={source => {
            if (source !== text(cells[0]!.source)) {
              onDecide({ pick: 'edited', source, side });
            }
          }}
        />
        <Rest cells={cells.slice(1)} language={language} />
      </>
    );
  }
  return <Rest cells={cells} language={language} />;
}

function Rest({ cells, language }: { readonly cells: readonly CellLike[]; readonly language: string }): JSX.Element {
  return (
    <>
      {cells.map((cell, at) => (
        <div key={at} className="cellar-merge-cell" data-type={String(cell.cell_type)}>
          <StillCell cell={cell} language={language} />
        </div>
      ))}
    </>
  );
}

function said(trans: ReturnType<typeof useHost>['trans'], decision: Decision | undefined): string {
  switch (decision?.pick) {
    case 'ours':
      return trans.__('as ours');
    case 'theirs':
      return trans.__('as theirs');
    case 'both':
      return trans.__('ours, then theirs');
    case 'base':
      return trans.__('as the base');
    case 'edited':
      return trans.__('edited');
    default:
      return trans.__('open');
  }
}
