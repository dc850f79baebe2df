/** Where the merge stands, and what can be done with all of it. */
import type { JSX } from 'react';
import { openCount, isDirty, type Deciding, type Side } from '../../model/merge';
import { useHost, type Words } from '../host';

interface Props {
  readonly state: Deciding;
  readonly busy: boolean;
  readonly preview: boolean;
  readonly saveLabel: string;
  readonly onGo: (by: 1 | -1) => void;
  readonly onUndo: () => void;
  readonly onAll: (side: Side) => void;
  readonly onPreview: () => void;
  readonly onSave: () => void;
  readonly onEnd: (() => void) | undefined;
}

export function Toolbar(props: Props): JSX.Element {
  const { state } = props;
  const { trans } = useHost();
  const { look } = state;
  const open = openCount(state);
  const none = !look.conflicts.length;
  return (
    <header className="cellar-merge-bar">
      <h1 title={look.target}>
        {look.target} <small>{standing(trans, state)}</small>
      </h1>
      {(look.state === 'marked' || props.onEnd) && (
        <div role="toolbar" aria-label={trans.__('Merge')}>
          <button type="button" onClick={() => props.onGo(-1)} disabled={none} aria-keyshortcuts="p">
            {trans.__('Previous')}
            <kbd aria-hidden="true">p</kbd>
          </button>
          <button type="button" onClick={() => props.onGo(1)} disabled={none} aria-keyshortcuts="n">
            {trans.__('Next')}
            <kbd aria-hidden="true">n</kbd>
          </button>
          <button type="button" onClick={props.onUndo} disabled={!state.before.length} aria-keyshortcuts="u">
            {trans.__('Undo')}
            <kbd aria-hidden="true">u</kbd>
          </button>
          <button type="button" onClick={() => props.onAll('ours')} disabled={none}>
            {trans.__('All ours')}
          </button>
          <button type="button" onClick={() => props.onAll('theirs')} disabled={none}>
            {trans.__('All theirs')}
          </button>
          <button type="button" onClick={props.onPreview} aria-pressed={props.preview} aria-keyshortcuts="r">
            {trans.__('Whole result')}
            <kbd aria-hidden="true">r</kbd>
          </button>
          <button
            type="button"
            className="cellar-merge-save"
            onClick={props.onSave}
            disabled={props.busy || (!isDirty(state) && !props.onEnd)}
            aria-keyshortcuts="Control+S"
          >
            {open ? trans._n('%2 (1 left open)', '%2 (%1 left open)', open, props.saveLabel) : props.saveLabel}
          </button>
          {props.onEnd && (
            <button type="button" onClick={props.onEnd}>
              {trans.__('Close')}
            </button>
          )}
        </div>
      )}
    </header>
  );
}

function standing(trans: Words, { look, decisions }: Deciding): string {
  const count = look.conflicts.length;
  const { operation, in_conflict } = look.git;
  const names: Record<string, string> = {
    merge: trans.__('in the midst of a merge'),
    rebase: trans.__('in the midst of a rebase'),
    'cherry-pick': trans.__('in the midst of a cherry-pick'),
    revert: trans.__('in the midst of a revert')
  };
  const decided = count ? trans.__('%1 of %2 decided', decisions.size, count) : '';
  const git = in_conflict ? (names[operation] ?? trans.__('in conflict for git')) : '';
  return [git, decided].filter(Boolean).join(' · ');
}
