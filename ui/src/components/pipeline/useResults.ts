/** Archives of results: what is cached of the notebook's pipeline goes into one, or comes out of one. */
import { useCallback, useRef, useState } from 'react';
import { archiveName, proposedName, strangersOf } from '../../model/results';
import { size } from '../../model/words';
import { type Answer, CellarError } from '../../wire/client';
import { initialise, useHost, type Host, type Words } from '../host';
import type { Archives, OpenNotebook } from './open';
import type { Told } from './useExchange';

export interface Results extends Told {
  exportFile(): Promise<void>;
  importFile(): Promise<void>;
}

interface State {
  readonly said: readonly string[] | null;
  readonly error: unknown;
  readonly action: Told['action'];
}

const NOTHING: State = { said: null, error: null, action: null };

/** refresh: called when results came in; what is cached is another matter then. */
export function useResults(
  path: string,
  open: OpenNotebook,
  archives: Archives | null,
  refresh: () => void
): Results | null {
  const host = useHost();
  const { backend, trans } = host;
  const [state, setState] = useState<State>(NOTHING);
  const isBusy = useRef(false);
  const forget = useCallback(() => setState(NOTHING), []);

  /** Do one thing at a time, and say what became of it. */
  const doing = async (work: () => Promise<readonly string[] | null>, retry: () => Promise<void>) => {
    if (isBusy.current) {
      return;
    }
    isBusy.current = true;
    setState(NOTHING);
    try {
      setState({ ...NOTHING, said: await work() });
    } catch (error) {
      setState({ ...NOTHING, error, action: withRepository(host, path, error, retry) });
    } finally {
      isBusy.current = false;
    }
  };
  const say = (line: string) => setState({ ...NOTHING, said: [line] });

  const write = async (name: string, replace: boolean): Promise<void> => {
    await doing(
      async () => {
        if (!(await open.save())) {
          throw new CellarError(trans.__('The notebook was not saved, and results are those of its file.'), 'conflict');
        }
        say(trans.__('Writing %1…', name));
        const asked = { path, name, replace, kernel: open.kernel() };
        return writtenOf(await backend.post('pipeline-results-export', asked), name, trans);
      },
      () => write(name, replace)
    );
    // What is there and is an archive may be written over, on a word of its own.
    setState(before =>
      before.error instanceof CellarError && before.error.code === 'already-exists'
        ? { ...before, action: { label: trans.__('Write over it'), run: () => write(name, true) } }
        : before
    );
  };
  const exportFile = async () => {
    const name = archiveName((await archives?.name(proposedName(path))) ?? '');
    if (name) {
      await write(name, false);
    }
  };

  const take = (archive: string): Promise<void> =>
    doing(
      async () => {
        say(trans.__('Checking %1…', archive));
        const found = await backend.read('pipeline-results-look', { path, archive });
        setState(NOTHING);
        if (!(await archives?.agree(found))) {
          return [trans.__('Nothing was imported.')];
        }
        say(trans.__('Importing %1…', archive));
        const trust = strangersOf(found);
        const done = await backend.post('pipeline-results-import', { path, archive, trust });
        refresh();
        return takenOf(done, archive, trans);
      },
      () => take(archive)
    );
  const importFile = async () => {
    const archive = await archives?.choose(path);
    if (archive) {
      await take(archive);
    }
  };
  return archives && { ...state, exportFile, importFile, forget };
}

/** Where there is no repository to have results: the way to make one, and go on. */
function withRepository(host: Host, path: string, error: unknown, retry: () => Promise<void>): Told['action'] {
  if (!(error instanceof CellarError) || error.code !== 'no-repository') {
    return null;
  }
  const run = async () => {
    await initialise(host, path);
    await retry();
  };
  return { label: host.trans.__('Record this folder and go on'), run };
}

function writtenOf(done: Answer<'pipeline-results-export'>, name: string, trans: Words): string[] {
  const { archive, left_out, secrets, notes } = done;
  const count = trans._n('%1 result', '%1 results', archive.results.length);
  return [
    trans.__(
      'Wrote %1 beside the notebook: %2, %3, signed by %4.',
      name,
      count,
      size(archive.bytes),
      archive.signer.key
    ),
    ...Object.entries(left_out).map(([component, why]) => trans.__('%1 was left out: %2', component, why)),
    ...(secrets.length ? [trans.__('May hold secrets; look before you share it:'), ...secrets] : []),
    ...notes
  ];
}

function takenOf(done: Answer<'pipeline-results-import'>, archive: string, trans: Words): string[] {
  const came = trans._n('%1 result came in', '%1 results came in', done.new);
  const known = done.known ? [trans._n('%1 was here', '%1 were here', done.known)] : [];
  return [
    trans.__('Imported %1: %2.', archive, [came, ...known].join(', ')),
    ...done.trusted.map(key => trans.__('Trusted in this project from now on: %1', key))
  ];
}
