/**
 * What of an open notebook has to be sent to the server, so that its kernel can record it as it is.
 *
 * Invariant: what was taken once is not sent again, unless the server says that it lacks it. Pure.
 */

/** A text of a cell and its number: see `CellText`. */
export interface Version {
  readonly key: number;
  readonly json: string;
}

/** An open notebook: the texts of its cells, the rest of it as JSON, and the last run that was asked of the kernel. */
export interface Open {
  readonly cells: readonly Version[];
  readonly rest: string;
  readonly minor: number;
  readonly client: string;
  readonly sentMs: number;
}

/** What the server holds of a client. */
export class Sent {
  /** Return the body of the request that makes the server hold `open`, in pieces; null if it does. */
  missing(path: string, open: Open, opening: boolean): string[] | null {
    const order = open.cells.map(({ key }) => key);
    const isSame = this.client === open.client;
    const known = isSame ? this.keys : new Set<number>();
    const rest = isSame && this.rest === open.rest ? null : open.rest;
    const fresh = new Map(open.cells.filter(({ key }) => !known.has(key)).map(cell => [cell.key, cell.json]));
    const line = order.join();
    if (isSame && rest === null && fresh.size === 0 && line === this.order && open.sentMs <= this.sentMs) {
      return null;
    }
    const { client, sentMs: sent_ms, minor } = open;
    const head = JSON.stringify({ path, client, sent_ms, minor, opening });
    const pieces = [head.slice(0, -1), `,"order":[${line}],"rest":${rest ?? 'null'},"cells":[`];
    let comma = '';
    for (const [key, json] of fresh) {
      pieces.push(`${comma}{"key":${key},"cell":`, json, '}');
      comma = ',';
    }
    pieces.push(']}');
    return pieces;
  }

  /** The server took it. */
  taken(open: Open): void {
    this.client = open.client;
    this.keys = new Set(open.cells.map(({ key }) => key));
    this.order = open.cells.map(({ key }) => key).join();
    this.rest = open.rest;
    this.sentMs = open.sentMs;
  }

  /** The server may hold nothing. */
  lost(): void {
    this.client = '';
  }

  private client = '';
  private keys: ReadonlySet<number> = new Set();
  private order = '';
  private rest = '';
  private sentMs = 0;
}
