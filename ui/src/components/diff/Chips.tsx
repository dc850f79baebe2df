/** What changed beside the content: tags, states, metadata, types, as small labels. */
import type { JSX } from 'react';
import type { components } from '../../wire/generated/types';
import type { Change } from '../../model/comparison';
import { useHost, type Words } from '../host';
import { changeWords } from '../parts/change_words';

type StateChange = components['schemas']['StateChange'];
type ValueChange = components['schemas']['ValueChange'];

export function CellChips({ change, metadata }: { change: Change; metadata: boolean }): JSX.Element {
  const { trans } = useHost();
  return (
    <>
      {change.type_before && (
        <Chip kind="changed" name={trans.__('type')} before={change.type_before} after={change.type} />
      )}
      {metadata && (
        <>
          {change.tags_added.map(tag => (
            <Chip key={`+${tag}`} kind="added" name={trans.__('tag')} after={tag} />
          ))}
          {change.tags_removed.map(tag => (
            <Chip key={`-${tag}`} kind="removed" name={trans.__('tag')} before={tag} />
          ))}
          {change.tags_reordered && <Chip kind="changed" name={trans.__('tags in another order')} />}
          <States states={change.states} values={change.metadata} />
        </>
      )}
    </>
  );
}

export function States({
  states,
  values
}: {
  states: readonly StateChange[];
  values: readonly ValueChange[];
}): JSX.Element {
  return (
    <>
      {states.map(state => (
        <Chip
          key={state.name}
          kind={!state.before ? 'added' : !state.after ? 'removed' : 'changed'}
          name={state.name}
          before={state.before}
          after={state.after}
        />
      ))}
      {values.map(value => (
        <Chip key={value.path} kind={value.change} name={value.path} before={value.before} after={value.after} />
      ))}
    </>
  );
}

interface ChipProps {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
}

function Chip({ kind, name, before, after }: ChipProps): JSX.Element {
  const { trans } = useHost();
  return (
    <span
      className={`cellar-diff-chip cellar-diff-chip-${kind}`}
      title={[name, before, after].filter(Boolean).join(' · ')}
    >
      <span className="cellar-diff-only-read">{changeWords(trans)[kind]} </span>
      <span className="cellar-diff-chip-name">{name}</span>
      {before && <del>{cut(before)}</del>}
      {before && after && ' → '}
      {after && <ins>{cut(after)}</ins>}
    </span>
  );
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Name kinds of noise for people. */
export function nameNoise(noise: readonly string[], trans: Words): string {
  const words: Record<string, string> = {
    'execution order': trans.__('execution order'),
    'run time': trans.__('run time'),
    addresses: trans.__('memory addresses'),
    ids: trans.__('ids'),
    kernel: trans.__('kernel metadata'),
    widgets: trans.__('widget state'),
    format: trans.__('format version'),
    pieces: trans.__('pieces of streams'),
    'temporary files': trans.__('temporary files'),
    terminal: trans.__('terminal colours and progress'),
    tolerance: trans.__('numbers within the tolerance'),
    pictures: trans.__('files of the same pictures'),
    frames: trans.__('line numbers in tracebacks'),
    layout: trans.__('layout')
  };
  const found = noise.map(kind => words[kind] ?? kind);
  return found.length > 1
    ? trans.__('%1 and %2', found.slice(0, -1).join(', '), found[found.length - 1])
    : (found[0] ?? '');
}
