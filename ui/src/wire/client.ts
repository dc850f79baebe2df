/**
 * Requests to the server part, and the events it sends.
 *
 * Invariant: an answer is checked against its schema before anybody sees it; every failure is a `CellarError` with a
 * code. Not for: knowing where it runs; `send` and `socketUrl` come from JupyterLab or from the page.
 *
 * Long work: `post(route, asked, { signal, progress })`. `progress` is called while the request waits for a kernel
 * ({what: 'wait'}), loads variables ({what: 'load', name, done, total}) or runs cells again ({what: 'replay', ...}).
 * Aborting such a request does not let go of it: the server takes it back, and the promise says what became of it. It
 * fails with the code `cancelled` where nothing was changed and nothing will be, and is fulfilled where it was too late.
 * What only reads or computes fails at once when it is aborted, as `fetch` does.
 */
import { ANSWERS, LIVE, type RouteName } from './generated/answers';
import type { components } from './generated/types';
import * as validators from './generated/validators';
import { posted, routeUrl, type Transport } from './transport';

type Schemas = components['schemas'];
export type Answer<R extends RouteName> = Schemas[(typeof ANSWERS)[R]];
export type CellarEvent = Schemas['Event'];
/** How far a request is: see `Progress` in schema/openapi.json. */
export type Progress = Schemas['Progress'];

/** Why a request was not carried out. */
export class CellarError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly hint = '',
    readonly status = 0
  ) {
    super(message);
    this.name = 'CellarError';
  }
}

/** How somebody waits for an answer. */
export interface Waiting {
  /** Takes the request back. */
  signal?: AbortSignal;
  /** Is told how far it is; only of routes that may wait for a kernel. */
  progress?: (progress: Progress) => void;
}

/** What components know of the server. */
export interface Backend {
  read<R extends RouteName>(route: R, asked: object, signal?: AbortSignal): Promise<Answer<R>>;
  /** `asked` may come as JSON in a Blob, where making it at once would hold the page up. */
  post<R extends RouteName>(route: R, asked: object, waiting?: AbortSignal | Waiting): Promise<Answer<R>>;
  /** Be told of changes around a path, until the function that comes back is called. */
  subscribe(path: string, tell: (event: CellarEvent) => void): () => void;
  /** Be told when the server is gone, and when it is back, until the function that comes back is called. */
  followServer?(tell: (isGone: boolean) => void): () => void;
}

export class Client implements Backend {
  constructor(private readonly transport: Transport) {
    this.events = new EventSocket(() => transport.socketUrl(routeUrl('events')));
  }

  read<R extends RouteName>(route: R, asked: object, signal?: AbortSignal): Promise<Answer<R>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) {
      if (value !== undefined && value !== null) {
        query.set(name, String(value));
      }
    }
    return this.request(route, `${routeUrl(route)}?${query}`, { method: 'GET', signal });
  }

  post<R extends RouteName>(route: R, asked: object, waiting: AbortSignal | Waiting = {}): Promise<Answer<R>> {
    const { signal, progress }: Waiting = waiting instanceof AbortSignal ? { signal: waiting } : waiting;
    const init = posted(asked);
    if (!LIVE.has(route) || !(signal || progress)) {
      return this.request(route, routeUrl(route), { ...init, signal });
    }
    return this.follow(route, asked, init, signal, progress);
  }

  subscribe(path: string, tell: (event: CellarEvent) => void): () => void {
    return this.events.subscribe(path, tell);
  }

  followServer(tell: (isGone: boolean) => void): () => void {
    return this.events.followServer(tell);
  }

  /** Send a request that may take long: hear of its progress, and let it be taken back. */
  private async follow<R extends RouteName>(
    route: R,
    asked: object,
    init: RequestInit,
    signal?: AbortSignal,
    progress?: (progress: Progress) => void
  ): Promise<Answer<R>> {
    if (signal?.aborted) {
      throw new CellarError('the request was taken back before it was sent', 'cancelled');
    }
    const name = crypto.getRandomValues(new Uint32Array(4)).join('-');
    const path = 'path' in asked ? String(asked.path) : '';
    const listen = (event: CellarEvent) => {
      if (event.event === 'progress' && event.request === name && event.progress) {
        progress?.(event.progress);
      }
    };
    const unsubscribe = progress ? this.subscribe(path, listen) : undefined;
    let answered = false;
    const cancel = async () => {
      while (!answered && !(await this.cancel(name))) {
        await new Promise(done => setTimeout(done, 50)); // it is on its way to the server
      }
    };
    signal?.addEventListener('abort', cancel);
    try {
      return await this.request(route, `${routeUrl(route)}?request=${name}`, init);
    } finally {
      answered = true;
      signal?.removeEventListener('abort', cancel);
      unsubscribe?.();
    }
  }

  /** Take a request back; true where there is nothing more to do. */
  private async cancel(name: string): Promise<boolean> {
    try {
      return (await this.post('cancel', { request: name })).found;
    } catch {
      return true; // the server is gone, and the request with it
    }
  }

  private async request<R extends RouteName>(route: R, path: string, init: RequestInit): Promise<Answer<R>> {
    let response: Response;
    let text: string;
    try {
      response = await this.transport.send(path, init);
      text = await response.text();
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw offline();
    }
    const body = parse(text);
    if (!response.ok) {
      throw toError(body, response.status);
    }
    if (!validators[ANSWERS[route]](body)) {
      throw new CellarError(
        `the server's answer to ${route} is not understood`,
        'version',
        'the server has another version of Cellar: restart it and reload this page'
      );
    }
    return body as Answer<R>;
  }

  private readonly events: EventSocket;
}

