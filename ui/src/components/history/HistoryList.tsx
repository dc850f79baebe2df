/** The list of the history: graph, days, runs and entries, by keyboard and mouse. */
import { useCallback, useImperativeHandle, useMemo, useRef } from 'react';
import type { KeyboardEvent, Ref } from 'react';
import type { Row } from '../../model/fold';
import type { Entry, HistoryModel } from '../../model/history';
import { useHost } from '../host';
import { isPlain, taken } from '../parts/keys';
import { VirtualList, type ListHandle } from '../parts/VirtualList';
import { DAY_HEIGHT, DayRow, EntryRow, RUN_HEIGHT, RunRow, entryHeight } from './EntryRow';
import { MOST_COLUMNS, graphWidth } from './Graph';
import { useNames, type Shown } from './useHistory';

export interface HistoryListHandle {
  focus(): void;
  /** Bring the row of a key into sight. */
  reveal(key: string): void;
}

interface Props {
  readonly handle: Ref<HistoryListHandle>;
  readonly model: HistoryModel;
  readonly shown: Shown;
  /** The key of the row that is chosen. */
  readonly active: string | null;
  /** The commit that is to be compared with another one. */
  readonly marked: string | null;
  activate(row: Row): void;
  open(row: Row, how: 'toggle' | 'open' | 'close'): void;
  menu(entry: Entry, x: number, y: number): void;
  escape(): void;
}

export function HistoryList(props: Props): JSX.Element {
  const { model, shown, active, activate, open } = props;
  const { trans } = useHost();
  const { rows, entries, lanes, hits } = shown;
  const list = useRef<ListHandle>(null);
  const names = useNames(model.names);
  const width = useGraphWidth(shown);
  const index = useMemo(() => rows.findIndex(row => row.key === active), [rows, active]);
  useImperativeHandle(props.handle, () => ({
    focus: () => list.current?.focus(),
    reveal: key => list.current?.reveal(rows.findIndex(row => row.key === key))
  }));
  const heightOf = useCallback(
    (row: Row): number => {
      if (row.kind === 'entry') {
        const entry = entries[row.index]!;
        return entryHeight(entry, hits.get(entry.id));
      }
      return row.kind === 'day' ? DAY_HEIGHT : RUN_HEIGHT;
    },
    [entries, hits]
  );
  const go = (to: number, step: number) => {
    let next = Math.max(0, Math.min(to, rows.length - 1));
    while (rows[next]?.kind === 'day' && rows[next + step]) {
      next += step;
    }
    const row = rows[next];
    if (row && row.kind !== 'day') {
      activate(row);
      list.current?.reveal(next);
    }
  };
  const showMenu = () => {
    const row = rows[index];
    if (row?.kind === 'entry') {
      const box = document.getElementById(rowId(row))?.getBoundingClientRect();
      props.menu(entries[row.index]!, (box?.left ?? 0) + 40, (box?.top ?? 0) + 20);
    }
  };
  const onKeyDown = (event: KeyboardEvent, page: number) => {
    const row = rows[index];
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(index + 1, 1),
      ArrowUp: () => go(index < 0 ? 0 : index - 1, index > 1 ? -1 : 1),
      PageDown: () => go(index + page, 1),
      PageUp: () => go(index - page, index - page > 0 ? -1 : 1),
      Home: () => go(0, 1),
      End: () => go(rows.length - 1, -1),
      Enter: () => row && open(row, 'toggle'),
      ' ': () => row && open(row, 'toggle'),
      ArrowRight: () => row && open(row, 'open'),
      ArrowLeft: () => row && open(row, 'close'),
      ContextMenu: showMenu,
      Escape: props.escape
    };
    const does = event.key === 'F10' && event.shiftKey ? showMenu : keys[event.key];
    if (does && isPlain(event)) {
      taken(event, does);
    }
  };
  const render = (row: Row) => {
    const isActive = row.key === active;
    if (row.kind === 'day') {
      return <DayRow time={row.time} lane={lanes[row.index]} width={width} />;
    }
    if (row.kind === 'run') {
      return (
        <div onClick={() => open(row, 'toggle')}>
          <RunRow
            all={entries}
            from={row.from}
            to={row.to}
            lane={lanes[row.from]}
            width={width}
            isOpen={row.open}
            isActive={isActive}
            id={rowId(row)}
          />
        </div>
      );
    }
    const entry = entries[row.index]!;
    return (
      <div
        role="presentation"
        onClick={() => {
          activate(row);
          open(row, 'open');
        }}
        onContextMenu={event => {
          event.preventDefault();
          event.stopPropagation();
          activate(row);
          props.menu(entry, event.clientX, event.clientY);
        }}
      >
        <EntryRow
          entry={entry}
          lane={lanes[row.index]}
          width={width}
          height={heightOf(row)}
          names={names.get(entry.id)}
          isHead={entry.id === model.head}
          isActive={isActive}
          isMarked={entry.id === props.marked}
          hit={hits.get(entry.id)}
          id={rowId(row)}
        />
      </div>
    );
  };
  return (
    <VirtualList
      handle={list}
      label={trans.__('History')}
      rows={rows}
      activeId={index >= 0 ? rowId(rows[index]!) : undefined}
      heightOf={heightOf}
      render={render}
      onKeyDown={onKeyDown}
    />
  );
}

const rowId = (row: Row): string => `cellar-row-${row.key.replace(/\s/g, '-')}`;

/** The width that the widest row needs; it only grows, so that text does not jump back and forth. */
function useGraphWidth(shown: Shown): number {
  const most = useRef(1);
  return useMemo(() => {
    if (shown.lanes.length === 0) {
      return 10;
    }
    most.current = shown.lanes.reduce((widest, lane) => Math.max(widest, lane.width), most.current);
    return graphWidth(Math.min(most.current, MOST_COLUMNS));
  }, [shown.lanes]);
}
