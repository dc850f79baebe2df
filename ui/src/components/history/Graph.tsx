/** The part of the commit graph beside one row. */
import { memo } from 'react';
import type { LaneRow } from '../../model/lanes';

const STEP = 12;
const LEFT = 9;
/** Wider graphs are cut: the lines beyond lie on the last column. */
export const MOST_COLUMNS = 9;
const NODE_Y = 13;

export const graphWidth = (columns: number): number => LEFT + STEP * Math.min(columns, MOST_COLUMNS) - 2;

const x = (column: number): number => LEFT + STEP * Math.min(column, MOST_COLUMNS - 1) - 1;
const colour = (column: number): string => `cellar-lane-${column % 8}`;

export type NodeKind = 'auto' | 'named' | 'other' | 'failed' | 'run' | 'none';

interface Props {
  readonly lane: LaneRow | undefined;
  readonly height: number;
  readonly width: number;
  readonly node: NodeKind;
  readonly isHead?: boolean;
}

export const Graph = memo(function Graph({ lane, height, width, node, isHead }: Props): JSX.Element | null {
  if (!lane) {
    return null;
  }
  const nodeX = x(lane.node);
  const y = node === 'run' ? height / 2 : NODE_Y;
  const isLine = node === 'none' || node === 'run';
  const into = isLine ? [] : lane.into;
  const out = isLine ? [] : lane.out;
  const through = isLine ? [...new Set([...lane.through, ...lane.into])] : lane.through;
  return (
    <svg className="cellar-graph" width={width} height={height} aria-hidden="true" focusable="false">
      {through.map(column => (
        <path
          key={`t${column}`}
          className={colour(column)}
          strokeDasharray={node === 'run' && column === lane.node ? '2 3' : undefined}
          d={`M${x(column)} 0V${height}`}
        />
      ))}
      {into.map(column => (
        <path key={`i${column}`} className={colour(column)} d={bend(x(column), 0, nodeX, y)} />
      ))}
      {out.map(column => (
        <path key={`o${column}`} className={colour(column)} d={`${bend(nodeX, y, x(column), y + 14)}V${height}`} />
      ))}
      {!isLine && <NodeMark x={nodeX} y={y} kind={node} column={lane.node} isHead={isHead} />}
    </svg>
  );
});

interface NodeProps {
  readonly x: number;
  readonly y: number;
  readonly kind: NodeKind;
  readonly column: number;
  readonly isHead?: boolean;
}

function NodeMark({ x: left, y, kind, column, isHead }: NodeProps): JSX.Element {
  return (
    <>
      {isHead && <circle className={`${colour(column)} cellar-node-head`} cx={left} cy={y} r={6.5} />}
      <circle
        className={`${colour(column)} cellar-node cellar-node-${kind}`}
        cx={left}
        cy={y}
        r={kind === 'named' ? 4.5 : 3.5}
      />
    </>
  );
}

function bend(x1: number, y1: number, x2: number, y2: number): string {
  if (x1 === x2) {
    return `M${x1} ${y1}V${y2}`;
  }
  const middle = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}
