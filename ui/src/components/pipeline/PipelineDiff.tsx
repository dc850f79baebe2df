/**
 * The pipelines of two versions of a notebook as one picture, with what changed beside it in words.
 *
 * What came has a thick frame and +, what went a dashed one and −, what changed a double one and ~.
 */
import { type KeyboardEvent, type PointerEvent, useId, useMemo, useRef } from 'react';
import { type Box, type Curve, neighbour, NODE, shortened } from '../../model/pipeline';
import {
  carriedBy,
  type CellPlace,
  componentAt,
  type ComponentChange,
  countOf,
  type Difference,
  type DrawnDifference,
  drawnDifference,
  type EdgeChange,
  type Kind,
  type ParameterChange,
  placeOf,
  SIGNS
} from '../../model/pipeline_diff';
import { useHost, type Words } from '../host';
import { changeWords } from '../parts/change_words';
import { useRead } from '../parts/hooks';
import { isPlain, taken } from '../parts/keys';
import { Problem } from '../parts/states';
import { EndMarker, howKnown } from './shapes';
import { Zoom } from './Tools';
import { ARROWS, STEP, useView } from './useView';

interface Props {
  readonly path: string;
  /** The comparison. */
  readonly id: string;
  /** The cell that is looked at below. */
  readonly current: readonly CellPlace[];
  goTo(cell: CellPlace): void;
}

export function PipelineDiff({ path, id, current, goTo }: Props): JSX.Element {
  const { trans } = useHost();
  const { value, error, again } = useRead('diff-pipeline', { path, id });
  const last = useRef<Difference | null>(null);
  last.current = value ?? last.current; // while the next answer is on its way
  const shown = last.current;
  return (
    <section className="cellar-pipeline-diff" aria-label={trans.__('Pipeline')} aria-busy={value === null && !error}>
      {error !== null ? (
        <Problem error={error} again={again} />
      ) : shown ? (
        <Shown answer={shown} current={current} goTo={goTo} />
      ) : (
        <p className="cellar-diff-note" role="status">
          {trans.__('Comparing the pipelines…')}
        </p>
      )}
    </section>
  );
}

type ShownProps = Pick<Props, 'current' | 'goTo'> & { readonly answer: Difference };

function Shown({ answer, current, goTo }: ShownProps): JSX.Element {
  const { trans } = useHost();
  const drawn = useMemo(() => drawnDifference(answer), [answer]);
  const found = current.map(place => componentAt(drawn, place));
  const selected = found.find(id => id !== null) ?? null;
  const go = (id: string) => {
    const box = drawn.drawing.byId.get(id);
    if (box) {
      goTo(placeOf(box.component, drawn.components.get(id)));
    }
  };
  if (!drawn.drawing.boxes.length) {
    return <p className="cellar-diff-note">{trans.__('Neither version has code.')}</p>;
  }
  return (
    <>
      <DiffGraph drawn={drawn} selected={selected} select={go} />
      <ChangeList answer={answer} drawn={drawn} selected={selected} select={go} />
    </>
  );
}

const FIRST_LEAST = 0.6;

interface GraphProps {
  readonly drawn: DrawnDifference;
  readonly selected: string | null;
  select(id: string): void;
}

