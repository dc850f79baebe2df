/** What can be done from an entry, as entries of a menu, and what comes of it: a question, a result, an error. */
import { useCallback, useState } from 'react';
import { lineOf, type Entry, type HistoryModel, type Named } from '../../model/history';
import { short } from '../../model/words';
import { CellarError, type Answer, type Progress, type Waiting } from '../../wire/client';
import type { RouteName } from '../../wire/generated/answers';
import { useHost, type CheckoutWish } from '../host';
import { AskLine } from '../parts/AskLine';
import type { MenuEntry } from '../parts/Menu';
import { SessionResult, type SessionChange } from '../parts/SessionResult';
import { Problem } from '../parts/states';

interface Asking {
  readonly label: string;
  readonly action: string;
  readonly begin?: string;
  readonly allowEmpty?: boolean;
  done(text: string): Promise<unknown>;
}

type Outcome =
  | { readonly kind: 'ask'; readonly asking: Asking }
  | { readonly kind: 'done'; readonly change: SessionChange; agree(replay: string): void }
  | { readonly kind: 'told'; readonly text: string }
  | { readonly kind: 'busy'; readonly text: string; cancel?(): void }
  | { readonly kind: 'error'; readonly error: unknown };

export interface Actions {
  /** All that can be done from an entry. */
  of(entry: Entry): MenuEntry[];
  checkouts(entry: Entry): MenuEntry[];
  undoTo(entry: Entry): void;
  canUndoTo(entry: Entry): boolean;
  outcome: JSX.Element | null;
}

interface Compare {
  now(entry: Entry): void;
  before(entry: Entry): void;
  other(entry: Entry): void;
}

