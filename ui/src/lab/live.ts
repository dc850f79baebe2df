/**
 * A notebook that is open in JupyterLab, as one side of a comparison that follows it.
 *
 * Invariant: what is read or written goes through the shared model, so that undo and collaboration work; no step of
 * making its JSON holds the page up for long.
 */
import type { ISharedCell } from '@jupyter/ydoc';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Live, LiveCell } from '../components/diff';
import { textsOf } from './cell_texts';

export class LiveNotebook implements Live {
  constructor(private readonly panel: NotebookPanel) {}

  get isGone(): boolean {
    return this.panel.isDisposed || !this.panel.model;
  }

  async snapshot(): Promise<Blob | null> {
    const shared = this.panel.model?.sharedModel;
    if (!shared) {
      return null;
    }
    const rest = { metadata: shared.getMetadata(), nbformat: shared.nbformat, nbformat_minor: shared.nbformat_minor };
    const cells = await textsOf(shared);
    const pieces = ['{"cells":[', ...cells.flatMap(({ json }, at) => (at ? [',', json] : [json])), '],'];
    pieces.push(JSON.stringify(rest).slice(1));
    return this.isGone ? null : new Blob(pieces, { type: 'application/json' });
  }

  subscribe(tell: () => void): () => void {
    const model = this.panel.model;
    model?.contentChanged.connect(tell);
    model?.metadataChanged.connect(tell);
    this.panel.context.fileChanged.connect(tell); // saved: the file is another one
    return () => {
      this.panel.context.fileChanged.disconnect(tell);
      model?.contentChanged.disconnect(tell);
      model?.metadataChanged.disconnect(tell);
    };
  }

  cell(id: string): LiveCell | null {
    const known = this.cells.get(id);
    const shared = this.find(id);
    if (!shared) {
      return null;
    }
    if (known?.shared === shared) {
      return known;
    }
    const made = new OpenCell(shared);
    this.cells.set(id, made);
    return made;
  }

  trusted(): boolean {
    const cells = this.panel.model?.cells;
    if (!cells) {
      return false;
    }
    for (const cell of cells) {
      if (cell.type === 'code' && !cell.trusted) {
        return false;
      }
    }
    return true;
  }

  private find(id: string): ISharedCell | undefined {
    return id ? this.panel.model?.sharedModel.cells.find(cell => cell.getId() === id) : undefined;
  }

  private readonly cells = new Map<string, OpenCell>();
}

class OpenCell implements LiveCell {
  constructor(readonly shared: ISharedCell) {}

  source(): string {
    return this.shared.getSource();
  }

  edit(from: number, to: number, text: string): void {
    this.shared.updateSource(from, to, text);
  }

  subscribe(tell: () => void): () => void {
    this.shared.changed.connect(tell);
    return () => {
      this.shared.changed.disconnect(tell);
    };
  }
}
