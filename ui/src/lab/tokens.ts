/** What the plugins of this extension give each other. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMime } from '@jupyterlab/rendermime';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { Host } from '../components/host';
import type { Known } from '../model/recording';
import type { Client } from '../wire/client';

/** The notebook that is worked with: the one in front, or the last one that was. */
export interface CurrentNotebook {
  readonly panel: NotebookPanel;
  /** Its path below the server's root, without the name of a drive. */
  readonly path: string;
}

/** What all plugins of Cellar stand on. */
export interface Cellar {
  readonly client: Client;
  readonly trans: IRenderMime.TranslationBundle;
  /** What components are given. */
  readonly host: Host;
  readonly current: CurrentNotebook | null;
  /** Another notebook came to the front, the last one was closed, or the current one was renamed. */
  readonly currentChanged: ISignal<Cellar, CurrentNotebook | null>;
}

export const ICellar = new Token<Cellar>('nbcellar-lab:ICellar', 'What the parts of Cellar in JupyterLab share.');

/** What is known of the recording of the notebook in front, so that no plugin needs to ask the server for it. */
export interface Followed {
  readonly known: Known;
  readonly notebook: CurrentNotebook | null;
  readonly changed: ISignal<Followed, Known>;
}

export const IFollowed = new Token<Followed>('nbcellar-lab:IFollowed', 'Where the recording of a notebook stands.');
