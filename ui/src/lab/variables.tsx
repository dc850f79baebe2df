/** The side panel Variables. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { VariablesPanel } from '../components/variables/VariablesPanel';
import { variablesIcon } from './icons';
import { addToRight, SidePanel, VARIABLES } from './panel';
import { ICellar, type Cellar } from './tokens';

export const variables: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:variables',
  description: 'The variables of any commit of the notebook in front, beside it.',
  autoStart: true,
  requires: [ICellar],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    cellar: Cellar,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = cellar;
    let wanted: { ref: string } | null = null;
    const look = { id: 'nbcellar-variables', icon: variablesIcon, caption: trans.__('Variables (Cellar)') };
    const panel = new SidePanel(app, cellar, look, path => <VariablesPanel path={path} wanted={wanted} />);
    cellar.currentChanged.connect(() => {
      wanted = null;
    });
    const showing = {
      command: VARIABLES,
      rank: 701,
      label: trans.__('Show Variables'),
      caption: trans.__('Show the variables of now; with the argument ref, those of that commit'),
      ask: (args: ReadonlyPartialJSONObject) => {
        wanted = typeof args.ref === 'string' ? { ref: args.ref } : null;
      }
    };
    addToRight(app, panel, showing, restorer, palette, trans.__('Cellar'));
  }
};
