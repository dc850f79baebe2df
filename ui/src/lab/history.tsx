/** The side panel History. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { GitLog } from '../components/git/GitLog';
import { HistoryPanel } from '../components/history/HistoryPanel';
import { HistoryTabs } from '../components/history/HistoryTabs';
import { gitActions } from './git';
import { historyIcon } from './icons';
import { HISTORY, SidePanel } from './panel';
import { ICellar, type Cellar } from './tokens';

export const history: JupyterFrontEndPlugin<void> = {
  id: 'nbcellar-lab:history',
  description: 'The commit graph of the notebook in front, beside it.',
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
    let reveal: { commit: string } | null = null;
    const panel = new SidePanel(app, cellar, path => (
      <HistoryTabs
        session={<HistoryPanel path={path} reveal={reveal} />}
        git={path && <GitLog key={path} path={path} {...gitActions(app, cellar, path)} />}
      />
    ));
    panel.id = 'nbcellar-history';
    panel.title.icon = historyIcon;
    panel.title.caption = trans.__('History (Cellar)');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('History (Cellar)'));
    app.shell.add(panel, 'right', { rank: 700 });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(HISTORY, {
      label: trans.__('Show History'),
      caption: trans.__('Show the commits of this notebook; with the argument commit, that one'),
      execute: args => {
        reveal = typeof args.commit === 'string' ? { commit: args.commit } : null;
        app.shell.activateById(panel.id);
        panel.update();
      }
    });
    palette?.addItem({ command: HISTORY, category: trans.__('Cellar') });
  }
};
