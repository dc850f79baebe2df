/** What the panels share: answers of routes that follow what is asked, and the standing of a notebook. */
import {
  createContext,
  startTransition,
  useCallback,
  useContext,
  useEffect,
  useReducer,
  useRef,
  useState
} from 'react';
import type { Answer, CellarEvent } from '../../wire/client';
import type { RouteName } from '../../wire/generated/answers';
import { useHost } from '../host';

export interface Read<T> {
  /** The last answer that fits; it stays while a newer one is on its way. */
  readonly value: T | null;
  readonly error: unknown;
  readonly isLoading: boolean;
  again(): void;
}

/** Read a route whenever what is asked (null: nothing) or `turn` changes; an answer that came too late is dropped. */
export function useRead<R extends RouteName>(route: R, asked: object | null, turn: unknown = 0): Read<Answer<R>> {
  const { backend } = useHost();
  const [state, setState] = useState<{ value: Answer<R> | null; error: unknown; isLoading: boolean }>({
    value: null,
    error: null,
    isLoading: asked !== null
  });
  const [tries, again] = useReducer((count: number) => count + 1, 0);
  const key = asked === null ? '' : JSON.stringify(asked);
  const last = useRef('');
  useEffect(() => {
    if (!key) {
      setState({ value: null, error: null, isLoading: false });
      return;
    }
    const stop = new AbortController();
    const isSame = last.current === key;
    last.current = key;
    setState(before => ({ value: isSame ? before.value : null, error: null, isLoading: true }));
    backend.read(route, JSON.parse(key) as object, stop.signal).then(
      value => !stop.signal.aborted && setState({ value, error: null, isLoading: false }),
      (error: unknown) => !stop.signal.aborted && setState(before => ({ value: before.value, error, isLoading: false }))
    );
    return () => stop.abort();
  }, [backend, route, key, turn, tries]);
  return { ...state, again };
}

/** Whether a panel is on the screen: one behind another asks for nothing. */
export const ShownContext = createContext(true);

/** Count the events about a path of one kind; `hello` counts always: something may have been missed. What came while the
 * panel was out of sight counts once, when it is seen again. */
export function useEvents(path: string, kind: CellarEvent['event']): number {
  const { backend } = useHost();
  const isShown = useContext(ShownContext);
  const [turn, next] = useReducer((count: number) => count + 1, 0);
  const state = useRef({ isShown, missed: false });
  useEffect(() => {
    state.current.isShown = isShown;
    if (isShown && state.current.missed) {
      state.current.missed = false;
      next();
    }
  }, [isShown]);
  useEffect(() => {
    return backend.subscribe(path, ({ event }) => {
      // A first `hello` counts as well: what was read before the subscription may be older than it.
      if (event === 'hello' || event === kind) {
        if (state.current.isShown) {
          next();
        } else {
          state.current.missed = true;
        }
      }
    });
  }, [backend, path, kind]);
  return turn;
}

/** Whether the server is gone: what is shown may be old. */
export function useServerGone(): boolean {
  const { backend } = useHost();
  const [isGone, setGone] = useState(false);
  useEffect(() => backend.followServer?.(setGone), [backend]);
  return isGone;
}

/** Whether what stood there at first is drawn: until then, what takes long and may come later stays away. */
export function useDrawn(): boolean {
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => startTransition(() => setDrawn(true)));
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, []);
  return isDrawn;
}

/** Return the height of an element, as it is now, and what to give it as `ref`. */
export function useHeight(): [number, (element: HTMLElement | null) => void] {
  const [height, setHeight] = useState(0);
  const watcher = useRef<ResizeObserver | null>(null);
  const attach = useCallback((element: HTMLElement | null) => {
    watcher.current?.disconnect();
    if (element) {
      setHeight(element.clientHeight);
      watcher.current = new ResizeObserver(() => setHeight(element.clientHeight));
      watcher.current.observe(element);
    }
  }, []);
  return [height, attach];
}
