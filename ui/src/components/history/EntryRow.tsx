/** The rows of the history: a day, a run of automatic commits, an entry. Their heights are known before they are drawn. */
import { memo } from 'react';
import type { Entry, Named } from '../../model/history';
import type { LaneRow } from '../../model/lanes';
import type { Hit } from '../../model/search';
import { clock, day, duration, short } from '../../model/words';
import { Code } from '../parts/Code';
import { Icon, type IconName } from '../parts/icons';
import { useHost, type Words } from '../host';
import { Marked } from '../values/ValueDiff';
import { Graph, type NodeKind } from './Graph';

const HEAD = 19;
const LINE = 16;
const MOST_LINES = 3;
const MOST_NAMES = 8;

export const DAY_HEIGHT = 25;
export const RUN_HEIGHT = 26;

/** Return the height of an entry's row in pixels; the style sheet has the same numbers. */
export function entryHeight(entry: Entry, hit?: Hit): number {
  return 4 + HEAD + LINE * (codeLines(entry, hit) + (hasChanges(entry) ? 1 : 0)) + 5;
}

const codeLines = (entry: Entry, hit?: Hit): number =>
  (hit?.text ? 1 : Math.min(entry.lines, MOST_LINES)) + (hasTitle(entry) ? 1 : 0);
const hasTitle = (entry: Entry): boolean => titleOf(entry) !== '';
const hasChanges = (entry: Entry): boolean => entry.added.length + entry.changed.length + entry.removed.length > 0;

/** Return the message of an entry; the title of a cell without one is its code, which stands below. */
export function titleOf(entry: Entry): string {
  const first = entry.source.split('\n').find(line => line.trim()) ?? '';
  const isCode =
    entry.lines > 0 && (entry.title === first.trim() || first.trim().startsWith(entry.title.replace(/…$/, '')));
  return isCode ? '' : entry.title;
}

/** Say what a commit without a cell is. */
export function kindWords(entry: Entry, trans: Words): string {
  const words: Record<string, string> = {
    named: trans.__('commit'),
    start: trans.__('kernel started'),
    attach: trans.__('recording began'),
    between: trans.__('changed between cells'),
    undo: trans.__('undo'),
    redo: trans.__('redo'),
    checkout: trans.__('checkout'),
    restore: trans.__('restore')
  };
  const word = words[entry.kind] ?? '';
  return entry.at ? `${word} → ${short(entry.at)}` : word;
}

interface EntryProps {
  readonly entry: Entry;
  readonly lane: LaneRow | undefined;
  readonly width: number;
  readonly height: number;
  readonly names: readonly Named[] | undefined;
  readonly isHead: boolean;
  readonly isActive: boolean;
  readonly isMarked: boolean;
  readonly hit: Hit | undefined;
  readonly id: string;
}

export const EntryRow = memo(function EntryRow(props: EntryProps): JSX.Element {
  const { entry, hit } = props;
  const { trans } = useHost();
  const title = titleOf(entry);
  const lines = entry.source.split('\n').slice(0, MOST_LINES);
  const classes = ['cellar-entry', props.isActive && 'cellar-is-active', props.isMarked && 'cellar-is-marked'];
  return (
    <div
      id={props.id}
      role="option"
      aria-selected={props.isActive}
      className={classes.filter(Boolean).join(' ')}
      style={{ paddingLeft: props.width }}
      data-commit={entry.id}
    >
      <Graph lane={props.lane} height={props.height} width={props.width} node={nodeKind(entry)} isHead={props.isHead} />
      <div className="cellar-entry-body">
        <div className="cellar-entry-head">
          {entry.execution_count !== null && <code>[{entry.execution_count}]</code>}
          <span className="cellar-entry-kind">{kindWords(entry, trans)}</span>
          <time dateTime={entry.time}>{clock(entry.time)}</time>
          {entry.duration_s !== null && <span>{duration(entry.duration_s)}</span>}
          <Flags entry={entry} />
          <Chips names={props.names} isHead={props.isHead} />
        </div>
        {title && <div className="cellar-entry-title">{title}</div>}
        {hit?.text ? (
          <div className="cellar-entry-code">
            {hit.where && <span className="cellar-soft">{hit.where} </span>}
            <Marked text={hit.text} words={hit.marks} />
          </div>
        ) : (
          lines.map((line, index) => (
            <div key={index} className="cellar-entry-code">
              <Code text={index === MOST_LINES - 1 && entry.lines > MOST_LINES ? `${line} …` : line || ' '} />
            </div>
          ))
        )}
        {hasChanges(entry) && <Changes entry={entry} />}
      </div>
    </div>
  );
});

