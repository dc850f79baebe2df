/** The pipeline of the open notebook, which follows each edit, and edits of it. */
import { useCallback, useContext, useEffect, useReducer, useRef, useState } from 'react';
import type { Shown } from '../../model/pipeline';
import type { Answer } from '../../wire/client';
import { useHost } from '../host';
import { ShownContext } from '../parts/hooks';
import type { Edit, Moment, OpenNotebook } from './open';

/** How long typing has to rest, in milliseconds. */
const REST_MS = 300;

type SeenEdge = Answer<'pipeline-status'>['seen'][number];

export interface Pipeline {
  readonly shown: Shown | null;
  /** The moment that `shown` is of. */
  readonly moment: Moment | null;
  readonly error: unknown;
  again(): void;
  /** Take notice of the edges that runs showed. */
  see(edges: readonly SeenEdge[]): void;
  /** Make an edit. Fails with what the server says. */
  edit(edit: Edit): Promise<Shown>;
}

export function usePipeline(path: string, open: OpenNotebook): Pipeline {
  const { backend } = useHost();
  const isShown = useContext(ShownContext);
  const [state, setState] = useState<{ shown: Shown | null; moment: Moment | null; error: unknown }>({
    shown: null,
    moment: null,
    error: null
  });
  const [turn, again] = useReducer((count: number) => count + 1, 0);
  const last = useRef('');
  const seen = useRef<readonly SeenEdge[]>([]);
  /** The question that is under way. */
  const asking = useRef(new AbortController());

  useEffect(() => {
    if (!isShown) {
      return;
    }
    let timer = 0;
    const look = async () => {
      const moment = open.moment();
      const text = moment && JSON.stringify(moment.notebook);
      if (!moment || text === last.current) {
        return;
      }
      asking.current.abort();
      const own = (asking.current = new AbortController());
      last.current = text!;
      try {
        const shown = await backend.post(
          'pipeline',
          { path, notebook: moment.notebook, seen: seen.current },
          own.signal
        );
        if (!own.signal.aborted) {
          // The same notebook is the same moment: what is known of its caches holds.
          const isSame = (before: Moment | null) => before && JSON.stringify(before.notebook) === text;
          setState(before => ({ shown, moment: isSame(before.moment) ? before.moment : moment, error: null }));
        }
      } catch (error) {
        if (!own.signal.aborted) {
          last.current = '';
          setState(before => ({ ...before, error }));
        }
      }
    };
    const soon = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void look(), REST_MS);
    };
    last.current = '';
    void look();
    const end = open.subscribe(soon);
    return () => {
      end();
      window.clearTimeout(timer);
      asking.current.abort();
    };
  }, [backend, path, open, isShown, turn]);

  // One after the other: each is made on what the one before left.
  const turnOfEdits = useRef<Promise<unknown>>(Promise.resolve());
  const make = useCallback(
    async (wanted: Edit): Promise<Shown> => {
      const moment = open.moment();
      if (!moment) {
        throw new Error('the notebook is closed');
      }
      const asked = { path, notebook: moment.notebook, edit: wanted, seen: seen.current };
      const edited = await backend.post('pipeline-edit', asked);
      await open.change(edited, moment);
      asking.current.abort(); // it was asked before the edit, and its answer would stay
      last.current = ''; // read again when edits rest: something else may have been typed meanwhile
      setState({ shown: edited.shown, moment: open.moment() ?? moment, error: null });
      return edited.shown;
    },
    [backend, path, open]
  );
  const edit = useCallback(
    (wanted: Edit): Promise<Shown> => {
      const made = turnOfEdits.current.then(() => make(wanted));
      turnOfEdits.current = made.catch(() => undefined);
      return made;
    },
    [make]
  );
  const see = useCallback((edges: readonly SeenEdge[]) => {
    if (JSON.stringify(edges) !== JSON.stringify(seen.current)) {
      seen.current = edges;
      again();
    }
  }, []);
  return { ...state, again, see, edit };
}
