/**
 * Makes an open notebook into another one, cell by cell, as one step that can be undone.
 *
 * Invariant: what stays the same is not touched: its cells keep their DOM, cursor and undo history, and what somebody
 * else types there meanwhile stays. Nothing is written under the notebook: it is saved as a user saves it, so that no
 * dialog about a changed file appears. Not for: recording what was there before (`recordOpened` in `opened.ts` does it).
 */
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { type NotebookJson, type Patched, outputsToCome, patchModel } from './patching_model';
import { saveNotebook } from './saving';

export type { NotebookJson, Patched } from './patching_model';

interface PatchOptions {
  /** Jupyter trusts the notebook that is wanted: its HTML and JavaScript may be shown. Otherwise new outputs are inert. */
  readonly trusted?: boolean;
  /** Save it afterwards; the default. */
  readonly save?: boolean;
}

/**
 * Make the open notebook into `notebook` in one transaction, and save it.
 *
 * Cells are told by their ids. One "undo cell operation" brings back all that was there before. The kernel and the
 * language of the notebook stay those of the kernel that runs. `notebook` is nbformat 4, sources as text or lines.
 */
export async function patchNotebook(
  panel: NotebookPanel,
  notebook: NotebookJson,
  options: PatchOptions = {}
): Promise<Patched> {
  const { content } = panel;
  const model = content.model;
  if (!model) {
    throw new Error('the notebook is closed');
  }
  const active = content.activeCell?.model.id;
  if (!options.trusted) {
    distrust(model, notebook);
  }
  const done = patchModel(model.sharedModel, notebook, { trusted: options.trusted ?? false });
  const index = content.widgets.findIndex(widget => widget.model.id === active);
  if (index >= 0) {
    content.activeCellIndex = index;
  }
  if (options.save ?? true) {
    await saveNotebook(panel);
  }
  return done;
}

/** Before outputs come that nobody trusted, take the trust from the cells that they come to. */
function distrust({ cells, sharedModel }: INotebookModel, notebook: NotebookJson): void {
  for (const index of outputsToCome(sharedModel, notebook)) {
    const cell = cells.get(index) as ICodeCellModel;
    cell.trusted = false;
    cell.sharedModel.deleteMetadata('trusted');
  }
}
