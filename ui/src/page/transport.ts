/** Requests as the page sends them: below the server's base URL, with its cookie and the XSRF token. */
import type { Transport } from '../wire/transport';

/** Return the server's base URL, which the page was sent with. */
export function baseUrl(): string {
  return document.querySelector<HTMLMetaElement>('meta[name=cellar-base-url]')?.content ?? '/';
}

export function transport(): Transport {
  const base = baseUrl();
  return {
    send: (path, init) =>
      fetch(base + path, {
        ...init,
        credentials: 'same-origin',
        headers: { ...init.headers, 'X-XSRFToken': cookie('_xsrf') }
      }),
    socketUrl: path => `${window.location.origin.replace(/^http/, 'ws')}${base}${path}`
  };
}

function cookie(name: string): string {
  const found = document.cookie.split('; ').find(part => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : '';
}
