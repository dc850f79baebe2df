/** What the side panels share: a widget that follows the notebook in front and asks for nothing while it is hidden. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import { type LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { HostProvider, type Host } from '../components/host';
import { ShownContext } from '../components/parts/hooks';
import { CellarError } from '../wire/client';
import type { Cellar, CurrentNotebook } from './tokens';

/** What a panel is called and shows at its tab. */
interface Look {
  readonly id: string;
  readonly icon: LabIcon;
  readonly caption: string;
}

export class SidePanel extends ReactWidget {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly cellar: Cellar,
    { id, icon, caption }: Look,
    private readonly draw: (path: string | null) => JSX.Element
  ) {
    super();
    this.id = id;
    this.title.icon = icon;
    this.title.caption = caption;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', caption);
    this.addClass('cellar-side-panel');
    cellar.currentChanged.connect(this.follow, this);
    this.follow();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.wasShown = true;
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  /** Give the keyboard to the first thing that takes it. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.querySelector<HTMLElement>('[role="listbox"], input, button')?.focus();
  }

  override render(): JSX.Element | null {
    if (!this.wasShown && !this.isVisible) {
      return null;
    }
    this.wasShown = true;
    return (
      <ShownContext.Provider value={this.isVisible}>
        <HostProvider value={hostOf(this.app, this.cellar)}>
          {this.draw(this.cellar.current?.path ?? null)}
        </HostProvider>
      </ShownContext.Provider>
    );
  }

  private follow(): void {
    this.current?.panel.sessionContext.kernelChanged.disconnect(this.update, this);
    this.current = this.cellar.current;
    this.current?.panel.sessionContext.kernelChanged.connect(this.update, this);
    this.update();
  }

  private current: CurrentNotebook | null = null;
  private wasShown = false;
}

/** What shows a panel: `ask` is given the command's arguments before it is seen. */
interface Showing {
  readonly command: string;
  readonly rank: number;
  readonly label: string;
  readonly caption: string;
  ask(args: ReadonlyPartialJSONObject): void;
}

/** Put a panel to the right of the notebook, where it is found by a command and after a reload. */
export function addToRight(
  { shell, commands }: JupyterFrontEnd,
  panel: SidePanel,
  { command, rank, label, caption, ask }: Showing,
  restorer: ILayoutRestorer | null,
  palette: ICommandPalette | null,
  category: string
): void {
  shell.add(panel, 'right', { rank });
  restorer?.add(panel, panel.id);
  commands.addCommand(command, {
    label,
    caption,
    execute: args => {
      ask(args);
      shell.activateById(panel.id);
      panel.update();
    }
  });
  palette?.addItem({ command, category });
}

const known = new WeakMap<Cellar, Host>();

/** Return the host with what only JupyterLab can do for a panel. */
function hostOf(app: JupyterFrontEnd, cellar: Cellar): Host {
  const there = known.get(cellar);
  if (there) {
    return there;
  }
  const { commands } = app;
  const sessionOf = (path: string) => (cellar.current?.path === path ? cellar.current.panel.sessionContext : undefined);
  // The commands are about the notebook in front, which may be another one by the time of a click.
  const execute = async (path: string, command: string, args = {}): Promise<void> => {
    if (cellar.current?.path !== path) {
      throw new CellarError(cellar.trans.__('%1 is not the notebook in front any more', path), 'conflict');
    }
    await commands.execute(command, args);
  };
  const host: Host = {
    ...cellar.host,
    checkout: commands.hasCommand(CHECKOUT)
      ? (path, wish) => execute(path, CHECKOUT, { ...wish, replay: wish.replay !== 'no' })
      : undefined,
    initialise: commands.hasCommand(INIT) ? path => execute(path, INIT) : undefined,
    hasKernel: path => !!sessionOf(path)?.session?.kernel,
    record: commands.hasCommand(ATTACH) ? () => commands.execute(ATTACH) : undefined,
    startKernel: async path => {
      const mustChoose = await sessionOf(path)?.startKernel();
      if (mustChoose) {
        await commands.execute('notebook:change-kernel');
      }
    },
    showVariables: ref => void commands.execute(VARIABLES, { ref }),
    showEntry: commit => void commands.execute(HISTORY, { commit })
  };
  known.set(cellar, host);
  return host;
}

// Commands of the session's plugin; without it the panels do what they can by themselves.
const CHECKOUT = 'nbcellar:checkout';
const INIT = 'nbcellar:init';
const ATTACH = 'nbcellar:attach';
export const HISTORY = 'nbcellar:show-history';
export const VARIABLES = 'nbcellar:show-variables';
