/**
 * `NotebookDiff`: a comparison of two notebooks, whole: what changed in a line, the versions to choose, cells beside
 * each other, quiet ones folded, a ruler, the raw text.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type JSX } from 'react';
import type { Request } from '../../model/asked';
import { changesAmong, headingsOf, itemsOf, pairsOf, type Item, type Pair } from '../../model/comparison';
import type { MeasuredHeights } from '../../model/measured_heights';
import { movesOf, type Move } from '../../model/moves';
import type { Side } from '../../model/sides';
import type { CellPlace } from '../../model/pipeline_diff';
import { useHost } from '../host';
import { ServerNotice } from '../parts/states';
import { PipelineDiff } from '../pipeline/PipelineDiff';
import { CellPair } from './CellPair';
import { nameNoise, States } from './Chips';
import { Moves, roomOf } from './Moves';
import { RawDiff } from './RawDiff';
import { Ruler, type Mark } from './Ruler';
import { SidePicker, type Revisions } from './SidePicker';
import { ComparingProvider, type Live } from './comparing';
import type { Layout } from './SourceDiff';
import { VirtualList, type VirtualListHandle } from './VirtualList';
import { useComparison } from './useComparison';

interface NotebookDiffProps {
  readonly request: Request;
  /** The notebook behind a side "open". */
  readonly live?: Live | null;
  readonly canBeOpen?: boolean;
  /** Another version was chosen for a side. */
  readonly onPick?: (which: 'before' | 'after', side: Side) => void;
  /** Whoever waits for this view to be closed is told. */
  readonly onDone?: () => void;
}

