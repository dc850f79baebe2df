/**
 * `CellPair`: two cells that correspond, beside each other or one above the other: what became of the cell, its source,
 * its outputs. With an open notebook behind the second side, its source follows each key, and can be edited here.
 */
import { lazy, memo, Suspense, useCallback, useState, useSyncExternalStore, type JSX } from 'react';
import { sourceOf, type Cell, type Pair } from '../../model/comparison';
import { useHost, type Words } from '../host';
import { CellChips, nameNoise } from './Chips';
import { OutputsDiff } from './OutputsDiff';
import { SourceDiff } from './SourceDiff';
import { useComparing, type LiveCell } from './comparing';

const CellEditor = lazy(() => import('./CellEditor'));

interface CellPairProps {
  readonly pair: Pair;
  readonly current: boolean;
  /** Go to the row where the other end of a move is. */
  readonly onFollow?: (pair: Pair) => void;
  /** Fold a row again that was unfolded. */
  readonly onFold?: () => void;
}

export const CellPair = memo(function CellPair({ pair, current, onFollow, onFold }: CellPairProps): JSX.Element {
  const { trans } = useHost();
  const { metadata, outputs } = useComparing();
  const [open, setOpen] = useState(true);
  if (pair.kind === 'gone') {
    return <Gone pair={pair} onFollow={onFollow} />;
  }
  const { change } = pair;
  return (
    <article
      className={`cellar-diff-pair cellar-diff-is-${pair.kind}${current ? ' cellar-diff-current' : ''}`}
      aria-label={titleOf(pair, trans)}
      aria-current={current || undefined}
    >
      <header className="cellar-diff-head">
        <button
          type="button"
          className="cellar-diff-twist"
          aria-expanded={open}
          aria-label={open ? trans.__('Fold this cell') : trans.__('Unfold this cell')}
          onClick={() => (onFold ? onFold() : setOpen(!open))}
        >
          <span aria-hidden="true">{open ? '▾' : '▸'}</span>
        </button>
        <span className={`cellar-diff-kind cellar-diff-kind-${pair.kind}`}>{nameKind(pair, trans)}</span>
        <Places pair={pair} />
        {change?.moved && (
          <button type="button" className="cellar-diff-link" onClick={() => onFollow?.(pair)}>
            {pair.before[0]!.place > pair.after[0]!.place
              ? trans.__('moved up from %1', pair.before[0]!.place + 1)
              : trans.__('moved down from %1', pair.before[0]!.place + 1)}
          </button>
        )}
        {change && <CellChips change={change} metadata={metadata} />}
        {change && change.noise.length > 0 && (
          <span className="cellar-diff-soft">
            {change.only_noise
              ? trans.__('only %1 changed', nameNoise(change.noise, trans))
              : trans.__('%1, too', nameNoise(change.noise, trans))}
          </span>
        )}
      </header>
      {open && (
        <div className="cellar-diff-body">
          <Source pair={pair} />
          {metadata && change && change.attachments.length > 0 && (
            <p className="cellar-diff-caption">
              {change.attachments.map(one => trans.__('attachment %1 %2', one.name, one.change)).join(', ')}
            </p>
          )}
          {outputs && <OutputsDiff pair={pair} />}
        </div>
      )}
    </article>
  );
});

function Places({ pair }: { pair: Pair }): JSX.Element {
  const { trans } = useHost();
  const word = (cells: readonly Cell[]): string => cells.map(cell => cell.place + 1).join(', ');
  const [old, fresh] = [word(pair.before), word(pair.after)];
  const type = (pair.after[0] ?? pair.before[0])?.type ?? '';
  const names: Record<string, string> = {
    code: trans.__('Code'),
    markdown: trans.__('Markdown'),
    raw: trans.__('Raw')
  };
  return (
    <span className="cellar-diff-place">
      {names[type] ?? type} {old && fresh && old !== fresh ? `${old} → ${fresh}` : fresh || old}
    </span>
  );
}

/** Where a cell was that is elsewhere now. */
function Gone({ pair, onFollow }: Pick<CellPairProps, 'pair' | 'onFollow'>): JSX.Element {
  const { trans } = useHost();
  const first = pair.before[0]!.source.split('\n').find(line => line.trim()) ?? '';
  const down = pair.after[0]!.place > pair.before[0]!.place;
  return (
    <button type="button" className="cellar-diff-gone" onClick={() => onFollow?.(pair)}>
      <span className="cellar-diff-kind cellar-diff-kind-moved">
        {down
          ? trans.__('moved down to %1', pair.after[0]!.place + 1)
          : trans.__('moved up to %1', pair.after[0]!.place + 1)}
      </span>
      <code>{first.slice(0, 120)}</code>
    </button>
  );
}

function Source({ pair }: { pair: Pair }): JSX.Element {
  const { answer, layout, live, hold } = useComparing();
  const { trans } = useHost();
  const cell = live && pair.after.length === 1 ? live.cell(pair.after[0]!.id) : null;
  const source = useLiveSource(cell, pair.after.length ? sourceOf(pair.after) : null);
  const [editing, setEditing] = useState(false);
  const shown = pair.after[0] ?? pair.before[0];
  const language = shown?.type === 'code' ? answer.language || 'python' : '';
  const before = pair.before.length ? sourceOf(pair.before) : null;
  const edit = (): void => {
    hold(pair);
    setEditing(true);
  };
  if (editing && cell) {
    return (
      <Suspense fallback={<SourceDiff before={before} after={source} language={language} layout={layout} />}>
        <CellEditor before={before} cell={cell} language={language} layout={layout} onDone={() => setEditing(false)} />
      </Suspense>
    );
  }
  return (
    <div className="cellar-diff-source" onDoubleClick={cell ? edit : undefined}>
      <SourceDiff before={before} after={source} language={language} layout={layout} whole={pair.kind === 'equal'} />
      {cell && (
        <button type="button" className="cellar-diff-edit" onClick={edit}>
          {trans.__('Edit')}
        </button>
      )}
    </div>
  );
}

/** Return the source of an open cell as it is now, that of the answer where there is none. */
function useLiveSource(cell: LiveCell | null, otherwise: string | null): string | null {
  const subscribe = useCallback((tell: () => void) => (cell ? cell.subscribe(tell) : () => undefined), [cell]);
  const found = useSyncExternalStore(subscribe, () => (cell ? cell.source() : otherwise));
  return found;
}

function nameKind(pair: Pair, trans: Words): string {
  switch (pair.kind) {
    case 'added':
      return trans.__('added');
    case 'removed':
      return trans.__('removed');
    case 'replaced':
      return trans.__('replaced');
    case 'split':
      return trans.__('split in %1', pair.after.length);
    case 'joined':
      return trans.__('joined from %1', pair.before.length);
    case 'moved':
    case 'gone':
      return trans.__('moved');
    case 'equal':
      return trans.__('unchanged');
    default:
      return pair.quiet ? trans.__('noise') : trans.__('changed');
  }
}

function titleOf(pair: Pair, trans: Words): string {
  const place = (pair.after[0] ?? pair.before[0])!.place + 1;
  return trans.__('Cell %1: %2', place, nameKind(pair, trans));
}
