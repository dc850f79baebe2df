/** Pipeline files: the open notebook, or a component of it, goes into one, or takes one in. */
import { useCallback, useState } from 'react';
import { CellarError } from '../../wire/client';
import { useHost, type Words } from '../host';
import { saveAs } from '../parts/files';
import type { Imported, OpenNotebook } from './open';

/** What became of an export or an import. */
export interface Told {
  /** What was done, in sentences; null: nothing, or it was read. */
  readonly said: readonly string[] | null;
  readonly error: unknown;
  /** What to do about the error; null where there is nothing. */
  readonly action: { readonly label: string; run(): Promise<void> } | null;
  forget(): void;
}

export interface Exchange extends Told {
  exportFile(component: { id: string; name: string } | null): Promise<void>;
  importFile(file: File): Promise<void>;
}

interface State {
  readonly said: readonly string[] | null;
  readonly error: unknown;
  readonly refused: { readonly text: string; readonly name: string } | null;
}

const NOTHING: State = { said: null, error: null, refused: null };

export function useExchange(path: string, open: OpenNotebook): Exchange {
  const { backend, trans } = useHost();
  const [state, setState] = useState<State>(NOTHING);
  const forget = useCallback(() => setState(NOTHING), []);

  const exportFile: Exchange['exportFile'] = useCallback(
    async component => {
      try {
        const notebook = open.whole(false)?.notebook ?? {};
        const components = component ? [component.id] : [];
        const { text, needs } = await backend.post('pipeline-export', {
          path,
          notebook,
          components,
          kernel: open.kernel()
        });
        const stem = path
          .split('/')
          .pop()!
          .replace(/\.ipynb$/, '');
        const name = `${[stem, component?.name]
          .filter(Boolean)
          .join('.')
          .replace(/[^\p{L}\p{N}._-]+/gu, '-')}.pipeline.json`;
        saveAs(name, text, 'application/json');
        const missing = needs.map(({ parent, child, names }) =>
          trans.__('%1 needs %2, which is not in the file (%3)', child, parent, takenOf(names, trans))
        );
        setState({ ...NOTHING, said: [trans.__('Exported to %1.', name), ...missing] });
      } catch (error) {
        setState({ ...NOTHING, error });
      }
    },
    [backend, path, open, trans]
  );
  const take = useCallback(
    async (text: string, name: string, replace: boolean) => {
      const sent = open.whole(true);
      if (!sent) {
        return;
      }
      try {
        const asked = { path, notebook: sent.notebook, text, name, replace };
        const imported = await backend.post('pipeline-import', asked);
        await open.take(imported, sent);
        setState({ ...NOTHING, said: toldOf(imported, name, trans) });
      } catch (error) {
        const isThere = error instanceof CellarError && error.code === 'already-exists';
        setState({ ...NOTHING, error, refused: isThere ? { text, name } : null });
      }
    },
    [backend, path, open, trans]
  );
  const importFile = useCallback(
    async (file: File) => {
      setState(NOTHING);
      await take(await file.text(), file.name, false);
    },
    [take]
  );
  const { said, error, refused } = state;
  return {
    ...{ said, error, exportFile, importFile, forget },
    // The notebook has it, and it differs.
    action: refused && { label: trans.__('Take the file’s'), run: () => take(refused.text, refused.name, true) }
  };
}

function toldOf({ added, replaced, same, needs }: Imported, name: string, trans: Words): string[] {
  const counts = [
    added ? trans._n('%1 cell added', '%1 cells added', added) : '',
    replaced ? trans._n('%1 replaced', '%1 replaced', replaced) : '',
    same ? trans._n('%1 there already', '%1 there already', same) : ''
  ].filter(Boolean);
  return [
    trans.__('Imported %1: %2.', name, counts.join(', ')),
    ...needs.map(({ parent, child, names }) =>
      trans.__('%1 needs cell %2, which is not here (%3)', child, parent, takenOf(names, trans))
    )
  ];
}

const takenOf = (names: readonly string[], trans: Words): string => names.join(', ') || trans.__('only the order');
