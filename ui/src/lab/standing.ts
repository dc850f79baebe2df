/**
 * What is known of the recording of the notebook in front.
 *
 * Invariant: nothing is asked on a clock: a question follows an event of the server, a cell that ran, or a kernel that
 * came or went. What Cellar itself asks of the kernel makes it busy for a moment, so that is no reason to ask again.
 */
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import { asksKernel, isUnsettled, type Known } from '../model/recording';
import { canImport, pythonOf } from './kernel';
import type { Cellar, CurrentNotebook, Followed } from './tokens';

const NOTHING: Known = {
  standing: undefined,
  kernel: undefined,
  installed: undefined,
  python: '',
  foreign: false,
  expected: false,
  gone: false
};
// A commit may be visible a moment before its kernel says that it is done; one that starts may be too slow to answer.
const AGAIN_MS = 1000;

export class FollowedNotebook implements Followed {
  constructor(private readonly cellar: Cellar) {
    cellar.currentChanged.connect((_, notebook) => this.follow(notebook));
    NotebookActions.executionScheduled.connect((_, { notebook }) => this.ran(notebook, 1));
    NotebookActions.executed.connect((_, { notebook }) => this.ran(notebook, -1));
    cellar.client.followServer(gone => this.tell({ gone }));
    this.follow(cellar.current);
  }

  get known(): Known {
    return this.now;
  }

  get notebook(): CurrentNotebook | null {
    return this.front;
  }

  get changed(): ISignal<Followed, Known> {
    return this.changes;
  }

  private follow(notebook: CurrentNotebook | null): void {
    const { sessionContext } = this.front?.panel ?? {};
    sessionContext?.statusChanged.disconnect(this.kernelMoved, this);
    sessionContext?.kernelChanged.disconnect(this.kernelMoved, this);
    this.end?.();
    this.end = undefined;
    this.front = notebook;
    this.running = 0;
    this.now = { ...NOTHING, gone: this.now.gone };
    if (notebook) {
      notebook.panel.sessionContext.statusChanged.connect(this.kernelMoved, this);
      notebook.panel.sessionContext.kernelChanged.connect(this.kernelMoved, this);
      this.end = this.cellar.client.subscribe(notebook.path, ({ event }) => event !== 'git' && void this.ask());
      this.kernelMoved();
      void this.ask();
    }
    this.changes.emit(this.now);
  }

  /** A cell was sent to the kernel, or is done. */
  private ran(notebook: NotebookPanel['content'], more: 1 | -1): void {
    if (notebook !== this.front?.panel.content) {
      return;
    }
    this.running = Math.max(0, this.running + more);
    this.tell({ kernel: this.status(), expected: this.running === 0 });
    if (this.running === 0) {
      const again = this.now.installed === false; // it may just have been installed
      this.tell(again ? { installed: undefined } : {});
      void this.ask();
    }
  }

  private kernelMoved(): void {
    const kernel = this.front?.panel.sessionContext.session?.kernel ?? null;
    const gone = kernel === null || ['dead', 'restarting', 'autorestarting'].includes(kernel.status);
    if (kernel?.id !== this.kernelId || gone) {
      this.kernelId = kernel?.id;
      this.running = 0;
      this.tell({ installed: undefined, foreign: false, expected: false });
      void kernel?.info.then(({ language_info }) => {
        if (this.kernelId === kernel.id) {
          this.tell({ foreign: language_info.name !== 'python' });
        }
      });
    }
    const status = this.status();
    if (status !== this.now.kernel) {
      this.tell({ kernel: status });
      void this.look();
    }
  }

  private status(): string | undefined {
    const status = this.front?.panel.sessionContext.session?.kernel?.status;
    return status === 'busy' || status === 'idle' ? (this.running > 0 ? 'busy' : 'idle') : status;
  }

  /** Ask the server, once at a time, and once more for what came meanwhile. */
  private async ask(): Promise<void> {
    this.wanted = true;
    if (this.asking) {
      return;
    }
    this.asking = true;
    while (this.wanted && this.front) {
      this.wanted = false;
      const { path } = this.front;
      const standing = await this.cellar.client.read('standing', { path }).catch((error: Error) => error.message);
      if (path === this.front?.path) {
        // An answer to a question from before the last cell ended knows nothing of that cell's commit.
        this.tell(this.wanted ? { standing } : { standing, expected: false });
        this.askAgain();
      }
    }
    this.asking = false;
    await this.look();
  }

  private askAgain(): void {
    if (isUnsettled(this.now) && !this.again) {
      this.again = setTimeout(() => {
        this.again = undefined;
        void this.ask();
      }, AGAIN_MS);
    }
  }

  /** Where nothing records although it should: is Cellar there at all? */
  private async look(): Promise<void> {
    const kernel = this.front?.panel.sessionContext.session?.kernel;
    if (!kernel || this.looking === kernel.id || !asksKernel(this.now) || this.now.foreign) {
      return;
    }
    this.looking = kernel.id;
    const installed = await canImport(kernel).catch(() => undefined);
    const python = installed === false ? await pythonOf(kernel).catch(() => '') : '';
    this.looking = undefined;
    if (kernel.id === this.kernelId) {
      this.tell({ installed, python });
    }
  }

  private tell(news: Partial<Known>): void {
    this.now = { ...this.now, ...news };
    this.changes.emit(this.now);
  }

  private readonly changes = new Signal<Followed, Known>(this);
  private front: CurrentNotebook | null = null;
  private now: Known = NOTHING;
  private end: (() => void) | undefined;
  private running = 0;
  private kernelId: string | undefined;
  private asking = false;
  private wanted = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  private looking: string | undefined;
}
