/** Lines from where moved cells stood to where they stand; by the keyboard one goes by the links of their rows. */
import { memo, type JSX } from 'react';
import type { MeasuredHeights } from '../../model/measured_heights';
import type { Move } from '../../model/moves';

const LANE = 7;
/** From the middle of a row's head to its top, the room between rows included. */
const HEAD = 19;
const BEND = 6;

interface MovesProps {
  readonly moves: readonly Move[];
  readonly heights: MeasuredHeights;
  /** The part that is in view, in pixels. */
  readonly view: readonly [number, number];
  /** The key of the row that one is at. */
  readonly current: string | null;
  readonly isAt: (move: Move, key: string) => boolean;
}

/** Return how much room lines need beside the rows, in pixels. */
export function roomOf(moves: readonly Move[]): number {
  return moves.length ? (Math.max(...moves.map(move => move.lane)) + 1) * LANE + BEND : 0;
}

export const Moves = memo(function Moves({ moves, heights, view, current, isAt }: MovesProps): JSX.Element | null {
  const room = roomOf(moves);
  const seen = moves.flatMap(move => {
    const [from, to] = [heights.top(move.from) + HEAD, heights.top(move.to) + HEAD];
    return Math.max(from, to) >= view[0] && Math.min(from, to) <= view[1] ? [{ move, from, to }] : [];
  });
  if (!seen.length) {
    return null;
  }
  return (
    <svg className="cellar-diff-moves" width={room} height={heights.total} aria-hidden="true">
      {seen.map(({ move, from, to }) => {
        const x = room - BEND - move.lane * LANE - 1;
        const bend = Math.min(BEND, Math.abs(to - from) / 2) * Math.sign(to - from);
        const line = `M${room} ${from}H${x + BEND}Q${x} ${from} ${x} ${from + bend}V${to - bend}Q${x} ${to} ${x + BEND} ${to}H${room - 4}`;
        const head = `M${room - 5} ${to - 4}L${room} ${to}L${room - 5} ${to + 4}`;
        const is = current !== null && isAt(move, current) ? 'cellar-diff-move-current' : undefined;
        return (
          <g key={move.key} className={is} data-lane={move.lane}>
            <path d={line} />
            <path d={head} />
          </g>
        );
      })}
    </svg>
  );
});
