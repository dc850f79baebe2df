/** What the page's strict policy asks of an editor; apart from `nonce.ts`, which is loaded before any editor is. */
import { EditorView } from '@codemirror/view';
import { styleNonce } from './nonce';

/** Return the extension that every editor needs here. */
export function editorNonce() {
  return EditorView.cspNonce.of(styleNonce());
}
