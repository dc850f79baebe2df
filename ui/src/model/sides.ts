/**
 * The two sides of a comparison: as requests carry them, as addresses spell them, as people read them.
 *
 * Invariant: `parseSide(formatSide(side))` is the side again, a notebook that somebody has open without its content.
 */
import type { Words } from '../components/host';

/** As the server takes it (`AskedSide`). */
export interface Side {
  readonly kind: 'open' | 'file' | 'git' | 'commit' | 'nothing';
  readonly path?: string | null;
  readonly revision?: string | null;
}

/** Spell a side as in an address: `open`, `file`, `file:PATH`, `git:REVISION`, `git@PATH:REVISION` (the path
 * encoded, of a notebook that had another), `git:` (the index),
 * `cellar:COMMIT`. */
export function formatSide(side: Side): string {
  switch (side.kind) {
    case 'git':
      return `git${side.path ? `@${encodeURIComponent(side.path)}` : ''}:${side.revision ?? ''}`;
    case 'commit':
      return `cellar:${side.revision ?? 'HEAD'}`;
    case 'file':
      return side.path ? `file:${side.path}` : 'file';
    default:
      return side.kind;
  }
}

/** Return the side that a text spells, null for other text. */
export function parseSide(text: string): Side | null {
  const [kind, rest] = [text.split(':', 1)[0], text.includes(':') ? text.slice(text.indexOf(':') + 1) : null];
  if (kind?.startsWith('git@')) {
    return { kind: 'git', revision: rest || null, path: decoded(kind.slice(4)) };
  }
  switch (kind) {
    case 'git':
      return { kind: 'git', revision: rest || null };
    case 'cellar':
      return { kind: 'commit', revision: rest || 'HEAD' };
    case 'file':
      return rest ? { kind: 'file', path: rest } : { kind: 'file' };
    case 'open':
    case 'nothing':
      return { kind };
    default:
      return null;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not ours: the server says that there is no such file
  }
}

/** Name a side for people. */
export function nameSide(side: Side, trans: Words): string {
  switch (side.kind) {
    case 'open':
      return trans.__('open notebook');
    case 'file':
      return side.path ? side.path.split('/').pop()! : trans.__('file on disk');
    case 'git':
      return side.revision ? trans.__('git %1', short(side.revision)) : trans.__('git index');
    case 'commit':
      return trans.__('Cellar %1', short(side.revision ?? 'HEAD'));
    default:
      return trans.__('nothing');
  }
}

function short(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 8) : revision;
}