function nodeKind(entry: Entry): NodeKind {
  if (entry.failed) {
    return 'failed';
  }
  return entry.kind === 'named' ? 'named' : entry.kind === 'auto' ? 'auto' : 'other';
}

/** What is wrong with an entry, as small pictures with words. */
function Flags({ entry }: { entry: Entry }): JSX.Element {
  const { trans } = useHost();
  const flags: [boolean, IconName, string][] = [
    [entry.failed, 'failed', trans.__('the cell failed')],
    [entry.uncertain, 'uncertain', trans.__('a variable may not be what it was')],
    [entry.thinned, 'thinned', trans.__('some values were thinned out')],
    [entry.not_saved, 'unsaved', trans.__('a limit kept a value from being saved')]
  ];
  return (
    <>
      {flags.map(
        ([isSet, icon, words]) =>
          isSet && (
            <span key={icon} className={`cellar-flag cellar-flag-${icon}`} role="img" aria-label={words} title={words}>
              <Icon name={icon} />
            </span>
          )
      )}
    </>
  );
}

/** The names of an entry: now, branches, tags. */
export function Chips({ names, isHead }: { names: readonly Named[] | undefined; isHead: boolean }): JSX.Element {
  const { trans } = useHost();
  return (
    <span className="cellar-chips">
      {isHead && <span className="cellar-chip cellar-chip-now">{trans.__('now')}</span>}
      {names?.map(name => (
        <span
          key={`${name.kind} ${name.name}`}
          className={`cellar-chip cellar-chip-${name.kind} ${name.current ? 'cellar-is-current' : ''}`}
          title={name.kind === 'tag' ? trans.__('tag %1', name.name) : trans.__('branch %1', name.name)}
        >
          <Icon name={name.kind} />
          <span className="cellar-cut">{name.name}</span>
        </span>
      ))}
    </span>
  );
}

/** The names that a commit added, changed and removed. */
function Changes({ entry }: { entry: Entry }): JSX.Element {
  const marked = [
    ...entry.added.map(name => ['+', name, 'added'] as const),
    ...entry.changed.map(name => ['~', name, 'changed'] as const),
    ...entry.removed.map(name => ['−', name, 'removed'] as const)
  ];
  const more = Math.max(marked.length - MOST_NAMES, 0) + entry.more_changes;
  return (
    <div className="cellar-entry-changes">
      {marked.slice(0, MOST_NAMES).map(([mark, name, change]) => (
        <span key={mark + name} className={`cellar-is-${change}`}>
          {mark}
          {name}{' '}
        </span>
      ))}
      {more > 0 && <span>…{more}</span>}
    </div>
  );
}

export function DayRow({ time, lane, width }: { time: string; lane: LaneRow | undefined; width: number }): JSX.Element {
  return (
    <div className="cellar-day" role="presentation" style={{ paddingLeft: width }}>
      <Graph lane={lane} height={DAY_HEIGHT} width={width} node="none" />
      <span>{day(time)}</span>
    </div>
  );
}

interface RunProps {
  readonly all: readonly Entry[];
  readonly from: number;
  readonly to: number;
  readonly lane: LaneRow | undefined;
  readonly width: number;
  readonly isOpen: boolean;
  readonly isActive: boolean;
  readonly id: string;
}

/** A run of automatic commits: how many, when, and which variables they changed most. */
export const RunRow = memo(function RunRow(props: RunProps): JSX.Element {
  const { lane, width, isOpen, isActive, id } = props;
  const { trans } = useHost();
  const entries = props.all.slice(props.from, props.to);
  const failed = entries.filter(entry => entry.failed).length;
  const names = mostChanged(entries);
  const words = trans._n('%1 cell run', '%1 cell runs', entries.length, entries.length);
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      aria-label={isOpen ? trans.__('Fold %1', words) : trans.__('Show %1', words)}
      className={`cellar-run ${isActive ? 'cellar-is-active' : ''}`}
      style={{ paddingLeft: width }}
    >
      <Graph lane={lane} height={RUN_HEIGHT} width={width} node="run" />
      <Icon name={isOpen ? 'down' : 'right'} />
      <strong>{words}</strong>
      <span>
        {clock(entries[entries.length - 1]!.time)}–{clock(entries[0]!.time)}
      </span>
      {failed > 0 && <span className="cellar-flag-failed">{trans.__('%1 failed', failed)}</span>}
      <span className="cellar-run-names">{names}</span>
    </div>
  );
});

function mostChanged(entries: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    for (const name of [...entry.added, ...entry.changed]) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
  return most.map(([name]) => name).join(', ');
}
