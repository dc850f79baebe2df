/**
 * Python code in a few colours, for previews of some lines.
 *
 * Invariant: the texts of the pieces, joined, are the code. A line is looked at by itself, so a string over several
 * lines is coloured only where it begins: good enough to read by.
 */
type Colour = 'keyword' | 'string' | 'comment' | 'number' | 'def' | 'magic' | '';
export interface Piece {
  readonly text: string;
  readonly colour: Colour;
}

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global ' +
    'if import in is lambda nonlocal not or pass raise return try while with yield match case'
  ).split(' ')
);
const TOKEN =
  /(#.*)|([rbfuRBFU]{0,2}(?:"""(?:[^\\]|\\.)*?(?:"""|$)|'''(?:[^\\]|\\.)*?(?:'''|$)|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?))|(\b\d[\w.]*)|([^\W\d]\w*)|(^\s*[%!][^\n]*)/gmu;

export function highlight(code: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  let word = '';
  for (const found of code.matchAll(TOKEN)) {
    const colour: Colour = found[1]
      ? 'comment'
      : found[2]
        ? 'string'
        : found[3]
          ? 'number'
          : found[5]
            ? 'magic'
            : KEYWORDS.has(found[4]!)
              ? 'keyword'
              : word === 'def' || word === 'class'
                ? 'def'
                : '';
    word = found[4] ?? '';
    if (colour) {
      if (found.index > done) {
        pieces.push({ text: code.slice(done, found.index), colour: '' });
      }
      pieces.push({ text: found[0], colour });
      done = found.index + found[0].length;
    }
  }
  if (done < code.length) {
    pieces.push({ text: code.slice(done), colour: '' });
  }
  return pieces;
}
