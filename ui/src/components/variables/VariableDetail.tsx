/** One variable of a commit: all that is known without loading it, its versions, and two of them compared by value. */
import { useMemo, useState } from 'react';
import type { Answer } from '../../wire/client';
import type { Line } from '../../model/variables';
import { short, size, when } from '../../model/words';
import { useHost } from '../host';
import { CloseButton } from '../parts/CloseButton';
import { Icon } from '../parts/icons';
import { useRead } from '../parts/hooks';
import { SessionResult, type SessionChange } from '../parts/SessionResult';
import { Problem } from '../parts/states';
import { VariableChange } from '../values/ValueDiff';

type Event = Answer<'variable-history'>['events'][number];

const MOST_VERSIONS = 200;

interface Props {
  readonly path: string;
  /** The commit whose variable this is. */
  readonly commit: string;
  readonly isNow: boolean;
  readonly line: Line;
  close(): void;
}

export function VariableDetail({ path, commit, isNow, line, close }: Props): JSX.Element {
  const { trans } = useHost();
  const { variable } = line;
  const history = useRead('variable-history', { path, name: variable.name }, variable.version);
  const [before, setBefore] = useState<string | null>(null);
  const bring = useBringBack(path, variable.name);
  const own = history.value?.events.find(event => event.after?.version === variable.version);
  const versions = useMemo(() => history.value?.events ?? [], [history.value]);
  return (
    <>
      <div className="cellar-toolbar">
        <code className="cellar-name">{variable.name}</code>
        <span className="cellar-soft cellar-cut">{variable.type}</span>
        {!isNow && (
          <button className="cellar-button cellar-is-main" onClick={() => bring.run(commit)}>
            <Icon name="bring" /> {trans.__('Bring back')}
          </button>
        )}
        <CloseButton close={close} />
      </div>
      {bring.outcome}
      <div className="cellar-scroll">
        <div className="cellar-detail">
          <pre tabIndex={0}>{variable.preview}</pre>
          <Facts line={line} />
          {before !== null && (
            <Compared path={path} name={variable.name} before={before} after={commit} close={() => setBefore(null)} />
          )}
          {history.error !== null && <Problem error={history.error} again={history.again} />}
          <h3>{trans.__('Versions')}</h3>
          {history.isLoading && !history.value && (
            <p className="cellar-soft">{trans.__('Looking through the history …')}</p>
          )}
          <ol className="cellar-versions" aria-label={trans.__('Versions of %1', variable.name)}>
            {versions.slice(0, MOST_VERSIONS).map(event => (
              <Version
                key={event.commit.id}
                event={event}
                isOwn={event === own}
                compare={setBefore}
                bring={bring.run}
              />
            ))}
          </ol>
          {versions.length > MOST_VERSIONS && (
            <p className="cellar-soft">{trans.__('and %1 older ones', versions.length - MOST_VERSIONS)}</p>
          )}
        </div>
      </div>
    </>
  );
}

function Facts({ line }: { line: Line }): JSX.Element {
  const { trans } = useHost();
  const { variable } = line;
  return (
    <>
      <p className="cellar-soft">
        {size(variable.size_bytes)}
        {variable.together_bytes > 0 && `, ${trans.__('together %1', size(variable.together_bytes))}`}
        {variable.shares_with.length > 0 && ` · ${trans.__('shares memory with %1', variable.shares_with.join(', '))}`}
      </p>
      {!variable.stored && <p className="cellar-warn">{trans.__('not stored: %1', variable.reason)}</p>}
      {variable.uncertain && <p className="cellar-warn">{variable.uncertain}</p>}
    </>
  );
}

interface VersionProps {
  readonly event: Event;
  readonly isOwn: boolean;
  compare(commit: string): void;
  bring(commit: string): void;
}

