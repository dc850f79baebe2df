/** Which version stands on a side: chosen from git's branches, the commits that touched the notebook, and Cellar's. */
import type { JSX } from 'react';
import { formatSide, nameSide, parseSide, type Side } from '../../model/sides';
import type { Answer } from '../../wire/client';
import { useHost } from '../host';

export type Revisions = Answer<'revisions'>;

interface SidePickerProps {
  readonly label: string;
  readonly side: Side;
  readonly revisions: Revisions | null;
  /** The notebook is open, so that its unsaved edits can be compared. */
  readonly canBeOpen: boolean;
  readonly onPick: (side: Side) => void;
}

export function SidePicker({ label, side, revisions, canBeOpen, onPick }: SidePickerProps): JSX.Element {
  const { trans } = useHost();
  const value = formatSide(side);
  const groups: [string, [string, string][]][] = [[trans.__('This notebook'), [['file', trans.__('file on disk')]]]];
  if (canBeOpen) {
    groups[0]![1].unshift(['open', trans.__('open notebook')]);
  }
  if (revisions?.in_git) {
    const head = revisions.branch ? trans.__('git HEAD (%1)', revisions.branch) : trans.__('git HEAD');
    groups.push([
      trans.__('Git'),
      [
        ['git:HEAD', head],
        ['git:', trans.__('git index')],
        ...revisions.refs.map((ref): [string, string] => [`git:${ref.name}`, `${ref.name}`])
      ]
    ]);
    groups.push([
      trans.__('Git commits of this notebook'),
      revisions.commits.map((commit): [string, string] => [
        `git:${commit.commit}`,
        `${commit.commit.slice(0, 8)} ${day(commit.moment)} ${cut(commit.title)}`
      ])
    ]);
  }
  if (revisions?.recorded.length) {
    groups.push([
      trans.__("Cellar's commits"),
      revisions.recorded.map((commit): [string, string] => [
        `cellar:${commit.id}`,
        `${commit.id.slice(0, 8)} ${day(commit.time)} ${cut(commit.message || commit.title)}`
      ])
    ]);
  }
  const known = groups.some(([, options]) => options.some(([name]) => name === value));
  return (
    <select
      className="cellar-diff-picker"
      aria-label={label}
      title={label}
      value={value}
      onChange={event => {
        const picked = parseSide(event.target.value);
        if (picked) {
          onPick(picked);
        }
      }}
    >
      {!known && <option value={value}>{nameSide(side, trans)}</option>}
      {groups
        .filter(([, options]) => options.length)
        .map(([name, options]) => (
          <optgroup key={name} label={name}>
            {options.map(([option, text]) => (
              <option key={option} value={option}>
                {text}
              </option>
            ))}
          </optgroup>
        ))}
    </select>
  );
}

function day(moment: string): string {
  return new Date(moment).toLocaleDateString(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
}

function cut(text: string): string {
  const line = text.split('\n')[0]!;
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
