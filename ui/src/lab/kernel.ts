/** Questions to the kernel of a notebook itself, silent: no trace in its history, its outputs or its counter. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { ISignal } from '@lumino/signaling';
import { CellarError } from '../wire/client';

const IS_THERE = "__import__('importlib.util').util.find_spec('nbcellar') is not None";
const PYTHON = "__import__('sys').executable";
const JOIN = "__import__('nbcellar').load_ipython_extension(get_ipython())";

/** Whether Cellar can be imported in the kernel. */
export async function canImport(kernel: Kernel.IKernelConnection): Promise<boolean> {
  return (await evaluate(kernel, IS_THERE)) === 'True';
}

/** The path of the Python that runs in the kernel. */
export async function pythonOf(kernel: Kernel.IKernelConnection): Promise<string> {
  const text = await evaluate(kernel, PYTHON);
  return text.slice(1, -1).replace(/\\\\/g, '\\');
}

/** Let a kernel record, as `%load_ext nbcellar` does. */
export async function join(kernel: Kernel.IKernelConnection): Promise<void> {
  await evaluate(kernel, JOIN);
}

/**
 * Wait until a kernel that is being started runs, so that cells which were sent meanwhile are ahead of what comes next;
 * at once where there is none, it is dead, or it runs. Fails when it is taken back before.
 */
export async function started(context: ISessionContext, signal: AbortSignal): Promise<void> {
  const given = new Promise<never>((_, fail) => {
    const giveUp = () => fail(new CellarError('the request was taken back before it was sent', 'cancelled'));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  await Promise.race([running(context), given]);
}

async function running(context: ISessionContext): Promise<void> {
  await context.ready;
  const first = context.session?.kernel;
  let waited = false;
  if (first && !isGone(first) && !(await hasAnswered(first))) {
    waited = true;
    const info = first.info.catch(() => undefined);
    await Promise.race([info, until(context, () => context.session?.kernel !== first || isGone(first))]);
  }
  if (isStarting(context)) {
    waited = true;
    await until(context, () => !isStarting(context));
  }
  const kernel = context.session?.kernel;
  if (waited && kernel && !isGone(kernel)) {
    await evaluate(kernel, 'None').catch(() => ''); // in the queue behind what was sent while it started
  }
}

function until(context: ISessionContext, holds: () => boolean): Promise<void> {
  return new Promise(done => {
    const { statusChanged, connectionStatusChanged, kernelChanged, disposed } = context;
    const signals = [statusChanged, connectionStatusChanged, kernelChanged, disposed] as ISignal<unknown, unknown>[];
    const look = () => {
      if (context.isDisposed || holds()) {
        signals.forEach(signal => signal.disconnect(look));
        done();
      }
    };
    signals.forEach(signal => signal.connect(look));
    look();
  });
}

/** False for one that is connected to for the first time: one whose server is gone for a while has answered before. */
function hasAnswered(kernel: Kernel.IKernelConnection): Promise<boolean> {
  const info = kernel.info.then(
    () => true,
    () => true
  );
  return Promise.race([info, new Promise<boolean>(done => setTimeout(done, 0, false))]);
}

function isStarting({ session }: ISessionContext): boolean {
  const { status, connectionStatus } = session?.kernel ?? {};
  // After a restart Lab says "unknown" until the kernel answers; it does so, too, while the server is gone.
  return status === 'unknown'
    ? connectionStatus === 'connected'
    : ['starting', 'restarting', 'autorestarting'].includes(status ?? '');
}

function isGone({ status, isDisposed }: Kernel.IKernelConnection): boolean {
  return isDisposed || status === 'dead' || status === 'terminating';
}

async function evaluate(kernel: Kernel.IKernelConnection, expression: string): Promise<string> {
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    user_expressions: { asked: expression }
  });
  const { content } = await future.done;
  if (content.status !== 'ok') {
    return '';
  }
  const found = content.user_expressions.asked as { status?: string; data?: Record<string, string>; evalue?: string };
  if (found.status === 'error') {
    throw new Error(found.evalue ?? 'the kernel could not answer');
  }
  return found.data?.['text/plain'] ?? '';
}