function Version({ event, isOwn, compare, bring }: VersionProps): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const { commit } = event;
  const words = { created: trans.__('created'), changed: trans.__('changed'), deleted: trans.__('deleted') }[
    event.change
  ];
  const code = event.source.split('\n').find(text => text.trim()) ?? commit.title;
  return (
    <li className={isOwn ? 'cellar-is-own' : ''}>
      <div className="cellar-version-head">
        <span
          className={`cellar-is-${event.change === 'created' ? 'added' : event.change === 'deleted' ? 'removed' : 'changed'}`}
        >
          {words}
        </span>
        <code>{commit.execution_count !== null ? `[${commit.execution_count}]` : commit.kind}</code>
        <span className="cellar-soft">{when(commit.time)}</span>
        {event.back_to && <span className="cellar-soft">{trans.__('as in %1', short(event.back_to))}</span>}
        <span className="cellar-at-end">
          {event.after && !isOwn && (
            <>
              <button
                className="cellar-button cellar-is-small"
                aria-label={trans.__('Compare')}
                title={trans.__('Compare')}
                onClick={() => compare(commit.id)}
              >
                <Icon name="compare" /> <span className="cellar-if-wide">{trans.__('Compare')}</span>
              </button>
              <button
                className="cellar-button cellar-is-small"
                aria-label={trans.__('Bring back')}
                title={trans.__('Bring back')}
                onClick={() => bring(commit.id)}
              >
                <Icon name="bring" /> <span className="cellar-if-wide">{trans.__('Bring back')}</span>
              </button>
            </>
          )}
          {isOwn && <span className="cellar-chip">{trans.__('shown')}</span>}
        </span>
      </div>
      <code className="cellar-variable-preview">{event.after?.preview ?? event.before?.preview}</code>
      {host.showEntry ? (
        <button
          className="cellar-link"
          onClick={() => host.showEntry!(commit.id)}
          title={trans.__('Show in the history')}
        >
          {code}
        </button>
      ) : (
        <code className="cellar-soft cellar-cut">{code}</code>
      )}
    </li>
  );
}

interface ComparedProps {
  readonly path: string;
  readonly name: string;
  readonly before: string;
  readonly after: string;
  close(): void;
}

function Compared({ path, name, before, after, close }: ComparedProps): JSX.Element {
  const { trans } = useHost();
  const read = useRead('diff-commits', { path, before, after, names: name });
  const found = read.value?.variables.find(variable => variable.name === name);
  return (
    <section className="cellar-compared" aria-label={trans.__('comparison of %1', name)} aria-busy={read.isLoading}>
      <div className="cellar-version-head">
        <strong>
          {short(before)} → {short(after)}
        </strong>
        <button className="cellar-button cellar-is-small cellar-at-end" onClick={close}>
          {trans.__('Close')}
        </button>
      </div>
      {read.error !== null && <Problem error={read.error} again={read.again} />}
      {read.isLoading && !read.value && <p className="cellar-soft">{trans.__('Comparing …')}</p>}
      {found && <VariableChange variable={found} open />}
      {read.value && !found && <p>{trans.__('Equal by value.')}</p>}
    </section>
  );
}

/** Bring one variable of a commit into the session as it is, and say what came of it. */
function useBringBack(path: string, name: string): { run(commit: string): void; outcome: JSX.Element | null } {
  const { backend, trans } = useHost();
  const [done, setDone] = useState<SessionChange | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const run = (commit: string) => {
    setBusy(true);
    setDone(null);
    setError(null);
    backend
      .post('checkout', { path, ref: commit, names: [name] })
      .then(setDone, setError)
      .finally(() => setBusy(false));
  };
  const outcome = isBusy ? (
    <div className="cellar-result" role="status">
      {trans.__('Bringing back %1 …', name)}
    </div>
  ) : done ? (
    <SessionResult done={done} close={() => setDone(null)} />
  ) : error !== null ? (
    <div className="cellar-result">
      <Problem error={error} />
    </div>
  ) : null;
  return { run, outcome };
}
