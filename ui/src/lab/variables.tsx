/** The side panel Variables. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { VariablesPanel } from '../components/variables/VariablesPanel';
import { variablesIcon } from './icons';
import { SidePanel, VARIABLES } from './panel';
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
    const panel = new SidePanel(app, cellar, path => <VariablesPanel path={path} wanted={wanted} />);
    panel.id = 'nbcellar-variables';
    panel.title.icon = variablesIcon;
    panel.title.caption = trans.__('Variables (Cellar)');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Variables (Cellar)'));
    app.shell.add(panel, 'right', { rank: 701 });
    restorer?.add(panel, panel.id);
    cellar.currentChanged.connect(() => {
      wanted = null;
    });
    app.commands.addCommand(VARIABLES, {
      label: trans.__('Show Variables'),
      caption: trans.__('Show the variables of now; with the argument ref, those of that commit'),
      execute: args => {
        wanted = typeof args.ref === 'string' ? { ref: args.ref } : null;
        app.shell.activateById(panel.id);
        panel.update();
      }
    });
    palette?.addItem({ command: VARIABLES, category: trans.__('Cellar') });
  }
};