export function NotebookDiff({
  request,
  live = null,
  canBeOpen = false,
  onPick,
  onDone
}: NotebookDiffProps): JSX.Element {
  const { trans } = useHost();
  const { answer, error, busy, again } = useComparison(request, live);
  const [layout, setLayout] = useState<Layout>('split');
  const [outputs, setOutputs] = useState(true);
  const [metadata, setMetadata] = useState(true);
  const [noise, setNoise] = useState(false);
  const [raw, setRaw] = useState(false);
  /** Null: shown where it changed. */
  const [wantsPipeline, setWantsPipeline] = useState<boolean | null>(null);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const list = useRef<VirtualListHandle>(null);
  const root = useRef<HTMLDivElement>(null);

  const pairs = useMemo(() => (answer ? pairsOf(answer) : []), [answer]);
  const items = useMemo(() => itemsOf(pairs, { noise, unfolded }), [pairs, noise, unfolded]);
  const changes = useMemo(() => changesAmong(items, noise), [items, noise]);
  const noisy = useMemo(() => pairs.filter(pair => pair.change?.only_noise).length, [pairs]);
  const unfold = useCallback(
    (...some: readonly Pair[]) => setUnfolded(known => new Set([...known, ...some.map(pair => pair.key)])),
    []
  );
  const comparing = useMemo(
    () => (answer ? { answer, path: request.path, layout, outputs, metadata, live, hold: unfold } : null),
    [answer, request.path, layout, outputs, metadata, live, unfold]
  );
  const hasPipeline = answer !== null && !raw && (wantsPipeline ?? answer.pipeline === 'changed');
  const at = current === null ? -1 : items.findIndex(item => item.key === current);

  const goTo = useCallback(
    (place: number) => {
      const item = items[place];
      if (item) {
        setCurrent(item.key);
        list.current?.scrollTo(place);
      }
    },
    [items]
  );
  const step = useCallback(
    (by: 1 | -1) => {
      const from = at >= 0 ? at : (list.current?.first() ?? 0) - (by > 0 ? 1 : 0);
      const found = by > 0 ? changes.find(place => place > from) : [...changes].reverse().find(place => place < from);
      goTo(found ?? (by > 0 ? changes[0] : changes[changes.length - 1]) ?? -1);
    },
    [at, changes, goTo]
  );
  const follow = useCallback(
    (pair: Pair) =>
      goTo(
        items.findIndex(item => item.kind === 'pair' && item.pair !== pair && item.pair.before[0] === pair.before[0])
      ),
    [goTo, items]
  );
  const [wanted, setWanted] = useState<CellPlace | null>(null);
  useEffect(() => {
    const holds = (pair: Pair) => wanted !== null && pair[wanted.side].some(({ place }) => place === wanted.place);
    const found = items.findIndex(item => (item.kind === 'pair' ? holds(item.pair) : item.pairs.some(holds)));
    const item = items[found];
    if (item?.kind === 'fold') {
      unfold(...item.pairs);
    } else if (item) {
      goTo(found);
      setWanted(null);
    }
  }, [wanted, items, goTo, unfold]);
  const fold = useCallback(
    (pair: Pair) => setUnfolded(known => new Set([...known].filter(key => key !== pair.key))),
    []
  );

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const element = event.target as HTMLElement;
    const typing = element.isContentEditable || /^(input|select|textarea)$/i.test(element.tagName);
    if (typing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (event.key === 'n' || event.key === 'p') {
      event.preventDefault();
      event.stopPropagation();
      step(event.key === 'n' ? 1 : -1);
    }
  };

  const render = useCallback(
    (item: Item) =>
      item.kind === 'fold' ? (
        <Fold item={item} onUnfold={() => unfold(...item.pairs)} />
      ) : (
        <CellPair
          pair={item.pair}
          current={item.key === current}
          onFollow={follow}
          onFold={unfolded.has(item.key) ? () => fold(item.pair) : undefined}
        />
      ),
    [current, follow, fold, unfold, unfolded]
  );

  // Keys work at once where nothing else has the focus: n and p need no click before.
  const isThere = comparing !== null && !raw;
  useEffect(() => {
    if (isThere && (!document.activeElement || document.activeElement.contains(root.current))) {
      list.current?.focus();
    }
  }, [isThere]);

  const position = changes.indexOf(at);
  return (
    <div
      className="cellar-diff"
      ref={root}
      onKeyDown={onKeyDown}
      aria-busy={busy}
      data-ready={answer && !busy ? answer.id : undefined}
    >
      <ServerNotice />
      <header className="cellar-diff-bar">
        <Sides
          request={request}
          answerNames={answer ? [answer.before_side.name, answer.after_side.name] : null}
          canBeOpen={canBeOpen}
          onPick={onPick}
          isSettled={answer !== null || error !== null}
        />
        <span className="cellar-diff-grow" />
        <div className="cellar-diff-group" role="group" aria-label={trans.__('Layout')}>
          <Toggle
            on={layout === 'split' && !raw}
            onChange={() => (setRaw(false), setLayout('split'))}
            text={trans.__('Side by side')}
          />
          <Toggle
            on={layout === 'inline' && !raw}
            onChange={() => (setRaw(false), setLayout('inline'))}
            text={trans.__('Inline')}
          />
          <Toggle
            on={raw}
            onChange={() => setRaw(!raw)}
            text={trans.__('Raw')}
            title={trans.__('The JSON text of both files')}
          />
        </div>
        <div className="cellar-diff-group" role="group" aria-label={trans.__('What is shown')}>
          <Toggle on={outputs} onChange={() => setOutputs(!outputs)} text={trans.__('Outputs')} />
          <Toggle
            on={hasPipeline}
            onChange={() => setWantsPipeline(!hasPipeline)}
            text={trans.__('Pipeline')}
            title={trans.__('What became of the pipeline, as a picture')}
          />
          <Toggle on={metadata} onChange={() => setMetadata(!metadata)} text={trans.__('Metadata')} />
          <Toggle
            on={noise}
            onChange={() => setNoise(!noise)}
            text={noisy ? trans.__('Noise (%1)', noisy) : trans.__('Noise')}
            title={trans.__('Cells in which only execution order, run time and the like changed')}
          />
        </div>
        <div className="cellar-diff-group" role="group" aria-label={trans.__('Changes')}>
          <button
            type="button"
            disabled={!changes.length || raw}
            onClick={() => step(-1)}
            title={trans.__('Previous change (p)')}
            aria-label={trans.__('Previous change')}
          >
            <span aria-hidden="true">↑</span>
          </button>
          <span className="cellar-diff-count" aria-live="polite">
            {position >= 0 ? `${position + 1} / ${changes.length}` : changes.length}
          </span>
          <button
            type="button"
            disabled={!changes.length || raw}
            onClick={() => step(1)}
            title={trans.__('Next change (n)')}
            aria-label={trans.__('Next change')}
          >
            <span aria-hidden="true">↓</span>
          </button>
        </div>
        {onDone && (
          <button type="button" className="cellar-diff-done" onClick={onDone}>
            {trans.__('Done')}
          </button>
        )}
      </header>
      {answer && <Summary answer={answer} metadata={metadata} noise={noise} />}
      {error && (
        <div className="cellar-diff-error" role="alert">
          <p>{error.message}</p>
          {error.hint && <p className="cellar-diff-soft">{error.hint}</p>}
          <button type="button" onClick={again}>
            {trans.__('Try again')}
          </button>
        </div>
      )}
      {!answer && !error && (
        <p className="cellar-diff-note" role="status">
          {trans.__('Comparing…')}
        </p>
      )}
      {comparing && hasPipeline && (
        <PipelineDiff path={request.path} id={comparing.answer.id} current={placesOf(items[at])} goTo={setWanted} />
      )}
      {comparing && raw && <RawDiff path={request.path} id={comparing.answer.id} />}
      {comparing && !raw && (
        <ComparingProvider value={comparing}>
          <Rows
            items={items}
            render={render}
            list={list}
            current={current}
            noise={noise}
            label={trans.__('Cells of %1', comparing.answer.name)}
          />
        </ComparingProvider>
      )}
    </div>
  );
}

