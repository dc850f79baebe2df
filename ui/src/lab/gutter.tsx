/**
 * Marks beside the cells of an open notebook that differ from a version in git; a click shows what changed.
 *
 * Invariant: the notebook itself is not touched but by a click on "Revert"; typing waits for nothing: what differs is
 * asked of the server when the typing rests. Only one request is under way for a notebook.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { Extension } from '@codemirror/state';
import { createRoot, type Root } from 'react-dom/client';
import { CellPeek } from '../components/git/CellPeek';
import { HostProvider } from '../components/host';
import { keepOutputMarks, marksById, NO_MARKS, type CellOnScreen, type MarksOnScreen } from '../model/marks';
import { type Base, bringBack, cellOfBase, revertCell, type PlainCell, type PlainNotebook } from '../model/revert';
import { CellarError } from '../wire/client';
import { patchNotebook } from './patching';
import { telling } from './progress';
import { ICellar, type Cellar } from './tokens';

/** How long typing has to rest, in milliseconds. */
const REST_MS = 400;
const PLUGIN = 'nbcellar-lab:gutter';

const CommandIds = {
  next: 'nbcellar:next-change',
  previous: 'nbcellar:previous-change',
  revert: 'nbcellar:revert-cell',
  stage: 'nbcellar:stage-cell',
  toggle: 'nbcellar:toggle-marks'
};

/** A change in the notebook that can be looked at: one of a cell that is there, or of one that is gone. */
type Change = { kind: 'cell'; id: string } | { kind: 'gone'; before: string; base: number };

