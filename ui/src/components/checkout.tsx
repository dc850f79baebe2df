/** The list of commits from which one is chosen to be checked out, with a search and what to bring. */
import { type JSX, type KeyboardEvent, memo, useEffect, useId, useMemo, useRef, useState } from 'react';
import { type Choice, choices, type Group, matching, placeOf, withOlder } from '../model/choices';
import { useHost } from './host';

/** What was chosen so far. */
export interface Chosen {
  readonly choice: Choice | undefined;
  readonly variables: boolean;
  readonly code: boolean;
  readonly replay: boolean;
}

interface CheckoutProps {
  readonly path: string;
  /** Whether cells may run again, at first. */
  readonly replay: boolean;
  readonly onChange: (chosen: Chosen) => void;
  readonly onAccept: () => void;
}

// The newest are there at once, the rest in few requests.
const FIRST = 300;
const PAGE = 2000;
const SHOWN = 100;

export function CheckoutForm({ path, replay: replayFirst, onChange, onAccept }: CheckoutProps): JSX.Element {
  const { trans } = useHost();
  const { all, loading, problem } = useCommits(path);
  const [search, setSearch] = useState('');
  const [chosen, choose] = useState<string>(); // a commit, not a place: others may come before it
  const [what, setWhat] = useState({ variables: true, code: true, replay: replayFirst });
  const id = useId();
  const found = useMemo(() => matching(all, search), [all, search]);
  const index = placeOf(found, chosen);
  const shown = found.slice(0, Math.max(SHOWN, index + 1));
  const choice = shown[index];
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => onChange({ choice, ...what }), [choice, what]);
  useEffect(() => choose(choice?.commit.id), [choice]); // what is marked stays so, also where nobody has chosen it yet
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [index, search]);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      choose(shown[Math.max(0, Math.min(shown.length - 1, index + step))]?.commit.id);
    }
  };
  return (
    <div className="cellar-session-checkout">
      <input
        className="cellar-session-search jp-mod-styled"
        type="search"
        role="combobox"
        aria-expanded={true}
        aria-controls={`${id}-list`}
        aria-activedescendant={choice && `${id}-${choice.commit.id}`}
        aria-label={trans.__('Search commits')}
        placeholder={trans.__('Search: message, code, variable, branch, tag, id')}
        value={search}
        onChange={event => {
          setSearch(event.target.value);
          choose(undefined);
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={trans.__('Commits')} aria-busy={loading}>
        {shown.map((one, row) => (
          <Row
            key={one.commit.id}
            id={`${id}-${one.commit.id}`}
            choice={one}
            heading={one.group !== shown[row - 1]?.group ? one.group : undefined}
            selected={row === index}
            onSelect={choose}
            onAccept={onAccept}
          />
        ))}
        {shown.length === 0 && (
          <li role="presentation" className="cellar-session-empty">
            {problem ?? (loading ? trans.__('Looking at the history …') : trans.__('No commit is found.'))}
          </li>
        )}
      </ul>
      <p className="cellar-session-more" aria-live="polite">
        {found.length > shown.length
          ? trans.__('%1 of %2 commits; search to see others', shown.length, found.length)
          : trans._n('%1 commit', '%1 commits', found.length)}
      </p>
      <div className="cellar-session-wish" role="group" aria-labelledby={`${id}-wish`}>
        <span id={`${id}-wish`}>{trans.__('Bring back')}</span>
        <Check
          label={trans.__('Variables')}
          caption={trans.__('in the kernel')}
          on={what.variables}
          set={variables => setWhat({ ...what, variables })}
        />
        <Check
          label={trans.__('Code')}
          caption={trans.__('in the notebook')}
          on={what.code}
          set={code => setWhat({ ...what, code })}
        />
        <Check
          label={trans.__('Replay')}
          caption={trans.__('cells again, for what is not stored; asks first')}
          on={what.replay && what.variables}
          disabled={!what.variables}
          set={replay => setWhat({ ...what, replay })}
        />
      </div>
    </div>
  );
}

interface RowProps {
  readonly id: string;
  readonly choice: Choice;
  readonly heading: Group | undefined;
  readonly selected: boolean;
  readonly onSelect: (commit: string) => void;
  readonly onAccept: () => void;
}

const Row = memo(function Row(props: RowProps): JSX.Element {
  const { trans } = useHost();
  const { choice, heading } = props;
  const { commit } = choice;
  const headings: Record<Group, string> = {
    named: trans.__('Named commits'),
    branch: trans.__('Branches'),
    tag: trans.__('Tags'),
    automatic: trans.__('After each cell')
  };
  return (
    <>
      {heading && (
        <li role="presentation" className="cellar-session-heading">
          {headings[heading]}
        </li>
      )}
      <li
        id={props.id}
        role="option"
        aria-selected={props.selected}
        onClick={() => props.onSelect(commit.id)}
        onDoubleClick={props.onAccept}
      >
        <span className="cellar-session-title">
          {commit.execution_count !== null && <code>[{commit.execution_count}]</code>} {choice.title}
          {choice.detail && <small>{choice.detail}</small>}
        </span>
        {choice.isNow && <span className="cellar-session-label cellar-mod-now">{trans.__('now')}</span>}
        {choice.labels.map(label => (
          <span key={label} className="cellar-session-label">
            {label}
          </span>
        ))}
        <span className="cellar-session-changes">{changes(commit)}</span>
        <time dateTime={commit.time}>{moment(commit.time)}</time>
        <code className="cellar-session-id">{commit.id.slice(0, 8)}</code>
      </li>
    </>
  );
});

function Check(props: {
  label: string;
  caption: string;
  on: boolean;
  disabled?: boolean;
  set: (on: boolean) => void;
}): JSX.Element {
  return (
    <label className="cellar-session-check">
      <input
        type="checkbox"
        checked={props.on}
        disabled={props.disabled}
        onChange={event => props.set(event.target.checked)}
      />
      <span>{props.label}</span> <small>{props.caption}</small>
    </label>
  );
}

/** All commits, the newest ones first, so that the list is there at once. */
function useCommits(path: string): { all: Choice[]; loading: boolean; problem: string | undefined } {
  const { backend } = useHost();
  const [all, setAll] = useState<Choice[]>([]);
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const ended = new AbortController();
    const load = async () => {
      let found: Choice[] = [];
      let skip = 0;
      for (let more = true; more && !ended.signal.aborted;) {
        const part = await backend.read('log', { path, limit: skip ? PAGE : FIRST, skip }, ended.signal);
        found = withOlder(found, choices(part.commits));
        skip += part.commits.length;
        more = part.more;
        setAll(found);
      }
    };
    load()
      .catch((error: Error) => ended.signal.aborted || setProblem(error.message))
      .finally(() => ended.signal.aborted || setLoading(false));
    return () => ended.abort();
  }, [path]);
  return { all, loading, problem };
}

function changes(commit: Choice['commit']): string {
  const names = [
    ...commit.added.map(name => `+${name}`),
    ...commit.changed.map(name => `~${name}`),
    ...commit.removed.map(name => `-${name}`)
  ];
  return names.length > 4 ? `${names.slice(0, 4).join(' ')} …` : names.join(' ');
}

function moment(time: string): string {
  const date = new Date(time);
  const today = new Date().toDateString() === date.toDateString();
  return today
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString([], { day: 'numeric', month: 'short', year: 'numeric' });
}
