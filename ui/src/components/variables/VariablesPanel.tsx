/** The panel Variables: those of any commit, of now unless another one is asked for. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { isDownAtFirst, linesOf, type Line, type SortKey } from '../../model/variables';
import { moment, short } from '../../model/words';
import { CellarError } from '../../wire/client';
import { SessionNotice } from '../history/HistoryPanel';
import { useSettled } from '../history/useHistory';
import { initialise, useHost } from '../host';
import { AskLine } from '../parts/AskLine';
import { useEvents, useRead } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { isPlain, taken } from '../parts/keys';
import { Splitter } from '../parts/Splitter';
import { Empty, Problem, ServerNotice } from '../parts/states';
import { VirtualList, type ListHandle } from '../parts/VirtualList';
import { VariableDetail } from './VariableDetail';
import { ROW_HEIGHT, VariableRow } from './VariableRow';

interface Props {
  readonly path: string | null;
  /** The commit that is asked for; another object each time. */
  readonly wanted?: { readonly ref: string } | null;
}

const NOW = 'HEAD';

export function VariablesPanel({ path, wanted }: Props): JSX.Element {
  const { trans } = useHost();
  if (path === null) {
    return <Empty title={trans.__('No notebook')} text={trans.__('Open a notebook to see its variables.')} />;
  }
  return <NotebookVariables key={path} path={path} wanted={wanted ?? null} />;
}

function NotebookVariables({ path, wanted }: { path: string; wanted: { readonly ref: string } | null }): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const [ref, setRef] = useState(NOW);
  useEffect(() => setRef(wanted?.ref ?? NOW), [wanted]);
  const turn = useEvents(path, 'history');
  const state = useRead('state', { path, ref }, turn);
  const code = state.error instanceof CellarError ? state.error.code : '';
  if (code === 'no-repository') {
    return (
      <Empty
        title={trans.__('No history yet')}
        text={trans.__('Once Cellar records this notebook, the variables of each of its states are listed here.')}
        action={trans.__('Initialise')}
        run={async () => {
          await initialise(host, path);
          state.again();
        }}
      />
    );
  }
  if (!state.value && ref === NOW && ['not-found', 'unknown-reference'].includes(code)) {
    return (
      <div className="cellar-panel">
        <SessionNotice path={path} />
        <Empty title={trans.__('Nothing recorded yet')} text={trans.__('Run a cell: its variables are listed here.')} />
      </div>
    );
  }
  return (
    <div className="cellar-panel cellar-variables">
      <Which path={path} commit={state.value?.commit ?? null} isNow={ref === NOW} setRef={setRef} />
      <ServerNotice />
      {state.error !== null && <Problem error={state.error} again={state.again} />}
      <SessionNotice path={path} />
      {state.value && <Listed path={path} state={state.value} isNow={ref === NOW} />}
    </div>
  );
}

interface WhichProps {
  readonly path: string;
  readonly commit: { readonly id: string; readonly time: string; readonly execution_count: number | null } | null;
  readonly isNow: boolean;
  setRef(ref: string): void;
}

/** Which commit's variables are shown, and the way to others. */
function Which({ path, commit, isNow, setRef }: WhichProps): JSX.Element {
  const { trans, backend } = useHost();
  const [isAsking, setAsking] = useState(false);
  const go = async (ref: string) => {
    await backend.read('show', { path, ref }); // an unknown name is said where it was typed
    setRef(ref);
    setAsking(false);
  };
  if (isAsking) {
    return (
      <AskLine
        label={trans.__('Variables of (a commit, branch, tag, HEAD~3)')}
        action={trans.__('Show')}
        done={go}
        cancel={() => setAsking(false)}
      />
    );
  }
  return (
    <div className="cellar-which">
      {isNow ? <span className="cellar-chip cellar-chip-now">{trans.__('now')}</span> : null}
      {commit && (
        <span className="cellar-cut">
          <code>{short(commit.id)}</code>
          {commit.execution_count !== null && <code> [{commit.execution_count}]</code>}
          <span className="cellar-soft"> {moment(commit.time)}</span>
        </span>
      )}
      {!isNow && (
        <button className="cellar-button cellar-is-small" onClick={() => setRef(NOW)}>
          {trans.__('Back to now')}
        </button>
      )}
      <button className="cellar-button cellar-is-small cellar-at-end" onClick={() => setAsking(true)}>
        {trans.__('Other…')}
      </button>
    </div>
  );
}

type State = NonNullable<ReturnType<typeof useRead<'state'>>['value']>;