class NotebookMarks {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly cellar: Cellar,
    private readonly path: () => string,
    private readonly languages: IEditorLanguageRegistry | null
  ) {
    panel.content.modelContentChanged.connect(this.edited, this);
    panel.context.fileChanged.connect(this.ranOrSaved, this);
    panel.context.pathChanged.connect(this.subscribe, this);
    NotebookActions.executed.connect(this.executed, this);
    panel.disposed.connect(() => this.dispose());
    this.subscribe();
  }

  revision = 'HEAD';

  dispose(): void {
    this.isDisposed = true;
    this.unsubscribe();
    NotebookActions.executed.disconnect(this.executed, this);
    this.panel.content.modelContentChanged.disconnect(this.edited, this);
    this.panel.context.fileChanged.disconnect(this.ranOrSaved, this);
    this.panel.context.pathChanged.disconnect(this.subscribe, this);
    window.clearTimeout(this.timer);
    this.close();
    this.marks = NO_MARKS;
    if (!this.panel.isDisposed) {
      this.draw();
    }
  }

  /** Compare with another revision of git's. */
  setRevision(revision: string): void {
    this.revision = revision;
    this.ranOrSaved();
  }

  get changes(): Change[] {
    const found: Change[] = [];
    const gone = (id: string) =>
      (this.marks.gone.get(id) ?? []).forEach(base => found.push({ kind: 'gone', before: id, base }));
    for (const { model } of this.panel.content.widgets) {
      gone(model.id);
      if (this.marks.cells.has(model.id)) {
        found.push({ kind: 'cell', id: model.id });
      }
    }
    gone('');
    return found;
  }

  /** Show the next or previous change, from the one that is shown or from the active cell on. */
  step(by: 1 | -1): void {
    const changes = this.changes;
    if (changes.length === 0) {
      Notification.info(this.cellar.trans.__('Nothing differs from %1.', this.marks.name || this.revision));
      return;
    }
    const ids = this.panel.content.widgets.map(widget => widget.model.id);
    const place = (change: Change) => {
      const at = ids.indexOf(change.kind === 'cell' ? change.id : change.before);
      return change.kind === 'cell' ? at : (at < 0 ? ids.length : at) - 0.5;
    };
    const now = this.shown ? place(this.shown) : this.panel.content.activeCellIndex - 0.1 * by;
    const ordered = by === 1 ? changes : [...changes].reverse();
    const next = ordered.find(change => (by === 1 ? place(change) > now : place(change) < now)) ?? ordered[0];
    if (next) {
      this.open(next);
    }
  }

  /** Take back the change of the cell that is shown or active. */
  async revertActive(): Promise<void> {
    const change = this.activeChange();
    if (change) {
      await telling(this.revert(change));
    }
  }

  async stageActive(): Promise<void> {
    const change = this.activeChange();
    if (change) {
      await telling(this.stage(change));
    }
  }

  private activeChange(): Change | null {
    const id = this.panel.content.activeCell?.model.id ?? '';
    return this.shown ?? (this.marks.cells.has(id) ? { kind: 'cell', id } : null);
  }

  /** Ask again when the typing rests, and when the answer that is under way has come. */
  private edited(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.underWay = this.underWay.then(() => this.refresh());
    }, REST_MS);
  }

  private executed(_: unknown, { notebook }: { notebook: unknown }): void {
    if (notebook === this.panel.content) {
      this.ranOrSaved();
    }
  }

  private ranOrSaved(): void {
    this.withOutputs = true;
    this.edited();
  }

  private subscribe(): void {
    this.unsubscribe();
    this.unsubscribe = this.cellar.client.subscribe(this.path(), ({ event }) => {
      if (event === 'git' || event === 'hello') {
        this.ranOrSaved();
      }
    });
  }

  private async refresh(): Promise<void> {
    const model = this.panel.content.model;
    if (this.isDisposed || !model) {
      return;
    }
    const outputs = this.withOutputs;
    this.withOutputs = false;
    const notebook = model.sharedModel.toJSON() as unknown as PlainNotebook;
    const cells = outputs ? notebook.cells : notebook.cells.map(withoutOutputs);
    const ids = notebook.cells.map(cell => cell.id ?? '');
    try {
      const asked = { path: this.path(), notebook: { ...notebook, cells }, revision: this.revision, outputs };
      const fresh = marksById(await this.cellar.client.post('git-marks', asked), ids);
      this.marks = outputs ? fresh : keepOutputMarks(fresh, this.marks);
    } catch (error) {
      // In no git repository, or git cannot read the notebook: there is nothing to compare with.
      this.marks = NO_MARKS;
      if (error instanceof CellarError && error.code === 'offline') {
        this.withOutputs = true;
      }
    }
    if (!this.isDisposed) {
      this.draw();
    }
  }

  private draw(): void {
    const { widgets } = this.panel.content;
    widgets.forEach((widget, index) => {
      const { id } = widget.model;
      drawMark(widget.node, 'mark', this.marks.cells.get(id) ?? null, this.words(id), () =>
        this.toggle({ kind: 'cell', id })
      );
      const gone = this.marks.gone.get(id)?.[0];
      drawGone(widget.node, 'before', gone !== undefined, this.cellar.trans.__('Cells were removed here'), () =>
        this.toggle({ kind: 'gone', before: id, base: gone ?? 0 })
      );
      const last = index === widgets.length - 1 ? this.marks.gone.get('')?.[0] : undefined;
      drawGone(widget.node, 'after', last !== undefined, this.cellar.trans.__('Cells were removed here'), () =>
        this.toggle({ kind: 'gone', before: '', base: last ?? 0 })
      );
    });
    this.panel.node.dataset.cellarMarks = String(this.changes.length);
    if (this.shown && !this.isThere(this.shown)) {
      this.close();
    } else if (this.shown) {
      void telling(this.render());
    }
  }

  private words(id: string): string {
    const mark = this.marks.cells.get(id);
    const { trans } = this.cellar;
    const names = {
      added: trans.__('added'),
      changed: trans.__('changed'),
      moved: trans.__('moved'),
      outputs: trans.__('other outputs'),
      metadata: trans.__('other metadata')
    };
    return mark ? trans.__('Since %1: %2. Show the change', this.marks.name, names[mark.mark]) : '';
  }

  private isThere(change: Change): boolean {
    return change.kind === 'cell'
      ? this.marks.cells.has(change.id)
      : (this.marks.gone.get(change.before) ?? []).includes(change.base);
  }

  private toggle(change: Change): void {
    if (this.shown && JSON.stringify(this.shown) === JSON.stringify(change)) {
      this.close();
    } else {
      this.open(change);
    }
  }

  private open(change: Change): void {
    this.close();
    const { content } = this.panel;
    const id = change.kind === 'cell' ? change.id : change.before;
    const found = content.widgets.findIndex(widget => widget.model.id === id);
    const index = found < 0 ? content.widgets.length - 1 : found;
    const widget = content.widgets[index];
    if (!widget) {
      return;
    }
    this.shown = change;
    content.activeCellIndex = index;
    void content.scrollToItem(index, 'smart');
    const place = document.createElement('div');
    place.className = 'cellar-gutter-place';
    if (change.kind === 'gone' && change.before !== '') {
      widget.node.prepend(place);
    } else {
      widget.node.append(place);
    }
    this.place = place;
    this.root = createRoot(place);
    void telling(this.render());
  }

  private close(): void {
    const { root, place } = this;
    this.shown = null;
    this.root = null;
    this.place = null;
    // React may be drawing at this moment.
    queueMicrotask(() => root?.unmount());
    place?.remove();
  }

  private async render(): Promise<void> {
    const { shown, root } = this;
    if (!shown || !root) {
      return;
    }
    const base = await this.baseCell(shown);
    const extensions = await this.colours();
    if (this.shown !== shown || this.root !== root) {
      return;
    }
    const mark: CellOnScreen | undefined = shown.kind === 'cell' ? this.marks.cells.get(shown.id) : undefined;
    const live = shown.kind === 'cell' ? this.widget(shown.id)?.model.sharedModel.getSource() : undefined;
    root.render(
      <HostProvider value={this.cellar.host}>
        <CellPeek
          mark={shown.kind === 'gone' ? 'removed' : (mark?.mark ?? 'changed')}
          moved={mark?.moved}
          version={this.marks.name}
          before={base ? text(base.source) : null}
          after={live ?? null}
          extensions={extensions}
          onRevert={() => void telling(this.revert(shown))}
          onStage={() => void telling(this.stage(shown))}
          onNext={() => this.step(1)}
          onPrevious={() => this.step(-1)}
          onClose={() => {
            this.close();
            this.panel.content.activate();
          }}
        />
      </HostProvider>
    );
  }

  private async revert(change: Change): Promise<void> {
    const model = this.panel.content.model;
    if (!model || !this.isThere(change)) {
      return;
    }
    const base = await this.baseCell(change);
    const notebook = model.sharedModel.toJSON() as unknown as PlainNotebook;
    const wanted =
      change.kind === 'gone' ? base && bringBack(notebook, change.before, base) : revertCell(notebook, change.id, base);
    if (wanted) {
      this.close();
      await patchNotebook(this.panel, wanted as never, { save: false });
      this.ranOrSaved();
    }
  }

  private async stage(change: Change): Promise<void> {
    const { trans, client } = this.cellar;
    const model = this.panel.content.model;
    if (!model) {
      return;
    }
    const notebook = model.sharedModel.toJSON() as unknown as PlainNotebook;
    const cells = change.kind === 'cell' ? [notebook.cells.findIndex(cell => cell.id === change.id)] : [];
    const base = change.kind === 'gone' ? await this.baseCell(change) : null;
    const done = await client.post('git-stage', { path: this.path(), notebook, cells, gone: base ? [base] : [] });
    const said = done.changed
      ? trans.__('The change of this cell is in git’s index.')
      : trans.__('git’s index has this cell already.');
    Notification.success(said, { autoClose: 3000 });
  }

  private async baseCell(change: Change): Promise<PlainCell | null> {
    const { marks, revision } = this;
    const place = change.kind === 'gone' ? change.base : (marks.cells.get(change.id)?.base ?? null);
    if (place === null) {
      return null;
    }
    if (this.base?.digest !== marks.digest) {
      const found = await this.cellar.client.read('git-base', { path: this.path(), revision });
      this.base = { digest: found.digest, cells: (found.notebook as unknown as PlainNotebook | null)?.cells ?? [] };
    }
    const cell = cellOfBase(this.base, marks.digest, place);
    if (!cell) {
      this.ranOrSaved();
      throw new CellarError(
        this.cellar.trans.__('%1 is another version since the marks were made', marks.name || revision),
        'conflict',
        this.cellar.trans.__('look again: the marks are being made anew')
      );
    }
    return cell;
  }

  private async colours(): Promise<readonly Extension[]> {
    if (!this.extensions) {
      const language = this.panel.content.codeMimetype;
      const spec = this.languages?.findByMIME(language);
      const loaded = spec && this.languages ? await this.languages.getLanguage(spec) : null;
      this.extensions = loaded?.support ? [jupyterTheme, loaded.support] : [jupyterTheme];
    }
    return this.extensions;
  }

  private widget(id: string) {
    return this.panel.content.widgets.find(widget => widget.model.id === id);
  }

  private timer = 0;
  private underWay: Promise<void> = Promise.resolve();
  private unsubscribe: () => void = () => undefined;
  private marks: MarksOnScreen = NO_MARKS;
  private base: Base | null = null;
  private withOutputs = true;
  private shown: Change | null = null;
  private root: Root | null = null;
  private place: HTMLElement | null = null;
  private extensions: readonly Extension[] | null = null;
  private isDisposed = false;
}

