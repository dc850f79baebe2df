/** A long list of rows of unequal height, of which those near the view are mounted; the rest is room. */
import {
  forwardRef,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type JSX,
  type ReactNode
} from 'react';
import { MeasuredHeights } from '../../model/measured_heights';
import { useDrawn } from '../parts/hooks';

/** How many pixels of rows are mounted above and below the view; none of them before those in view are drawn. */
const BEYOND = 600;

interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly estimate: (item: Item) => number;
  readonly render: (item: Item, at: number) => ReactNode;
  readonly label: string;
  /** Drawn behind the rows, over the whole height, in `margin` pixels to their left. */
  readonly beside?: (heights: MeasuredHeights, view: readonly [number, number]) => ReactNode;
  readonly margin?: number;
  /** Called when the rows in view, or the heights of any, changed. */
  readonly onView?: (heights: MeasuredHeights, scrollTop: number, height: number) => void;
}

export interface VirtualListHandle {
  /** Bring a row to the top of the view. */
  scrollTo(at: number): void;
  scrollToShare(share: number): void;
  /** Return the first row in view. */
  first(): number;
  focus(): void;
}

function List<Item>(props: VirtualListProps<Item>, ref: React.Ref<VirtualListHandle>): JSX.Element {
  const { items, keyOf, estimate, onView } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const measured = useRef(new Map<string, number>()).current;
  const [version, setVersion] = useState(0);
  const [view, setView] = useState({ top: 0, height: 800 });
  const wanted = useRef<{ key: string; left: number } | null>(null);
  const keys = useMemo(() => items.map(keyOf), [items, keyOf]);
  const heights = useMemo(
    () => new MeasuredHeights(keys, at => estimate(items[at]!), measured),
    // `version` stands for what is in `measured`
    [keys, items, estimate, measured, version]
  );
  const [from, to] = heights.range(view.top, view.height, useDrawn() ? BEYOND : 0);

  const look = useCallback(() => {
    const element = scroller.current;
    if (element) {
      const [top, height] = [element.scrollTop, element.clientHeight];
      setView(known => (known.top === top && known.height === height ? known : { top, height }));
    }
  }, []);

  const observer = useMemo(
    () =>
      new ResizeObserver(entries => {
        let changed = false;
        for (const entry of entries) {
          const element = entry.target as HTMLElement;
          const [key, height] = [element.dataset.key, element.offsetHeight];
          if (element === scroller.current) {
            look();
          } else if (key && height && measured.get(key) !== height) {
            measured.set(key, height);
            changed = true;
          }
        }
        if (changed) {
          setVersion(known => known + 1);
        }
      }),
    [look, measured]
  );
  useEffect(() => () => observer.disconnect(), [observer]);
  useEffect(() => {
    if (scroller.current) {
      observer.observe(scroller.current);
      look();
    }
  }, [observer, look]);

  // A row that was jumped to stays at the top while those around it find their heights.
  useLayoutEffect(() => {
    const goal = wanted.current;
    if (goal && scroller.current) {
      const at = keys.indexOf(goal.key);
      if (at >= 0) {
        scroller.current.scrollTop = heights.top(at);
      }
      wanted.current = goal.left > 0 && at >= 0 ? { ...goal, left: goal.left - 1 } : null;
    }
    look();
  }, [heights, keys, look]);

  useEffect(() => onView?.(heights, view.top, view.height), [heights, view, onView]);

  useImperativeHandle(
    ref,
    () => ({
      scrollTo(at) {
        const key = keys[at];
        if (key !== undefined && scroller.current) {
          wanted.current = { key, left: 3 };
          scroller.current.scrollTop = heights.top(at);
          look();
        }
      },
      scrollToShare(share) {
        wanted.current = null;
        if (scroller.current) {
          scroller.current.scrollTop = share * heights.total - view.height / 2;
        }
      },
      first: () => heights.at((scroller.current?.scrollTop ?? 0) + 4),
      focus: () => scroller.current?.focus()
    }),
    [heights, keys, look, view.height]
  );

  const observe = useCallback(
    (element: HTMLDivElement | null) => {
      if (element) {
        observer.observe(element);
      }
    },
    [observer]
  );
  return (
    <div
      className="cellar-diff-scroller"
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={props.label}
      onScroll={look}
      onWheel={() => (wanted.current = null)}
    >
      <div className="cellar-diff-list" style={{ paddingLeft: props.margin || undefined }}>
        {props.beside?.(heights, [view.top, view.top + view.height])}
        <div className="cellar-diff-room" style={{ height: heights.top(from) }} />
        {items.slice(from, to).map((item, n) => (
          <div key={keys[from + n]} data-key={keys[from + n]} ref={observe} className="cellar-diff-row">
            {props.render(item, from + n)}
          </div>
        ))}
        <div className="cellar-diff-room" style={{ height: heights.total - heights.top(to) }} />
      </div>
    </div>
  );
}

export const VirtualList = forwardRef(List) as <Item>(
  props: VirtualListProps<Item> & { ref?: React.Ref<VirtualListHandle> }
) => JSX.Element;
