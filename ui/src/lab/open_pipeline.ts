/**
 * The notebook that is open, as the panel Pipeline needs it.
 *
 * Invariant: an edit is one step of the notebook's undo, and is made only where the cells concerned say what they said
 * when it was asked for; nothing is written but by a save.
 */
import type { ISharedNotebook, YNotebook } from '@jupyter/ydoc';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { JSONExt } from '@lumino/coreutils';
import type { Edited, Imported, Moment, OpenNotebook } from '../components/pipeline/open';
import { CellarError } from '../wire/client';
import { type NotebookJson, patchNotebook } from './patching';
import type { CellJson } from './patching_model';
import { saveNotebook } from './saving';
import type { Cellar } from './tokens';

const KEY = 'cellar';
const FIRST_MINOR_WITH_IDS = 5;

export class OpenPipeline implements OpenNotebook {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly cellar: Cellar,
    private readonly panel: NotebookPanel
  ) {}

  moment(): Moment | null {
    const shared = this.shared;
    if (!shared) {
      return null;
    }
    const { nbformat, nbformat_minor } = shared;
    const hasIds = nbformat > 4 || nbformat_minor >= 5;
    const ids = shared.cells.map(cell => cell.getId());
    const cells = shared.cells.map((cell, at) => ({
      cell_type: cell.cell_type,
      ...(hasIds ? { id: ids[at] } : {}),
      metadata: cell.getMetadata(),
      source: cell.getSource()
    }));
    return { notebook: { cells, metadata: shared.getMetadata(), nbformat, nbformat_minor }, ids };
  }

  subscribe(tell: (isSaved: boolean) => void): () => void {
    return followChanges(this.panel, tell);
  }

  async change(edited: Edited, sent: Moment): Promise<void> {
    const shared = this.shared;
    if (!shared) {
      return;
    }
    const now = shared.toJSON() as unknown as NotebookJson;
    const before = sent.notebook as NotebookJson;
    const ids = shared.cells.map(cell => cell.getId());
    const places = edited.cells.map(({ place }) => ids.indexOf(sent.ids[place] ?? ''));
    const isSame = edited.cells.every(({ place }, at) => {
      const cell = now.cells[places[at]!];
      return cell !== undefined && isEqual(cell.metadata?.[KEY], before.cells[place]?.metadata?.[KEY]);
    });
    if (!isSame || (edited.notebook && !isEqual(now.metadata[KEY], before.metadata[KEY]))) {
      throw this.changedMeanwhile();
    }
    const cells = now.cells.map((cell, at) => {
      const change = edited.cells[places.indexOf(at)];
      return change ? { ...cell, metadata: having(cell.metadata ?? {}, change.cellar) } : cell;
    });
    const metadata = edited.notebook ? having(now.metadata, edited.notebook.cellar) : now.metadata;
    await patchNotebook(this.panel, { ...now, cells, metadata } as NotebookJson, { save: false });
  }

  whole(hasIds: boolean): Moment | null {
    const moment = this.moment();
    const shared = this.shared;
    if (!moment || !shared) {
      return null;
    }
    const plain = moment.notebook as NotebookJson;
    const json = shared.toJSON() as unknown as NotebookJson;
    const cells = plain.cells.map((cell, at) => {
      const { attachments } = json.cells[at]!;
      return { ...cell, ...(attachments ? { attachments } : {}), ...(hasIds ? { id: moment.ids[at]! } : {}) };
    });
    const nbformat_minor = hasIds ? Math.max(plain.nbformat_minor, FIRST_MINOR_WITH_IDS) : plain.nbformat_minor;
    return { notebook: { ...plain, cells, nbformat_minor }, ids: moment.ids };
  }

  async take(imported: Imported, sent: Moment): Promise<void> {
    const shared = this.shared;
    if (!shared) {
      return;
    }
    if (!isEqual(this.whole(true)?.notebook, sent.notebook)) {
      throw this.changedMeanwhile();
    }
    const now = shared.toJSON() as unknown as NotebookJson;
    const ids = sent.ids;
    const cells = imported.cells.map(({ place, cell }): CellJson => {
      const there = place === null ? null : { ...now.cells[place]!, id: ids[place]! };
      if (!cell) {
        return there!;
      }
      const wanted = cell as unknown as CellJson;
      const isSame = there?.cell_type === 'code' && there.source === wanted.source;
      return isSame ? { ...wanted, outputs: there.outputs, execution_count: there.execution_count } : wanted;
    });
    const nbformat_minor = (sent.notebook as NotebookJson).nbformat_minor;
    const metadata = having(now.metadata, imported.cellar);
    await patchNotebook(this.panel, { ...now, cells, metadata, nbformat_minor } as NotebookJson, { save: false });
  }

  private changedMeanwhile(): CellarError {
    return new CellarError(this.cellar.trans.__('The notebook changed meanwhile. Try again.'), 'conflict');
  }

  active(): string | null {
    return this.panel.isDisposed ? null : (this.panel.content.activeCell?.model.id ?? null);
  }

  followActive(tell: () => void): () => void {
    const { content } = this.panel;
    content.activeCellChanged.connect(tell);
    return () => void content.activeCellChanged.disconnect(tell);
  }

  goTo(id: string, enter: boolean): void {
    const { content } = this.panel;
    const index = content.widgets.findIndex(widget => widget.model.id === id);
    if (index < 0) {
      return;
    }
    content.deselectAll();
    content.activeCellIndex = index;
    void content.scrollToItem(index, 'smart');
    if (enter) {
      content.mode = 'command';
      this.app.shell.activateById(this.panel.id);
      content.activate();
    }
  }

  async save(): Promise<boolean> {
    const { collaborative, dirty } = this.panel.context.model;
    return !(dirty || collaborative) || saveNotebook(this.panel);
  }

  kernel(): string {
    return this.panel.sessionContext.session?.kernel?.name ?? '';
  }

  private get shared(): ISharedNotebook | null {
    return this.panel.isDisposed ? null : (this.panel.content.model?.sharedModel ?? null);
  }
}

/** Be told of each change of a notebook's cells and metadata, whoever makes it, and of each save. */
export function followChanges(panel: NotebookPanel, tell: (isSaved: boolean) => void): () => void {
  const { ydoc } = panel.context.model.sharedModel as unknown as YNotebook;
  const changed = () => tell(false);
  const saved = () => tell(true);
  ydoc.on('update', changed);
  panel.context.fileChanged.connect(saved);
  return () => {
    ydoc.off('update', changed);
    panel.context.fileChanged.disconnect(saved);
  };
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSONExt.deepEqual((one ?? null) as never, (other ?? null) as never);
}

function having(metadata: object, cellar: object | null): object {
  const rest = Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== KEY));
  return cellar ? { ...rest, [KEY]: cellar } : rest;
}
