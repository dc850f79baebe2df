/** Ours, base and theirs beside each other, line by line, each with the button that takes it. */
import { useMemo, type JSX, type ReactNode } from 'react';
import { sourceOf, type CellLike, type Column, type MergeConflict, type Pick } from '../../model/merge';
import { threeWay, type Line, type Part, type Row } from '../../model/three_way';
import { useHost } from '../host';
import { piecesOf, tokensOf, type Token } from './highlight';

export const COLUMNS = ['ours', 'base', 'theirs'] as const;

interface Props extends HeadProps {
  readonly language: string;
  /** What was taken at single places, where there is more than one. */
  readonly parts: ReadonlyMap<number, Part> | undefined;
  readonly onPart: (rows: readonly Row[], place: number, side: Column) => void;
}

export function ThreeColumns({ conflict, language, labels, picked, onPick, parts, onPart }: Props): JSX.Element {
  const { trans } = useHost();
  const sources = useMemo(() => COLUMNS.map(side => sourceOf(conflict[side] as CellLike[])), [conflict]);
  const rows = useMemo(() => threeWay(sources[1], sources[0], sources[2]), [sources]);
  const places = rows.reduce((count, { place }) => Math.max(count, (place ?? -1) + 1), 0);
  const byPlace = places > 1 && !sources.includes(undefined) && conflict.choices.includes('edited');
  const tokens = useMemo(
    () => COLUMNS.map((side, at) => tokensOf(sources[at] ?? '', (conflict[side][0] as CellLike)?.cell_type, language)),
    [conflict, sources, language]
  );
  return (
    <table className="cellar-merge-columns">
      <caption className="cellar-merge-hidden">{trans.__('The three versions of the cell')}</caption>
      <thead>
        <tr>
          <ColumnHeads {...{ conflict, labels, picked, onPick }} />
        </tr>
      </thead>
      <tbody>
        {rows.map((row, number) => (
          <tr key={number} className={row.place === undefined ? '' : 'cellar-merge-differs'}>
            {COLUMNS.map((side, at) => (
              <LineCell key={side} side={side} line={row[side]} tokens={tokens[at]!}>
                {byPlace && row.place !== undefined && row.place !== rows[number - 1]?.place && (
                  <TakePart
                    side={side}
                    place={row.place}
                    part={parts?.get(row.place)}
                    onTake={() => onPart(rows, row.place!, side)}
                  />
                )}
              </LineCell>
            ))}
          </tr>
        ))}
        {sources.includes(undefined) && (
          <tr>
            {COLUMNS.map((side, at) => (
              <td key={side} data-side={side} className="cellar-merge-absent">
                {sources[at] === undefined ? absence(trans, side) : ''}
              </td>
            ))}
          </tr>
        )}
      </tbody>
    </table>
  );
}

function absence(trans: ReturnType<typeof useHost>['trans'], side: Column): string {
  return side === 'base' ? trans.__('The cell was not there yet.') : trans.__('Deleted the cell.');
}

/** What takes a side: of a conflict's cells, or of its settings. */
export interface HeadProps {
  readonly conflict: MergeConflict;
  readonly labels: Record<Column, string>;
  readonly picked: Pick | undefined;
  readonly onPick: (pick: Pick) => void;
}

export function ColumnHeads({ labels, ...rest }: HeadProps): JSX.Element {
  return (
    <>
      {COLUMNS.map(side => (
        <th key={side} scope="col" data-side={side}>
          <ColumnHead side={side} label={labels[side]} {...rest} />
        </th>
      ))}
    </>
  );
}

type OneHead = Omit<HeadProps, 'labels'> & { readonly side: Column; readonly label: string };

function ColumnHead({ side, label, conflict, picked, onPick }: OneHead): JSX.Element {
  const { trans } = useHost();
  const names = { ours: trans.__('Ours'), base: trans.__('Base'), theirs: trans.__('Theirs') };
  const keys = { ours: '1', base: 'b', theirs: '2' };
  const isPicked = picked === side;
  return (
    <div className="cellar-merge-head">
      <span className="cellar-merge-side">{names[side]}</span>
      <span className="cellar-merge-label" title={label}>
        {label === side ? '' : label}
      </span>
      <button
        type="button"
        className="cellar-merge-take"
        aria-pressed={isPicked}
        aria-keyshortcuts={keys[side]}
        disabled={!conflict.choices.includes(side)}
        onClick={() => onPick(side)}
        data-pick={side}
      >
        {trans.__('Take %1', names[side].toLowerCase())}
        <kbd aria-hidden="true">{keys[side]}</kbd>
      </button>
    </div>
  );
}

/** The button that takes one version at one place. */
function TakePart({
  side,
  place,
  part,
  onTake
}: {
  readonly side: Column;
  readonly place: number;
  readonly part: Part | undefined;
  readonly onTake: () => void;
}): JSX.Element {
  const { trans } = useHost();
  return (
    <button
      type="button"
      className="cellar-merge-part"
      aria-pressed={part === side || (part === 'both' && side !== 'base')}
      aria-label={trans.__('Take %1 at place %2', side, place + 1)}
      title={trans.__('Take %1 here', side)}
      onClick={onTake}
    >
      {trans.__('take')}
    </button>
  );
}

function LineCell({
  side,
  line,
  tokens,
  children
}: {
  readonly side: Column;
  readonly line: Line | undefined;
  readonly tokens: Token[][];
  readonly children: ReactNode;
}): JSX.Element {
  if (!line) {
    return (
      <td data-side={side} className="cellar-merge-gap">
        {children}
      </td>
    );
  }
  return (
    <td data-side={side} data-number={line.number} className={line.changed ? 'cellar-merge-changed' : ''}>
      {children}
      <code>
        {piecesOf(line.text, tokens[line.number - 1] ?? [], line.words).map((piece, at) =>
          piece.marked ? (
            <mark key={at} className={piece.name}>
              {piece.text}
            </mark>
          ) : (
            <span key={at} className={piece.name}>
              {piece.text}
            </span>
          )
        )}
      </code>
    </td>
  );
}
