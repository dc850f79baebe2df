/**
 * Saves an open notebook, whoever it is that writes its file.
 *
 * A notebook that several people have open is written by its server, about a second after an edit; a save beside it may
 * find the file changed, and ask. So the server is asked to write it now.
 *
 * Invariant: true is said only where the file was seen to hold the cells as they were when this was called, or later.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents, ServiceManager } from '@jupyterlab/services';

// The server drops a save for the next edit that it hears of, and says that it was done.
const MOST_TURNS = 10;
const REST_MS = 200;
const ANSWER_MS = 2000;

/** Save; whether the file holds the notebook now. */
export async function saveNotebook(panel: NotebookPanel): Promise<boolean> {
  const { context } = panel;
  if (!context.model.collaborative) {
    await context.save();
    return !context.model.dirty;
  }
  const { _manager, _contentProviderId } = context as unknown as Known;
  const { contents } = _manager;
  for (let turn = 0; turn < MOST_TURNS && !panel.isDisposed; turn++) {
    const wanted = cellsOf(context.model.toJSON() as unknown as Notebook);
    await Promise.race([ask(contents, panel, _contentProviderId), rest(ANSWER_MS)]);
    const file = await contents.get(context.path, { type: 'notebook', format: 'json', content: true });
    if (cellsOf(file.content as Notebook) === wanted) {
      return true;
    }
    await rest(REST_MS);
  }
  return false;
}

/** Ask the server that shares the notebook to write it; it answers when it has, or has dropped that for another save. */
async function ask(contents: Contents.IManager, panel: NotebookPanel, contentProviderId?: string): Promise<void> {
  const { path, model } = panel.context;
  const options = { type: 'notebook' as const, format: 'json' as const, content: model.toJSON(), contentProviderId };
  await contents.save(path, options).catch(() => undefined); // it is looked at what the file holds
}

const rest = (time: number): Promise<void> => new Promise(done => setTimeout(done, time));

const cellsOf = ({ cells }: Notebook): string => JSON.stringify(cells.map(each => [each.cell_type, each.source]));

interface Notebook {
  readonly cells: readonly { readonly cell_type: string; readonly source: string }[];
}

/** What a context knows and does not say: the services, and who provides the content of its file. */
interface Known {
  readonly _manager: ServiceManager.IManager;
  readonly _contentProviderId?: string;
}
