/**
 * The offer to bring the last session back, when a notebook has a new kernel: after a restart, a crash, the next day.
 *
 * Invariant: one offer for each kernel, and only where the server says that there is something to bring back; it goes
 * when the kernel holds something, however that came there.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { oneLine } from '../model/outcome';
import { PLUGIN } from './session';
import { type Cellar, type Followed, ICellar, IFollowed } from './tokens';

export const returning: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:returning',
  description: 'Offers to bring the last session back into a new kernel.',
  autoStart: true,
  requires: [ICellar, IFollowed],
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, cellar: Cellar, followed: Followed, registry: ISettingRegistry | null) => {
    const offers = new Offers(app, cellar, followed);
    const begin = (wanted: () => boolean) => {
      followed.changed.connect(() => wanted() && void offers.look());
      wanted() && void offers.look();
    };
    if (registry) {
      void registry.load(PLUGIN).then(
        settings => begin(() => settings.composite.offerRestore !== false),
        () => begin(() => true)
      );
    } else {
      begin(() => true);
    }
  }
};

class Offers {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly cellar: Cellar,
    private readonly followed: Followed
  ) {}

  /** Offer what the kernel in front does not hold, once for each kernel; take back an offer that is none any more. */
  async look(): Promise<void> {
    const { known, notebook } = this.followed;
    const kernel = typeof known.standing === 'object' ? known.standing.notebook?.kernels[0] : undefined;
    if (!notebook || !kernel || known.standing === this.answered) {
      return;
    }
    this.answered = known.standing;
    const { path } = notebook;
    const name = `${kernel.pid} ${kernel.started}`;
    const isNew = this.seen.get(path) !== name;
    if (isNew) {
      this.withdraw(path);
    }
    if (kernel.state === 'busy' || !(isNew || this.shown.has(path))) {
      return; // one that does not answer now is asked when it does
    }
    this.seen.set(path, name);
    const session = await this.read(path);
    if (this.seen.get(path) !== name) {
      return;
    }
    if (session === undefined && isNew) {
      this.seen.delete(path);
    } else if (session === null) {
      this.withdraw(path);
    } else if (session && !this.shown.has(path)) {
      this.offer(path, session.variables, session.commit.title, session.commit.time);
    }
  }

  /** What can be brought back, null: nothing, undefined: not known. */
  private async read(path: string) {
    try {
      return (await this.cellar.client.read('lost-session', { path })).session ?? null;
    } catch {
      return undefined;
    }
  }

  private offer(path: string, variables: number, title: string, time: string): void {
    const { trans } = this.cellar;
    const when = new Date(time).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    const what = trans._n('%1 variable', '%1 variables', variables);
    const text = title
      ? trans.__('This kernel is new. Recorded: %1, of %2, after %3', what, when, oneLine(title, 40))
      : trans.__('This kernel is new. Recorded: %1, of %2', what, when);
    const bring = {
      label: trans.__('Bring the session back'),
      displayType: 'accent' as const,
      callback: () => {
        if (this.followed.notebook?.path === path) {
          void this.app.commands.execute('nbcellar:restore');
        }
      }
    };
    this.shown.set(path, Notification.info(text, { autoClose: false, actions: [bring] }));
  }

  private withdraw(path: string): void {
    const shown = this.shown.get(path);
    if (shown) {
      Notification.dismiss(shown);
      this.shown.delete(path);
    }
  }

  private answered: unknown;
  private readonly seen = new Map<string, string>();
  private readonly shown = new Map<string, string>();
}
