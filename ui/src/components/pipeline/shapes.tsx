/** The boxes and curves of a graph; drawn again only where they changed. */
import { memo } from 'react';
import { type Box, type Curve, NODE, shortened, styleOf } from '../../model/pipeline';
import type { Status } from '../../model/pipeline_run';
import { useHost, type Words } from '../host';
import { MarkShape, statusWords, timeOf, wordOf } from './marks';

interface NodeProps {
  readonly box: Box;
  readonly id: string;
  readonly status: Status;
  readonly isSelected: boolean;
  readonly isTarget: boolean;
  readonly isFrom: boolean;
  readonly isWrong: boolean;
  /** What is taken from whom, for who hears it. */
  readonly told: string;
}

export const Node = memo(function Node(props: NodeProps): JSX.Element {
  const { box, id, status, isSelected, isTarget, isFrom, isWrong, told } = props;
  const { trans } = useHost();
  const { component } = box;
  const words = statusWords(status, trans);
  const cell = trans.__('cell %1', component.cell);
  const names = ['cellar-pipeline-node', `cellar-mod-${status.mark}`];
  const flags = { selected: isSelected, target: isTarget, from: isFrom, wrong: isWrong };
  names.push(...Object.entries(flags).flatMap(([name, is]) => (is ? [`cellar-is-${name}`] : [])));
  const label = [component.name, cell, words, isWrong ? trans.__('has a problem') : '', told]
    .filter(Boolean)
    .join(', ');
  const mark = status.mark === 'none' && isWrong ? 'broken' : status.mark;
  return (
    <g
      id={id}
      role="option"
      aria-selected={isSelected}
      aria-label={label}
      className={names.join(' ')}
      transform={`translate(${box.x} ${box.y})`}
      data-component={box.id}
      data-mark={status.mark}
    >
      <title>{[`${component.name}, ${cell}`, words, status.reason].filter(Boolean).join('\n')}</title>
      <rect width={NODE.width} height={NODE.height} rx="5" />
      <text x="9" y="17" aria-hidden="true">
        {shortened(component.name, mark === 'none' ? 17 : 14)}
      </text>
      <text x="9" y="31" className="cellar-soft" aria-hidden="true">
        {fitting([cell, wordOf(status.mark, trans), timeOf(status)])}
      </text>
      <MarkShape mark={mark} x={NODE.width - 19} y={7} />
      <circle className="cellar-pipeline-port" cx={NODE.width / 2} cy={NODE.height} r="5.5" data-port={box.id} />
    </g>
  );
});

const LINE_LETTERS = 26;

/** Return as many of the words as a line of a box holds; the first ones are the important ones. */
function fitting(words: readonly string[]): string {
  const there = words.filter(Boolean);
  while (there.length > 1 && there.join(' · ').length > LINE_LETTERS) {
    there.pop();
  }
  return shortened(there.join(' · '), LINE_LETTERS);
}

interface EdgeProps {
  readonly curve: Curve;
  readonly isSelected: boolean;
  readonly isNear: boolean;
  readonly told: string;
}

export const EdgeLine = memo(function EdgeLine({ curve, isSelected, isNear, told }: EdgeProps): JSX.Element {
  const names = ['cellar-pipeline-edge', `cellar-mod-${styleOf(curve)}`];
  names.push(...(isSelected ? ['cellar-is-selected'] : []), ...(isNear ? ['cellar-is-near'] : []));
  return (
    <g className={names.join(' ')} data-edge={curve.key}>
      <title>{told}</title>
      <path className="cellar-pipeline-hit" d={curve.path} />
      <path className="cellar-pipeline-line" d={curve.path} markerEnd="url(#cellar-pipeline-end)" />
    </g>
  );
});

/** The point of the arrow that an edge ends in. */
export function EndMarker({ id }: { id: string }): JSX.Element {
  return (
    <marker
      id={id}
      viewBox="0 0 8 8"
      refX="6.5"
      refY="4"
      markerWidth="6.5"
      markerHeight="6.5"
      markerUnits="userSpaceOnUse"
      orient="auto"
    >
      <path d="M0 0 8 4 0 8z" fill="context-stroke" />
    </marker>
  );
}

/** What an edge carries and how it is known, in words. */
export function edgeWords(curve: Curve, nameOf: (id: string) => string, trans: Words): string {
  const between = trans.__('%1 before %2', nameOf(curve.parent), nameOf(curve.child));
  return [between, curve.names.join(', '), provenanceWords(curve, trans)].filter(Boolean).join(' · ');
}

export function provenanceWords({ provenance }: Curve, trans: Words): string {
  return howKnown(provenance, trans) || trans.__('declared, and part of a problem');
}

/** How an edge is known, in words. */
export function howKnown(provenance: readonly string[], trans: Words): string {
  const words: Record<string, string> = {
    declared: trans.__('declared'),
    inferred: trans.__('from the source'),
    observed: trans.__('seen in a run')
  };
  return provenance.map(each => words[each] ?? each).join(', ');
}
