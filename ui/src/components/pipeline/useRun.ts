/** The run of a notebook's pipeline, as it is told, whoever started it in this server. */
import { useCallback, useEffect, useReducer, useState } from 'react';
import { type Line, NO_RUN, type Run, begun, withLine } from '../../model/pipeline_run';
import { useHost } from '../host';
import type { OpenNotebook } from './open';

interface Wanted {
  readonly components?: readonly string[];
  readonly start?: string;
}

/** What a run could not be started for, and what was wanted. */
export interface NotStarted {
  readonly error: unknown;
  readonly wanted: Wanted;
}

export interface Running {
  readonly run: Run;
  readonly failed: NotStarted | null;
  /** Between the click and the first word of the run. */
  readonly isStarting: boolean;
  start(wanted: Wanted): Promise<void>;
  cancel(): Promise<void>;
  forget(): void;
}

type Action = { readonly lines: readonly Line[] } | { readonly begin: string };

const reduce = (run: Run, action: Action): Run =>
  'begin' in action ? (run.name === action.begin ? run : begun(action.begin)) : action.lines.reduce(withLine, run);

export function useRun(path: string, open: OpenNotebook): Running {
  const { backend, trans } = useHost();
  const [run, tell] = useReducer(reduce, NO_RUN);
  const [failed, setFailed] = useState<NotStarted | null>(null);
  const [isStarting, setStarting] = useState(false);

  useEffect(() => {
    let isOver = false;
    const read = async () => {
      const { run: name, lines } = await backend.read('pipeline-lines', { path });
      if (!isOver && name) {
        tell({ begin: name });
        tell({ lines });
      }
    };
    const end = backend.subscribe(path, ({ event, line }) => {
      if (event === 'hello') {
        void read().catch(() => undefined); // what is wrong is said where the pipeline is read
      } else if (event === 'pipeline' && line) {
        tell({ lines: [line] });
      }
    });
    return () => {
      isOver = true;
      end();
    };
  }, [backend, path]);

  const start = useCallback(
    async (wanted: Wanted) => {
      setFailed(null);
      setStarting(true);
      try {
        if (!(await open.save())) {
          throw new Error(trans.__('The notebook could not be saved, and a run reads its file.'));
        }
        const started = await backend.post('pipeline-run', { path, kernel: open.kernel(), ...wanted });
        tell({ begin: started.run });
      } catch (error) {
        setFailed({ error, wanted });
      } finally {
        setStarting(false);
      }
    },
    [backend, path, open, trans]
  );
  const cancel = useCallback(async () => {
    try {
      await backend.post('pipeline-cancel', { path });
    } catch (error) {
      setFailed({ error, wanted: {} });
    }
  }, [backend, path]);
  const forget = useCallback(() => setFailed(null), []);
  return { run, failed, isStarting, start, cancel, forget };
}
