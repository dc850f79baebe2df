/** What a change of the session did, or would do, as lists of names and reasons. */
import type { JSX } from 'react';
import { type Part, type Replay, replayItems } from '../model/outcome';
import { useHost } from './host';

const SHOWN = 200;

export function OutcomeParts({ parts }: { parts: readonly Part[] }): JSX.Element {
  return (
    <div className="cellar-session-outcome" tabIndex={0} role="region" aria-label={useHost().trans.__('Details')}>
      {parts.map(part => (
        <section key={part.title} className={`cellar-session-part cellar-mod-${part.kind}`}>
          <h3>
            {part.title} <span className="cellar-session-count">{part.items.length}</span>
          </h3>
          <Items part={part} />
        </section>
      ))}
    </div>
  );
}

function Items({ part }: { part: Part }): JSX.Element {
  const { trans } = useHost();
  const shown = part.items.slice(0, SHOWN);
  const more = part.items.length - shown.length;
  if (part.items.every(item => !item.text)) {
    return (
      <p className="cellar-session-names">
        {shown.map(item => (
          <code key={item.name}>{item.name}</code>
        ))}
        {more > 0 && <span>{trans.__('and %1 more', more)}</span>}
      </p>
    );
  }
  return (
    <ul>
      {shown.map((item, index) => (
        <li key={index}>
          {item.name && <code>{item.name}</code>}
          <span className="cellar-session-why">
            {item.text}
            {item.effects?.map(effect => (
              <span key={effect} className="cellar-session-effect">
                {effect}
              </span>
            ))}
          </span>
        </li>
      ))}
      {more > 0 && <li>{trans.__('and %1 more', more)}</li>}
    </ul>
  );
}

/** The question before cells run again: which ones, what they do outside, and what they bring. */
export function ReplayQuestion({ replay }: { replay: Replay }): JSX.Element {
  const { trans } = useHost();
  const cells = replayItems(replay);
  const effects = replay.cells.filter(cell => cell.effects.length > 0).length;
  const cannot = Object.entries(replay.cannot).map(([name, text]) => ({ name, text }));
  const parts: Part[] = [
    { kind: effects ? 'doubt' : 'plain', title: trans.__('Cells, in this order'), items: cells },
    { kind: 'missing', title: trans.__('Not brought back by any cell'), items: cannot }
  ];
  return (
    <>
      <p>
        {trans.__('These values are not stored, and come back when cells run again:')}{' '}
        {replay.brings.map(name => (
          <code key={name}>{name} </code>
        ))}
      </p>
      <p>
        {trans.__('The cells run aside, each from the state that it began with. Your other variables are not touched.')}
        {effects > 0 && ' '}
        {effects > 0 && trans.__('What they do outside of the kernel happens again.')}
      </p>
      <OutcomeParts parts={parts.filter(part => part.items.length > 0)} />
    </>
  );
}
