/**
 * Conflicts in notebooks: found when a notebook is opened, shown in the merge view, and told to git when they are solved.
 *
 * Invariant: git is told only of notebooks whose conflict was shown here, and only after a save left no mark in the file.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILabShell } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Widget } from '@lumino/widgets';
import type { MergeLook, MergeSaved } from '../model/merge';
import { CellarError } from '../wire/client';
import { hasMarks, OpenMerge, recordFirst } from './merge_open';
import { Banner, MergeOverlay, MergePanel, MergeWidget, confirm, mergeIcon } from './merge_widgets';
import { ICellar, type Cellar } from './tokens';

const PLUGIN = 'nbcellar-lab:merge';
const OPEN = 'nbcellar:merge';
const OPEN_FILE = 'nbcellar:merge-file';
const SHOWN_MS = 8000;

/** What is known of one open notebook. */
class Conflicted {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly cellar: Cellar,
    private readonly panel: NotebookPanel,
    private readonly labShell: ILabShell | null,
    private readonly opensItself: () => boolean
  ) {
    const { context } = panel;
    this.source = new OpenMerge(cellar.client, panel, () => this.path);
    context.saveState.connect(this.onSaveState, this);
    context.pathChanged.connect(this.follow, this);
    this.follow();
    panel.disposed.connect(() => {
      this.end();
      context.pathChanged.disconnect(this.follow, this);
      context.saveState.disconnect(this.onSaveState, this);
      this.view?.dispose();
    });
    void context.ready.then(() => {
      if (hasMarks(panel)) {
        this.begin();
      }
    });
  }

  /** Compare now, and whenever git's state changes at the path that the notebook has. */
  private follow(): void {
    this.end();
    // After `hello` nothing is missed; a merge between the first look and it would have been.
    this.end = this.cellar.client.subscribe(this.path, ({ event }) => {
      if (event === 'git' || event === 'hello') {
        void this.compare();
      }
    });
    void this.compare();
  }

  get path(): string {
    return this.app.serviceManager.contents.localPath(this.panel.context.path);
  }

  /** Show the merge view. */
  show(): void {
    this.wasShown = true;
    if (this.view && !this.view.isDisposed) {
      this.app.shell.activateById(this.view.id);
      return;
    }
    const { host } = this.cellar;
    const content = new MergeWidget(host, this.source, saved => this.tell(saved));
    if (!this.labShell) {
      this.view = new MergeOverlay(content, host);
      Widget.attach(this.view, document.body);
      return;
    }
    const view = new MergePanel(content, host);
    view.id = `cellar-merge-${this.panel.id}`;
    view.title.label = this.trans.__('Merge: %1', this.name);
    view.title.icon = mergeIcon;
    view.title.closable = true;
    this.view = view;
    this.app.shell.add(view, 'main', { ref: this.panel.id, mode: 'tab-after' });
    this.app.shell.activateById(view.id);
  }

  /** Compare what git and the file say with what is open; nothing is said where the server has no Cellar. */
  private async compare(): Promise<void> {
    const turn = ++this.turn;
    let found: MergeLook;
    try {
      found = await this.cellar.client.read('merge', { path: this.path });
    } catch (error) {
      if (!(error instanceof CellarError)) {
        throw error;
      }
      return;
    }
    if (turn !== this.turn) {
      return; // it was asked again since: an answer from before must not have the last word
    }
    if (found.state === 'text' && !this.panel.context.isReady) {
      this.offerFix(); // also after Lab closed what it could not read
      return;
    }
    if (this.panel.isDisposed) {
      return;
    }
    await this.panel.context.ready;
    if (hasMarks(this.panel)) {
      this.begin();
    } else if (found.state !== 'none') {
      this.say(
        this.trans.__('Git left this notebook in conflict on disk; here it is as it was before.'),
        this.trans.__('Load it'),
        () => void this.reload(found.state === 'text')
      );
    } else if (found.git.in_conflict) {
      const text = found.holds
        ? this.trans.__('Git has this notebook in conflict, and the file holds %1 alone.', found.holds)
        : this.trans.__('Git still has this notebook in conflict, though nothing is left to decide.');
      this.say(text, this.trans.__('Show'), () => this.show());
    } else {
      this.quiet();
    }
  }

  private begin(): void {
    const isNew = !this.wasShown;
    this.wasShown = true;
    this.say(this.trans.__('A merge left conflicts in this notebook.'), this.trans.__('Decide them'), () =>
      this.show()
    );
    if (isNew && this.opensItself()) {
      this.show();
      this.stayInFront();
    }
  }

  /** Load what is on disk, after what is open was recorded, or its loss was agreed to. */
  private async reload(isText: boolean): Promise<void> {
    const { client, host } = this.cellar;
    try {
      if (this.panel.model?.dirty && (await recordFirst(client, this.panel, this.path)) === null) {
        const question = this.trans.__('Edits here that are not saved are lost. Load what is on disk all the same?');
        if (!(await confirm(host, question))) {
          return;
        }
      }
      if (isText) {
        await client.post('merge-fix', { path: this.path });
      }
      await this.panel.context.revert();
    } catch (error) {
      Notification.error((error as Error).message, { autoClose: false });
    }
    if (hasMarks(this.panel)) {
      this.begin();
    }
  }

  private onSaveState(_: DocumentRegistry.Context, state: DocumentRegistry.SaveState): void {
    if (state !== 'completed' || !this.wasShown || this.source.isSaving || hasMarks(this.panel)) {
      return;
    }
    void this.cellar.client.post('merge-resolved', { path: this.path }).then(
      saved => this.tell(saved),
      (error: unknown) => Notification.error(`${this.name}: ${(error as Error).message}`, { autoClose: false })
    );
  }

  private tell(saved: MergeSaved): void {
    if (saved.left || hasMarks(this.panel)) {
      return;
    }
    this.wasShown = false;
    this.quiet();
    if (saved.problem) {
      const text = this.trans.__('%1 is decided, but git was not told: %2', this.name, saved.problem);
      Notification.warning(text, { autoClose: false });
    } else if (saved.resolved) {
      const next = !saved.git.others && saved.git.next ? this.trans.__('To go on: %1', saved.git.next) : '';
      Notification.success(`${this.trans.__('%1 is resolved for git.', this.name)} ${next}`.trim(), {
        autoClose: SHOWN_MS
      });
    }
  }

  private offerFix(): void {
    if (this.offered) {
      return;
    }
    this.offered = true;
    Notification.warning(
      this.trans.__('Git left conflicts as text in %1, so it does not open as a notebook.', this.name),
      {
        autoClose: false,
        actions: [
          {
            label: this.trans.__('Merge again, cell by cell'),
            displayType: 'accent',
            callback: () => void fixAndOpen(this.app, this.cellar, this.path, this.panel)
          }
        ]
      }
    );
  }

  private say(text: string, label: string, action: () => void): void {
    if (!this.banner) {
      this.banner = new Banner();
      this.panel.contentHeader.addWidget(this.banner);
    }
    this.banner.say(text, label, action);
  }

  private quiet(): void {
    this.banner?.dispose();
    this.banner = undefined;
  }

  /** Lab, which opens the notebook of its address once its workspace is restored, would put it over the view again. */
  private stayInFront(): void {
    const { labShell, view } = this;
    if (!labShell || !view) {
      return;
    }
    const follow = (): void => {
      if (labShell.currentWidget === this.panel && !view.isDisposed) {
        labShell.activateById(view.id);
      }
    };
    const inputs = ['pointerdown', 'keydown'];
    const end = (): void => {
      labShell.currentChanged.disconnect(follow);
      inputs.forEach(type => document.removeEventListener(type, end, true));
    };
    labShell.currentChanged.connect(follow);
    inputs.forEach(type => document.addEventListener(type, end, true));
    view.disposed.connect(end);
  }

  private get name(): string {
    return this.path.split('/').pop() ?? this.path;
  }

  private get trans(): Cellar['trans'] {
    return this.cellar.trans;
  }

  private readonly source: OpenMerge;
  private banner: Banner | undefined;
  private view: Widget | undefined;
  private wasShown = false;
  private offered = false;
  private turn = 0;
  private end: () => void = () => undefined;
}