function Listed({ path, state, isNow }: { path: string; state: State; isNow: boolean }): JSX.Element {
  const { trans } = useHost();
  const [text, setText] = useState('');
  const [sort, setSort] = useState<{ key: SortKey; isDown: boolean }>({ key: 'name', isDown: false });
  const [active, setActive] = useState<string | null>(null);
  const [isOpen, setOpen] = useState(false);
  const [share, setShare] = useState(55);
  const list = useRef<ListHandle>(null);
  const { lifelines, length } = useLifelines(path, state.commit.id);
  const versions = useMemo(() => new Map([...lifelines].map(([name, line]) => [name, line.versions])), [lifelines]);
  const lines = useMemo(() => linesOf(state, versions, text, sort.key, sort.isDown), [state, versions, text, sort]);
  const index = lines.findIndex(line => line.key === active);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(to, lines.length - 1));
    const line = lines[next];
    if (line) {
      setActive(line.key);
      list.current?.reveal(next);
    }
  };
  useLayoutEffect(() => {
    if (isOpen && index >= 0) {
      list.current?.reveal(index); // the list is lower than it was
    }
  }, [isOpen, index]);
  const close = () => {
    setOpen(false);
    list.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent, page: number) => {
    const keys: Record<string, () => void> = {
      ArrowDown: () => go(index + 1),
      ArrowUp: () => go(index - 1),
      PageDown: () => go(index + page),
      PageUp: () => go(index - page),
      Home: () => go(0),
      End: () => go(lines.length - 1),
      Enter: () => index >= 0 && setOpen(true),
      ' ': () => index >= 0 && setOpen(true),
      Escape: close
    };
    const does = keys[event.key];
    if (does && isPlain(event)) {
      taken(event, does);
    }
  };
  const render = (line: Line) => (
    <div
      role="presentation"
      onClick={() => {
        setActive(line.key);
        setOpen(true);
      }}
    >
      <VariableRow
        line={line}
        lifeline={lifelines.get(line.key)}
        length={length}
        isActive={line.key === active}
        id={rowId(line)}
      />
    </div>
  );
  const chosen = lines[index];
  return (
    <>
      <Tools text={text} setText={setText} sort={sort} setSort={setSort} down={() => list.current?.focus()} />
      <div className="cellar-split">
        {lines.length === 0 ? (
          <Empty title={state.variables.length === 0 ? trans.__('No variables') : trans.__('No variable matches')} />
        ) : (
          <VirtualList
            handle={list}
            label={trans.__('Variables')}
            rows={lines}
            activeId={chosen ? rowId(chosen) : undefined}
            heightOf={heightOf}
            render={render}
            onKeyDown={onKeyDown}
          />
        )}
        {isOpen && chosen && (
          <>
            <Splitter label={trans.__('Height of the details')} share={share} setShare={setShare} />
            <section
              className="cellar-lower"
              style={{ flexBasis: `${share}%` }}
              aria-label={trans.__('Details')}
              onKeyDown={event => event.key === 'Escape' && close()}
            >
              <VariableDetail
                key={chosen.key}
                path={path}
                commit={state.commit.id}
                isNow={isNow}
                line={chosen}
                close={close}
              />
            </section>
          </>
        )}
      </div>
    </>
  );
}

const heightOf = (): number => ROW_HEIGHT;
const rowId = (line: Line): string => `cellar-variable-${line.key.replace(/\s/g, '-')}`;

interface ToolsProps {
  readonly text: string;
  readonly sort: { readonly key: SortKey; readonly isDown: boolean };
  setText(text: string): void;
  setSort(sort: { key: SortKey; isDown: boolean }): void;
  down(): void;
}

function Tools({ text, sort, setText, setSort, down }: ToolsProps): JSX.Element {
  const { trans } = useHost();
  const keys: [SortKey, string][] = [
    ['name', trans.__('by name')],
    ['type', trans.__('by type')],
    ['size', trans.__('by size')],
    ['changed', trans.__('by last change')],
    ['versions', trans.__('by versions')]
  ];
  return (
    <div className="cellar-search" role="search">
      <div className="cellar-search-line">
        <Icon name="search" />
        <input
          className="cellar-input"
          type="text"
          aria-label={trans.__('Filter variables')}
          placeholder={trans.__('Filter')}
          value={text}
          spellCheck={false}
          onChange={event => setText(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'ArrowDown' || event.key === 'Enter') {
              event.preventDefault();
              down();
            }
          }}
        />
        <select
          className="cellar-input"
          aria-label={trans.__('Order')}
          value={sort.key}
          onChange={event => {
            const key = event.target.value as SortKey;
            setSort({ key, isDown: isDownAtFirst(key) });
          }}
        >
          {keys.map(([key, word]) => (
            <option key={key} value={key}>
              {word}
            </option>
          ))}
        </select>
        <button
          className="cellar-button"
          aria-label={sort.isDown ? trans.__('Largest first') : trans.__('Smallest first')}
          title={sort.isDown ? trans.__('Largest first') : trans.__('Smallest first')}
          onClick={() => setSort({ ...sort, isDown: !sort.isDown })}
        >
          {sort.isDown ? '↓' : '↑'}
        </button>
      </div>
    </div>
  );
}

/** The lifelines of a commit; asked for when the state rests, as they cost a walk through the history. */
function useLifelines(path: string, commit: string) {
  const first = useRef(commit);
  const settled = useSettled(commit, commit === first.current ? 0 : 700);
  const read = useRead('lifelines', { path, ref: settled });
  const kept = useRef(read.value);
  kept.current = read.value ?? kept.current;
  const value = kept.current;
  return useMemo(
    () => ({
      lifelines: new Map((value?.variables ?? []).map(line => [line.name, line])),
      length: value?.length ?? 0
    }),
    [value]
  );
}
