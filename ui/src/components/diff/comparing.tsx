/** What the parts of a view of a comparison share: the answer, what is shown, the open notebook behind one side. */
import { createContext, useContext, useEffect, useState } from 'react';
import type { Answer, Cell, Output, Pair } from '../../model/comparison';
import { useHost } from '../host';
import type { Layout } from './SourceDiff';

/** A cell of the notebook that somebody has open. */
export interface LiveCell {
  source(): string;
  /** Replace the characters from `from` to `to`. */
  edit(from: number, to: number, text: string): void;
  subscribe(tell: () => void): () => void;
}

/** The notebook that somebody has open, as the second side of a comparison. */
export interface Live {
  /** Return the notebook as JSON, made in small steps; null if it is gone. */
  snapshot(): Promise<Blob | null>;
  /** Be told after each change of anything in it. */
  subscribe(tell: () => void): () => void;
  cell(id: string): LiveCell | null;
  trusted(): boolean;
}

export interface Comparing {
  readonly answer: Answer;
  readonly path: string;
  readonly layout: Layout;
  readonly outputs: boolean;
  readonly metadata: boolean;
  readonly live: Live | null;
  /** Keep a row in view whatever becomes of its cells: somebody edits there. */
  readonly hold: (pair: Pair) => void;
}

const Context = createContext<Comparing | null>(null);

export const ComparingProvider = Context.Provider;

export function useComparing(): Comparing {
  const found = useContext(Context);
  if (!found) {
    throw new Error('a part of a comparison stands outside of it');
  }
  return found;
}

export interface LoadedOutputs {
  readonly shown: readonly Output[];
  /** nbformat's JSON of the same outputs; empty where the notebook is not trusted, or nothing here renders it. */
  readonly raw: readonly object[];
}

/** Return the outputs of a cell, null while they are on their way. With `wanted` false nothing is asked. */
export function useOutputs(side: 'before' | 'after', cell: Cell | undefined, wanted: boolean): LoadedOutputs | null {
  const { backend, renderOutput } = useHost();
  const { answer, path, live } = useComparing();
  const trusted = side === 'before' ? answer.before_side.trusted : live ? live.trusted() : answer.after_side.trusted;
  const raw = Boolean(trusted && renderOutput);
  const known = cell === undefined || cell.outputs === 0 || (cell.shown !== null && !raw);
  const [loaded, setLoaded] = useState<LoadedOutputs | null>(null);
  useEffect(() => {
    if (known || !wanted) {
      return;
    }
    const abort = new AbortController();
    backend
      .read('diff-outputs', { path, id: answer.id, side, cells: cell.place, raw }, abort.signal)
      .then(found => setLoaded(found.cells[0] ?? { shown: [], raw: [] }))
      .catch(() => undefined); // a newer comparison has taken its place, or the view is gone
    return () => abort.abort();
  }, [answer.id, path, side, cell?.place, wanted, known, raw, backend]);
  return known ? { shown: cell?.shown ?? [], raw: [] } : loaded;
}
