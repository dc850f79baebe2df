/**
 * Leaves each open notebook, as it is, with the server for its kernel: that records it with the cells that run.
 *
 * It is sent when a cell was sent to the kernel and when the editing rests. Invariant: typing and running wait for
 * nothing, and what goes out is what changed; a notebook that is not recorded is not sent, until its kernel records.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Sent, type Open } from '../model/draft';
import { textsOf } from './cell_texts';
import { ICellar, type Cellar } from './tokens';

/** How long editing has to rest, in milliseconds. */
const REST_MS = 1000;
// Somebody who types without a pause: then it is sent as it is between two keys.
const MOST_TURNS = 5;
/** What the server takes at once, about; a notebook of that size is recorded from its file. */
const MOST_CHARS = 32 << 20;
const STARTING: ReadonlySet<Kernel.Status> = new Set(['starting', 'restarting', 'autorestarting']);

class NotebookDraft {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly cellar: Cellar,
    private readonly path: () => string
  ) {
    panel.content.modelContentChanged.connect(this.edited, this);
    panel.model?.metadataChanged.connect(this.edited, this);
    panel.context.pathChanged.connect(this.moved, this);
    panel.sessionContext.kernelChanged.connect(this.kernelChanged, this);
    panel.sessionContext.statusChanged.connect(this.statusChanged, this);
    panel.disposed.connect(() => this.close());
    this.sentPath = path();
    this.subscribe();
    this.follow(panel.sessionContext.session?.kernel ?? null);
  }

  private kernelChanged(): void {
    this.follow(this.panel.sessionContext.session?.kernel ?? null);
  }

  /** A kernel begins, or another one: it may record this notebook. */
  private follow(kernel: Kernel.IKernelConnection | null): void {
    if (kernel === this.kernel) {
      return;
    }
    this.kernel?.anyMessage.disconnect(this.message, this);
    this.forget();
    this.kernel = kernel;
    this.sentMs = 0;
    kernel?.anyMessage.connect(this.message, this);
    this.announce();
  }

  private announce(): void {
    this.isQuiet = false;
    this.opening = true;
    this.soon(0);
  }

  private statusChanged(_: unknown, status: Kernel.Status): void {
    if (STARTING.has(status)) {
      this.announce();
    } else if (status === 'idle' && this.timer === 0 && this.edits !== this.takenEdits) {
      this.soon(REST_MS); // not again: requests that are no cells make the kernel busy, too
    }
  }

  private message(_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void {
    if (direction === 'send' && msg.header.msg_type === 'execute_request') {
      const { header, content } = msg as KernelMessage.IExecuteRequestMsg;
      if (!content.silent) {
        this.sentMs = Date.parse(header.date);
        this.opening = false;
        this.soon(0);
      }
    }
  }

  private edited(): void {
    this.edits++;
    if (this.kernel?.status !== 'busy') {
      this.soon(REST_MS); // else when it is idle: a cell that prints a lot is not sent line by line
    }
  }

  private moved(): void {
    this.subscribe();
    this.forget();
    this.sentPath = this.path();
    this.announce();
  }

  /** Send it in some time: a run at once, edits when they rest. */
  private soon(wait: number): void {
    if (this.isQuiet || !this.kernel || (wait > 0 && this.timer !== 0 && this.wait === 0)) {
      return;
    }
    window.clearTimeout(this.timer);
    this.wait = wait;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.underWay = this.underWay.then(() => this.send());
    }, wait);
  }

  private async send(): Promise<void> {
    const { opening } = this;
    try {
      for (let turn = 0; turn < 2 && !this.isQuiet; turn++) {
        const open = await this.take();
        const pieces = open && this.sent.missing(this.sentPath, open, opening);
        if (!open || !pieces) {
          return;
        }
        if (pieces.reduce((sum, { length }) => sum + length, 0) > MOST_CHARS) {
          this.isQuiet = true;
          this.forget();
          return;
        }
        const body = new Blob(pieces, { type: 'application/json' });
        const { kept, lacking } = await this.cellar.client.post('draft', body);
        if (kept) {
          this.sent.taken(open);
          return;
        }
        this.sent.lost();
        this.isQuiet = !lacking;
      }
    } catch {
      // The server cannot be reached, or does not take it: what is recorded then is the file.
      this.sent.lost();
    }
  }

  /** Return the notebook as it is, all of it at one moment. */
  private async take(): Promise<Open | null> {
    for (let turn = 1; ; turn++) {
      const shared = this.panel.isDisposed ? null : this.panel.model?.sharedModel;
      const { kernel, edits, sentMs } = this;
      if (!shared || !kernel) {
        return null;
      }
      const { nbformat, nbformat_minor: minor } = shared;
      const rest = JSON.stringify({ metadata: shared.getMetadata(), nbformat, nbformat_minor: minor });
      const cells = await textsOf(shared);
      if (edits === this.edits || turn === MOST_TURNS) {
        this.takenEdits = edits;
        return { cells, rest, minor, sentMs, client: kernel.clientId };
      }
    }
  }

  private subscribe(): void {
    this.unsubscribe();
    this.unsubscribe = this.cellar.client.subscribe(this.path(), ({ event }) => {
      if (this.isQuiet && (event === 'kernel' || event === 'hello')) {
        this.isQuiet = false;
        this.soon(0);
      }
    });
  }

  /** The server need not keep what this client sent. */
  private forget(): void {
    const { kernel, sentPath: path } = this;
    this.sent.lost();
    if (kernel) {
      const { clientId: client } = kernel;
      const drop = () => this.cellar.client.post('draft-closed', { path, client });
      this.underWay = this.underWay.then(drop).then(
        () => undefined,
        () => undefined
      );
    }
  }

  private close(): void {
    window.clearTimeout(this.timer);
    this.unsubscribe();
    this.kernel?.anyMessage.disconnect(this.message, this);
    this.panel.sessionContext.kernelChanged.disconnect(this.kernelChanged, this);
    this.panel.sessionContext.statusChanged.disconnect(this.statusChanged, this);
    this.forget();
    this.kernel = null;
  }

  private readonly sent = new Sent();
  private kernel: Kernel.IKernelConnection | null = null;
  private sentPath: string;
  private sentMs = 0;
  private edits = 0;
  private takenEdits = -1;
  private timer = 0;
  private wait = 0;
  private opening = false;
  private isQuiet = false;
  private underWay: Promise<void> = Promise.resolve();
  private unsubscribe: () => void = () => undefined;
}

export const drafts: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:drafts',
  description: 'Lets commits hold notebooks as they are open.',
  autoStart: true,
  requires: [INotebookTracker, ICellar],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, cellar: Cellar) => {
    const { contents } = app.serviceManager;
    const add = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (!panel.isDisposed) {
          new NotebookDraft(panel, cellar, () => contents.localPath(panel.context.path));
        }
      });
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
  }
};
