/**
 * `SourceDiff`: two sources beside each other or one above the other, with colours, words that differ, and long
 * stretches of the same left out. Drawn without an editor, so that hundreds of them cost little.
 */
import { memo, useMemo, useState, type JSX } from 'react';
import { compareLines, foldLines, type LineRow, type Part } from '../../model/lines';
import { useHost } from '../host';
import { marked, piecesOf, type Piece } from './highlight';

export type Layout = 'split' | 'inline';

interface SourceDiffProps {
  /** null: the side has no such cell. */
  readonly before: string | null;
  readonly after: string | null;
  /** Of a code cell, in lower case; "" for text. */
  readonly language: string;
  readonly layout: Layout;
  /** Show all lines. */
  readonly whole?: boolean;
}

export const SourceDiff = memo(function SourceDiff(props: SourceDiffProps): JSX.Element {
  const { trans } = useHost();
  const { before, after, language, layout } = props;
  const rows = useMemo(() => rowsOf(before, after), [before, after]);
  const [shown, setShown] = useState<ReadonlySet<number>>(new Set());
  const parts = useMemo(() => (props.whole ? [{ rows }] : foldLines(rows)), [rows, props.whole]);
  const linesA = useMemo(() => (before === null ? [] : piecesOf(before, language)), [before, language]);
  const linesB = useMemo(() => (after === null ? [] : piecesOf(after, language)), [after, language]);
  const draw = (row: LineRow, at: number): JSX.Element =>
    layout === 'split' ? (
      <SplitLine key={at} row={row} a={linesA} b={linesB} />
    ) : (
      <InlineLine key={at} row={row} a={linesA} b={linesB} />
    );
  let at = 0;
  const bodies = parts.map((part: Part) => {
    const from = at;
    if ('rows' in part) {
      at += part.rows.length;
      return <tbody key={from}>{part.rows.map((row, n) => draw(row, from + n))}</tbody>;
    }
    at += part.hidden;
    if (shown.has(part.from)) {
      return (
        <tbody key={from}>{rows.slice(part.from, part.from + part.hidden).map((row, n) => draw(row, from + n))}</tbody>
      );
    }
    return (
      <tbody key={from}>
        <tr>
          <td colSpan={4} className="cellar-diff-hidden">
            <button type="button" onClick={() => setShown(new Set([...shown, part.from]))}>
              {trans._n('%1 unchanged line', '%1 unchanged lines', part.hidden)}
            </button>
          </td>
        </tr>
      </tbody>
    );
  });
  return (
    <table
      className={`cellar-diff-lines cellar-diff-${layout}${language ? '' : ' cellar-diff-text'}`}
      onMouseDown={keepToOneSide}
      aria-label={trans.__('Source')}
    >
      <colgroup>
        <col className="cellar-diff-number" />
        <col className={layout === 'split' ? 'cellar-diff-half' : 'cellar-diff-number'} />
        {layout === 'split' && <col className="cellar-diff-number" />}
        <col />
      </colgroup>
      {bodies}
    </table>
  );
});

function rowsOf(before: string | null, after: string | null): LineRow[] {
  const rows = compareLines(before ?? '', after ?? '');
  if (before !== null && after !== null) {
    return rows;
  }
  return rows.map((row): LineRow =>
    before === null ? { kind: 'added', a: null, b: row.b ?? 0 } : { kind: 'removed', a: row.a ?? 0, b: null }
  );
}

/** Selecting text in one column leaves the other alone. */
function keepToOneSide(event: React.MouseEvent<HTMLTableElement>): void {
  const side = (event.target as Element).closest('td')?.dataset.side;
  event.currentTarget.dataset.selecting = side ?? '';
}

function Code({
  pieces,
  words,
  mark
}: {
  pieces: readonly Piece[];
  words?: LineRow['wordsA'];
  mark: string;
}): JSX.Element {
  return (
    <>
      {marked(pieces, words).map((piece, at) => {
        const classes = `${piece.classes}${piece.word ? ` cellar-diff-word-${mark}` : ''}`.trim();
        return classes ? (
          <span key={at} className={classes}>
            {piece.text}
          </span>
        ) : (
          piece.text
        );
      })}
    </>
  );
}

interface LineProps {
  readonly row: LineRow;
  readonly a: readonly Piece[][];
  readonly b: readonly Piece[][];
}

function SplitLine({ row, a, b }: LineProps): JSX.Element {
  const old = row.kind === 'same' ? '' : ' cellar-diff-old';
  const fresh = row.kind === 'same' ? '' : ' cellar-diff-new';
  return (
    <tr>
      {row.a === null ? (
        <td colSpan={2} className="cellar-diff-none" data-side="before" />
      ) : (
        <>
          <td className={`cellar-diff-number${old}`}>{row.a + 1}</td>
          <td className={`cellar-diff-code${old}`} data-side="before">
            <Code pieces={a[row.a] ?? []} words={row.wordsA} mark="old" />
          </td>
        </>
      )}
      {row.b === null ? (
        <td colSpan={2} className="cellar-diff-none cellar-diff-divide" data-side="after" />
      ) : (
        <>
          <td className={`cellar-diff-number cellar-diff-divide${fresh}`}>{row.b + 1}</td>
          <td className={`cellar-diff-code${fresh}`} data-side="after">
            <Code pieces={b[row.b] ?? []} words={row.wordsB} mark="new" />
          </td>
        </>
      )}
    </tr>
  );
}

function InlineLine({ row, a, b }: LineProps): JSX.Element {
  if (row.kind === 'same') {
    return (
      <tr>
        <td className="cellar-diff-number">{row.a! + 1}</td>
        <td className="cellar-diff-number">{row.b! + 1}</td>
        <td className="cellar-diff-code">
          <Code pieces={b[row.b!] ?? []} mark="" />
        </td>
      </tr>
    );
  }
  return (
    <>
      {row.a !== null && (
        <tr>
          <td className="cellar-diff-number cellar-diff-old">{row.a + 1}</td>
          <td className="cellar-diff-number cellar-diff-old" aria-label="−" />
          <td className="cellar-diff-code cellar-diff-old">
            <Code pieces={a[row.a] ?? []} words={row.wordsA} mark="old" />
          </td>
        </tr>
      )}
      {row.b !== null && (
        <tr>
          <td className="cellar-diff-number cellar-diff-new" aria-label="+" />
          <td className="cellar-diff-number cellar-diff-new">{row.b + 1}</td>
          <td className="cellar-diff-code cellar-diff-new">
            <Code pieces={b[row.b] ?? []} words={row.wordsB} mark="new" />
          </td>
        </tr>
      )}
    </>
  );
}
