/** The commits of git's that touched a notebook, and which of its cells changed in each. */
import { useCallback, useEffect, useState, type JSX } from 'react';
import type { components } from '../../wire/generated/types';
import { CellarError } from '../../wire/client';
import { useHost } from '../host';

export type TouchingCommit = components['schemas']['TouchingCommit'];

export interface GitLogProps {
  /** The notebook, below the server's root. */
  readonly path: string;
  /** Show what a commit changed. */
  readonly onDiff?: (commit: TouchingCommit) => void;
  /** Show what the notebook being edited differs in from a commit. */
  readonly onCompare?: (commit: TouchingCommit) => void;
  readonly onOpen?: (commit: TouchingCommit) => void;
  readonly onBranch?: (commit: TouchingCommit) => void;
}

const AT_A_TIME = 50;

export function GitLog(props: GitLogProps): JSX.Element {
  const { path } = props;
  const { backend, trans } = useHost();
  const [limit, setLimit] = useState(AT_A_TIME);
  const [commits, setCommits] = useState<readonly TouchingCommit[] | null>(null);
  const [error, setError] = useState<CellarError | null>(null);

  const load = useCallback(
    (signal: AbortSignal) =>
      backend
        .read('git-log', { path, limit }, signal)
        .then(found => {
          if (!signal.aborted) {
            setCommits(found.commits);
            setError(null);
          }
        })
        .catch((reason: unknown) => {
          if (!signal.aborted) {
            setError(reason instanceof CellarError ? reason : new CellarError(String(reason), 'unknown'));
          }
        }),
    [backend, path, limit]
  );
  useEffect(() => setCommits(null), [path]);
  useEffect(() => {
    let stop = new AbortController();
    const again = (): void => {
      stop.abort(); // an answer that comes late is older
      stop = new AbortController();
      void load(stop.signal);
    };
    again();
    const end = backend.subscribe(path, ({ event }) => (event === 'git' || event === 'hello') && again());
    return () => {
      stop.abort();
      end();
    };
  }, [backend, path, load]);

  if (error) {
    return (
      <p className="cellar-git-empty" role="status">
        {error.code === 'no-repository' ? trans.__('This notebook is in no git repository.') : error.message}
        {error.hint && <span>{error.hint}</span>}
      </p>
    );
  }
  if (commits === null) {
    return <p className="cellar-git-empty">{trans.__('Asking git …')}</p>;
  }
  if (commits.length === 0) {
    return <p className="cellar-git-empty">{trans.__('No commit has this notebook yet.')}</p>;
  }
  return (
    <div className="cellar-git-log">
      <ol aria-label={trans.__('Commits that changed this notebook')}>
        {commits.map(commit => (
          <Commit key={commit.commit} commit={commit} {...props} />
        ))}
      </ol>
      {commits.length >= limit && (
        <button type="button" className="cellar-git-more" onClick={() => setLimit(limit + AT_A_TIME)}>
          {trans.__('Older commits')}
        </button>
      )}
    </div>
  );
}

function Commit({
  commit,
  onDiff,
  onCompare,
  onOpen,
  onBranch
}: GitLogProps & { commit: TouchingCommit }): JSX.Element {
  const { trans } = useHost();
  const short = commit.commit.slice(0, 8);
  const added = !commit.old;
  return (
    <li className="cellar-git-commit">
      <div className="cellar-git-title">{commit.title || trans.__('(no message)')}</div>
      <div className="cellar-git-who">
        <code>{short}</code> {commit.author} · <time dateTime={commit.moment}>{when(commit.moment)}</time>
        {commit.old_path && <span> · {trans.__('renamed from %1', commit.old_path)}</span>}
      </div>
      <ul className="cellar-git-changes">
        {(commit.changes ?? []).map((line, place) => (
          <li key={place}>{line}</li>
        ))}
      </ul>
      <div className="cellar-git-actions">
        {onDiff && !added && (
          <button type="button" onClick={() => onDiff(commit)}>
            {trans.__('Changes')}
          </button>
        )}
        {onCompare && (
          <button type="button" onClick={() => onCompare(commit)}>
            {trans.__('Compare with now')}
          </button>
        )}
        {onOpen && (
          <button type="button" onClick={() => onOpen(commit)}>
            {trans.__('Open')}
          </button>
        )}
        {onBranch && (
          <button type="button" onClick={() => onBranch(commit)}>
            {trans.__('Branch …')}
          </button>
        )}
      </div>
    </li>
  );
}

function when(moment: string): string {
  return new Date(moment).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
