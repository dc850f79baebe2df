/**
 * What a user does to the session, from the question to the notification.
 *
 * Invariant: for one notebook, one thing after the other, in the order of the clicks; nothing fails in silence.
 */
import { Notification, SessionContextDialogs } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { leftOut, type Outcome, outcome, type Verb } from '../model/outcome';
import { CellarError } from '../wire/client';
import { askMessage, askReplay, chooseCommit, showInstall, showOutcome } from './dialogs';
import { canImport, join, pythonOf, started } from './kernel';
import { type CodeBack, checkoutCode } from './opened';
import { report, waitFor } from './progress';
import { saveNotebook } from './saving';
import type { Cellar, CurrentNotebook } from './tokens';

/** What a checkout brings. */
export interface CheckoutWish {
  readonly ref: string;
  readonly variables: boolean;
  readonly code: boolean;
  readonly replay?: boolean;
}

type Route = 'undo' | 'redo' | 'checkout' | 'restore';

export class Actions {
  constructor(
    private readonly cellar: Cellar,
    private readonly settings: () => ISettingRegistry.ISettings | null
  ) {}

  /** Undo or redo some cell runs. */
  step(verb: 'undo' | 'redo', steps = 1): Promise<void> {
    return this.inTurn(async notebook => {
      this.show(await this.change(verb, verb, notebook, { steps }));
    });
  }

  /** Bring a session back into a new kernel. */
  restore(ref?: string): Promise<void> {
    return this.inTurn(async notebook => {
      this.show(await this.change('restore', 'restore', notebook, ref ? { ref } : {}));
    });
  }

  /** Check a commit out; without a wish, let one be chosen. */
  checkout(wish?: CheckoutWish): Promise<void> {
    return this.inTurn(async notebook => {
      const chosen = wish ?? (await this.choose(notebook.path));
      if (chosen) {
        await this.bring(notebook, chosen);
      }
    });
  }

  /** Name this point; without a message, ask for one. */
  commit(message?: string): Promise<void> {
    return this.inTurn(async ({ panel, path }) => {
      const { client, host, trans } = this.cellar;
      const asked = message ?? (await askMessage(host));
      if (asked === null) {
        return;
      }
      const { context } = panel;
      const { collaborative, dirty, readOnly } = context.model;
      const mustSave = this.setting('saveBeforeCommit', true) && (dirty || collaborative) && !readOnly;
      const isSaved = !mustSave || (await saveNotebook(panel));
      const name = asked || trans.__('Point of %1', now());
      const text = trans.__('Committing: %1', name);
      const made = await waitFor(host, text, async waiting => {
        await started(panel.sessionContext, waiting.signal);
        return client.post('commit', { path, message: name }, waiting);
      });
      if (made) {
        const where = made.branch ? `${made.branch} ${made.id.slice(0, 8)}` : made.id.slice(0, 8);
        const notes = [
          ...made.notes,
          ...(made.live ? [] : [trans.__('without a kernel, the last recorded state')]),
          ...(isSaved ? [] : [trans.__('the notebook could not be saved before: the commit has its file as it was')])
        ];
        this.tell(trans.__('Committed %1: %2', where, name) + notes.map(note => ` · ${note}`).join(''));
      }
    });
  }

  /** Make a repository in the notebook's folder, and let its kernel join. */
  init(): Promise<void> {
    return this.inTurn(async notebook => {
      const { client, trans } = this.cellar;
      const made = await client.post('init', { path: notebook.path });
      await this.joinKernel(notebook);
      this.tell(trans.__('Recording the notebooks in %1', made.repository));
    });
  }

  /** Record this notebook from now on. */
  attach(): Promise<void> {
    return this.inTurn(async notebook => {
      const { client, trans } = this.cellar;
      const kernel = notebook.panel.sessionContext.session?.kernel;
      if (kernel?.status === 'idle' && !(await canImport(kernel))) {
        await this.showInstall(kernel);
        return;
      }
      const done = await client.post('attach', { path: notebook.path });
      const joined = await this.joinKernel(notebook);
      if (done.recording) {
        this.tell(trans.__('This notebook is recorded'));
      } else if (joined) {
        this.tell(done.notes.join(' · '));
      }
    });
  }