function Sides(props: {
  request: Request;
  answerNames: readonly [string, string] | string[] | null;
  canBeOpen: boolean;
  onPick?: NotebookDiffProps['onPick'];
  /** There was an answer: what else may be chosen is asked for after it. */
  isSettled: boolean;
}): JSX.Element {
  const { backend, trans } = useHost();
  const { request, answerNames, canBeOpen, onPick, isSettled } = props;
  const [revisions, setRevisions] = useState<Revisions | null>(null);
  useEffect(() => {
    if (request.handed || !onPick || !isSettled) {
      return;
    }
    let last = new AbortController();
    const read = (): void => {
      last.abort();
      last = new AbortController();
      backend
        .read('revisions', { path: request.path }, last.signal)
        .then(setRevisions)
        .catch(() => undefined); // the chosen versions stay; a failure that matters shows in the comparison
    };
    read();
    const end = backend.subscribe(request.path, ({ event }) => ['git', 'history', 'hello'].includes(event) && read());
    return () => {
      last.abort();
      end();
    };
  }, [backend, request.path, request.handed, onPick, isSettled]);
  const name = request.path.split('/').pop();
  if (request.handed || !onPick) {
    return (
      <h1 className="cellar-diff-title">
        <del>{answerNames?.[0]}</del> <span aria-hidden="true">→</span> <ins>{answerNames?.[1]}</ins>
      </h1>
    );
  }
  return (
    <>
      <h1 className="cellar-diff-title" title={request.path}>
        {name}
      </h1>
      <SidePicker
        label={trans.__('Version before')}
        side={request.before}
        revisions={revisions}
        canBeOpen={canBeOpen}
        onPick={side => onPick('before', side)}
      />
      <span aria-hidden="true">→</span>
      <SidePicker
        label={trans.__('Version after')}
        side={request.after}
        revisions={revisions}
        canBeOpen={canBeOpen}
        onPick={side => onPick('after', side)}
      />
    </>
  );
}

function Toggle(props: { on: boolean; onChange: () => void; text: string; title?: string }): JSX.Element {
  return (
    <button type="button" aria-pressed={props.on} onClick={props.onChange} title={props.title}>
      {props.text}
    </button>
  );
}

/** Properties of a notebook that change by running it elsewhere. */
const NOISY_STATES: ReadonlySet<string> = new Set(['kernel', 'language', 'language version', 'widgets', 'format']);

interface SummaryProps {
  readonly answer: NonNullable<ReturnType<typeof useComparison>['answer']>;
  readonly metadata: boolean;
  readonly noise: boolean;
}

