/**
 * A list that draws only the rows that are seen, of any known heights.
 *
 * Invariant: when rows come, go or open, the first row that was seen stays where it is, but for a list at its very top,
 * where new rows come into sight. The list has the focus; the active row is told by `aria-activedescendant`.
 */
import { useCallback, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode, Ref } from 'react';
import { Heights } from '../../model/heights';
import { useHeight } from './hooks';

export interface ListHandle {
  focus(): void;
  /** Bring a row into sight. */
  reveal(index: number): void;
}

interface Props<R extends { readonly key: string }> {
  readonly handle?: Ref<ListHandle>;
  readonly label: string;
  readonly rows: readonly R[];
  readonly activeId: string | undefined;
  heightOf(row: R): number;
  render(row: R, index: number): ReactNode;
  onKeyDown(event: KeyboardEvent, page: number): void;
}

const BEYOND_PX = 300;

export function VirtualList<R extends { readonly key: string }>(props: Props<R>): JSX.Element {
  const { rows, heightOf } = props;
  const box = useRef<HTMLDivElement | null>(null);
  const [height, measure] = useHeight();
  const [top, setTop] = useState(0);
  const anchor = useRef({ key: '', offset: 0 });
  const heights = useMemo(() => new Heights(rows.map(heightOf)), [rows, heightOf]);
  const attach = useCallback(
    (element: HTMLDivElement | null) => {
      box.current = element;
      measure(element);
    },
    [measure]
  );
  useKeptPlace(box, rows, heights, anchor, setTop);
  useImperativeHandle(props.handle, () => ({
    focus: () => box.current?.focus({ preventScroll: true }),
    reveal: index => reveal(box.current, heights, index)
  }));
  const first = heights.at(top - BEYOND_PX);
  const last = Math.min(heights.at(top + Math.max(height, 1) + BEYOND_PX), rows.length - 1);
  const onScroll = () => {
    const now = box.current!.scrollTop;
    const index = heights.at(now);
    anchor.current = { key: now > 0 ? (rows[index]?.key ?? '') : '', offset: now - heights.top(index) };
    // A new drawing for each stretch, not for each pixel: rows are drawn some way beyond what is seen.
    if (Math.abs(now - top) > BEYOND_PX / 3 || now === 0) {
      setTop(now);
    }
  };
  const drawn: ReactNode[] = [];
  for (let index = first; index <= last; index++) {
    const row = rows[index]!;
    drawn.push(
      <div
        key={row.key}
        className="cellar-list-row"
        role="presentation"
        style={{ top: heights.top(index), height: heights.height(index) }}
      >
        {props.render(row, index)}
      </div>
    );
  }
  return (
    <div
      ref={attach}
      className="cellar-list"
      role="listbox"
      aria-label={props.label}
      aria-activedescendant={props.activeId}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={event => props.onKeyDown(event, Math.max(1, heights.at(top + height) - heights.at(top) - 1))}
    >
      <div role="presentation" style={{ height: heights.total }}>
        {drawn}
      </div>
    </div>
  );
}

function useKeptPlace(
  box: React.RefObject<HTMLDivElement | null>,
  rows: readonly { readonly key: string }[],
  heights: Heights,
  anchor: React.MutableRefObject<{ key: string; offset: number }>,
  setTop: (top: number) => void
): void {
  const before = useRef(heights);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || before.current === heights) {
      return;
    }
    before.current = heights;
    const index = anchor.current.key ? rows.findIndex(row => row.key === anchor.current.key) : -1;
    if (index >= 0) {
      const top = heights.top(index) + Math.min(anchor.current.offset, heights.height(index));
      if (element.scrollTop !== top) {
        element.scrollTop = top;
      }
    }
    setTop(element.scrollTop);
  }, [box, rows, heights, anchor, setTop]);
}

function reveal(element: HTMLDivElement | null, heights: Heights, index: number): void {
  if (!element || index < 0) {
    return;
  }
  const [top, bottom] = [heights.top(index), heights.top(index) + heights.height(index)];
  if (top < element.scrollTop) {
    element.scrollTop = top;
  } else if (bottom > element.scrollTop + element.clientHeight) {
    element.scrollTop = bottom - element.clientHeight;
  }
}
