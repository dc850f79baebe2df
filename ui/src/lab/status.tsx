/** The item in the status bar that says where recording stands; in Notebook 7, which has none, in the toolbar. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import type { CommandRegistry } from '@lumino/commands';
import type { JSX } from 'react';
import { line } from '../model/recording';
import { FollowedNotebook } from './standing';
import { type Cellar, type Followed, ICellar, IFollowed } from './tokens';

class StatusItem extends ReactWidget {
  constructor(
    private readonly followed: Followed,
    private readonly trans: Cellar['trans'],
    private readonly commands: CommandRegistry
  ) {
    super();
    this.addClass('cellar-session-status');
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.followed.changed}>{() => this.item()}</UseSignal>;
  }

  private item(): JSX.Element | null {
    const { known, notebook } = this.followed;
    if (!notebook) {
      return null;
    }
    const { state, text, caption, command } = line(known, this.trans);
    return (
      <button
        type="button"
        className="cellar-session-state"
        data-state={state}
        title={caption}
        disabled={!command}
        onClick={() => void this.commands.execute(command)}
      >
        <span className="cellar-session-lamp" aria-hidden={true} />
        {text}
      </button>
    );
  }
}

export const followed: JupyterFrontEndPlugin<Followed> = {
  id: 'nbcellar-lab:followed',
  description: 'Follows the recording of the notebook in front.',
  autoStart: true,
  requires: [ICellar],
  provides: IFollowed,
  activate: (_: JupyterFrontEnd, cellar: Cellar) => new FollowedNotebook(cellar)
};

export const status: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:status',
  description: 'Says where recording stands.',
  autoStart: true,
  requires: [ICellar, IFollowed],
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, { trans }: Cellar, followed: Followed, bar: IStatusBar | null) => {
    const item = () => new StatusItem(followed, trans, app.commands);
    if (bar) {
      bar.registerStatusItem('nbcellar-lab:status', {
        item: item(),
        align: 'left',
        rank: 20,
        isActive: () => followed.notebook !== null,
        activeStateChanged: followed.changed as never
      });
    } else {
      app.docRegistry.addWidgetExtension('Notebook', new InToolbar(item));
    }
  }
};

class InToolbar implements DocumentRegistry.IWidgetExtension<NotebookPanel, INotebookModel> {
  constructor(private readonly item: () => ReactWidget) {}

  createNew(panel: NotebookPanel): ReactWidget {
    const item = this.item();
    panel.toolbar.insertBefore('kernelName', 'cellar-status', item) || panel.toolbar.addItem('cellar-status', item);
    return item;
  }
}
