/**
 * The merge of a notebook that is open: what is decided comes into the shared model in one step, then it is saved.
 *
 * Invariant: decisions are made of the notebook as it is at that moment, so that nothing typed meanwhile is lost.
 */
import type { CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Asked, MergeSource } from '../components/merge/source';
import type { MergeLook, MergeResult, MergeSaved } from '../model/merge';
import { isOpenMark } from '../model/merge_marks';
import { whileUnchanged } from '../model/unchanged';
import { CellarError, type Client } from '../wire/client';
import { recordOpened } from './opened';
import { patchNotebook, type NotebookJson } from './patching';
import { saveNotebook } from './saving';

const QUIET_MS = 250;

/** True if a decision is left in the notebook as it is open. */
export function hasMarks(panel: NotebookPanel): boolean {
  const cells = panel.model?.cells;
  for (let at = 0; at < (cells?.length ?? 0); at++) {
    if (isOpenMark(cells!.get(at).getMetadata('cellar'))) {
      return true;
    }
  }
  return false;
}

/** Record the notebook as it is open; return the commit, "" if it was recorded already, null where Cellar does not. */
export async function recordFirst(client: Client, panel: NotebookPanel, path: string): Promise<string | null> {
  try {
    return await recordOpened(client, panel, path, 'the notebook before its conflicts were decided');
  } catch (error) {
    if (error instanceof CellarError && error.status === 404) {
      return null; // no repository, or nothing of this notebook in it
    }
    throw error;
  }
}

export class OpenMerge implements MergeSource {
  constructor(
    private readonly backend: Client,
    private readonly panel: NotebookPanel,
    private readonly path: () => string
  ) {}

  /** It is being saved from here, so that what is said about that is said here. */
  get isSaving(): boolean {
    return this.saving > 0;
  }

  async look(signal?: AbortSignal): Promise<MergeLook> {
    await this.panel.context.ready;
    return this.backend.post('merge-live', { path: this.path(), notebook: this.json() }, signal);
  }

  result(asked: Asked): Promise<MergeResult> {
    return this.backend.post('merge-result', { path: this.path(), notebook: this.json(), shown: true, ...asked });
  }

  async save(_: MergeLook, asked: Asked): Promise<MergeSaved> {
    const ready = await whileUnchanged(
      () => this.json(),
      async notebook => {
        const recorded = await recordFirst(this.backend, this.panel, this.path());
        return { recorded, made: await this.backend.post('merge-result', { path: this.path(), notebook, ...asked }) };
      }
    );
    if (!ready) {
      throw new CellarError('the notebook is being changed', 'conflict', 'save again when its cells have run');
    }
    const trusted = !asked.back.length && this.isTrusted();
    await patchNotebook(this.panel, ready.made.notebook as unknown as NotebookJson, { trusted, save: false });
    return { ...(await this.resolve()), recorded: ready.recorded ?? '' };
  }

  async again(look: MergeLook): Promise<void> {
    if (look.state === 'text') {
      throw new CellarError('the file holds conflicts as text', 'conflict', 'load it from disk first');
    }
    const made = await this.backend.read('merge-anew', { path: this.path() });
    await recordFirst(this.backend, this.panel, this.path()); // last: what is typed until then is recorded, too
    await patchNotebook(this.panel, made.notebook as unknown as NotebookJson, { save: false });
  }

  async resolve(): Promise<MergeSaved> {
    this.saving++;
    try {
      if (!(await saveNotebook(this.panel))) {
        throw new CellarError('the notebook could not be saved', 'not-saved', 'save it, then git can be told');
      }
      return await this.backend.post('merge-resolved', { path: this.path() });
    } finally {
      this.saving--;
    }
  }

  subscribe(changed: () => void): () => void {
    let known = this.signature();
    let timer = 0;
    const later = (): void => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        const now = this.signature();
        if (now !== known) {
          known = now;
          changed();
        }
      }, QUIET_MS);
    };
    this.panel.model?.contentChanged.connect(later);
    const end = this.backend.subscribe(this.path(), event => {
      if (event.event === 'git' || event.event === 'hello') {
        changed();
      }
    });
    return () => {
      window.clearTimeout(timer);
      this.panel.model?.contentChanged.disconnect(later);
      end();
    };
  }

  private json(): object {
    return this.panel.model!.toJSON() as object;
  }

  /** What the conflicts look like: another one when a marked cell was edited, moved or deleted. */
  private signature(): string {
    const cells = this.panel.model?.cells;
    const marked: unknown[] = [];
    for (let at = 0; at < (cells?.length ?? 0); at++) {
      const cell = cells!.get(at);
      const held = cell.getMetadata('cellar') as { conflict?: unknown } | undefined;
      if (held?.conflict) {
        marked.push([at, held, cell.sharedModel.getSource(), cell.type]);
      }
    }
    return JSON.stringify(marked);
  }

  /** Jupyter trusts all outputs that are there; what is decided has no others. */
  private isTrusted(): boolean {
    return this.panel.content.widgets.every(
      widget =>
        widget.model.type !== 'code' || (widget as CodeCell).model.trusted || !(widget as CodeCell).model.outputs.length
    );
  }

  private saving = 0;
}
