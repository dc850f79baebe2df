/** Asks the server for a comparison, again when the open notebook or what git has changed; the last answer stays meanwhile. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { askedOf, type Request } from '../../model/asked';
import type { Answer } from '../../model/comparison';
import { formatSide, type Side } from '../../model/sides';
import { CellarError } from '../../wire/client';
import { useHost } from '../host';
import type { Live } from './comparing';

const SETTLED_MS = 250;

export interface Comparison {
  readonly answer: Answer | null;
  readonly error: CellarError | null;
  readonly busy: boolean;
  readonly again: () => void;
}

export function useComparison(request: Request, live: Live | null): Comparison {
  const { backend } = useHost();
  const [state, setState] = useState<Omit<Comparison, 'again'>>({ answer: null, error: null, busy: true });
  const [turn, setTurn] = useState(0);
  const last = useRef('');
  const shown = useRef('');
  const hasFailed = useRef(false);
  const asking = useRef({ now: false, again: false });
  hasFailed.current = state.error !== null;
  const again = useCallback(() => setTurn(known => known + 1), []);
  const { path, before, after, handed } = request;

  const asked = JSON.stringify([path, before, after, handed]);
  useEffect(() => {
    const abort = new AbortController();
    asking.current = { now: true, again: false };
    setState(known => ({ ...known, busy: true }));
    ask()
      .then(answer => {
        if (!abort.signal.aborted) {
          asking.current.now = false;
          last.current = answer.id;
          shown.current = asked;
          setState({ answer, error: null, busy: false });
          if (asking.current.again) {
            setTimeout(again, SETTLED_MS); // what was found is drawn before
          }
        }
      })
      .catch(error => {
        if (!abort.signal.aborted) {
          asking.current.now = false;
          const told = error instanceof CellarError ? error : new CellarError(String(error), 'unexpected');
          // Rows of other versions must not stand under the names of these.
          setState(({ answer }) => ({ answer: shown.current === asked ? answer : null, error: told, busy: false }));
        }
      });
    return () => abort.abort();

    async function ask(): Promise<Answer> {
      const instead = last.current;
      if (handed || (after.kind !== 'open' && before.kind !== 'open')) {
        return backend.post('diff', askedOf(request, instead), abort.signal);
      }
      const notebook = await live?.snapshot();
      abort.signal.throwIfAborted();
      if (!notebook) {
        throw new CellarError('the notebook is not open any more', 'closed', 'compare its file instead');
      }
      const head = JSON.stringify({ path, instead, before, after });
      const marker = '"kind":"open"';
      const cut = head.indexOf(marker) + marker.length;
      const body = new Blob([head.slice(0, cut), ',"notebook":', notebook, head.slice(cut)], {
        type: 'application/json'
      });
      return backend.post('diff', body, abort.signal);
    }
  }, [backend, asked, live, turn]);

  useEffect(() => {
    if (!live || after.kind !== 'open') {
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = live.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(again, SETTLED_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [live, after.kind, again]);

  const isSettled = state.answer !== null || state.error !== null;
  useEffect(() => {
    if (handed || !isSettled) {
      return; // following takes time of the server's that the first answer has a better use for
    }
    // After `hello` nothing is missed; what happened between the request and it may have been. The first answer is not
    // given up for that: it is shown, and asked for once more.
    const sides = [before, after];
    const paths = new Set([path, ...sides.flatMap(side => (side.kind === 'file' && side.path) || [])]);
    const ends = [...paths].map(each =>
      backend.subscribe(each, ({ event }) => {
        const isHello = event === 'hello';
        const concerns = sides.map(movedBy).filter(Boolean);
        if (isHello && asking.current.now) {
          asking.current.again = concerns.length > 0;
        } else if (isHello ? concerns.length || hasFailed.current : concerns.includes(event)) {
          again();
        }
      })
    );
    return () => ends.forEach(end => end());
  }, [backend, path, handed, formatSide(before), formatSide(after), again, isSettled]);

  return { ...state, again };
}

/** The event after which a side is another version; "" for what stays, or tells of its changes itself. */
function movedBy({ kind, revision }: Side): string {
  if (kind === 'git' || kind === 'file') {
    return kind;
  }
  return kind === 'commit' && !/^[0-9a-f]{8,}$/.test(revision ?? '') ? 'history' : '';
}
