/** The commands of the session: in the menu, the palette, the toolbar, by keys; `schema/plugin.json` declares where. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { Actions } from './actions';
import { preferChords } from './chords';
import { checkoutIcon, commitIcon, redoIcon, restoreIcon, undoIcon } from './icons';
import { type Cellar, ICellar } from './tokens';

type Args = ReadonlyPartialJSONObject;

interface Entry {
  readonly name: string;
  readonly label: string;
  readonly caption: string;
  readonly icon?: LabIcon;
  readonly run: (args: Args) => Promise<void>;
  readonly isVisible?: () => boolean;
}

export const PLUGIN = 'nbcellar-lab:plugin';

export const session: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'The commands of Cellar.',
  autoStart: true,
  requires: [ICellar],
  optional: [ISettingRegistry, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    cellar: Cellar,
    registry: ISettingRegistry | null,
    palette: ICommandPalette | null
  ) => {
    let settings: ISettingRegistry.ISettings | null = null;
    void registry?.load(PLUGIN).then(loaded => void (settings = loaded));
    const actions = new Actions(cellar, () => settings);
    for (const entry of [...entries(actions, cellar.trans), comparison(app.commands, cellar)]) {
      add(app.commands, cellar, entry);
      palette?.addItem({ command: `nbcellar:${entry.name}`, category: cellar.trans.__('Cellar') });
    }
    preferChords(app.commands, 'nbcellar:');
    cellar.currentChanged.connect(() => app.commands.notifyCommandChanged());
  }
};

function add(commands: CommandRegistry, cellar: Cellar, entry: Entry): void {
  commands.addCommand(`nbcellar:${entry.name}`, {
    label: args => (args.toolbar ? '' : entry.label),
    caption: entry.caption,
    icon: entry.icon,
    isEnabled: () => cellar.current !== null && (entry.isVisible?.() ?? true),
    isVisible: () => entry.isVisible?.() ?? true,
    execute: args => entry.run(args)
  });
}

function entries(actions: Actions, trans: Cellar['trans']): Entry[] {
  const count = ({ steps }: Args) => (typeof steps === 'number' ? steps : 1);
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return [
    {
      name: 'undo',
      label: trans.__('Undo Cell Run'),
      caption: trans.__('Cellar: bring the variables back to before the last cell run'),
      icon: undoIcon,
      run: args => actions.step('undo', count(args))
    },
    {
      name: 'redo',
      label: trans.__('Redo Cell Run'),
      caption: trans.__('Cellar: bring back what was undone'),
      icon: redoIcon,
      run: args => actions.step('redo', count(args))
    },
    {
      name: 'commit',
      label: trans.__('Commit…'),
      caption: trans.__('Cellar: give this point of the session and the notebook a name'),
      icon: commitIcon,
      run: args => actions.commit(text(args.message))
    },
    {
      name: 'checkout',
      label: trans.__('Check Out…'),
      caption: trans.__('Cellar: go to another commit'),
      icon: checkoutIcon,
      run: args => actions.checkout(wish(args))
    },
    {
      name: 'restore',
      label: trans.__('Bring the Last Session Back'),
      caption: trans.__('Cellar: restore the variables of the last session into this kernel'),
      icon: restoreIcon,
      run: args => actions.restore(text(args.ref))
    },
    {
      name: 'start-kernel',
      label: trans.__('Start Kernel'),
      caption: trans.__('Start a kernel for this notebook, or start the dead one again'),
      run: () => actions.startKernel()
    },
    {
      name: 'init',
      label: trans.__('Record This Folder'),
      caption: trans.__('Cellar: make a repository in the folder of this notebook'),
      run: () => actions.init()
    },
    {
      name: 'attach',
      label: trans.__('Record This Notebook'),
      caption: trans.__('Cellar: record this notebook, from now on'),
      run: () => actions.attach()
    },
    {
      name: 'detach',
      label: trans.__('Stop Recording This Notebook'),
      caption: trans.__('Cellar: record this notebook no longer'),
      run: () => actions.detach()
    },
    {
      name: 'install',
      label: trans.__('How to Install Cellar in This Kernel'),
      caption: trans.__('Show the command that installs Cellar in the environment of this kernel'),
      run: () => actions.install()
    }
  ];
}

/** The open notebook beside a commit, by the view of another plugin. */
function comparison(commands: CommandRegistry, cellar: Cellar): Entry {
  const { trans } = cellar;
  return {
    name: 'diff',
    label: trans.__('Compare With Last Commit'),
    caption: trans.__('Cellar: show what changed in this notebook since the last commit'),
    isVisible: () => commands.hasCommand('nbcellar:diff-notebook'),
    run: async args => {
      const path = cellar.current?.path;
      if (path !== undefined) {
        await commands.execute('nbcellar:diff-notebook', { path, before: 'cellar:HEAD', after: 'open', ...args });
      }
    }
  };
}

function wish(args: Args) {
  return typeof args.ref === 'string'
    ? {
        ref: args.ref,
        variables: args.variables !== false,
        code: args.code !== false,
        replay: args.replay !== false
      }
    : undefined;
}
