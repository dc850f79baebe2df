/**
 * The entries of one notebook's history as the panels hold them: the newest ones at once, the rest in the background,
 * and what comes later without reading the rest again.
 *
 * Invariant: `entries` are newest first, each once; while they are read anew the old ones stay until their place is
 * read. At most one request is on its way. Not for: what is seen of them (`fold.ts`, `lanes.ts`).
 */
import type { Answer, Backend } from '../wire/client';

export type Page = Answer<'history'>;
export type Entry = Page['entries'][number];
export type Named = Page['names'][number];

const FIRST = 200;
const REST = 1000;

export class HistoryModel {
  entries: readonly Entry[] = [];
  names: readonly Named[] = [];
  head: string | null = null;
  branch: string | null = null;
  /** How many there are; more than `entries` while the rest is read. */
  total = 0;
  /** The first answer is there. */
  isReady = false;
  error: unknown = null;

  constructor(
    private readonly backend: Backend,
    readonly path: string,
    private readonly changed: () => void
  ) {}

  /** Read what is new; everything where nothing is known yet. What is asked for meanwhile is done afterwards, once. */
  async refresh(): Promise<void> {
    this.wanted = true;
    if (this.running) {
      return this.running;
    }
    this.running = this.run();
    try {
      await this.running;
    } finally {
      this.running = null;
    }
  }

  /** Tell nobody any more, and end what is on its way. */
  dispose(): void {
    this.stop.abort();
  }

  private async run(): Promise<void> {
    while (this.wanted && !this.stop.signal.aborted) {
      this.wanted = false;
      try {
        await this.readNew();
        this.error = null;
      } catch (error) {
        this.error = error;
        this.isReady = true;
      }
      this.tell();
    }
  }

  private async readNew(): Promise<void> {
    const have = this.digest ? this.entries.length : 0;
    const page = await this.ask({ limit: FIRST, have, digest: this.digest });
    if (page.follows) {
      this.take(page, [...page.entries, ...this.entries]);
      this.digest = page.digest;
    } else {
      await this.readAll(page);
    }
  }

  private async readAll(first: Page): Promise<void> {
    const old = this.entries;
    let fresh: Entry[] = [];
    let page = first;
    this.digest = '';
    for (;;) {
      fresh = [...fresh, ...page.entries];
      const isAll = fresh.length >= page.total || page.entries.length === 0;
      this.take(page, isAll ? fresh : overlay(fresh, old));
      if (isAll) {
        this.digest = page.digest;
        return;
      }
      const next = await this.ask({ skip: fresh.length, limit: REST });
      if (next.digest === page.digest) {
        page = next;
      } else {
        fresh = []; // something was recorded or changed meanwhile: pages of two listings do not fit together
        page = await this.ask({ limit: FIRST });
      }
    }
  }

  private ask(asked: object): Promise<Page> {
    return this.backend.read('history', { path: this.path, ...asked }, this.stop.signal);
  }

  private take(page: Page, entries: readonly Entry[]): void {
    this.entries = entries;
    this.names = page.names;
    this.head = page.head;
    this.branch = page.branch;
    this.total = page.total;
    this.isReady = true;
    this.tell();
  }

  private tell(): void {
    if (!this.stop.signal.aborted) {
      this.changed();
    }
  }

  /** Of the whole listing that `entries` are; nothing while they are not whole. */
  private digest = '';
  private wanted = false;
  private running: Promise<void> | null = null;
  private readonly stop = new AbortController();
}

/** Return fresh entries and, below them, those of the old ones that are older. */
export function overlay(fresh: readonly Entry[], old: readonly Entry[]): readonly Entry[] {
  const last = fresh[fresh.length - 1];
  const place = last ? old.findIndex(entry => entry.id === last.id) : -1;
  const known = new Set(fresh.map(entry => entry.id));
  return [...fresh, ...old.slice(place + 1).filter(entry => !known.has(entry.id))];
}

/** Return the commits that HEAD reaches along first parents: undo can lead there. */
export function lineOf(entries: readonly Entry[], head: string | null): ReadonlySet<string> {
  const line = new Set<string>();
  let wanted = head;
  for (const entry of entries) {
    if (entry.id === wanted) {
      line.add(entry.id);
      wanted = entry.parents[0] ?? null;
    }
  }
  return line;
}