  /** Record this notebook no longer. */
  detach(): Promise<void> {
    return this.inTurn(async ({ path }) => {
      const { client } = this.cellar;
      const done = await client.post('detach', { path });
      this.tell([this.cellar.trans.__('Not recorded any more'), ...done.notes].join(' · '));
    });
  }

  /** Start a kernel, or start the dead one again. */
  startKernel(): Promise<void> {
    return this.inTurn(async ({ panel }) => {
      const { sessionContext } = panel;
      const kernel = sessionContext.session?.kernel;
      if (kernel) {
        await sessionContext.restartKernel();
      } else if (await sessionContext.startKernel()) {
        await new SessionContextDialogs().selectKernel(sessionContext);
      }
    });
  }

  async install(): Promise<void> {
    const kernel = this.cellar.current?.panel.sessionContext.session?.kernel;
    await this.showInstall(kernel?.status === 'idle' ? kernel : null); // a busy one would answer when its cell ends
  }

  private async showInstall(kernel: Kernel.IKernelConnection | null): Promise<void> {
    await showInstall(this.cellar.host, kernel ? await pythonOf(kernel).catch(() => '') : '');
  }

  private async choose(path: string): Promise<CheckoutWish | null> {
    const chosen = await chooseCommit(this.cellar.host, path, this.setting('replay', 'ask') !== 'never');
    return chosen?.choice ? { ...chosen, ref: chosen.choice.ref } : null;
  }

  private async bring(notebook: CurrentNotebook, wish: CheckoutWish): Promise<void> {
    const { client, trans } = this.cellar;
    const { panel, path } = notebook;
    const asked = { ref: wish.ref, variables: true, code: false };
    const done = wish.variables
      ? await this.change('checkout', 'checkout', notebook, asked, wish.replay ?? true).catch(error => {
          const { rest } = this;
          if (rest && wish.code) {
            this.rest = () => rest().then(() => this.checkout({ ...wish, variables: false }));
          }
          throw error;
        })
      : undefined;
    if (done === null) {
      return;
    }
    if (!wish.code) {
      this.show(done!);
      return;
    }
    const back = await checkoutCode(client, panel, path, wish.ref).catch(error => {
      if (done) {
        this.show(done); // the variables are there, whatever keeps the code away
      }
      throw error;
    });
    const words = codeWords(back, trans);
    const actions = back.before && words.changed ? [this.codeBack(notebook, back.before)] : [];
    if (done) {
      this.show({ ...done, headline: `${done.headline} · ${words.text}` }, actions);
    } else {
      const name = /^[0-9a-f]{40,}$/.test(wish.ref) ? wish.ref.slice(0, 8) : wish.ref;
      this.tell(trans.__('Code of %1 · %2', name, words.text), actions);
    }
  }

  private codeBack(notebook: CurrentNotebook, before: string): Notification.IAction {
    const { client, host, trans } = this.cellar;
    return {
      label: trans.__('Bring the text back'),
      callback: () =>
        void checkoutCode(client, notebook.panel, notebook.path, before).catch(error => report(host, error))
    };
  }

  /** Ask for a change of the session, again where cells have to run and the user agrees; null when given up. */
  private async change(
    verb: Verb,
    route: Route,
    notebook: CurrentNotebook,
    asked: object,
    mayReplay = true
  ): Promise<Outcome | null> {
    const { client, host, trans } = this.cellar;
    const { panel, path } = notebook;
    const replays = { ask: 'ask', never: 'no', always: 'yes' }[this.setting('replay', 'ask')] ?? 'ask';
    let replay = mayReplay ? replays : 'no';
    for (;;) {
      const done = await waitFor(host, this.pending(verb), async waiting => {
        await started(panel.sessionContext, waiting.signal);
        return client.post(route, { path, ...asked, replay }, waiting);
      }).catch(error => {
        const without = error instanceof CellarError ? leftOut(error.hint) : [];
        if (without.length) {
          this.rest = () =>
            this.inTurn(async () => this.show(await this.change(verb, route, notebook, { ...asked, without }, false)));
        }
        throw error;
      });
      if (!done) {
        return null;
      }
      if (!done.asks || !done.replay) {
        return outcome(done, verb, trans);
      }
      const agreed = await askReplay(host, done.replay);
      if (agreed === null) {
        return null;
      }
      replay = agreed ? done.replay.id || 'yes' : 'no';
    }
  }

