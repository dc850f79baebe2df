/**
 * The graph: pan, zoom, choose, connect, by mouse and by keys.
 *
 * Dragging moves it, the wheel scrolls, with Ctrl it zooms; a drag from the point below a box connects.
 */
import { type KeyboardEvent, type PointerEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';
import { boxAt, curvesOf, type Direction, type Drawing, loosePath, neighbour, NODE } from '../../model/pipeline';
import type { Status } from '../../model/pipeline_run';
import { useHost } from '../host';
import { isPlain, taken } from '../parts/keys';
import { EdgeLine, edgeWords, EndMarker, Node } from './shapes';
import { ARROWS, STEP, useView } from './useView';

export interface GraphHandle {
  focus(): void;
  fit(): void;
  zoom(factor: number): void;
  startConnecting(id: string): void;
}

interface Props {
  readonly handle: Ref<GraphHandle>;
  readonly drawing: Drawing;
  readonly statuses: ReadonlyMap<string, Status>;
  readonly wrong: ReadonlySet<string>;
  readonly selected: string | null;
  readonly edge: string | null;
  select(id: string): void;
  selectEdge(key: string | null): void;
  /** Go to the cell, with the keyboard. */
  enter(id: string): void;
  connect(parent: string, child: string): void;
  removeEdge(key: string): void;
  rename(id: string): void;
  run(id: string): void;
  menu(id: string, x: number, y: number): void;
  /** Say something to who does not see it. */
  say(text: string): void;
}

const FIRST_LEAST = 0.75;

export function Graph(props: Props): JSX.Element {
  const { drawing, statuses, wrong, selected, edge, say } = props;
  const { trans } = useHost();
  const id = useId();
  const { svg, view, pan, fit, zoom } = useView(drawing, selected, FIRST_LEAST);
  /** The pointer went down on the point below a box, and draws an edge from it. */
  const isDrawing = useRef(false);
  const [connecting, setConnecting] = useState<{ from: string; to: string | null; x: number; y: number } | null>(null);

  const nameOf = (component: string): string => drawing.byId.get(component)?.component.name ?? component;
  const startConnecting = (from: string) => {
    const box = drawing.byId.get(from);
    if (box) {
      setConnecting({ from, to: null, x: box.x, y: box.y });
      say(
        trans.__('From %1: choose with the arrows what comes after it, Enter connects, Escape gives up', nameOf(from))
      );
    }
  };
  const finishConnecting = (from: string, to: string | null) => {
    setConnecting(null);
    if (to !== null && to !== from) {
      props.connect(from, to);
    }
  };
  useImperativeHandle(props.handle, () => ({ focus: () => svg.current?.focus(), fit, zoom, startConnecting }));

  // pointer -----------------------------------------------------------------------------------------------------------

  const pointOf = (event: PointerEvent): { x: number; y: number } => {
    const { left, top } = svg.current!.getBoundingClientRect();
    const { x, y, scale } = view!;
    return { x: (event.clientX - left - x) / scale, y: (event.clientY - top - y) / scale };
  };
  const onPointerDown = (event: PointerEvent<SVGSVGElement>) => {
    if (event.button !== 0 || !view) {
      return;
    }
    const from = (event.target as Element).closest('[data-port]')?.getAttribute('data-port');
    if (from) {
      isDrawing.current = true;
      svg.current!.setPointerCapture(event.pointerId);
      setConnecting({ from, to: null, ...pointOf(event) });
    } else {
      pan.begin(event);
    }
  };
  const onPointerMove = (event: PointerEvent<SVGSVGElement>) => {
    if (isDrawing.current) {
      const point = pointOf(event);
      setConnecting(before => before && { ...before, ...point, to: boxAt(drawing, point.x, point.y)?.id ?? null });
    } else {
      pan.follow(event);
    }
  };
  const onPointerUp = (event: PointerEvent<SVGSVGElement>) => {
    if (isDrawing.current) {
      isDrawing.current = false;
      const point = pointOf(event);
      finishConnecting(connecting!.from, boxAt(drawing, point.x, point.y)?.id ?? null);
      return;
    }
    const target = pan.end();
    if (target) {
      choose(target);
    }
  };
  const choose = (target: Element) => {
    const component = target.closest('[data-component]')?.getAttribute('data-component');
    const curve = target.closest('[data-edge]')?.getAttribute('data-edge');
    if (component && connecting) {
      finishConnecting(connecting.from, component);
    } else if (component) {
      props.selectEdge(null);
      props.select(component);
    } else {
      setConnecting(null);
      props.selectEdge(curve ?? null);
    }
  };
  const giveUp = () => {
    isDrawing.current = false;
    pan.giveUp();
    setConnecting(null);
  };

  // keys --------------------------------------------------------------------------------------------------------------

  const nextEdge = () => {
    const curves = selected === null ? [] : curvesOf(drawing, selected);
    const next = curves[(curves.findIndex(({ key }) => key === edge) + 1) % Math.max(curves.length, 1)];
    props.selectEdge(next?.key ?? null);
    say(next ? edgeWords(next, nameOf, trans) : trans.__('No edge leads here or away from here'));
  };
  const go = (direction: Direction) => {
    const from = connecting ? (connecting.to ?? connecting.from) : selected;
    const next = neighbour(drawing, from, direction);
    if (next === null) {
      return;
    }
    if (connecting) {
      const box = drawing.byId.get(next)!;
      setConnecting({ ...connecting, to: next, x: box.x + NODE.width / 2, y: box.y });
      say(trans.__('to %1', nameOf(next)));
    } else {
      props.selectEdge(null);
      props.select(next);
    }
  };
  const menuAt = (component: string) => {
    const node = svg.current!.querySelector(`[data-component="${CSS.escape(component)}"]`);
    const box = node?.getBoundingClientRect();
    props.menu(component, box?.left ?? 0, box?.bottom ?? 0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key];
    const with_ = (does: (component: string) => void) => () => selected !== null && does(selected);
    const keys: Record<string, () => unknown> = {
      Enter: () =>
        connecting ? finishConnecting(connecting.from, connecting.to) : selected !== null && props.enter(selected),
      ' ': () => connecting && finishConnecting(connecting.from, connecting.to),
      Escape: () => (connecting ? (giveUp(), say(trans.__('Not connected'))) : props.selectEdge(null)),
      c: with_(startConnecting),
      e: nextEdge,
      r: with_(props.run),
      F2: with_(props.rename),
      Delete: () => edge !== null && props.removeEdge(edge),
      Backspace: () => edge !== null && props.removeEdge(edge),
      '+': () => zoom(STEP),
      '=': () => zoom(STEP),
      '-': () => zoom(1 / STEP),
      '0': fit,
      ContextMenu: with_(menuAt)
    };
    const does = direction ? () => go(direction) : keys[event.key];
    if (event.key === 'F10' && event.shiftKey) {
      taken(event, with_(menuAt));
    } else if (does && isPlain(event)) {
      taken(event, does);
    }
  };

  // drawing -----------------------------------------------------------------------------------------------------------

  const takes = (component: string): string =>
    drawing.curves
      .filter(({ child }) => child === component)
      .map(({ parent, names }) =>
        names.length
          ? trans.__('takes %1 from %2', names.join(', '), nameOf(parent))
          : trans.__('after %1', nameOf(parent))
      )
      .join(', ');
  const from = connecting && drawing.byId.get(connecting.from);
  const nodeId = (component: string) => `${id}-${component}`;
  const activeId = connecting?.to ?? selected;
  return (
    <svg
      ref={svg}
      className={`cellar-pipeline-graph ${connecting ? 'cellar-is-connecting' : ''}`}
      role="listbox"
      tabIndex={0}
      aria-label={trans.__('Components')}
      aria-description={trans.__(
        'Arrows choose, Enter goes to the cell, c connects, e chooses an edge, Delete removes a declared one, F2 renames, r runs'
      )}
      aria-activedescendant={activeId !== null && drawing.byId.has(activeId) ? nodeId(activeId) : undefined}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={giveUp}
      onKeyDown={onKeyDown}
      onDoubleClick={event => {
        const found = (event.target as Element).closest('[data-component]')?.getAttribute('data-component');
        if (found) {
          props.enter(found);
        }
      }}
      onContextMenu={event => {
        const found = (event.target as Element).closest('[data-component]')?.getAttribute('data-component');
        if (found) {
          event.preventDefault();
          props.select(found);
          props.menu(found, event.clientX, event.clientY);
        }
      }}
    >
      <defs>
        <EndMarker id="cellar-pipeline-end" />
      </defs>
      {view && (
        <g role="presentation" transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          <g aria-hidden="true">
            {drawing.curves.map(curve => (
              <EdgeLine
                key={curve.key}
                curve={curve}
                isSelected={curve.key === edge}
                isNear={selected !== null && (curve.parent === selected || curve.child === selected)}
                told={edgeWords(curve, nameOf, trans)}
              />
            ))}
            {from && connecting && (
              <path className="cellar-pipeline-loose" d={loosePath(from, connecting.x, connecting.y)} />
            )}
          </g>
          {drawing.boxes.map(box => (
            <Node
              key={box.id}
              id={nodeId(box.id)}
              box={box}
              status={statuses.get(box.id)!}
              isSelected={box.id === selected}
              isFrom={box.id === connecting?.from}
              isTarget={box.id === connecting?.to && box.id !== connecting.from}
              isWrong={wrong.has(box.id)}
              told={takes(box.id)}
            />
          ))}
        </g>
      )}
    </svg>
  );
}
