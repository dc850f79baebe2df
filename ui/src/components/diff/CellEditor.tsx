/** An editor for the second side of a pair of cells: what is typed goes to the open notebook, and what is typed there comes. */
import { python } from '@codemirror/lang-python';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { markdown } from '@codemirror/lang-markdown';
import { syntaxHighlighting } from '@codemirror/language';
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { Annotation, EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';
import { useEffect, useRef, useState, type JSX } from 'react';
import { useHost } from '../host';
import { editorNonce } from '../parts/editor_nonce';
import type { Layout } from './SourceDiff';
import type { LiveCell } from './comparing';

const fromElsewhere = Annotation.define<boolean>();

interface CellEditorProps {
  /** What it is compared with as the editor opens; a partner that is found while somebody types does not disturb. */
  readonly before: string | null;
  readonly cell: LiveCell;
  readonly language: string;
  readonly layout: Layout;
  readonly onDone: () => void;
}

export default function CellEditor({ before: known, cell, language, layout, onDone }: CellEditorProps): JSX.Element {
  const { trans } = useHost();
  const [before] = useState(known);
  const place = useRef<HTMLDivElement>(null);
  const done = useRef(onDone);
  done.current = onDone;
  const label = trans.__('Source of the cell in the open notebook');
  useEffect(() => {
    const parent = place.current!;
    const common = look(language);
    const editable: Extension[] = [
      common,
      EditorView.contentAttributes.of({ 'aria-label': label }),
      keymap.of([
        { key: 'Escape', run: () => (done.current(), true) },
        indentWithTab,
        ...historyKeymap,
        ...defaultKeymap
      ]),
      history(),
      EditorView.updateListener.of(update => {
        if (update.docChanged && !update.transactions.some(one => one.annotation(fromElsewhere))) {
          const edits: [number, number, string][] = [];
          update.changes.iterChanges((from, to, _a, _b, text) => edits.push([from, to, text.toString()]));
          edits.reverse().forEach(([from, to, text]) => cell.edit(from, to, text)); // from the end: places before it stay
        }
      })
    ];
    const split = layout === 'split' && before !== null;
    const merge = split
      ? new MergeView({
          parent,
          a: { doc: before, extensions: [common, EditorState.readOnly.of(true), EditorView.editable.of(false)] },
          b: { doc: cell.source(), extensions: editable }
        })
      : null;
    const view =
      merge?.b ??
      new EditorView({
        parent,
        doc: cell.source(),
        extensions: [editable, before === null ? [] : unifiedMergeView({ original: before, mergeControls: false })]
      });
    view.focus();
    const end = cell.subscribe(() => {
      const [now, shown] = [cell.source(), view.state.doc.toString()];
      if (now !== shown) {
        view.dispatch({ changes: change(shown, now), annotations: fromElsewhere.of(true) });
      }
    });
    return () => {
      end();
      (merge ?? view).destroy();
    };
  }, [before, cell, language, layout, label]);
  return (
    <div className="cellar-diff-editor" data-lm-suppress-shortcuts="true">
      <div ref={place} />
      <button type="button" className="cellar-diff-edit" onClick={onDone}>
        {trans.__('Done')}
      </button>
    </div>
  );
}

function look(language: string): Extension {
  return [
    lineNumbers(),
    EditorView.lineWrapping,
    language === 'python' ? python() : language ? [] : markdown(),
    syntaxHighlighting(classHighlighter),
    editorNonce()
  ];
}

/** Return the one stretch in which two texts differ. */
function change(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  const least = Math.min(before.length, after.length);
  while (from < least && before[from] === after[from]) {
    from++;
  }
  let end = 0;
  while (end < least - from && before[before.length - 1 - end] === after[after.length - 1 - end]) {
    end++;
  }
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}
