/** What changed in one cell since a version of its notebook, below the cell, with what can be done about it. */
import { useEffect, useRef, type JSX } from 'react';
import { unifiedMergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import type { MarkKind } from '../../model/marks';
import { useHost } from '../host';
import { editorNonce } from '../parts/editor_nonce';

interface CellPeekProps {
  readonly mark: MarkKind | 'removed';
  readonly moved?: boolean;
  /** What the version is called. */
  readonly version: string;
  /** The sources; null where the cell is not there. */
  readonly before: string | null;
  readonly after: string | null;
  /** Colours of the language. */
  readonly extensions?: readonly Extension[];
  readonly onRevert: () => void;
  readonly onStage?: () => void;
  readonly onPrevious: () => void;
  readonly onNext: () => void;
  readonly onClose: () => void;
}

export function CellPeek(props: CellPeekProps): JSX.Element {
  const { trans } = useHost();
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <section
      className="cellar-gutter-peek"
      role="region"
      aria-label={trans.__('Change of this cell since %1', props.version)}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onClose();
        }
      }}
    >
      <header>
        <span className={`cellar-gutter-word cellar-mod-${props.mark}`}>{title(props, trans)}</span>
        <span className="cellar-gutter-actions">
          <button ref={first} type="button" onClick={props.onRevert}>
            {props.mark === 'removed' ? trans.__('Bring back') : trans.__('Revert')}
          </button>
          {props.onStage && (
            <button type="button" onClick={props.onStage} title={trans.__('Put this change into git’s index')}>
              {trans.__('Stage')}
            </button>
          )}
          <button type="button" onClick={props.onPrevious} aria-label={trans.__('Previous change')}>
            ↑
          </button>
          <button type="button" onClick={props.onNext} aria-label={trans.__('Next change')}>
            ↓
          </button>
          <button type="button" onClick={props.onClose} aria-label={trans.__('Close')}>
            ×
          </button>
        </span>
      </header>
      {props.before === props.after ? null : <Sources {...props} />}
    </section>
  );
}

function title(props: CellPeekProps, trans: ReturnType<typeof useHost>['trans']): string {
  const words = {
    added: trans.__('Added since %1', props.version),
    changed: trans.__('Changed since %1', props.version),
    moved: trans.__('Moved since %1', props.version),
    outputs: trans.__('Other outputs than in %1', props.version),
    metadata: trans.__('Other metadata than in %1', props.version),
    removed: trans.__('Removed since %1', props.version)
  };
  return props.moved && props.mark !== 'moved' ? trans.__('%1, and moved', words[props.mark]) : words[props.mark];
}

/** The sources as one text with what was taken out and put in; it follows the cell as it is typed in. */
function Sources({ before, after, extensions = [] }: CellPeekProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) {
      return;
    }
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: after ?? '',
        extensions: [
          editorNonce(),
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.lineWrapping,
          unifiedMergeView({ original: before ?? '', mergeControls: false, gutter: false, highlightChanges: true }),
          ...extensions
        ]
      })
    });
    return () => view.destroy();
  }, [before, after, extensions]);
  return <div ref={place} className="cellar-gutter-sources" />;
}
