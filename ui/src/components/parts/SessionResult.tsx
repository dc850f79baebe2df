/** What a checkout or an undo did to the variables, and the question before cells run again. */
import type { Answer } from '../../wire/client';
import { duration } from '../../model/words';
import { useHost } from '../host';

export type SessionChange = Answer<'checkout'>;

interface Props {
  readonly done: SessionChange;
  /** Do it again, with these cells agreed to. */
  agree?(replay: string): void;
  close(): void;
}

export function SessionResult({ done, agree, close }: Props): JSX.Element {
  const { trans } = useHost();
  return (
    <div className="cellar-result" role="status">
      {done.asks && done.replay ? <Question done={done} agree={agree} /> : <Told done={done} />}
      <button className="cellar-button" onClick={close}>
        {done.asks ? trans.__('Cancel') : trans.__('Close')}
      </button>
    </div>
  );
}

function Question({ done, agree }: { done: SessionChange; agree?: (replay: string) => void }): JSX.Element {
  const { trans } = useHost();
  const replay = done.replay!;
  return (
    <>
      <p>{trans.__('To bring back %1, these cells run again:', replay.brings.join(', '))}</p>
      <ul className="cellar-plain">
        {replay.cells.map(cell => (
          <li key={cell.commit}>
            <code>
              [{cell.execution_count}] {cell.title}
            </code>{' '}
            <span className="cellar-soft">{duration(cell.duration_s)}</span>
            {cell.effects.map((effect, index) => (
              <span key={index} className="cellar-warn">
                {' '}
                {effect}
              </span>
            ))}
          </li>
        ))}
      </ul>
      <Reasons title={trans.__('Not even so:')} reasons={replay.cannot} />
      {agree && (
        <button className="cellar-button cellar-is-main" onClick={() => agree(replay.id)}>
          {trans._n('Run this cell', 'Run these %1 cells', replay.cells.length, replay.cells.length)}
        </button>
      )}
    </>
  );
}

function Told({ done }: { done: SessionChange }): JSX.Element {
  const { trans } = useHost();
  const counts: [string, readonly string[]][] = [
    [trans.__('kept'), done.kept],
    [trans.__('loaded'), done.loaded],
    [trans.__('replayed'), done.replayed],
    [trans.__('removed'), done.removed]
  ];
  const words = counts.filter(([, names]) => names.length > 0);
  return (
    <>
      <p>
        <strong>{trans.__('Done.')}</strong>{' '}
        {words.map(([word, names], index) => (
          <span key={word} title={names.join(', ')}>
            {index > 0 && ' · '}
            {names.length} {word}
          </span>
        ))}
      </p>
      <Reasons title={trans.__('Not restored:')} reasons={done.not_restored} />
      <Reasons title={trans.__('Uncertain:')} reasons={done.uncertain} />
      <Reasons title={trans.__('Not verified:')} reasons={done.unverified} />
      {done.code_file && <p className="cellar-soft">{trans.__('The code is in %1', done.code_file)}</p>}
      {done.notes.map((note, index) => (
        <p key={index} className="cellar-soft">
          {note}
        </p>
      ))}
    </>
  );
}

function Reasons({ title, reasons }: { title: string; reasons: Record<string, string> }): JSX.Element | null {
  const named = Object.entries(reasons);
  if (named.length === 0) {
    return null;
  }
  return (
    <div className="cellar-warn">
      {title}
      <ul className="cellar-plain">
        {named.map(([name, why]) => (
          <li key={name}>
            <code>{name}</code> <span className="cellar-soft">{why}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