function Summary({ answer, metadata, noise }: SummaryProps): JSX.Element {
  const { trans } = useHost();
  const { changes } = answer;
  const states = noise ? changes.states : changes.states.filter(state => !NOISY_STATES.has(state.name));
  const absent = !answer.before_side.is_there
    ? trans.__('new: there is no version before')
    : !answer.after_side.is_there
      ? trans.__('deleted: there is no version after')
      : '';
  const said = changes.only_noise
    ? trans.__('Only %1 changed.', nameNoise(changes.noise, trans))
    : changes.summary || trans.__('No difference.');
  return (
    <div className="cellar-diff-summary" role="status">
      <span>{absent ? `${absent}; ${said}` : said}</span>
      {metadata && <States states={states} values={changes.metadata} />}
    </div>
  );
}

function Fold({ item, onUnfold }: { item: Extract<Item, { kind: 'fold' }>; onUnfold: () => void }): JSX.Element {
  const { trans } = useHost();
  const headings = headingsOf(item.pairs);
  const count = item.pairs.length - item.noisy;
  const kinds = [...new Set(item.pairs.flatMap(pair => pair.change?.noise ?? []))];
  const said = [
    count ? trans._n('%1 unchanged cell', '%1 unchanged cells', count) : '',
    item.noisy
      ? trans._n(
          '%1 cell in which only %2 changed',
          '%1 cells in which only %2 changed',
          item.noisy,
          nameNoise(kinds, trans)
        )
      : ''
  ].filter(Boolean);
  return (
    <button type="button" className="cellar-diff-fold" aria-expanded={false} onClick={onUnfold}>
      <span aria-hidden="true">⋯</span>
      <span>{said.join(', ')}</span>
      {headings.length > 0 && <span className="cellar-diff-soft">{headings.join(' · ')}</span>}
    </button>
  );
}

interface RowsProps {
  readonly items: readonly Item[];
  readonly render: (item: Item, at: number) => JSX.Element;
  readonly list: React.RefObject<VirtualListHandle>;
  /** The key of the row that one is at. */
  readonly current: string | null;
  readonly noise: boolean;
  readonly label: string;
}

function Rows({ items, render, list, current, noise, label }: RowsProps): JSX.Element {
  const [seen, setSeen] = useState<{ marks: Mark[]; view: [number, number] }>({ marks: [], view: [0, 1] });
  const changed = useMemo(() => new Set(changesAmong(items, noise)), [items, noise]);
  const onView = useCallback(
    (heights: MeasuredHeights, top: number, height: number) => {
      const total = Math.max(heights.total, height, 1);
      const marks = items.flatMap((item, at) =>
        item.kind === 'pair' && changed.has(at)
          ? [{ kind: item.pair.kind, from: heights.top(at) / total, to: heights.top(at + 1) / total }]
          : []
      );
      setSeen({ marks, view: [top / total, (top + height) / total] });
    },
    [items, changed]
  );
  const go = useCallback((share: number) => list.current?.scrollToShare(share), [list]);
  const moves = useMemo(() => movesOf(items), [items]);
  const isAt = useCallback(
    (move: Move, key: string) => items[move.from]?.key === key || items[move.to]?.key === key,
    [items]
  );
  return (
    <div className="cellar-diff-rows">
      <VirtualList
        ref={list}
        items={items}
        keyOf={keyOf}
        estimate={estimate}
        render={render}
        label={label}
        onView={onView}
        margin={roomOf(moves)}
        beside={(heights, view) => <Moves moves={moves} heights={heights} view={view} current={current} isAt={isAt} />}
      />
      <Ruler marks={seen.marks} view={seen.view} onGo={go} />
    </div>
  );
}

/** The cells of a row, of the version after first. */
function placesOf(item: Item | undefined): CellPlace[] {
  const sides = ['after', 'before'] as const;
  return item?.kind === 'pair'
    ? sides.flatMap(side => item.pair[side].map(({ place }): CellPlace => ({ side, place })))
    : [];
}

function keyOf(item: Item): string {
  return item.key;
}

const LINE = 19;

/** About how high a row will be. */
function estimate(item: Item): number {
  if (item.kind === 'fold' || item.pair.kind === 'gone') {
    return 36;
  }
  const lines = (cells: Pair['before']): number => cells.reduce((sum, cell) => sum + cell.source.split('\n').length, 0);
  const { before, after, change } = item.pair;
  return 56 + LINE * Math.max(lines(before), lines(after)) + 90 * (change?.outputs.length ?? 0);
}