function DiffGraph({ drawn, selected, select }: GraphProps): JSX.Element {
  const { trans } = useHost();
  const { drawing, components, edges } = drawn;
  const { svg, view, pan, fit, zoom } = useView(drawing, selected, FIRST_LEAST);
  const handle = useRef({ fit, zoom });
  handle.current = { fit, zoom };
  const base = useId();
  const nameOf = (id: string): string => drawing.byId.get(id)?.component.name ?? id;

  const onPointerDown = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button === 0) {
      pan.begin(event);
    }
  };
  const onPointerUp = () => {
    const id = pan.end()?.closest('[data-component]')?.getAttribute('data-component');
    if (id) {
      select(id);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key];
    const next = direction && neighbour(drawing, selected, direction);
    const keys: Record<string, () => void> = { '+': () => zoom(STEP), '-': () => zoom(1 / STEP), '0': fit };
    const does = direction ? () => next && select(next) : keys[event.key];
    if (does && isPlain(event)) {
      taken(event, does);
    }
  };
  return (
    <div className="cellar-pipeline-diff-picture">
      <svg
        ref={svg}
        className="cellar-pipeline-graph"
        role="listbox"
        tabIndex={0}
        aria-label={trans.__('Components of both versions')}
        aria-activedescendant={selected !== null ? `${base}-${selected}` : undefined}
        onPointerDown={onPointerDown}
        onPointerMove={pan.follow}
        onPointerUp={onPointerUp}
        onPointerCancel={pan.giveUp}
        onKeyDown={onKeyDown}
      >
        <defs>
          <EndMarker id="cellar-pipeline-diff-end" />
        </defs>
        {view && (
          <g role="presentation" transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
            <g aria-hidden="true">
              {drawing.curves.map(curve => (
                <Edge key={curve.key} curve={curve} change={edges.get(curve.key)} nameOf={nameOf} />
              ))}
            </g>
            {drawing.boxes.map(box => (
              <DiffBox
                key={box.id}
                id={`${base}-${box.id}`}
                box={box}
                change={components.get(box.id)}
                isSelected={box.id === selected}
              />
            ))}
          </g>
        )}
      </svg>
      <div className="cellar-pipeline-foot">
        <Zoom graph={handle} />
      </div>
    </div>
  );
}

interface BoxProps {
  readonly id: string;
  readonly box: Box;
  readonly change: ComponentChange | undefined;
  readonly isSelected: boolean;
}

function DiffBox({ id, box, change, isSelected }: BoxProps): JSX.Element {
  const { trans } = useHost();
  const kind = change?.kind ?? null;
  const { name } = box.component;
  const told = change ? toldOf(change, trans) : '';
  const cell = trans.__('cell %1', box.component.cell);
  const words = kind ? { added: trans.__('added'), removed: trans.__('removed'), changed: '' }[kind] : '';
  const said = [name, words, told].filter(Boolean).join(', ');
  return (
    <g
      id={id}
      role="option"
      aria-selected={isSelected}
      aria-label={kind ? said : `${name}, ${trans.__('as it was')}`}
      className={`cellar-pipeline-node ${kind ? `cellar-mod-${kind}` : ''} ${isSelected ? 'cellar-is-selected' : ''}`}
      transform={`translate(${box.x} ${box.y})`}
      data-component={box.id}
      data-kind={kind ?? 'same'}
    >
      <title>{kind ? said : name}</title>
      <rect width={NODE.width} height={NODE.height} rx="5" />
      {kind === 'changed' && (
        <rect
          className="cellar-pipeline-inner"
          x="3"
          y="3"
          width={NODE.width - 6}
          height={NODE.height - 6}
          rx="3"
          aria-hidden="true"
        />
      )}
      <text x="9" y="17" aria-hidden="true">
        {kind && <tspan className="cellar-pipeline-sign">{SIGNS[kind]} </tspan>}
        <tspan className={kind === 'removed' ? 'cellar-pipeline-gone' : ''}>{shortened(name, kind ? 14 : 17)}</tspan>
      </text>
      <text x="9" y="31" className="cellar-soft" aria-hidden="true">
        {shortened(told || words || cell, 23)}
      </text>
    </g>
  );
}

interface EdgeProps {
  readonly curve: Curve;
  readonly change: EdgeChange | undefined;
  nameOf(id: string): string;
}

function Edge({ curve, change, nameOf }: EdgeProps): JSX.Element {
  const kind = change?.kind;
  const told = [`${nameOf(curve.parent)} → ${nameOf(curve.child)}`, carriedBy(curve, change)]
    .filter(Boolean)
    .join(': ');
  return (
    <g
      className={`cellar-pipeline-edge ${kind ? `cellar-mod-${kind}` : ''}`}
      data-edge={curve.key}
      data-kind={kind ?? 'same'}
    >
      <title>{kind ? `${SIGNS[kind]} ${told}` : told}</title>
      <path className="cellar-pipeline-hit" d={curve.path} />
      <path className="cellar-pipeline-line" d={curve.path} markerEnd="url(#cellar-pipeline-diff-end)" />
    </g>
  );
}