export function useActions(model: HistoryModel, compare: Compare): Actions {
  const host = useHost();
  const { backend, trans } = host;
  const { path } = model;
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const clear = useCallback(() => setOutcome(null), []);

  const post = async <R extends RouteName>(route: R, asked: object, waiting?: Waiting): Promise<Answer<R>> => {
    const done = await backend.post(route, { path, ...asked }, waiting);
    void model.refresh();
    return done;
  };
  const attempt = async (text: string, work: () => Promise<Outcome | null>) => {
    setOutcome({ kind: 'busy', text });
    try {
      setOutcome(await work());
    } catch (error) {
      const isTaken = error instanceof CellarError && error.code === 'cancelled';
      const text = trans.__('Cancelled. The session is as it was.');
      setOutcome(isTaken ? { kind: 'told', text } : { kind: 'error', error });
    }
  };
  const change = (text: string, route: 'checkout' | 'undo-to', asked: object): void => {
    const agree = (replay: string) => change(text, route, { ...asked, replay });
    const taken = new AbortController();
    const progress = ({ what }: Progress): void => {
      const said = what === 'wait' ? trans.__('%1 It waits for the running cell.', text) : text;
      setOutcome({ kind: 'busy', text: said, cancel: () => taken.abort() });
    };
    void attempt(text, async () => {
      const change = await post(route, asked, { signal: taken.signal, progress });
      return { kind: 'done', change, agree };
    });
  };
  const checkout = (wish: CheckoutWish): void => {
    const text = trans.__('Checking out %1 …', wish.ref.length === 64 ? short(wish.ref) : wish.ref);
    if (host.checkout) {
      void attempt(text, async () => {
        await host.checkout!(path, wish);
        void model.refresh();
        return null;
      });
    } else {
      change(text, 'checkout', wish);
    }
  };
  const ask = (asking: Asking): void =>
    setOutcome({
      kind: 'ask',
      asking: {
        ...asking,
        done: async text => {
          await asking.done(text);
          setOutcome(null);
        }
      }
    });
  const undoTo = (entry: Entry): void =>
    change(trans.__('Undoing to %1 …', short(entry.id)), 'undo-to', { ref: entry.id, replay: 'ask' });
  const canUndoTo = (entry: Entry): boolean =>
    entry.id !== model.head && lineOf(model.entries, model.head).has(entry.id);
  const namesOf = (entry: Entry): Named[] => model.names.filter(name => name.commit === entry.id);

  const checkouts = (entry: Entry): MenuEntry[] => {
    const ref = referenceOf(entry, model.names);
    const wish = (variables: boolean, code: boolean, replay = 'no') => checkout({ ref, variables, code, replay });
    return [
      { label: trans.__('Check out variables and code'), run: () => wish(true, true) },
      { label: trans.__('Check out variables'), run: () => wish(true, false) },
      { label: trans.__('Check out code'), run: () => wish(false, true) },
      { label: trans.__('Check out variables, running cells again where needed…'), run: () => wish(true, false, 'ask') }
    ];
  };
  const askName = (route: 'branch' | 'tag', { id }: Entry, label: string, action: string): void =>
    ask({ label, action, done: name => post(route, { name, ref: id }) });
  const naming = (entry: Entry): MenuEntry[] => [
    {
      label: trans.__('Branch here…'),
      apart: true,
      run: () => askName('branch', entry, trans.__('New branch at %1', short(entry.id)), trans.__('Branch'))
    },
    {
      label: trans.__('Tag…'),
      run: () => askName('tag', entry, trans.__('New tag at %1', short(entry.id)), trans.__('Tag'))
    },
    {
      label: trans.__('Edit message…'),
      run: () =>
        ask({
          label: trans.__('Message of %1', short(entry.id)),
          action: trans.__('Save'),
          begin: entry.lines > 0 && entry.source.trimStart().startsWith(entry.title) ? '' : entry.title,
          allowEmpty: true,
          done: message => post('message', { ref: entry.id, message })
        })
    },
    {
      label: trans.__('Copy reference'),
      run: () =>
        void attempt('', async () => {
          const reference = referenceOf(entry, []).slice(0, 12);
          await copy(reference);
          return { kind: 'told', text: trans.__('Copied %1', reference) };
        })
    },
    ...namesOf(entry).map((name, index) => ({
      label: name.kind === 'tag' ? trans.__('Delete tag %1', name.name) : trans.__('Delete branch %1', name.name),
      apart: index === 0,
      off: name.current ? trans.__('the current branch cannot be deleted') : undefined,
      run: () =>
        void attempt(trans.__('Deleting %1 …', name.name), async () => {
          await post('delete-name', { kind: name.kind, name: name.name });
          return { kind: 'told', text: trans.__('Deleted %1; its commits stay in the log of operations', name.name) };
        })
    }))
  ];
  const of = (entry: Entry): MenuEntry[] => [
    ...checkouts(entry),
    {
      label: trans.__('Undo to here'),
      apart: true,
      off: canUndoTo(entry) ? undefined : trans.__('it is not before the state of now'),
      run: () => undoTo(entry)
    },
    {
      label: trans.__('Compare with now'),
      apart: true,
      off: entry.id === model.head ? trans.__('this is now') : undefined,
      run: () => compare.now(entry)
    },
    { label: trans.__('Compare with the step before'), run: () => compare.before(entry) },
    { label: trans.__('Compare with another…'), run: () => compare.other(entry) },
    ...(host.showVariables
      ? [{ label: trans.__('Show its variables'), run: () => host.showVariables!(entry.id) }]
      : []),
    ...naming(entry)
  ];
  return { of, checkouts, undoTo, canUndoTo, outcome: outcome && <Shown outcome={outcome} clear={clear} /> };
}

function Shown({ outcome, clear }: { outcome: Outcome; clear: () => void }): JSX.Element {
  const { trans } = useHost();
  switch (outcome.kind) {
    case 'ask':
      return <AskLine key={outcome.asking.label} {...outcome.asking} cancel={clear} />;
    case 'done':
      return <SessionResult done={outcome.change} agree={outcome.agree} close={clear} />;
    case 'busy':
      return (
        <div className="cellar-result" role="status">
          {outcome.text}{' '}
          {outcome.cancel && (
            <button className="cellar-button" onClick={outcome.cancel}>
              {trans.__('Cancel')}
            </button>
          )}
        </div>
      );
    case 'told':
      return (
        <div className="cellar-result" role="status">
          {outcome.text}{' '}
          <button className="cellar-button" onClick={clear}>
            {trans.__('Close')}
          </button>
        </div>
      );
    case 'error':
      return (
        <div className="cellar-result">
          <Problem error={outcome.error} />
          <button className="cellar-button" onClick={clear}>
            {trans.__('Close')}
          </button>
        </div>
      );
  }
}

/** Return what to check out: a branch by its name, so that HEAD is on it afterwards; else the commit. */
function referenceOf(entry: Entry, names: readonly Named[]): string {
  const branches = names.filter(name => name.kind === 'branch' && name.commit === entry.id);
  return (branches.find(name => name.current) ?? branches[0])?.name ?? entry.id;
}

/** Copy a text; where the browser gives no clipboard, as on pages without TLS, by a selection. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text);
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
