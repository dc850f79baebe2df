/** How a drawing lies in its room: fitted at first, moved, zoomed by the wheel, and so that what is chosen is seen. */
import { type PointerEvent, type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Direction, type Drawing, fitted, revealing, type Size, type View, zoomed } from '../../model/pipeline';

export const ARROWS: Record<string, Direction> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
  Home: 'first',
  End: 'last'
};
/** How much a key or a button makes it larger. */
export const STEP = 1.25;
const CLICK_PX = 4;

/** A press of the pointer, which moves the drawing or is a click. */
interface Press {
  readonly x: number;
  readonly y: number;
  readonly view: View;
  readonly target: Element;
  isMoved: boolean;
}

interface Viewed {
  readonly svg: RefObject<SVGSVGElement>;
  /** Null until the room is known. */
  readonly view: View | null;
  /** The pointer goes down, moves, goes up: what was clicked is told then, null where the drawing was moved. */
  readonly pan: {
    begin(event: PointerEvent): void;
    follow(event: PointerEvent): void;
    end(): Element | null;
    giveUp(): void;
  };
  fit(): void;
  zoom(factor: number): void;
}

/** least: how small the drawing may be at first. */
export function useView(drawing: Drawing, selected: string | null, least: number): Viewed {
  const svg = useRef<SVGSVGElement>(null);
  const [room, setRoom] = useState<Size | null>(null);
  const [view, setView] = useState<View | null>(null);
  const isFitted = useRef(true);

  useLayoutEffect(() => {
    const node = svg.current!;
    const look = () => setRoom({ width: node.clientWidth, height: node.clientHeight });
    look();
    const watcher = new ResizeObserver(look);
    watcher.observe(node);
    return () => watcher.disconnect();
  }, []);

  useLayoutEffect(() => {
    if (room?.width && isFitted.current) {
      setView(fitted(drawing, room, least));
    }
  }, [room, drawing.width, drawing.height, least]);

  useLayoutEffect(() => {
    const box = selected === null ? undefined : drawing.byId.get(selected);
    if (box && room?.width) {
      setView(now => now && revealing(now, box, room));
    }
  }, [selected, drawing, room]);

  const move = useCallback((change: (view: View) => View) => {
    isFitted.current = false;
    setView(now => now && change(now));
  }, []);
  const fit = useCallback(() => {
    if (room) {
      isFitted.current = true;
      setView(fitted(drawing, room));
    }
  }, [drawing, room]);
  const zoom = useCallback(
    (factor: number) => room && move(now => zoomed(now, factor, room.width / 2, room.height / 2)),
    [room, move]
  );

  useEffect(() => {
    const node = svg.current!;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = node.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0025));
        move(now => zoomed(now, factor, event.clientX - left, event.clientY - top));
      } else {
        const unit = event.deltaMode ? 16 : 1;
        move(now => ({ ...now, x: now.x - event.deltaX * unit, y: now.y - event.deltaY * unit }));
      }
    };
    node.addEventListener('wheel', onWheel, { passive: false });
    return () => node.removeEventListener('wheel', onWheel);
  }, [move]);

  const press = useRef<Press | null>(null);
  const pan = {
    begin: (event: PointerEvent) => {
      if (view) {
        const { clientX: x, clientY: y } = event;
        press.current = { x, y, view, target: event.target as Element, isMoved: false };
        svg.current!.setPointerCapture(event.pointerId);
      }
    },
    follow: (event: PointerEvent) => {
      const now = press.current;
      if (now) {
        const [x, y] = [event.clientX - now.x, event.clientY - now.y];
        now.isMoved ||= Math.hypot(x, y) > CLICK_PX;
        if (now.isMoved) {
          move(() => ({ ...now.view, x: now.view.x + x, y: now.view.y + y }));
        }
      }
    },
    end: () => {
      const now = press.current;
      press.current = null;
      return now && !now.isMoved ? now.target : null;
    },
    giveUp: () => {
      press.current = null;
    }
  };
  return { svg, view, pan, fit, zoom };
}
