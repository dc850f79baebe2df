/** The conflicts of a notebook, open and decided, and what the merge left out. */
import type { JSX } from 'react';
import { sourceOf, type CellLike, type Deciding, type MergeConflict, type MergeDropped } from '../../model/merge';
import { useHost, type Words } from '../host';

interface Props {
  readonly state: Deciding;
  readonly onShow: (id: string) => void;
  readonly onToggleBack: (id: string) => void;
}

export function ConflictList({ state, onShow, onToggleBack }: Props): JSX.Element {
  const { trans } = useHost();
  const { conflicts, dropped, repairs, warnings, hidden } = state.look;
  return (
    <nav className="cellar-merge-list" aria-label={trans.__('Conflicts')}>
      <h2>{trans.__('Conflicts')}</h2>
      <ol>
        {conflicts.map(conflict => (
          <li key={conflict.id}>
            <button
              type="button"
              aria-current={conflict.id === state.current ? 'true' : undefined}
              onClick={() => onShow(conflict.id)}
              data-decided={state.decisions.get(conflict.id)?.pick}
            >
              <span className="cellar-merge-dot" aria-hidden="true" />
              <span className="cellar-merge-what">
                <b>{placeOf(trans, conflict)}</b> {aboutOf(trans, conflict)}
              </span>
              <span className="cellar-merge-state">{state.decisions.get(conflict.id)?.pick ?? trans.__('open')}</span>
              <code className="cellar-merge-first">{firstLine(conflict)}</code>
            </button>
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <p>
          {trans._n(
            '1 more conflict lies inside of these; it shows when they are decided and saved.',
            '%1 more conflicts lie inside of these; they show when they are decided and saved.',
            hidden
          )}
        </p>
      )}
      {dropped.length > 0 && (
        <>
          <h2>{trans.__('Left out by the merge')}</h2>
          <ul className="cellar-merge-dropped">
            {dropped.map(entry => (
              <Dropped
                key={entry.id}
                entry={entry}
                back={state.back.has(entry.id)}
                onToggle={() => onToggleBack(entry.id)}
              />
            ))}
          </ul>
        </>
      )}
      {repairs.length > 0 && (
        <>
          <h2>{trans.__('Mended before merging')}</h2>
          <ul>
            {repairs.map((text, at) => (
              <li key={at}>{text}</li>
            ))}
          </ul>
        </>
      )}
      {warnings.length > 0 && (
        <>
          <h2>{trans.__('To look at in the pipeline')}</h2>
          <ul>
            {warnings.map((text, at) => (
              <li key={at}>{text}</li>
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function Dropped({
  entry,
  back,
  onToggle
}: {
  readonly entry: MergeDropped;
  readonly back: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { trans } = useHost();
  const where = entry.cell ? trans.__('cell %1 of %2', entry.cell, entry.side) : trans.__('notebook of %1', entry.side);
  return (
    <li>
      <label title={entry.reason}>
        <input type="checkbox" checked={back} onChange={onToggle} />
        <span>
          {trans.__('Bring back %1', entry.what)}
          <small>
            {where}: {entry.reason}
          </small>
        </span>
      </label>
    </li>
  );
}

export function placeOf(trans: Words, conflict: MergeConflict): string {
  const names: Record<string, string> = { notebook: trans.__('Notebook'), structure: trans.__('Pipeline') };
  return names[conflict.kind] ?? trans.__('Cell %1', conflict.cell);
}

export function aboutOf(trans: Words, conflict: MergeConflict): string {
  if (conflict.said) {
    return conflict.said;
  }
  const [first] = conflict.what;
  if (first === 'deleted by ours') {
    return trans.__('deleted by ours, changed by theirs');
  }
  if (first === 'deleted by theirs') {
    return trans.__('changed by ours, deleted by theirs');
  }
  return conflict.what.join(', ');
}

function firstLine(conflict: MergeConflict): string {
  const source = sourceOf(conflict.ours as CellLike[]) ?? sourceOf(conflict.theirs as CellLike[]) ?? '';
  return source.trimStart().split('\n', 1)[0]!.slice(0, 200);
}
