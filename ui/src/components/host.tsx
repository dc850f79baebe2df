/**
 * What components need of the place where they are shown: JupyterLab or the stand-alone page.
 *
 * Invariant: components import nothing of `@jupyterlab`; what only Lab can do is optional here.
 */
import { createContext, useContext } from 'react';
import type { Backend } from '../wire/client';

/** Words for people, as JupyterLab's translator has them; `%1`, `%2` stand for arguments. */
export interface Words {
  __(text: string, ...args: unknown[]): string;
  _n(one: string, many: string, count: number, ...args: unknown[]): string;
}

/** Where a checkout goes: the arguments of the command `nbcellar:checkout`. */
export interface CheckoutWish {
  readonly ref: string;
  readonly variables: boolean;
  readonly code: boolean;
  readonly replay: string;
}

export interface Host {
  readonly backend: Backend;
  readonly trans: Words;
  /** Go to a commit with the place's own questions and messages; without it a component does it and says the result. */
  checkout?(path: string, wish: CheckoutWish): Promise<void>;
  /** Make a repository beside a notebook and let its kernel record; without it only the repository is made. */
  initialise?(path: string): Promise<void>;
  /** Let a running kernel record its notebook. */
  record?(path: string): Promise<void>;
  /** Start a kernel for a notebook. */
  startKernel?(path: string): Promise<void>;
  /** Say whether a kernel runs for a notebook, recording or not. */
  hasKernel?(path: string): boolean;
  /** Show the variables of a commit in the panel for them. */
  showVariables?(ref: string): void;
  /** Show a commit in the history. */
  showEntry?(commit: string): void;
  /** Show an output of a trusted notebook with Jupyter's renderers; what comes back takes it away. */
  renderOutput?(output: object, place: HTMLElement): () => void;
}

const HostContext = createContext<Host | null>(null);

export const HostProvider = HostContext.Provider;

/** Return what the place offers. Only inside a `HostProvider`. */
export function useHost(): Host {
  const host = useContext(HostContext);
  if (!host) {
    throw new Error('a component of Cellar stands outside of its host');
  }
  return host;
}

/** Make a repository beside a notebook, in the way of the place. */
export async function initialise({ initialise: own, backend }: Host, path: string): Promise<void> {
  await (own?.(path) ?? backend.post('init', { path }));
}

/** Words as they stand in the code: for the page, and for tests. */
export const english: Words = {
  __: (text, ...args) => fill(text, args),
  _n: (one, many, count, ...args) => fill(count === 1 ? one : many, [count, ...args])
};

function fill(text: string, args: unknown[]): string {
  return text.replace(/%(\d)/g, (_, number) => String(args[Number(number) - 1] ?? ''));
}
