/** The plugin that all others stand on: the connection to the server part, and the notebook in front. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { URLExt } from '@jupyterlab/coreutils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ServerConnection, type Contents } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { Host } from '../components/host';
import { Client } from '../wire/client';
import type { Transport } from '../wire/transport';
import { ICellar, type Cellar, type CurrentNotebook } from './tokens';

class Service implements Cellar {
  readonly client: Client;
  readonly host: Host;
  readonly currentChanged: Signal<Cellar, CurrentNotebook | null> = new Signal<Cellar, CurrentNotebook | null>(this);

  constructor(
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    readonly trans: Cellar['trans']
  ) {
    this.client = new Client(transport(app.serviceManager.serverSettings));
    this.host = { backend: this.client, trans };
    this.contents = app.serviceManager.contents;
    tracker.currentChanged.connect((_, panel) => this.follow(panel));
    this.follow(tracker.currentWidget);
  }

  get current(): CurrentNotebook | null {
    return this.panel ? { panel: this.panel, path: this.contents.localPath(this.panel.context.path) } : null;
  }

  private follow(panel: NotebookPanel | null): void {
    this.panel?.context.pathChanged.disconnect(this.tell, this);
    this.panel = panel;
    panel?.context.pathChanged.connect(this.tell, this);
    this.tell();
  }

  private tell(): void {
    this.currentChanged.emit(this.current);
  }

  private readonly contents: Contents.IManager;
  private panel: NotebookPanel | null = null;
}

/** Requests as JupyterLab sends them: its base URL, token and XSRF token. */
export function transport(settings: ServerConnection.ISettings): Transport {
  // With "no-store", makeRequest adds the time to each address; our answers say themselves that they are not kept.
  const own = { ...settings, init: { ...settings.init, cache: 'default' as const } };
  return {
    send: (path, init) => ServerConnection.makeRequest(URLExt.join(settings.baseUrl, path), init, own),
    socketUrl: path => {
      const url = URLExt.join(settings.wsUrl, path);
      return settings.token ? `${url}?token=${encodeURIComponent(settings.token)}` : url;
    }
  };
}

export const service: JupyterFrontEndPlugin<Cellar> = {
  id: 'nbcellar-lab:service',
  description: 'The connection to the server part of Cellar.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ITranslator],
  provides: ICellar,
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, translator: ITranslator | null) =>
    new Service(app, tracker, (translator ?? nullTranslator).load('nbcellar'))
};
