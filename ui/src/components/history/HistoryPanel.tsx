/** The panel History: search, the commit graph, and the entry or comparison that is open below it. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Row } from '../../model/fold';
import type { Entry, HistoryModel } from '../../model/history';
import { NO_QUERY, isActive, type Query } from '../../model/search';
import { short } from '../../model/words';
import { CellarError } from '../../wire/client';
import { initialise, useHost } from '../host';
import { CloseButton } from '../parts/CloseButton';
import { Icon } from '../parts/icons';
import { useEvents, useRead } from '../parts/hooks';
import { Menu, type MenuEntry } from '../parts/Menu';
import { Splitter } from '../parts/Splitter';
import { Empty, KernelNotice, Problem } from '../parts/states';
import { useActions, type Actions } from './actions';
import { CompareView } from './CompareView';
import { EntryDetail } from './EntryDetail';
import { HistoryList, type HistoryListHandle } from './HistoryList';
import { SearchBar } from './SearchBar';
import { useHistory, useLanes, useNames, useSettled, useShown } from './useHistory';

interface Props {
  /** The notebook that is worked with; null: none. */
  readonly path: string | null;
  /** A commit that another panel asks to show; another object each time. */
  readonly reveal?: { readonly commit: string } | null;
}

export function HistoryPanel({ path, reveal }: Props): JSX.Element {
  const { trans } = useHost();
  if (path === null) {
    return <Empty title={trans.__('No notebook')} text={trans.__('Open a notebook to see its history.')} />;
  }
  return <NotebookHistory key={path} path={path} reveal={reveal ?? null} />;
}

function NotebookHistory({ path, reveal }: { path: string; reveal: { readonly commit: string } | null }): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const model = useHistory(path);
  const code = model.error instanceof CellarError ? model.error.code : '';
  if (!model.isReady) {
    return <div className="cellar-panel" aria-busy="true" />;
  }
  if (code === 'no-repository') {
    const init = async () => {
      await initialise(host, path);
      await model.refresh();
    };
    return (
      <Empty
        title={trans.__('No history yet')}
        text={trans.__(
          'Cellar keeps every state of a session and every version of its cells in a folder “.cellar” beside the notebook.'
        )}
        action={trans.__('Initialise')}
        run={init}
      />
    );
  }
  if (model.entries.length === 0 && (model.error === null || code === 'not-found')) {
    return <NothingYet path={path} />;
  }
  if (model.entries.length === 0) {
    return (
      <div className="cellar-panel">
        <Problem error={model.error} again={() => void model.refresh()} />
      </div>
    );
  }
  return <Filled model={model} reveal={reveal} />;
}

function NothingYet({ path }: { path: string }): JSX.Element {
  const { trans } = useHost();
  return (
    <div className="cellar-panel">
      <SessionNotice path={path} />
      <Empty
        title={trans.__('Nothing recorded yet')}
        text={trans.__('Run a cell: each run becomes an entry here, with the variables as they are after it.')}
      />
    </div>
  );
}

/** One line where no kernel records the notebook; a kernel that starts has a moment to say that it does. */
export function SessionNotice({ path }: { path: string }): JSX.Element | null {
  const host = useHost();
  const turn = useEvents(path, 'kernel');
  const standing = useRead('standing', { path }, turn).value;
  let why: 'none' | 'not-recording' | 'off' | null = null;
  if (standing && (standing.notebook?.kernels.length ?? 0) === 0) {
    why = standing.notebook?.off ? 'off' : host.hasKernel?.(path) ? 'not-recording' : 'none';
  }
  const settled = useSettled(why, why ? NOTICE_AFTER_MS : 0);
  return settled && <KernelNotice path={path} why={settled} />;
}

const NOTICE_AFTER_MS = 1500;

type Lower =
  { readonly kind: 'entry' } | { readonly kind: 'compare'; readonly before: string | null; readonly after: string };

