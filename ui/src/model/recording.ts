/**
 * Where the recording of a notebook stands, in a word for the status bar.
 *
 * Invariant: "saved" and "recording" are said only where the server saw a kernel that records; what is not known is
 * said to be not known. Pure: what is known comes in, a line goes out.
 */
import type { Words } from '../components/host';
import type { components } from '../wire/generated/types';

export type Standing = components['schemas']['Standing'];

/** What is known of the notebook in front. */
export interface Known {
  /** undefined: not asked yet; a text: why the server does not say. */
  readonly standing: Standing | string | undefined;
  /** As JupyterLab has it: idle, busy, starting, dead, ...; undefined without a kernel. */
  readonly kernel: string | undefined;
  /** Whether the kernel can import Cellar: asked only where nothing records. */
  readonly installed: boolean | undefined;
  /** Where the Python of a kernel without Cellar is; "": not known. */
  readonly python: string;
  /** A kernel of another language. */
  readonly foreign: boolean;
  /** A cell ran, and its commit did not come yet. */
  readonly expected: boolean;
  /** The server does not answer. */
  readonly gone: boolean;
}

export type State =
  | 'unknown'
  | 'gone'
  | 'error'
  | 'no-repository'
  | 'off'
  | 'no-kernel'
  | 'foreign'
  | 'not-installed'
  | 'not-joined'
  | 'recording'
  | 'saving'
  | 'saved'
  | 'failing';

export interface Line {
  readonly state: State;
  readonly text: string;
  /** What it means and what a click does. */
  readonly caption: string;
  /** The command that a click runs. */
  readonly command: string;
}

export const INSTALL = '%pip install nbcellar';

/** True if it has to be asked of the kernel whether Cellar is installed there. */
export function asksKernel(known: Known): boolean {
  return stateOf(known) === 'unknown' && typeof known.standing === 'object' && known.kernel === 'idle';
}

/** True if the kernel of the last answer will say something else in a moment, and no event tells when. */
export function isUnsettled({ standing, kernel }: Known): boolean {
  const state = typeof standing === 'object' ? standing.notebook?.kernels[0]?.state : undefined;
  return state === 'saving' || (state === 'busy' && kernel === 'idle');
}

export function line(known: Known, words: Words): Line {
  const state = stateOf(known);
  const [text, caption, command] = worded(state, known, words);
  const standing = typeof known.standing === 'object' ? known.standing : undefined;
  const size = standing?.repository && standing.stored_bytes ? ` · ${bytes(standing.stored_bytes)}` : '';
  return { state, text: `${words.__('Cellar')}: ${text}${size}`, caption, command };
}

/** A size as people read it. */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let size = count;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  return `${at === 0 || size >= 10 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}

function stateOf(known: Known): State {
  const { standing, kernel } = known;
  if (known.gone) {
    return 'gone';
  }
  if (typeof standing === 'string') {
    return 'error';
  }
  if (!standing) {
    return 'unknown';
  }
  if (!standing.repository) {
    return 'no-repository';
  }
  const kernels = standing.notebook?.kernels ?? [];
  if (kernel && kernel !== 'dead' && kernels.length) {
    const [{ state }] = kernels as [(typeof kernels)[0]];
    if (state === 'failing') {
      return 'failing';
    }
    if (kernel === 'busy' && !known.expected) {
      return 'recording';
    }
    return state === 'saving' || known.expected ? 'saving' : state === 'recording' ? 'saved' : 'recording';
  }
  if (standing.off) {
    return 'off';
  }
  if (!kernel || kernel === 'dead') {
    return 'no-kernel';
  }
  if (known.foreign) {
    return 'foreign';
  }
  if (known.installed === undefined) {
    return 'unknown';
  }
  return known.installed ? 'not-joined' : 'not-installed';
}

function worded(state: State, known: Known, words: Words): [text: string, caption: string, command: string] {
  const standing = typeof known.standing === 'object' ? known.standing : undefined;
  switch (state) {
    case 'gone':
      return [
        words.__('server gone'),
        words.__('The server cannot be reached. Whether the last cells were saved is not known. Is it still running?'),
        ''
      ];
    case 'error':
      return [words.__('not available'), known.standing as string, ''];
    case 'no-repository':
      return [
        words.__('not recording'),
        words.__('Nothing is recorded in this folder. Click to record its notebooks.'),
        'nbcellar:init'
      ];
    case 'off':
      return [words.__('off'), words.__('Not recorded: %1. Click to record it.', standing!.off), 'nbcellar:attach'];
    case 'no-kernel':
      return [words.__('no kernel'), words.__('There is no kernel. Click to start one.'), 'nbcellar:start-kernel'];
    case 'foreign':
      return [words.__('not recorded'), words.__('Cellar records kernels of Python.'), ''];
    case 'not-installed':
      return [
        words.__('not installed in this kernel'),
        known.python
          ? words.__('Not in the environment of %1. Run in a cell: %2. Then restart the kernel.', known.python, INSTALL)
          : words.__('Run in a cell: %1. Then restart the kernel.', INSTALL),
        'nbcellar:install'
      ];
    case 'not-joined':
      return [
        words.__('off in this kernel'),
        words.__('This kernel does not record. Click to let it join.'),
        'nbcellar:attach'
      ];
    case 'failing':
      return [words.__('not saved'), failure(standing!) || words.__('The last commit could not be saved.'), ''];
    case 'saving':
      return [words.__('saving'), words.__('What the last cell changed is being saved.'), 'nbcellar:commit'];
    case 'recording':
      return [words.__('recording'), words.__('What the cell changes is recorded when it ends.'), ''];
    case 'saved':
      return [
        words.__('saved'),
        words.__('All that cells did is saved. Click to give this point a name.'),
        'nbcellar:commit'
      ];
    default:
      return ['…', words.__('Looking at the kernel.'), ''];
  }
}

function failure(standing: Standing): string {
  return standing.notebook?.kernels.find(kernel => kernel.state === 'failing')?.detail ?? '';
}