function withoutOutputs(cell: PlainCell): PlainCell {
  return cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell;
}

function text(source: unknown): string {
  return Array.isArray(source) ? source.join('') : String(source ?? '');
}

/** Put the bar of a mark into a cell's node, change it, or take it away. */
function drawMark(node: HTMLElement, name: string, mark: CellOnScreen | null, words: string, act: () => void): void {
  const found = node.querySelector<HTMLButtonElement>(`:scope > .cellar-gutter-${name}`);
  if (!mark) {
    found?.remove();
    return;
  }
  const button = found ?? document.createElement('button');
  button.type = 'button';
  button.className = `cellar-gutter-${name} cellar-mod-${mark.mark}${mark.moved ? ' cellar-mod-moved' : ''}`;
  button.title = words;
  button.setAttribute('aria-label', words);
  button.onclick = event => {
    event.stopPropagation();
    act();
  };
  if (!found) {
    node.append(button);
  }
}

function drawGone(node: HTMLElement, side: 'before' | 'after', there: boolean, words: string, act: () => void): void {
  const mark: CellOnScreen | null = there ? { mark: 'changed', moved: false, base: null } : null;
  drawMark(node, `gone-${side}`, mark, words, act);
}

export const gutter: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Marks cells that differ from a version in git.',
  autoStart: true,
  requires: [INotebookTracker, ICellar],
  optional: [ISettingRegistry, IEditorLanguageRegistry],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    cellar: Cellar,
    registry: ISettingRegistry | null,
    languages: IEditorLanguageRegistry | null
  ) => {
    const all = new Map<NotebookPanel, NotebookMarks>();
    let enabled = true;
    let revision = 'HEAD';
    const { contents } = app.serviceManager;

    const add = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (!enabled || panel.isDisposed || all.has(panel)) {
          return;
        }
        const marks = new NotebookMarks(panel, cellar, () => contents.localPath(panel.context.path), languages);
        marks.revision = revision;
        all.set(panel, marks);
        panel.disposed.connect(() => all.delete(panel));
      });
    };
    const apply = (): void => {
      if (enabled) {
        tracker.forEach(add);
      } else {
        all.forEach(marks => marks.dispose());
        all.clear();
      }
      all.forEach(marks => marks.revision !== revision && marks.setRevision(revision));
    };
    tracker.widgetAdded.connect((_, panel) => add(panel));

    void registry
      ?.load(PLUGIN)
      .then(settings => {
        const read = (): void => {
          enabled = settings.get('enabled').composite !== false;
          revision = String(settings.get('base').composite ?? 'HEAD');
          apply();
        };
        settings.changed.connect(read);
        read();
      })
      .catch(() => apply());
    if (!registry) {
      apply();
    }

    const current = (): NotebookMarks | undefined =>
      tracker.currentWidget ? all.get(tracker.currentWidget) : undefined;
    const { trans } = cellar;
    const command = (id: string, label: string, act: (marks: NotebookMarks) => unknown): void => {
      app.commands.addCommand(id, {
        label,
        isEnabled: () => current() !== undefined,
        execute: () => {
          const marks = current();
          return marks && act(marks);
        }
      });
    };
    command(CommandIds.next, trans.__('Next Change Since git'), marks => marks.step(1));
    command(CommandIds.previous, trans.__('Previous Change Since git'), marks => marks.step(-1));
    command(CommandIds.revert, trans.__('Revert Cell to git'), marks => marks.revertActive());
    command(CommandIds.stage, trans.__('Stage Cell in git'), marks => marks.stageActive());
    app.commands.addCommand(CommandIds.toggle, {
      label: trans.__('Marks of Changes Since git'),
      isToggled: () => enabled,
      execute: async () => {
        enabled = !enabled;
        apply();
        await registry?.set(PLUGIN, 'enabled', enabled);
      }
    });
  }
};
