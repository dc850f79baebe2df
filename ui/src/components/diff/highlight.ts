/** Colours of code without an editor: pieces of lines with the classes that style sheets know (`tok-keyword`, ...). */
import { classHighlighter, highlightTree } from '@lezer/highlight';
import { parser } from '@lezer/python';
import { splitLines, type Stretch } from '../../model/lines';

export interface Piece {
  readonly text: string;
  readonly classes: string;
}

const LONGEST = 60_000;
const MOST_KEPT = 400;
const kept = new Map<string, Piece[][]>();

/** Return the pieces of each line of a source; those of languages that are not known here have no colour. */
export function piecesOf(source: string, language: string): Piece[][] {
  const key = `${language}\0${source}`;
  const known = kept.get(key);
  if (known) {
    return known;
  }
  const found = colour(source, language);
  if (kept.size >= MOST_KEPT) {
    kept.delete(kept.keys().next().value!);
  }
  kept.set(key, found);
  return found;
}

function colour(source: string, language: string): Piece[][] {
  const text = splitLines(source).join('\n');
  if (language !== 'python' || text.length > LONGEST) {
    return text.split('\n').map(line => [{ text: line, classes: '' }]);
  }
  const lines: Piece[][] = [[]];
  const put = (from: number, to: number, classes: string): void => {
    text
      .slice(from, to)
      .split('\n')
      .forEach((piece, at) => {
        if (at) {
          lines.push([]);
        }
        if (piece) {
          lines[lines.length - 1]!.push({ text: piece, classes });
        }
      });
  };
  let done = 0;
  highlightTree(parser.parse(text), classHighlighter, (from, to, classes) => {
    if (from > done) {
      put(done, from, '');
    }
    put(from, to, classes);
    done = to;
  });
  put(done, text.length, '');
  return lines;
}

/** Return the pieces of a line cut where words begin and end that differ; those are marked. */
export function marked(pieces: readonly Piece[], words: readonly Stretch[] = []): (Piece & { word: boolean })[] {
  const found: (Piece & { word: boolean })[] = [];
  let at = 0;
  let next = 0;
  for (const piece of pieces) {
    let rest = piece.text;
    while (rest) {
      while (next < words.length && words[next]![1] <= at) {
        next++;
      }
      const word = words[next];
      const inside = word !== undefined && word[0] <= at;
      const end = word === undefined ? Infinity : inside ? word[1] : word[0];
      const part = rest.slice(0, Math.min(rest.length, end - at));
      found.push({ text: part, classes: piece.classes, word: inside });
      rest = rest.slice(part.length);
      at += part.length;
    }
  }
  return found;
}
