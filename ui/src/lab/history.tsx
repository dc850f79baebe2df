/** The side panel History. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { GitLog } from '../components/git/GitLog';
import { HistoryPanel } from '../components/history/HistoryPanel';
import { HistoryTabs } from '../components/history/HistoryTabs';
import { gitActions } from './git';
import { historyIcon } from './icons';
import { addToRight, HISTORY, SidePanel } from './panel';
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
    const look = { id: 'nbcellar-history', icon: historyIcon, caption: trans.__('History (Cellar)') };
    const panel = new SidePanel(app, cellar, look, path => (
      <HistoryTabs
        session={<HistoryPanel path={path} reveal={reveal} />}
        git={path && <GitLog key={path} path={path} {...gitActions(app, cellar, path)} />}
      />
    ));
    const showing = {
      command: HISTORY,
      rank: 700,
      label: trans.__('Show History'),
      caption: trans.__('Show the commits of this notebook; with the argument commit, that one'),
      ask: (args: ReadonlyPartialJSONObject) => {
        reveal = typeof args.commit === 'string' ? { commit: args.commit } : null;
      }
    };
    addToRight(app, panel, showing, restorer, palette, trans.__('Cellar'));
  }
};
