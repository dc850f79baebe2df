/** What is known of the caches of components: asked when edits rest, and when a run has ended. */
import { useEffect, useReducer, useState } from 'react';
import type { Cached, Run } from '../../model/pipeline_run';
import { useHost } from '../host';
import { useEvents } from '../parts/hooks';
import type { OpenNotebook } from './open';
import type { Pipeline } from './usePipeline';

const REST_MS = 400;

interface Caches {
  readonly caches: ReadonlyMap<string, Cached> | null;
  readonly edited: ReadonlySet<string>;
  /** Why nothing is known, "" where there is nothing to be said. */
  readonly reason: string;
}

const NOTHING: Caches = { caches: null, edited: new Set(), reason: '' };

export function useCaches(
  path: string,
  open: OpenNotebook,
  { moment, see }: Pipeline,
  run: Run
): Caches & { again(): void } {
  const { backend } = useHost();
  const [found, setFound] = useState(NOTHING);
  const turn = useEvents(path, 'file');
  const [asked, again] = useReducer((count: number) => count + 1, 0);
  const isRunning = run.state === 'running';
  useEffect(() => {
    if (!moment) {
      return;
    }
    if (isRunning) {
      setFound(NOTHING); // what was known before the run is old when it ends
      return;
    }
    const stop = new AbortController();
    const look = async () => {
      try {
        const wanted = { path, notebook: moment.notebook, kernel: open.kernel() };
        const { components, edited, reason, seen } = await backend.post('pipeline-status', wanted, stop.signal);
        if (!stop.signal.aborted) {
          const caches = Object.keys(components).length ? new Map(Object.entries(components)) : null;
          setFound({ caches, edited: new Set(edited), reason });
          if (caches) {
            see(seen);
          }
        }
      } catch {
        if (!stop.signal.aborted) {
          setFound(NOTHING); // what is wrong is said where the pipeline is read
        }
      }
    };
    const timer = window.setTimeout(() => void look(), found === NOTHING ? 0 : REST_MS);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [backend, path, open, moment, see, isRunning, run.name, turn, asked]);
  return { ...found, again };
}
