/** Requests that may take long: a notification with a button that gives them up, and errors with what helps. */
import { Notification } from '@jupyterlab/apputils';
import type { Host } from '../components/host';
import { oneLine } from '../model/outcome';
import { CellarError, type Progress, type Waiting } from '../wire/client';
import { showProblem } from './dialogs';

// What is done before shows nothing: a notification that comes and goes is noise.
const SHOW_AFTER_MS = 400;
const LONGEST = 140;

/** Wait for work that a kernel does; undefined when the user took it back. */
export async function waitFor<T>(
  host: Host,
  text: string,
  work: (waiting: Waiting & { signal: AbortSignal }) => Promise<T>
): Promise<T | undefined> {
  const { trans } = host;
  const taken = new AbortController();
  let shown = '';
  let said = text;
  const cancel = {
    label: trans.__('Cancel'),
    callback: (event: MouseEvent) => {
      event.preventDefault();
      taken.abort();
      Notification.update({ id: shown, message: trans.__('Cancelling …'), actions: [] });
    }
  };
  const timer = setTimeout(() => {
    shown = Notification.emit(said, 'in-progress', { autoClose: false, actions: [cancel] });
  }, SHOW_AFTER_MS);
  const progress = (now: Progress) => {
    said = `${text}: ${words(host, now)}`;
    if (shown && !taken.signal.aborted) {
      Notification.update({ id: shown, message: said, progress: now.total ? now.done / now.total : undefined });
    }
  };
  try {
    return await work({ signal: taken.signal, progress });
  } catch (error) {
    if (error instanceof CellarError && error.code === 'cancelled') {
      Notification.info(trans.__('Cancelled. The session is as it was.'), { autoClose: 4000 });
      return undefined;
    }
    throw error;
  } finally {
    clearTimeout(timer);
    if (shown) {
      Notification.dismiss(shown);
    }
  }
}

/** Begin a message as sentences begin, unless it begins with a name. */
function sentence(text: string): string {
  return /^[a-z]+[ ,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function words({ trans }: Host, { what, name, done, total }: Progress): string {
  const [title, of] = [oneLine(name, 50), total ? ` (${done + 1}/${total})` : ''];
  switch (what) {
    case 'wait':
      return trans.__('waiting for the running cell');
    case 'load':
      return trans.__('loading %1', title) + of;
    default:
      return trans.__('running again %1', title) + of;
  }
}

/** Do what a click asked for; what goes wrong is told, with what helps. */
export async function telling(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const hint = error instanceof CellarError && error.hint ? `\n${error.hint}` : '';
    Notification.error(`${(error as Error).message}${hint}`, { autoClose: false });
  }
}

/**
 * Show an error: what happened, what to do, and buttons that do it; return the notification.
 *
 * Where the server is gone it is a dialog: Lab asks the server for the code of its notifications when it needs them.
 */
export function report(host: Host, error: unknown, actions: Notification.IAction[] = []): string {
  const { trans } = host;
  const said = error instanceof Error ? error.message : String(error);
  const message = sentence(said);
  const hint = error instanceof CellarError ? error.hint : '';
  if (error instanceof CellarError && error.code === 'offline') {
    void showProblem(host, message, hint);
    return 'no notification';
  }
  const whole = hint ? `${message}. ${hint}` : message;
  const details: Notification.IAction = {
    label: trans.__('Details'),
    callback: event => {
      event.preventDefault();
      void showProblem(host, message, hint);
    }
  };
  return Notification.error(whole.length <= LONGEST ? whole : message, {
    autoClose: false,
    actions: whole.length <= LONGEST ? actions : [...actions, details]
  });
}
