/**
 * A checkout of code into the open notebook.
 *
 * Invariant: what is replaced was recorded as it was at that very moment, with edits that were not saved.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { JSONExt, type PartialJSONObject } from '@lumino/coreutils';
import type { Client } from '../wire/client';
import { type NotebookJson, type Patched, patchNotebook } from './patching';

export interface CodeBack {
  readonly patched: Patched;
  /** The commit that holds the notebook as it was, "" where it had been recorded before. */
  readonly before: string;
}

// Somebody who types without a pause in another tab has the last word: then what came meanwhile is merged by the model.
const MOST_TURNS = 5;

/** Record the open notebook, then make it into that of a commit, and save it. */
export async function checkoutCode(client: Client, panel: NotebookPanel, path: string, ref: string): Promise<CodeBack> {
  const { notebook, trusted } = await client.read('document', { path, ref });
  const before = await recordOpened(client, panel, path, 'the notebook before a checkout of code');
  const patched = await patchNotebook(panel, notebook as unknown as NotebookJson, { trusted });
  return { patched, before };
}

/** Record a notebook as it is open, until nothing changed meanwhile; return the commit, "" where there is no new one. */
export async function recordOpened(
  client: Client,
  panel: NotebookPanel,
  path: string,
  message: string
): Promise<string> {
  let commit = '';
  let recorded: PartialJSONObject | undefined;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const { model } = panel.content;
    if (!model) {
      throw new Error('the notebook is closed');
    }
    const notebook = model.toJSON() as unknown as PartialJSONObject;
    if (recorded && JSONExt.deepEqual(recorded, notebook)) {
      break;
    }
    recorded = notebook;
    commit = (await client.post('record-document', { path, notebook, message })).commit || commit;
  }
  return commit;
}
