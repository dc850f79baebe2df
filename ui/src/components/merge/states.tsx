/** What is said when there is no conflict to show: after a save, and of a file that git left otherwise. */
import type { JSX } from 'react';
import type { MergeLook, MergeSaved } from '../../model/merge';
import { useHost } from '../host';

export function Saved({ saved }: { readonly saved: MergeSaved }): JSX.Element {
  const { trans } = useHost();
  const { left, resolved, problem, git } = saved;
  return (
    <p className="cellar-merge-saved" role="status" data-left={left || undefined}>
      {left > 0
        ? trans._n('Saved; 1 conflict is left.', 'Saved; %1 conflicts are left.', left)
        : resolved
          ? trans.__('Saved, and marked as resolved for git.')
          : trans.__('Saved; nothing is left to decide.')}
      {problem && <> {trans.__('Git was not told: %1.', problem)}</>}
      {!left && git.others > 0 && (
        <> {trans._n('1 other file is in conflict.', '%1 other files are in conflict.', git.others)}</>
      )}
      {!left && !git.others && git.next && (
        <>
          {' '}
          {trans.__('To go on:')} <code>{git.next}</code>
        </>
      )}
      {saved.recorded && (
        <>
          {' '}
          {trans.__('The file as it was comes back with:')}{' '}
          <code>cellar checkout --code {saved.recorded.slice(0, 8)}</code>
        </>
      )}
    </p>
  );
}

interface Props {
  readonly look: MergeLook;
  readonly busy: boolean;
  readonly onAgain: () => void;
  readonly onResolve: () => void;
}

/** A file without marked cells: as text with git's own marks, as one side alone, or decided already. */
export function NoMarks({ look, busy, onAgain, onResolve }: Props): JSX.Element {
  const { trans } = useHost();
  const { state, marks, anew, holds, git } = look;
  if (state === 'text') {
    return (
      <div className="cellar-merge-text">
        <p>
          {trans._n(
            'Git left 1 conflict as text in the file, so no program can open it as a notebook.',
            'Git left %1 conflicts as text in the file, so no program can open it as a notebook.',
            marks
          )}
        </p>
        <p>{trans.__('Its versions can be merged again, cell by cell; what is left to decide shows here then.')}</p>
        <button type="button" className="cellar-merge-save" disabled={busy} onClick={onAgain}>
          {trans.__('Merge again, cell by cell')}
        </button>
      </div>
    );
  }
  if (!git.in_conflict) {
    return <p className="cellar-merge-hint">{trans.__('Nothing is left to decide.')}</p>;
  }
  return (
    <div className="cellar-merge-text">
      <p>
        {holds
          ? trans.__('The file holds %1 alone, and git counts it as in conflict.', holds)
          : trans.__('The file has no conflict left, but git still counts it as in conflict.')}
      </p>
      <p>
        <button type="button" className={holds ? '' : 'cellar-merge-save'} disabled={busy} onClick={onResolve}>
          {trans.__('Mark as resolved')}
        </button>{' '}
        {anew !== null && (
          <button type="button" className={holds ? 'cellar-merge-save' : ''} disabled={busy} onClick={onAgain}>
            {anew
              ? trans._n('Merge again (1 conflict)', 'Merge again (%1 conflicts)', anew)
              : trans.__('Merge again (no conflict)')}
          </button>
        )}
      </p>
    </div>
  );
}
