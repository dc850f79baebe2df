/** What can be done with a commit of git's, from the log of a notebook. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { TouchingCommit, GitLogProps } from '../components/git/GitLog';
import { formatSide } from '../model/sides';
import { CellarError } from '../wire/client';
import { DIFF_COMMANDS } from './diff';
import { telling } from './progress';
import type { Cellar } from './tokens';

type Actions = Omit<GitLogProps, 'path'>;

/** Return what the buttons of the log do for a notebook. */
export function gitActions(app: JupyterFrontEnd, cellar: Cellar, path: string): Actions {
  const { commands } = app;
  const compare = (before: string, after: string): void => {
    void commands.execute(DIFF_COMMANDS.notebook, { path, before, after });
  };
  return {
    onDiff: commit => compare(sideOf(`${commit.commit}^`, commit.here_before || commit.here), sideOfCommit(commit)),
    onCompare: commit => compare(sideOfCommit(commit), 'open'),
    onOpen: commit => void telling(openVersion(app, cellar, path, commit)),
    onBranch: commit => void telling(startBranch(cellar, path, commit.commit))
  };

  /** A version where the notebook was then; by the name of now unless it had another. */
  function sideOf(revision: string, at?: string): string {
    return formatSide({ kind: 'git', revision, path: at && at !== path ? at : null });
  }
  function sideOfCommit(commit: TouchingCommit): string {
    return sideOf(commit.commit, commit.here);
  }
}

/** Open a version as a copy beside the notebook, `NAME-1a2b3c4d.ipynb`: nothing that is there is written over. */
async function openVersion(app: JupyterFrontEnd, cellar: Cellar, path: string, commit: TouchingCommit): Promise<void> {
  const { trans, client } = cellar;
  const revision = commit.commit;
  const { contents } = app.serviceManager;
  const found = await client.read('git-base', { path, revision, at: commit.here });
  if (!found.notebook) {
    throw new CellarError(trans.__('The notebook is not in %1.', revision.slice(0, 8)), 'not-found');
  }
  const stem = `${PathExt.join(PathExt.dirname(path), PathExt.basename(path, '.ipynb'))}-${revision.slice(0, 8)}`;
  const names = await free(contents, stem);
  await contents.save(names, { type: 'notebook', format: 'json', content: found.notebook });
  await app.commands.execute('docmanager:open', { path: names });
}

async function free(contents: JupyterFrontEnd['serviceManager']['contents'], stem: string): Promise<string> {
  for (let number = 1; ; number++) {
    const path = `${stem}${number === 1 ? '' : `-${number}`}.ipynb`;
    const taken = await contents.get(path, { content: false }).then(
      () => true,
      (error: unknown) => {
        if ((error as { response?: Response }).response?.status !== 404) {
          throw error; // whether there is one is not known
        }
        return false;
      }
    );
    if (!taken) {
      return path;
    }
  }
}

async function startBranch(cellar: Cellar, path: string, revision: string): Promise<void> {
  const { trans, client } = cellar;
  const asked = await InputDialog.getText({
    title: trans.__('Start a branch of git’s at %1', revision.slice(0, 8)),
    label: trans.__('Name of the branch'),
    okLabel: trans.__('Start')
  });
  const name = asked.button.accept ? asked.value?.trim() : '';
  if (name) {
    await client.post('git-branch', { path, name, revision });
    const said = trans.__('The branch %1 starts at %2. To work on it: git switch %1', name, revision.slice(0, 8));
    Notification.success(said, { autoClose: 8000 });
  }
}
