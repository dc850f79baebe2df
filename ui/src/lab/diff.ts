/** The comparison of notebooks in JupyterLab: its commands, and the widgets they open. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { LabIcon } from '@jupyterlab/ui-components';
import { SplitPanel, TabPanel, type Widget } from '@lumino/widgets';
import type { Host } from '../components/host';
import { formatSide, parseSide, type Side } from '../model/sides';
import { DiffWidget, type Sides } from './diffwidget';
import { rendering } from './rendering';
import { ICellar, type Cellar } from './tokens';

export const DIFF_COMMANDS = {
  /** `{path, before, after}`, sides as `model/sides.ts` spells them: `open`, `file`, `git:HEAD`, `cellar:COMMIT`, ... */
  notebook: 'nbcellar:diff-notebook',
  head: 'nbcellar:diff-head',
  saved: 'nbcellar:diff-saved',
  files: 'nbcellar:diff-files'
} as const;

const diffIcon = new LabIcon({
  name: 'nbcellar:diff',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161">' +
    '<path d="M2 2h5v12H2zm1 1v10h3V3z"/><path d="M9 2h5v12H9zm1 1v10h3V3z"/><path d="M3.5 7.5h2v1h-2zM10.5 7.5h2v1h-2zM11 7h1v2h-1z"/></g></svg>'
});

function activate(
  app: JupyterFrontEnd,
  cellar: Cellar,
  notebooks: INotebookTracker,
  rendermime: IRenderMimeRegistry | null,
  browser: IFileBrowserFactory | null,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null
): void {
  const { trans } = cellar;
  const { commands, shell, serviceManager } = app;
  const localPath = (path: string): string => serviceManager.contents.localPath(path);
  const host: Host = { ...cellar.host, ...(rendermime && { renderOutput: rendering(rendermime) }) };
  const widgets = new WidgetTracker<MainAreaWidget<DiffWidget>>({ namespace: 'nbcellar-diff' });

  const open = (sides: Sides): MainAreaWidget<DiffWidget> => {
    const same = widgets.find(widget => nameOf(widget.content.shown) === nameOf(sides));
    if (same) {
      shell.activateById(same.id);
      return same;
    }
    const content = new DiffWidget(host, notebooks, localPath, sides);
    const widget = new MainAreaWidget({ content });
    widget.id = `nbcellar-diff-${++count}`;
    widget.title.icon = diffIcon;
    widget.toolbar.hide();
    void widgets.add(widget);
    if (app.name === 'JupyterLab') {
      shell.add(widget, 'main', { mode: 'tab-after' });
    } else {
      shell.add(widget, 'down');
      makeRoom(widget);
    }
    shell.activateById(widget.id);
    return widget;
  };
  const isOpen = (path: string): boolean =>
    notebooks.find(panel => localPath(panel.context.path) === path) !== undefined;

  /** The second version unless another is asked for: with unsaved edits where the notebook is open. */
  const latest = (path: string): Side => (isOpen(path) ? { kind: 'open' } : { kind: 'file' });
  const path = (): string | undefined => cellar.current?.path;

  commands.addCommand(DIFF_COMMANDS.notebook, {
    label: trans.__('Compare Notebook With…'),
    caption: trans.__('Show what changed between two versions of a notebook'),
    icon: diffIcon,
    isEnabled: args => typeof args['path'] === 'string' || path() !== undefined,
    execute: args => {
      const wanted = typeof args['path'] === 'string' ? args['path'] : path();
      if (wanted !== undefined) {
        open({
          path: wanted,
          before: sideOf(args['before']) ?? { kind: 'git', revision: 'HEAD' },
          after: sideOf(args['after']) ?? latest(wanted)
        });
      }
    }
  });
  commands.addCommand(DIFF_COMMANDS.head, {
    label: trans.__('Compare Notebook With git HEAD'),
    caption: trans.__('Show what changed in this notebook since git HEAD'),
    icon: diffIcon,
    isEnabled: () => path() !== undefined,
    execute: () => commands.execute(DIFF_COMMANDS.notebook, { path: path() ?? '', before: 'git:HEAD' })
  });
  commands.addCommand(DIFF_COMMANDS.saved, {
    label: trans.__('Compare Notebook With Last Saved'),
    caption: trans.__('Show what was edited since the notebook was saved'),
    icon: diffIcon,
    isEnabled: () => path() !== undefined,
    execute: () => commands.execute(DIFF_COMMANDS.notebook, { path: path() ?? '', before: 'file', after: 'open' })
  });
  const selected = (): string[] =>
    [...(browser?.tracker.currentWidget?.selectedItems() ?? [])]
      .filter(item => item.type === 'notebook')
      .map(item => localPath(item.path));
  commands.addCommand(DIFF_COMMANDS.files, {
    label: () => (selected().length === 2 ? trans.__('Compare Selected Notebooks') : trans.__('Compare With git HEAD')),
    icon: diffIcon,
    isVisible: () => [1, 2].includes(selected().length),
    execute: () => {
      const [first, second] = selected();
      if (first !== undefined && second !== undefined) {
        open({ path: second, before: { kind: 'file', path: first }, after: { kind: 'file' } });
      } else if (first !== undefined) {
        open({ path: first, before: { kind: 'git', revision: 'HEAD' }, after: latest(first) });
      }
    }
  });
  for (const command of [DIFF_COMMANDS.notebook, DIFF_COMMANDS.head, DIFF_COMMANDS.saved]) {
    palette?.addItem({ command, category: trans.__('Cellar') });
  }
  void restorer?.restore(widgets, {
    command: DIFF_COMMANDS.notebook,
    args: widget => ({
      path: widget.content.shown.path,
      before: formatSide(widget.content.shown.before),
      after: formatSide(widget.content.shown.after)
    }),
    name: widget => nameOf(widget.content.shown)
  });
}

/** Notebook 7 has one widget in the middle, the notebook; the area below it has no height until it gets some. */
function makeRoom(widget: Widget): void {
  for (let parent = widget.parent; parent; parent = parent.parent) {
    if (parent instanceof TabPanel) {
      parent.currentWidget = widget;
      parent.show();
    } else if (parent instanceof SplitPanel && parent.id === 'jp-main-vsplit-panel') {
      parent.setRelativeSizes([1, 1]);
    }
  }
}

let count = 0;

function nameOf({ path, before, after }: Sides): string {
  return `${path}:${formatSide(before)}:${formatSide(after)}`;
}

function sideOf(value: unknown): Side | null {
  return typeof value === 'string' ? parseSide(value) : null;
}

export const diff: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:diff',
  description: 'Compares notebooks: the open one, files, git, what Cellar recorded.',
  autoStart: true,
  requires: [ICellar, INotebookTracker],
  optional: [IRenderMimeRegistry, IFileBrowserFactory, ICommandPalette, ILayoutRestorer],
  activate
};
