/** The outputs of a pair of cells: each change with what it is in words, the rest counted and shown on demand. */
import { useState, type JSX } from 'react';
import { outputRows, type Cell, type Output, type Pair } from '../../model/comparison';
import { useHost } from '../host';
import { ImagePair } from './ImagePair';
import { OutputView } from './OutputView';
import { SourceDiff } from './SourceDiff';
import { TableDiff } from './TableDiff';
import { useComparing, useOutputs, type LoadedOutputs } from './comparing';

type OutputChange = ReturnType<typeof outputRows>[number]['change'];

export function OutputsDiff({ pair }: { pair: Pair }): JSX.Element | null {
  const changes = outputRows(pair);
  const single = pair.before.length <= 1 && pair.after.length <= 1;
  const wanted = changes.length > 0 && single;
  const before = useOutputs('before', pair.before[0], wanted);
  const after = useOutputs('after', pair.after[0], wanted);
  const same = single ? Math.max(pair.before[0]?.outputs ?? 0, pair.after[0]?.outputs ?? 0) - changes.length : 0;
  if (!changes.length && !pair.before.some(cell => cell.outputs) && !pair.after.some(cell => cell.outputs)) {
    return null;
  }
  if (!single) {
    return <SeveralOutputs pair={pair} />;
  }
  return (
    <div className="cellar-diff-outputs">
      {changes.map(({ change, before: old, after: fresh }, at) => (
        <OneOutput key={at} change={change} before={find(before, old)} after={find(after, fresh)} />
      ))}
      {same > 0 && <SameOutputs pair={pair} count={same} others={changes.length > 0} />}
    </div>
  );
}

interface Found {
  readonly output: Output;
  readonly raw: object | undefined;
}

function find(loaded: LoadedOutputs | null, place: number | null): Found | null {
  const at = place === null || !loaded ? -1 : loaded.shown.findIndex(one => one.place === place);
  return at < 0 ? null : { output: loaded!.shown[at]!, raw: loaded!.raw[at] };
}

interface ChangeProps {
  readonly change: OutputChange;
  readonly before: Found | null;
  readonly after: Found | null;
}

function OneOutput({ change, before, after }: ChangeProps): JSX.Element {
  const { trans } = useHost();
  // Of what came or went all is there to see.
  const notes = change.change === 'changed' ? change.parts.map(part => part.note).filter(Boolean) : [];
  const words = {
    added: trans.__('output added'),
    removed: trans.__('output removed'),
    moved: trans.__('output moved from place %1 to %2', (change.before ?? 0) + 1, (change.after ?? 0) + 1),
    changed: change.only_noise ? trans.__('output differs by itself') : trans.__('output changed')
  };
  return (
    <section
      className={`cellar-diff-output cellar-diff-is-${change.change}${change.only_noise ? ' cellar-diff-is-noise' : ''}`}
    >
      <p className="cellar-diff-caption">
        <span>{words[change.change]}</span>
        {change.name && <span className="cellar-diff-soft">{change.name}</span>}
        {notes.length > 0 && <span className="cellar-diff-soft">{notes.join('; ')}</span>}
      </p>
      <Content change={change} before={before} after={after} />
    </section>
  );
}

function Content({ change, before, after }: ChangeProps): JSX.Element {
  const { layout } = useComparing();
  const [asShown, setAsShown] = useState(false);
  const { trans } = useHost();
  const tables = change.parts.flatMap(part => (part.detail && 'tables' in part.detail ? part.detail.tables : []));
  if (before && after && change.change === 'changed') {
    if (before.output.form === 'image' && after.output.form === 'image') {
      return <ImagePair before={before.output.data} after={after.output.data} />;
    }
    const texts = [textOf(before.output), textOf(after.output)];
    if (texts[0] !== null && texts[1] !== null && texts[0] !== texts[1]) {
      const [old, fresh] = withoutLastBreak(texts[0]!, texts[1]!);
      return <SourceDiff before={old} after={fresh} language="" layout={layout} />;
    }
    if (tables.length) {
      return (
        <>
          <button
            type="button"
            className="cellar-diff-link"
            aria-pressed={asShown}
            onClick={() => setAsShown(!asShown)}
          >
            {asShown ? trans.__('Show what changed') : trans.__('Show as displayed')}
          </button>
          {asShown ? (
            <Two before={before} after={after} />
          ) : (
            tables.map((table, at) => <TableDiff key={at} table={table} />)
          )}
        </>
      );
    }
  }
  return <Two before={before} after={after} />;
}

/** The line break that both texts end with would be an empty line. */
function withoutLastBreak(before: string, after: string): [string, string] {
  return before.endsWith('\n') && after.endsWith('\n') ? [before.slice(0, -1), after.slice(0, -1)] : [before, after];
}

function textOf(output: Output): string | null {
  if (output.form === 'json') {
    return output.data;
  }
  return output.form === 'text' || output.form === 'error' ? output.spans.map(span => span.text).join('') : null;
}

function Two({ before, after }: { before: Found | null; after: Found | null }): JSX.Element {
  const { layout } = useComparing();
  return (
    <div className={layout === 'split' ? 'cellar-diff-two' : 'cellar-diff-over'}>
      <div className={before ? 'cellar-diff-was' : 'cellar-diff-none'}>
        {before && <OutputView output={before.output} raw={before.raw} />}
      </div>
      <div className={after ? 'cellar-diff-is' : 'cellar-diff-none'}>
        {after && <OutputView output={after.output} raw={after.raw} />}
      </div>
    </div>
  );
}

function SameOutputs({ pair, count, others }: { pair: Pair; count: number; others: boolean }): JSX.Element {
  const { trans } = useHost();
  const [open, setOpen] = useState(false);
  const side = pair.after.length ? 'after' : 'before';
  const loaded = useOutputs(side, pair[side][0], open);
  const changed = new Set(outputRows(pair).map(row => row[side]));
  const label = others
    ? trans._n('%1 other output, unchanged', '%1 other outputs, unchanged', count)
    : trans._n('%1 output, unchanged', '%1 outputs, unchanged', count);
  return (
    <div className="cellar-diff-same">
      <button type="button" className="cellar-diff-link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open &&
        loaded?.shown.map((output, at) =>
          changed.has(output.place) ? null : <OutputView key={output.place} output={output} raw={loaded.raw[at]} />
        )}
    </div>
  );
}

/** Of a split or a join: all outputs of either side, as they are. */
function SeveralOutputs({ pair }: { pair: Pair }): JSX.Element {
  return (
    <div className="cellar-diff-outputs cellar-diff-two">
      {(['before', 'after'] as const).map(side => (
        <div key={side}>
          {pair[side].map(cell => (
            <CellOutputs key={cell.place} side={side} cell={cell} />
          ))}
        </div>
      ))}
    </div>
  );
}

function CellOutputs({ side, cell }: { side: 'before' | 'after'; cell: Cell }): JSX.Element {
  const loaded = useOutputs(side, cell, true);
  return (
    <>
      {loaded?.shown.map((output, at) => (
        <OutputView key={output.place} output={output} raw={loaded.raw[at]} />
      ))}
    </>
  );
}