function Filled({ model, reveal }: { model: HistoryModel; reveal: { readonly commit: string } | null }): JSX.Element {
  const { trans } = useHost();
  const [query, setQuery] = useState<Query>(NO_QUERY);
  const [openRuns, setOpenRuns] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string | null>(null);
  const [lower, setLower] = useState<Lower | null>(null);
  const [marked, setMarked] = useState<Entry | null>(null);
  const [menu, setMenu] = useState<{ label: string; entries: MenuEntry[]; x: number; y: number } | null>(null);
  const [share, setShare] = useState(48);
  const list = useRef<HistoryListHandle>(null);
  const input = useRef<HTMLInputElement>(null);
  const lanes = useLanes(model.entries);
  const shown = useShown(model, lanes, query, openRuns);
  const compare = (before: string | null, after: string) => {
    setMarked(null);
    setLower({ kind: 'compare', before, after });
  };
  const actions = useActions(model, {
    now: entry => compare(entry.id, 'HEAD'),
    before: entry => compare(null, entry.id),
    other: setMarked
  });
  const activeEntry = useMemo(() => model.entries.find(entry => entry.id === active), [model.entries, active]);
  useReveal(
    reveal,
    model,
    shown.rows,
    entry => {
      setQuery(NO_QUERY);
      setActive(entry.id);
      setLower({ kind: 'entry' });
      return (run: string) => setOpenRuns(before => new Set([...before, run]));
    },
    list
  );
  const isLowerOpen = lower !== null;
  useLayoutEffect(() => {
    if (isLowerOpen && active) {
      list.current?.reveal(active); // the list is lower than it was
    }
  }, [isLowerOpen, active]);
  const activate = (row: Row) => {
    setActive(row.key);
    setLower(before => before && { kind: 'entry' });
  };
  const open = (row: Row, how: 'toggle' | 'open' | 'close') => {
    if (row.kind === 'run') {
      const key = row.key.slice('run '.length);
      setActive(row.key);
      setOpenRuns(before => toggled(before, key, how === 'toggle' ? !before.has(key) : how === 'open'));
    } else if (row.kind === 'entry' && how !== 'close') {
      const entry = shown.entries[row.index]!;
      if (marked && marked.id !== entry.id) {
        const isOlder = model.entries.indexOf(entry) > model.entries.indexOf(marked);
        compare(isOlder ? entry.id : marked.id, isOlder ? marked.id : entry.id);
      } else {
        setLower({ kind: 'entry' });
      }
    }
  };
  const escape = () => {
    setMarked(null);
    setLower(null);
    list.current?.focus();
  };
  const showMenu = (entry: Entry, x: number, y: number) =>
    setMenu({ label: trans.__('commit %1', short(entry.id)), entries: actions.of(entry), x, y });
  const counts = countWords(trans, model, shown.entries.length, isActive(query), shown.isSearching);
  return (
    <div className="cellar-panel cellar-history" aria-busy={model.entries.length < model.total}>
      <SearchBar
        ref={input}
        query={query}
        setQuery={setQuery}
        isBusy={shown.isSearching}
        counts={counts}
        down={() => list.current?.focus()}
      />
      {model.error !== null && <Problem error={model.error} again={() => void model.refresh()} />}
      {shown.error !== null && <Problem error={shown.error} />}
      <SessionNotice path={model.path} />
      {marked && (
        <div className="cellar-notice" role="status">
          {trans.__('Choose an entry to compare with %1', short(marked.id))}
          <button className="cellar-button" onClick={() => setMarked(null)}>
            {trans.__('Cancel')}
          </button>
        </div>
      )}
      <div className="cellar-split">
        <HistoryList
          handle={list}
          model={model}
          shown={shown}
          active={active}
          marked={marked?.id ?? null}
          activate={activate}
          open={open}
          menu={showMenu}
          escape={escape}
        />
        {(lower || actions.outcome) && (
          <>
            <Splitter label={trans.__('Height of the details')} share={share} setShare={setShare} />
            <section
              className="cellar-lower"
              style={{ flexBasis: `${share}%` }}
              aria-label={trans.__('Details')}
              onKeyDown={event => event.key === 'Escape' && escape()}
            >
              {activeEntry && lower?.kind === 'entry' && (
                <Toolbar
                  entry={activeEntry}
                  model={model}
                  actions={actions}
                  compare={compare}
                  setMenu={setMenu}
                  close={escape}
                />
              )}
              {lower?.kind === 'compare' && (
                <div className="cellar-toolbar">
                  <strong>{trans.__('Comparison')}</strong>
                  <CloseButton close={escape} />
                </div>
              )}
              {actions.outcome}
              <div className="cellar-scroll">
                {lower?.kind === 'entry' && activeEntry && <SettledDetail model={model} entry={activeEntry} />}
                {lower?.kind === 'compare' && (
                  <CompareView path={model.path} before={lower.before} after={lower.after} turn={model.head} />
                )}
              </div>
            </section>
          </>
        )}
      </div>
      {menu && <Menu {...menu} close={() => setMenu(null)} />}
    </div>
  );
}