type ListProps = GraphProps & { readonly answer: Difference };

function ChangeList({ answer, drawn, selected, select }: ListProps): JSX.Element {
  const { trans } = useHost();
  const nameOf = (id: string): string => drawn.drawing.byId.get(id)?.component.name ?? id;
  const curves = new Map(drawn.drawing.curves.map(curve => [curve.key, curve]));
  return (
    <div className="cellar-pipeline-diff-list" tabIndex={0} role="region" aria-label={trans.__('What changed')}>
      {countOf(answer) === 0 && <p className="cellar-diff-soft">{trans.__('The pipeline is the same.')}</p>}
      {(answer.was_proposed || answer.is_proposed) && (
        <p className="cellar-diff-soft">
          {answer.was_proposed && answer.is_proposed
            ? trans.__('No cell says that it is a component: this is what the pipeline could be.')
            : answer.was_proposed
              ? trans.__('The version before is a plain notebook: what its pipeline could be.')
              : trans.__('The version after is a plain notebook: what its pipeline could be.')}
        </p>
      )}
      <ul className="cellar-plain">
        {answer.components.map(change => (
          <Line key={change.id} kind={change.kind} isCurrent={change.id === selected}>
            <button type="button" className="cellar-diff-link" onClick={() => select(change.id)}>
              {change.name}
            </button>{' '}
            <span className="cellar-diff-soft">{toldOf(change, trans)}</span>
          </Line>
        ))}
        {[...drawn.edges].map(([key, change]) => (
          <Line key={key} kind={change.kind}>
            {nameOf(change.parent)} → {nameOf(change.child)}{' '}
            <code>{curves.has(key) ? carriedBy(curves.get(key)!, change) : change.names.join(', ')}</code>{' '}
            <span className="cellar-diff-soft">{edgeTold(change, trans)}</span>
          </Line>
        ))}
        {answer.parameters.map(change => (
          <Line key={change.name} kind={change.kind}>
            {trans.__('parameter %1', change.name)} <code>{valuesOf(change)}</code>
          </Line>
        ))}
      </ul>
      {answer.problems.map(problem => (
        <p key={problem.message} className="cellar-pipeline-diff-problem">
          {problem.message}
        </p>
      ))}
    </div>
  );
}

interface LineProps {
  readonly kind: Kind;
  readonly isCurrent?: boolean;
  readonly children: React.ReactNode;
}

function Line({ kind, isCurrent, children }: LineProps): JSX.Element {
  const { trans } = useHost();
  const words = changeWords(trans);
  return (
    <li className={`cellar-mod-${kind} ${isCurrent ? 'cellar-is-active' : ''}`}>
      <span className="cellar-pipeline-sign" role="img" aria-label={words[kind]}>
        {SIGNS[kind]}
      </span>
      <span>{children}</span>
    </li>
  );
}

/** What became of a component that is in both versions, in words; "" for one that came or went. */
function toldOf(change: ComponentChange, trans: Words): string {
  const { kind, old_name, code, policy, moved, old_cell } = change;
  if (kind !== 'changed') {
    return '';
  }
  return [
    old_name && trans.__('was %1', old_name),
    code && (code.only_layout ? trans.__('layout') : trans.__('code +%1 −%2', code.added, code.removed)),
    ...policy.map(({ field, before, after }) => `${field} ${textOf(before)} → ${textOf(after)}`),
    moved && trans.__('moved from cell %1', old_cell)
  ]
    .filter(Boolean)
    .join(', ');
}

function edgeTold(change: EdgeChange, trans: Words): string {
  const [before, after] = [howKnown(change.old_provenance, trans), howKnown(change.provenance, trans)];
  return before && after && before !== after ? `${before} → ${after}` : after || before;
}

function valuesOf({ kind, before, after }: ParameterChange): string {
  return { added: textOf(after), removed: textOf(before), changed: `${textOf(before)} → ${textOf(after)}` }[kind];
}

const textOf = (value: unknown): string => JSON.stringify(value) ?? '';