/**
 * Until a notebook is loaded there is nothing to save: Lab, which closes one that it cannot read, must not offer to save
 * the empty one that stands there over the file.
 */
function closeUnloaded(panel: NotebookPanel): void {
  if (!panel.context.isReady) {
    const guarded = panel as { close?: () => void };
    guarded.close = () => panel.dispose();
    void panel.context.ready.then(() => delete guarded.close);
  }
}

/** Make a notebook of what git left as text, and open it. */
async function fixAndOpen(app: JupyterFrontEnd, cellar: Cellar, path: string, panel?: NotebookPanel): Promise<void> {
  try {
    await cellar.client.post('merge-fix', { path });
    panel?.dispose();
    await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  } catch (error) {
    const { message, hint } = error as CellarError;
    Notification.error([message, hint].filter(Boolean).join('. '), { autoClose: false });
  }
}

export const merge: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Conflicts in notebooks, decided cell by cell.',
  autoStart: true,
  requires: [ICellar, INotebookTracker],
  optional: [ILabShell, ISettingRegistry, ICommandPalette, IDefaultFileBrowser, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    cellar: Cellar,
    tracker: INotebookTracker,
    labShell: ILabShell | null,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    browsers: IFileBrowserFactory | null
  ) => {
    const { trans } = cellar;
    const known = new Map<NotebookPanel, Conflicted>();
    let opens = true;
    const loaded = registry?.load(PLUGIN).then(
      settings => {
        const follow = (): void => {
          opens = settings.get('openOnConflict').composite !== false;
        };
        settings.changed.connect(follow);
        follow();
      },
      () => undefined
    );
    const add = async (panel: NotebookPanel): Promise<void> => {
      await loaded;
      if (!panel.isDisposed && !known.has(panel)) {
        known.set(panel, new Conflicted(app, cellar, panel, labShell, () => opens));
        panel.disposed.connect(() => known.delete(panel));
      }
    };
    tracker.widgetAdded.connect((_, panel) => {
      closeUnloaded(panel);
      void add(panel);
    });
    tracker.forEach(panel => void add(panel));

    app.commands.addCommand(OPEN, {
      label: trans.__('Decide Merge Conflicts…'),
      caption: trans.__('Show what a merge left to decide in this notebook'),
      icon: mergeIcon,
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => {
        const panel = tracker.currentWidget;
        if (panel) {
          known.get(panel)?.show();
        }
      }
    });
    app.commands.addCommand(OPEN_FILE, {
      label: trans.__('Decide Merge Conflicts…'),
      caption: trans.__('Open the notebook that a merge left with conflicts, also one that git left as text'),
      icon: mergeIcon,
      execute: async () => {
        const current = browsers?.tracker.currentWidget ?? browser;
        const item = current?.selectedItems().next().value;
        if (!item) {
          return;
        }
        const path = app.serviceManager.contents.localPath(item.path);
        try {
          const found = await cellar.client.read('merge', { path });
          if (found.state === 'text') {
            await fixAndOpen(app, cellar, path);
          } else if (found.state === 'marked' || found.git.in_conflict) {
            await app.commands.execute('docmanager:open', { path: item.path, factory: 'Notebook' });
          } else {
            Notification.info(trans.__('No merge left a conflict in %1.', item.name), { autoClose: SHOWN_MS });
          }
        } catch (error) {
          Notification.error((error as Error).message, { autoClose: false });
        }
      }
    });
    palette?.addItem({ command: OPEN, category: 'Cellar' });
  }
};
