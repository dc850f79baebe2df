import { expect, test, vi } from 'vitest';
import { CellarError, Client } from '../src/wire/client';

const answering = (status: number, body: unknown) =>
  new Client({
    send: async () => new Response(JSON.stringify(body), { status }),
    socketUrl: path => path
  });

test('an answer that does not fit its schema is told, not passed on', async () => {
  const asked = answering(200, { commits: 'many' }).read('log', { path: 'a.ipynb' });
  await expect(asked).rejects.toThrow(/not understood/);
});

test('what the server refuses keeps its code and hint', async () => {
  const problem = { code: 'no_kernel', message: 'no kernel records this notebook', hint: 'open it' };
  const error = await answering(409, problem)
    .post('undo', { path: 'a.ipynb' })
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CellarError);
  expect(error).toMatchObject({ code: 'no_kernel', hint: 'open it', status: 409 });
});

/** A server that answers `undo` when it is told to, and notes what it is asked. */
function slow() {
  const asked: string[] = [];
  let answer: (response: Response) => void = () => undefined;
  const client = new Client({
    send: (path, init) => {
      asked.push(path.replace(/request=.*/, 'request=NAME'));
      if (path.includes('/cancel')) {
        return Promise.resolve(new Response(JSON.stringify({ found: asked.length > 2 })));
      }
      init.signal?.addEventListener('abort', () => answer(new Response('', { status: 599 })));
      return new Promise(resolve => (answer = resolve));
    },
    socketUrl: path => path
  });
  return { client, asked, answer: (status: number, body: unknown) => answer(Response.json(body, { status })) };
}

test('what is aborted while it waits for a kernel is taken back, and its own answer says what became of it', async () => {
  const { client, asked, answer } = slow();
  const control = new AbortController();
  const undone = client.post('undo', { path: 'a.ipynb' }, { signal: control.signal }).catch((why: unknown) => why);
  control.abort();
  await vi.waitFor(() => expect(asked.filter(path => path.includes('cancel'))).toHaveLength(2));
  answer(409, { code: 'cancelled', message: 'the request was taken back', hint: '' });
  expect(await undone).toMatchObject({ code: 'cancelled', status: 409 });
  expect(asked[0]).toBe('nbcellar/api/undo?request=NAME');
});

test('what is aborted before it was sent is not sent', async () => {
  const { client, asked } = slow();
  const undone = client.post('undo', { path: 'a.ipynb' }, AbortSignal.abort());
  await expect(undone).rejects.toMatchObject({ code: 'cancelled' });
  expect(asked).toEqual([]);
});

/** A socket that the server opens and closes as a test says. */
class Closing {
  static readonly OPEN = 1;
  static made: Closing[] = [];
  readyState = 1;
  onopen?: () => void;
  onclose?: () => void;
  constructor(readonly url: string) {
    Closing.made.push(this);
  }
  send(): void {}
  close(): void {}
}

test('a server that closes each socket at once is asked less and less often; one that was lost, soon', () => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Closing);
  try {
    const end = answering(200, {}).subscribe('a.ipynb', () => undefined);
    const waits = [];
    for (let round = 0; round < 6; round++) {
      const socket = Closing.made.at(-1)!;
      socket.onopen!();
      socket.onclose!();
      const before = Closing.made.length;
      let waited = 0;
      while (Closing.made.length === before) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 5000, 5000]);
    const steady = Closing.made.at(-1)!;
    steady.onopen!();
    vi.advanceTimersByTime(6000);
    steady.onclose!();
    const before = Closing.made.length;
    vi.advanceTimersByTime(250);
    expect(Closing.made.length).toBe(before + 1);
    end();
  } finally {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }
});
