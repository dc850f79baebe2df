/** The side panel Pipeline, the names of components above their cells, and the commands for both. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Edit } from '../components/pipeline/open';
import { PipelinePanel, type WantedComponent } from '../components/pipeline/PipelinePanel';
import { archiveDialogs } from './archives';
import { ComponentNames, nameOf } from './component_names';
import { pipelineIcon } from './icons';
import { OpenPipeline } from './open_pipeline';
import { addToRight, SidePanel } from './panel';
import { report } from './progress';
import { ICellar, type Cellar } from './tokens';

const SHOW = 'nbcellar:show-pipeline';
const OPEN = 'nbcellar:open-pipeline';
const TOGGLE = 'nbcellar:toggle-component';

export const pipeline: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:pipeline',
  description: 'The notebook in front as a pipeline of cells, beside it.',
  autoStart: true,
  requires: [ICellar, INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette, IDocumentManager],
  activate: (
    app: JupyterFrontEnd,
    cellar: Cellar,
    tracker: INotebookTracker,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null
  ): void => {
    const { trans } = cellar;
    const archives = documents && archiveDialogs(cellar, documents);
    const all = new WeakMap<NotebookPanel, OpenPipeline>();
    const openOf = (panel: NotebookPanel): OpenPipeline => {
      const found = all.get(panel) ?? new OpenPipeline(app, cellar, panel);
      all.set(panel, found);
      return found;
    };
    let wanted: WantedComponent | null = null;
    const make = (id: string): SidePanel => {
      const look = { id, icon: pipelineIcon, caption: trans.__('Pipeline (Cellar)') };
      return new SidePanel(app, cellar, look, path => (
        <PipelinePanel
          path={path}
          open={cellar.current && openOf(cellar.current.panel)}
          wanted={wanted}
          archives={archives}
        />
      ));
    };
    const panel = make('nbcellar-pipeline');
    cellar.currentChanged.connect(() => {
      wanted = null;
    });

    const showing = {
      command: SHOW,
      rank: 702,
      label: trans.__('Show Pipeline'),
      caption: trans.__('Show this notebook as a pipeline; with the argument cell, that component'),
      ask: (args: ReadonlyPartialJSONObject) => {
        wanted = typeof args.cell === 'string' ? { id: args.cell, rename: args.rename === true } : null;
      }
    };
    addToRight(app, panel, showing, restorer, palette, trans.__('Cellar'));
    let wide: SidePanel | null = null;
    app.commands.addCommand(OPEN, {
      label: trans.__('Open Pipeline Beside the Notebook'),
      caption: trans.__('The pipeline of the notebook in front as a tab, with more room'),
      isVisible: () => app.name === 'JupyterLab', // Notebook 7 has no place beside a notebook
      execute: () => {
        if (!wide || wide.isDisposed) {
          wide = make('nbcellar-pipeline-wide');
          wide.title.label = trans.__('Pipeline');
          wide.title.closable = true;
        }
        if (!wide.isAttached) {
          app.shell.add(wide, 'main', { mode: 'split-right' });
        }
        app.shell.activateById(wide.id);
      }
    });
    app.commands.addCommand(TOGGLE, {
      label: () =>
        activeName(cellar) ? trans.__('Make the Component a Plain Cell') : trans.__('Make the Cell a Component'),
      caption: trans.__('Whether the active cell is a component of the pipeline'),
      isEnabled: () => cellar.current?.panel.content.activeCell?.model.type === 'code',
      execute: () => toggle(cellar, openOf)
    });
    for (const command of [OPEN, TOGGLE]) {
      palette?.addItem({ command, category: trans.__('Cellar') });
    }
    tracker.activeCellChanged.connect(() => app.commands.notifyCommandChanged(TOGGLE));

    const add = (notebook: NotebookPanel): void => {
      void notebook.context.ready.then(() => {
        if (!notebook.isDisposed) {
          new ComponentNames(notebook, cellar, (cell, rename) => void app.commands.execute(SHOW, { cell, rename }));
        }
      });
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, notebook) => add(notebook));
  }
};

function activeName({ current }: Cellar): string {
  const model = current?.panel.content.activeCell?.model;
  return model ? nameOf(model.sharedModel.getMetadata('cellar')) : '';
}

/** Make the active cell a component, or a plain cell again. */
async function toggle(cellar: Cellar, openOf: (panel: NotebookPanel) => OpenPipeline): Promise<void> {
  const { current, client, host } = cellar;
  const open = current && openOf(current.panel);
  const moment = open?.moment();
  const place = moment?.ids.indexOf(open?.active() ?? '') ?? -1;
  if (!current || !open || !moment || place < 0) {
    return;
  }
  const edit: Edit = { kind: activeName(cellar) ? 'remove' : 'add', component: String(place + 1) };
  try {
    const edited = await client.post('pipeline-edit', { path: current.path, notebook: moment.notebook, edit });
    await open.change(edited, moment);
  } catch (error) {
    report(host, error);
  }
}