const offline = (): CellarError => new CellarError('the server cannot be reached', 'offline', 'is it still running?');

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function toError(body: unknown, status: number): CellarError {
  if (validators.Problem(body)) {
    const problem = body as Schemas['Problem'];
    return new CellarError(problem.message, problem.code, problem.hint, status);
  }
  if (UNREACHED.has(status)) {
    return offline();
  }
  if (status === 401 || status === 403) {
    return new CellarError('the server does not know this sign-in any more', 'signed-out', 'reload this page', status);
  }
  const known = status === 404 ? 'the server has no Cellar' : `the server answered with ${status}`;
  const hint = status === 404 ? 'install it where JupyterLab runs, and restart the server: pip install nbcellar' : '';
  return new CellarError(known, 'http', hint, status);
}

// What a proxy says in the place of a server behind it that is gone; 424 is JupyterHub's.
const UNREACHED = new Set([424, 502, 503, 504]);
const AGAIN_MS = [250, 500, 1000, 2000, 5000];
/** A socket that was open for so long was lost; one that the server closes sooner would be closed again at once. */
const STEADY_MS = 5000;

/**
 * One socket for all subscriptions; it opens with the first one, and again when it was lost. The server counts as gone
 * once a socket could not be opened: one that is lost and at once there again is no news.
 */
class EventSocket {
  constructor(private readonly url: () => string) {}

  subscribe(path: string, tell: (event: CellarEvent) => void): () => void {
    const listeners = this.listeners.get(path) ?? new Set();
    this.listeners.set(path, listeners);
    listeners.add(tell);
    this.announce();
    return () => {
      listeners.delete(tell);
      if (listeners.size === 0 && this.listeners.get(path) === listeners) {
        this.listeners.delete(path);
        this.announce();
      }
    };
  }

  followServer(tell: (isGone: boolean) => void): () => void {
    this.followers.add(tell);
    if (this.isGone) {
      tell(true);
    }
    return () => void this.followers.delete(tell);
  }

  private setGone(isGone: boolean): void {
    if (this.isGone !== isGone) {
      this.isGone = isGone;
      for (const tell of [...this.followers]) {
        tell(isGone);
      }
    }
  }

  private announce(): void {
    if (this.listeners.size === 0) {
      this.socket?.close();
      this.socket = undefined;
    } else if (!this.socket) {
      this.open();
    } else if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ subscribe: [...this.listeners.keys()] }));
    }
  }

  private open(): void {
    const socket = new WebSocket(this.url());
    let wasOpen = false;
    let since = 0;
    this.socket = socket;
    socket.onopen = () => {
      wasOpen = true;
      since = performance.now();
      this.setGone(false);
      this.announce();
    };
    socket.onmessage = message => this.receive(String(message.data));
    socket.onclose = () => {
      if (this.socket !== socket) {
        return;
      }
      this.socket = undefined;
      if (!wasOpen) {
        this.setGone(true);
      }
      if (wasOpen && performance.now() - since > STEADY_MS) {
        this.failures = 0;
      }
      const wait = AGAIN_MS[Math.min(this.failures++, AGAIN_MS.length - 1)];
      setTimeout(() => this.announce(), wait);
    };
  }

  private receive(text: string): void {
    const event: unknown = JSON.parse(text);
    if (!validators.Event(event)) {
      return;
    }
    const { path } = event as CellarEvent;
    for (const tell of this.listeners.get(path ?? '') ?? []) {
      tell(event as CellarEvent);
    }
  }

  private readonly listeners = new Map<string, Set<(event: CellarEvent) => void>>();
  private socket: WebSocket | undefined;
  private failures = 0;
  private readonly followers = new Set<(isGone: boolean) => void>();
  private isGone = false;
}
