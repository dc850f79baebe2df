/** The plugins of the extension; each is in a module of its own. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { diff } from './diff';
import { drafts } from './drafts';
import { gutter } from './gutter';
import { history } from './history';
import { merge } from './merge';
import { pipeline } from './pipeline';
import { returning } from './returning';
import { service } from './service';
import { session } from './session';
import { followed, status } from './status';
import { variables } from './variables';

const plugins: JupyterFrontEndPlugin<any>[] = [
  service,
  diff,
  drafts,
  gutter,
  history,
  merge,
  pipeline,
  returning,
  session,
  followed,
  status,
  variables
];

export default plugins;