/** The details of an entry, once the choice rests on it. */
function SettledDetail({ model, entry }: { model: HistoryModel; entry: Entry }): JSX.Element {
  const settled = useSettled(entry, 60);
  const names = useNames(model.names);
  return (
    <EntryDetail path={model.path} entry={settled} names={names.get(settled.id)} isHead={settled.id === model.head} />
  );
}

interface ToolbarProps {
  readonly entry: Entry;
  readonly model: HistoryModel;
  readonly actions: Actions;
  compare(before: string | null, after: string): void;
  setMenu(menu: { label: string; entries: MenuEntry[]; x: number; y: number }): void;
  close(): void;
}

function Toolbar({ entry, model, actions, compare, setMenu, close }: ToolbarProps): JSX.Element {
  const { trans } = useHost();
  const below = (event: React.MouseEvent, label: string, entries: MenuEntry[]) => {
    const box = event.currentTarget.getBoundingClientRect();
    setMenu({ label, entries, x: box.left, y: box.bottom });
  };
  return (
    <div className="cellar-toolbar" role="toolbar" aria-label={trans.__('commit %1', short(entry.id))}>
      <button
        className="cellar-button cellar-is-main"
        aria-haspopup="menu"
        onClick={event => below(event, trans.__('Check out'), actions.checkouts(entry))}
      >
        <Icon name="checkout" /> {trans.__('Check out')} <Icon name="down" />
      </button>
      <button
        className="cellar-button"
        aria-label={trans.__('Undo to here')}
        title={trans.__('Undo to here')}
        disabled={!actions.canUndoTo(entry)}
        onClick={() => actions.undoTo(entry)}
      >
        <Icon name="undo" /> <span className="cellar-if-wide">{trans.__('Undo to here')}</span>
      </button>
      <button
        className="cellar-button"
        aria-label={trans.__('Compare with now')}
        title={trans.__('Compare with now')}
        disabled={entry.id === model.head}
        onClick={() => compare(entry.id, 'HEAD')}
      >
        <Icon name="compare" /> <span className="cellar-if-wide">{trans.__('Compare')}</span>
      </button>
      <button
        className="cellar-button"
        aria-haspopup="menu"
        aria-label={trans.__('More')}
        title={trans.__('More')}
        onClick={event => below(event, trans.__('More'), actions.of(entry))}
      >
        <Icon name="more" />
      </button>
      <CloseButton close={close} />
    </div>
  );
}

/** Show a commit that another panel asks for: choose it, open the run that holds it, bring it into sight. */
function useReveal(
  reveal: { readonly commit: string } | null,
  model: HistoryModel,
  rows: readonly Row[],
  choose: (entry: Entry) => (run: string) => void,
  list: React.RefObject<HistoryListHandle>
): void {
  const done = useRef<object | null>(null);
  useEffect(() => {
    if (!reveal || done.current === reveal) {
      return;
    }
    const index = model.entries.findIndex(entry => entry.id === reveal.commit);
    if (index < 0) {
      return; // perhaps among the rest, which is still read
    }
    const openRun = choose(model.entries[index]!);
    const row = rows.find(each =>
      each.kind === 'entry'
        ? each.index === index
        : each.kind === 'run' && !each.open && each.from <= index && index < each.to
    );
    if (row?.kind === 'run') {
      openRun(row.key.slice('run '.length));
    } else if (row) {
      done.current = reveal;
      list.current?.reveal(row.key);
    }
  });
}

function toggled(before: ReadonlySet<string>, key: string, isOpen: boolean): ReadonlySet<string> {
  const after = new Set(before);
  if (isOpen) {
    after.add(key);
  } else {
    after.delete(key);
  }
  return after;
}

function countWords(
  trans: ReturnType<typeof useHost>['trans'],
  model: HistoryModel,
  shown: number,
  isFiltered: boolean,
  isSearching: boolean
): string {
  const all = model.total.toLocaleString('en');
  if (isSearching) {
    return trans.__('searching …');
  }
  return isFiltered ? trans.__('%1 of %2', shown.toLocaleString('en'), all) : trans.__('%1 entries', all);
}
