/** Questions about archives of results, as JupyterLab's dialogs: what one is called, which one, and whether to trust it. */
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import { ArchiveView } from '../components/pipeline/ArchiveView';
import type { Archives } from '../components/pipeline/open';
import { blockedOf, isArchiveName, strangersOf } from '../model/results';
import { Body } from './dialogs';
import type { Cellar } from './tokens';

export function archiveDialogs({ host, trans }: Cellar, manager: IDocumentManager): Archives {
  return {
    name: async proposed => {
      const { button, value } = await InputDialog.getText({
        title: trans.__('Export results'),
        label: trans.__('Name of the archive, which is written beside the notebook'),
        text: proposed,
        okLabel: trans.__('Export')
      });
      return button.accept ? value : null;
    },
    choose: async notebook => {
      const { button, value } = await FileDialog.getOpenFiles({
        manager,
        defaultPath: PathExt.dirname(notebook),
        title: trans.__('Import results'),
        label: trans.__('An archive of results (.tar.gz)'),
        filter: model => (model.type === 'directory' || isArchiveName(model.name) ? {} : null)
      });
      const chosen = value?.find(model => model.type !== 'directory');
      return button.accept && chosen ? manager.services.contents.localPath(chosen.path) : null;
    },
    agree: async archive => {
      const isBlocked = blockedOf(archive).length > 0;
      const strangers = strangersOf(archive).length;
      const cancel = Dialog.cancelButton({ label: isBlocked ? trans.__('Close') : trans.__('Cancel') });
      const ok = strangers
        ? Dialog.warnButton({
            label: trans._n('Trust this key and import', 'Trust these keys and import', strangers),
            accept: true
          })
        : Dialog.okButton({ label: trans.__('Import') });
      const { button } = await showDialog({
        title: isBlocked
          ? trans.__('Signed by a key that is blocked here: it cannot be imported')
          : strangers
            ? trans.__('Trust who signed these results?')
            : trans.__('Import these results?'),
        body: new Body(host, <ArchiveView archive={archive} />),
        buttons: isBlocked ? [cancel] : [cancel, ok],
        defaultButton: strangers || isBlocked ? 0 : 1
      });
      return button.accept;
    }
  };
}
