/** What is asked of the server for a comparison. */
import { parseSide, type Side } from './sides';

export interface Request {
  readonly path: string;
  readonly before: Side;
  readonly after: Side;
  /** What a command handed over, instead of the two sides. */
  readonly handed?: string;
}

/** Return the request that an address spells: `path=NOTEBOOK&before=SIDE&after=SIDE`, or `handed=ID`. */
export function requestOf(query: URLSearchParams): Request {
  return {
    path: query.get('path') ?? '',
    before: sideOf(query.get('before'), { kind: 'git', revision: 'HEAD' }),
    after: sideOf(query.get('after'), { kind: 'file' }),
    handed: query.get('handed') ?? undefined
  };
}

/** Return what the route `diff` takes; `instead`: a comparison that is not needed any more. */
export function askedOf({ path, before, after, handed }: Request, instead = ''): object {
  return handed ? { path, handed, instead } : { path, before, after, instead };
}

function sideOf(text: string | null, otherwise: Side): Side {
  const found = text === null ? null : parseSide(text);
  return found && found.kind !== 'open' ? found : otherwise;
}
