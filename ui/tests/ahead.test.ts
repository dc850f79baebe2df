import { describe, expect, test } from 'vitest';
import { askedOf, requestOf } from '../src/model/asked';
import { ahead } from '../src/page/ahead';
import { posted, type Transport } from '../src/wire/transport';

class Counting implements Transport {
  readonly sent: string[] = [];

  constructor(private readonly fails = false) {}

  send = (path: string, init: RequestInit): Promise<Response> => {
    this.sent.push(`${path} ${String(init.body)}`);
    return this.fails ? Promise.reject(new TypeError('gone')) : Promise.resolve(new Response(`${this.sent.length}`));
  };

  socketUrl(path: string): string {
    return `ws:${path}`;
  }
}

describe('a request that is sent before its view is there', () => {
  test('answers the same request once', async () => {
    const real = new Counting();
    const early = ahead(real, 'diff', posted({ path: 'a' }));
    expect(real.sent).toHaveLength(1);
    expect(await (await early.send('diff', posted({ path: 'a' }))).text()).toBe('1');
    expect(await (await early.send('diff', posted({ path: 'a' }))).text()).toBe('2');
  });

  test('answers no other request', async () => {
    const real = new Counting();
    const early = ahead(real, 'diff', posted({ path: 'a' }));
    await early.send('diff', posted({ path: 'b' }));
    await early.send('merge', posted({ path: 'a' }));
    await early.send('diff', { method: 'GET' });
    expect(real.sent).toHaveLength(4);
  });

  test('tells its failure to whoever asks', async () => {
    const early = ahead(new Counting(true), 'diff', posted({}));
    await new Promise(done => setTimeout(done));
    await expect(early.send('diff', posted({}))).rejects.toThrow('gone');
  });
});

test('an address is the request that its view sends', () => {
  const request = requestOf(new URLSearchParams('path=b.ipynb&before=file:a.ipynb&after=open'));
  expect(askedOf(request)).toEqual({
    path: 'b.ipynb',
    before: { kind: 'file', path: 'a.ipynb' },
    after: { kind: 'file' },
    instead: ''
  });
  expect(askedOf(requestOf(new URLSearchParams('handed=7')))).toEqual({ path: '', handed: '7', instead: '' });
});
