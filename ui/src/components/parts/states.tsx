/** What a panel says instead of its content, or above it: nothing there, an error, no kernel. */
import { useState } from 'react';
import { CellarError } from '../../wire/client';
import { useHost } from '../host';
import { useServerGone } from './hooks';

interface EmptyProps {
  readonly title: string;
  readonly text?: string;
  readonly action?: string;
  run?(): Promise<unknown>;
}

/** A panel without content, and what to do about it. */
export function Empty({ title, text, action, run }: EmptyProps): JSX.Element {
  const { isBusy, error, click } = useWork(run);
  return (
    <div className="cellar-empty">
      <p className="cellar-empty-title">{title}</p>
      {text && <p>{text}</p>}
      {action && (
        <button className="cellar-button cellar-is-main" disabled={isBusy} onClick={() => void click()}>
          {action}
        </button>
      )}
      {error !== null && <Problem error={error} />}
    </div>
  );
}

/** What a button does, while it is off; what went wrong stays until the next time. */
function useWork(run: (() => Promise<unknown>) | undefined) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const click = async () => {
    setBusy(true);
    setError(null);
    try {
      await run?.();
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, error, click };
}

/** An error with its hint; a button tries again where that makes sense. */
export function Problem({ error, again }: { error: unknown; again?: () => void }): JSX.Element {
  const { trans } = useHost();
  const hint = error instanceof CellarError ? error.hint : '';
  return (
    <div className="cellar-problem" role="alert">
      <span>
        {error instanceof Error ? error.message : String(error)}
        {hint && <span className="cellar-soft"> {hint}</span>}
      </span>
      {again && (
        <button className="cellar-button" onClick={again}>
          {trans.__('Try again')}
        </button>
      )}
    </div>
  );
}

/** One line where the server is gone: what is shown may be old. It goes when the server is back, and all is read anew. */
export function ServerNotice(): JSX.Element | null {
  const { trans } = useHost();
  return useServerGone() ? (
    <div className="cellar-notice cellar-server-gone" role="alert">
      {trans.__('The server cannot be reached. What is shown may be old; it is read again when the server is back.')}
    </div>
  ) : null;
}

/** One line about a notebook whose session is not recorded now. */
export function KernelNotice({ path, why }: { path: string; why: 'none' | 'not-recording' | 'off' }): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const [does, word] =
    why === 'none' ? [host.startKernel, trans.__('Start a kernel')] : [host.record, trans.__('Record it')];
  const { isBusy, error, click } = useWork(() => does!(path));
  return (
    <div className="cellar-notice" role="status">
      {why === 'none' && <span>{trans.__('No kernel runs: values can be looked at, not brought back.')}</span>}
      {why === 'off' && <span>{trans.__('Recording is off for this notebook by its settings.')}</span>}
      {why === 'not-recording' && (
        <span>
          {trans.__('The kernel does not record. In a cell:')} <code>%load_ext nbcellar</code>
          {trans.__(', and where that is not installed, before it:')} <code>%pip install nbcellar</code>
        </span>
      )}
      {does && (
        <button className="cellar-button" disabled={isBusy} onClick={() => void click()}>
          {word}
        </button>
      )}
      {error !== null && <Problem error={error} />}
    </div>
  );
}
