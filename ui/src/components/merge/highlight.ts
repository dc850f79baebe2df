/** Code with its words classed, line by line: what the theme colours, and what a side changed. */
import { markdownLanguage } from '@codemirror/lang-markdown';
import { pythonLanguage } from '@codemirror/lang-python';
import { classHighlighter, highlightTree } from '@lezer/highlight';
import type { Range } from '../../model/three_way';

export interface Token {
  readonly from: number;
  readonly to: number;
  readonly name: string;
}

// What takes long to colour is shown plain.
const LONGEST = 200_000;

/** The coloured words of each line of a cell's source. */
export function tokensOf(source: string, type: unknown, language: string): Token[][] {
  const found: Token[][] = source.split('\n').map(() => []);
  const known = type === 'markdown' ? markdownLanguage : type === 'code' && isPython(language) ? pythonLanguage : null;
  if (!known || source.length > LONGEST) {
    return found;
  }
  const starts = lineStarts(source);
  let line = 0;
  highlightTree(known.parser.parse(source), classHighlighter, (from, to, name) => {
    while (line + 1 < starts.length && starts[line + 1]! <= from) {
      line++;
    }
    for (let at = line; at < starts.length && starts[at]! < to; at++) {
      const end = (starts[at + 1] ?? source.length + 1) - 1;
      const token = { from: Math.max(from, starts[at]!) - starts[at]!, to: Math.min(to, end) - starts[at]!, name };
      if (token.to > token.from) {
        found[at]!.push(token);
      }
    }
  });
  return found;
}

export interface Piece {
  readonly text: string;
  readonly name: string;
  readonly marked: boolean;
}

/** A line cut where its colour or its mark changes. */
export function piecesOf(text: string, tokens: readonly Token[], words: readonly Range[]): Piece[] {
  const cuts = new Set([0, text.length]);
  for (const { from, to } of [...tokens, ...words]) {
    cuts.add(Math.min(from, text.length)).add(Math.min(to, text.length));
  }
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(0, -1).map((from, at) => ({
    text: text.slice(from, places[at + 1]),
    name: tokens.find(token => token.from <= from && from < token.to)?.name ?? '',
    marked: words.some(word => word.from <= from && from < word.to)
  }));
}

function isPython(language: string): boolean {
  return language === '' || language.startsWith('python') || language.startsWith('ipython');
}

function lineStarts(source: string): number[] {
  const found = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) {
    found.push(at + 1);
  }
  return found;
}
