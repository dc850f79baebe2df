/** An editor of one cell's source, in the colours of the theme. */
import { markdown } from '@codemirror/lang-markdown';
import { python } from '@codemirror/lang-python';
import { bracketMatching, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';
import { useEffect, useRef, type JSX } from 'react';
import { editorNonce } from '../parts/editor_nonce';

interface Props {
  readonly source: string;
  readonly type: string;
  readonly label: string;
  readonly onChange: (source: string) => void;
  /** Leave the editor by the keyboard: Escape. */
  readonly onLeave: () => void;
  readonly focused: boolean;
}

export function Editor({ source, type, label, onChange, onLeave, focused }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>();
  const tell = useRef({ onChange, onLeave });
  tell.current = { onChange, onLeave };
  useEffect(() => {
    const made = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: source,
        extensions: [
          editorNonce(),
          lineNumbers(),
          history(),
          bracketMatching(),
          indentOnInput(),
          type === 'markdown' ? markdown() : type === 'code' ? python() : [],
          syntaxHighlighting(classHighlighter),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label }),
          keymap.of([
            { key: 'Escape', run: () => (tell.current.onLeave(), true) },
            indentWithTab,
            ...defaultKeymap,
            ...historyKeymap
          ]),
          EditorView.updateListener.of(update => {
            if (update.docChanged) {
              tell.current.onChange(update.state.doc.toString());
            }
          })
        ]
      })
    });
    view.current = made;
    return () => made.destroy();
    // A new editor for another kind of cell; its text follows below.
  }, [type, label]);
  useEffect(() => {
    const state = view.current!.state;
    if (state.doc.toString() !== source) {
      view.current!.dispatch({ changes: { from: 0, to: state.doc.length, insert: source } });
    }
  }, [source]);
  useEffect(() => {
    if (focused) {
      view.current!.focus();
    }
  }, [focused]);
  return <div className="cellar-merge-editor" ref={place} />;
}