  private show(done: Outcome | null, more: Notification.IAction[] = []): void {
    if (done) {
      const { host, trans } = this.cellar;
      const { headline, level, parts } = done;
      const details = { label: trans.__('Details'), callback: () => void showOutcome(host, headline, parts) };
      this.tell(headline, [...more, ...(parts.length ? [details] : [])], level === 'attention');
    }
  }

  private pending(verb: Verb): string {
    const { trans } = this.cellar;
    return {
      undo: trans.__('Undo'),
      redo: trans.__('Redo'),
      checkout: trans.__('Checkout'),
      restore: trans.__('Restore')
    }[verb];
  }

  private async joinKernel({ panel }: CurrentNotebook): Promise<boolean> {
    const kernel = panel.sessionContext.session?.kernel;
    if (!kernel || kernel.status === 'dead') {
      return false;
    }
    if (!(await canImport(kernel))) {
      void this.showInstall(kernel);
      return false;
    }
    await join(kernel);
    return true;
  }

  /** Do something for the notebook in front when all that was asked before is done; show what went wrong. */
  private inTurn(work: (notebook: CurrentNotebook) => Promise<void>): Promise<void> {
    const notebook = this.cellar.current;
    if (!notebook) {
      return Promise.resolve();
    }
    this.last = this.last
      .then(() => {
        Notification.dismiss(this.failed); // what is tried again, or put right, failed no longer
        return work(notebook);
      })
      .catch(error => this.explain(error));
    return this.last;
  }

  private explain(error: unknown): void {
    const { host, trans } = this.cellar;
    const actions: Notification.IAction[] = [];
    if (error instanceof CellarError && error.code === 'no-repository') {
      actions.push({ label: trans.__('Record this folder'), callback: () => void this.init(), displayType: 'accent' });
    }
    if (error instanceof CellarError && error.code === 'no-kernel') {
      const kernel = this.cellar.current?.panel.sessionContext.session?.kernel;
      const alive = kernel && kernel.status !== 'dead';
      actions.push(
        alive
          ? { label: trans.__('Record this kernel'), callback: () => void this.attach(), displayType: 'accent' }
          : { label: trans.__('Start kernel'), callback: () => void this.startKernel(), displayType: 'accent' }
      );
    }
    if (error instanceof CellarError && error.code === 'not-found' && error.hint.includes('cellar attach')) {
      const record = { label: trans.__('Record this notebook'), callback: () => void this.attach() };
      actions.push({ ...record, displayType: 'accent' });
    }
    const { rest } = this;
    if (rest) {
      this.rest = undefined;
      actions.push({ label: trans.__('Bring back the rest'), callback: () => void rest() });
    }
    if (error instanceof CellarError && error.code === 'kernel' && error.hint.includes('pip install')) {
      actions.push({ label: trans.__('Install in this kernel'), callback: () => void this.install() });
    }
    this.failed = report(host, error, actions);
  }

  /** Say what was done, in the place of what was said before: the last word counts. */
  private tell(text: string, actions: Notification.IAction[] = [], attention = false): void {
    Notification.dismiss(this.told);
    if (attention) {
      Notification.warning(text, { autoClose: false, actions });
    } else if (this.setting('notify', 'all') === 'all') {
      this.told = Notification.success(text, { autoClose: actions.length ? 8000 : 4000, actions });
    }
  }

  private setting<T extends string | boolean>(name: string, otherwise: T): T extends string ? string : boolean {
    return (this.settings()?.composite[name] ?? otherwise) as T extends string ? string : boolean;
  }

  private last: Promise<void> = Promise.resolve();
  /** What was refused, without the variables that kept it from being done. */
  private rest: (() => Promise<void>) | undefined;
  private told = 'nothing yet';
  private failed = 'nothing yet';
}

function codeWords({ patched }: CodeBack, trans: Cellar['trans']): { text: string; changed: boolean } {
  const { changed, inserted, removed, moved } = patched;
  const counts = [
    changed && trans.__('%1 changed', changed),
    inserted && trans.__('%1 added', inserted),
    removed && trans.__('%1 removed', removed),
    moved && trans.__('%1 moved', moved)
  ].filter(Boolean);
  return counts.length
    ? { text: trans.__('cells: %1', counts.join(', ')), changed: true }
    : { text: trans.__('the notebook has this code already'), changed: false };
}

function now(): string {
  return new Date().toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
