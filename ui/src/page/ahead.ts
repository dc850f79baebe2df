/** Asks for what a view is going to ask for first, before its code is there. */
import type { Transport } from '../wire/transport';

/** Send a request now; whoever sends the same through the transport that comes back has its answer, once. */
export function ahead(transport: Transport, path: string, init: RequestInit): Transport {
  let answer: Promise<Response> | null = transport.send(path, init);
  answer.catch(() => undefined); // told to whoever asks for it
  return {
    ...transport,
    send(to, asked) {
      if (!answer || to !== path || asked.method !== init.method || asked.body !== init.body) {
        return transport.send(to, asked);
      }
      const found = answer;
      answer = null;
      return found;
    }
  };
}
