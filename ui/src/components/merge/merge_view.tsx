/**
 * A merge of three that waits for decisions: the list of conflicts, each with its versions and its result, and saving.
 *
 * Invariant: nothing is written until the person saves; what was picked can be taken back until then.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type JSX, type KeyboardEvent } from 'react';
import * as merge from '../../model/merge';
import type { Row } from '../../model/three_way';
import { CellarError } from '../../wire/client';
import { useHost } from '../host';
import { ServerNotice } from '../parts/states';
import { ConflictList, aboutOf, placeOf } from './conflict_list';
import { Attachments, Outputs, Parts, Settings } from './parts';
import { Preview } from './preview';
import { Result } from './result';
import type { MergeSource } from './source';
import { ThreeColumns } from './three_columns';
import { NoMarks, Saved } from './states';
import { Toolbar } from './toolbar';

interface Props {
  readonly source: MergeSource;
  /** What a save does, in a word or two. */
  readonly saveLabel?: string;
  /** Whether decisions are lost when this view goes. */
  readonly onDirty?: (dirty: boolean) => void;
  readonly onSaved?: (saved: merge.MergeSaved) => void;
  /** Ask for a yes; `window.confirm` where there is nothing better. */
  readonly ask?: (question: string) => Promise<boolean>;
}

export function MergeView({ source, saveLabel, onDirty, onSaved, ask }: Props): JSX.Element {
  const { trans } = useHost();
  const root = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<merge.Deciding>();
  const [problem, setProblem] = useState<CellarError | Error>();
  const [saved, setSaved] = useState<merge.MergeSaved>();
  const [busy, setBusy] = useState(false);
  const [preview, setPreview] = useState(false);
  const [typing, setTyping] = useState(false);

  const looking = useRef(new AbortController());
  const load = useCallback(async () => {
    looking.current.abort(); // an answer that comes late is older
    const { signal } = (looking.current = new AbortController());
    try {
      const look = await source.look(signal);
      signal.throwIfAborted();
      setState(known => (known ? merge.follow(known, look) : merge.begin(look)));
      setProblem(undefined);
    } catch (error) {
      if (!signal.aborted) {
        setProblem(error as Error);
      }
    }
  }, [source]);
  useEffect(() => {
    setState(undefined);
    void load();
    const end = source.subscribe(() => void load());
    return () => {
      looking.current.abort();
      end();
    };
  }, [source, load]);

  useEffect(() => {
    // Keys are for the view from the beginning, if nothing else has them.
    const active = document.activeElement;
    if (!active || active === document.body || active.contains(root.current)) {
      root.current?.focus();
    }
  }, []);

  const dirty = !!state && merge.isDirty(state);
  useEffect(() => onDirty?.(dirty), [dirty, onDirty]);

  const change = useCallback((next: (state: merge.Deciding) => merge.Deciding) => {
    setState(known => known && next(known));
    setSaved(undefined);
  }, []);
  const decide = useCallback(
    (decision: Omit<merge.Decision, 'id'> | null) =>
      change(known => (known.current === undefined ? known : merge.decide(known, known.current, decision))),
    [change]
  );
  const pick = useCallback(
    (wanted: merge.Pick) => {
      setTyping(false);
      decide({ pick: wanted });
    },
    [decide]
  );
  const edit = useCallback(() => {
    change(known => {
      const conflict = merge.find(known, known.current);
      return conflict
        ? merge.decide(known, conflict.id, {
            pick: 'edited',
            ...merge.draftOf(conflict, known.decisions.get(conflict.id))
          })
        : known;
    });
    setTyping(true);
  }, [change]);

  const save = useCallback(async () => {
    if (!state || busy) {
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const done = await source.save(state.look, merge.asked(state));
      looking.current.abort();
      const before = looking.current;
      setState(merge.begin(await source.look()));
      if (looking.current !== before) {
        void load(); // an event of this very save came between
      }
      setSaved(done);
      onSaved?.(done);
    } catch (error) {
      setProblem(error as Error);
    } finally {
      setBusy(false);
    }
  }, [state, busy, source, load, onSaved]);
  const all = useCallback(
    async (side: merge.Side) => {
      const count = state?.look.conflicts.length ?? 0;
      const question =
        side === 'ours'
          ? trans._n('Take ours for 1 conflict?', 'Take ours for all %1 conflicts?', count)
          : trans._n('Take theirs for 1 conflict?', 'Take theirs for all %1 conflicts?', count);
      if (await (ask ?? confirmHere)(question)) {
        change(known => merge.decideAll(known, side));
      }
    },
    [state, change, ask, trans]
  );
  const work = useCallback(
    async (does: () => Promise<unknown>) => {
      setBusy(true);
      try {
        await does();
        await load();
      } catch (error) {
        setProblem(error as Error);
      } finally {
        setBusy(false);
      }
    },
    [load]
  );
  const resolve = useCallback(
    () =>
      work(async () => {
        const done = await source.resolve();
        setSaved(done);
        onSaved?.(done);
      }),
    [work, source, onSaved]
  );
  const leave = useCallback(() => {
    setTyping(false);
    root.current?.focus();
  }, []);

  const onKey = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 's') {
      event.preventDefault();
      void save();
      return;
    }
    if (isText(event.target) || event.altKey) {
      return;
    }
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z';
    if ((event.ctrlKey || event.metaKey) && !isUndo) {
      return;
    }
    const actions: Record<string, () => void> = {
      '1': () => pick('ours'),
      '2': () => pick('theirs'),
      '3': () => pick('both'),
      b: () => pick('base'),
      e: edit,
      n: () => change(known => merge.go(known, 1)),
      p: () => change(known => merge.go(known, -1)),
      o: () => change(known => merge.go(known, 1, true)),
      u: () => change(merge.undo),
      z: () => isUndo && change(merge.undo),
      r: () => setPreview(known => !known)
    };
    const action = actions[event.key.toLowerCase()];
    if (action && state) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  };

  const conflict = state && merge.find(state, state.current);
  const loadResult = useMemo(
    () => (state ? () => source.result(merge.asked(state)) : undefined),
    [state?.decisions, state?.back, source]
  );
  return (
    <div className="cellar-merge" ref={root} tabIndex={-1} onKeyDown={onKey}>
      {state && (
        <Toolbar
          state={state}
          busy={busy}
          preview={preview}
          saveLabel={saveLabel ?? trans.__('Save')}
          onGo={by => change(known => merge.go(known, by))}
          onUndo={() => change(merge.undo)}
          onAll={side => void all(side)}
          onPreview={() => setPreview(known => !known)}
          onSave={() => void save()}
          onEnd={
            source.end &&
            (() =>
              void end(
                source,
                dirty,
                ask ?? confirmHere,
                trans.__('What was decided is not saved. Leave all the same?')
              ))
          }
        />
      )}
      <ServerNotice />
      {problem && <Problem error={problem} />}
      {saved && <Saved saved={saved} />}
      {!state && !problem && <p className="cellar-merge-hint">{trans.__('Loading…')}</p>}
      {state && state.look.state !== 'marked' && !(saved && !saved.left) && (
        <NoMarks
          look={state.look}
          busy={busy}
          onAgain={() => void work(() => source.again(state.look))}
          onResolve={() => void resolve()}
        />
      )}
      {state?.look.state === 'marked' && (
        <div className="cellar-merge-body">
          <ConflictList
            state={state}
            onShow={id => {
              setPreview(false);
              change(known => merge.show(known, id));
            }}
            onToggleBack={id => change(known => merge.toggleBack(known, id))}
          />
          <div className="cellar-merge-main">
            {preview && loadResult ? (
              <Preview load={loadResult} language={state.look.language} />
            ) : (
              conflict && (
                <Conflict
                  key={conflict.id}
                  {...{ state, conflict, typing, decide, pick, edit, leave }}
                  take={(rows, place, side) => change(known => merge.takePart(known, conflict.id, rows, place, side))}
                  decision={state.decisions.get(conflict.id)}
                />
              )
            )}
          </div>
        </div>
      )}
    </div>
  );
}

interface ConflictProps {
  readonly state: merge.Deciding;
  readonly conflict: merge.MergeConflict;
  readonly decision: merge.Decision | undefined;
  readonly typing: boolean;
  readonly decide: (decision: Omit<merge.Decision, 'id'> | null) => void;
  readonly pick: (pick: merge.Pick) => void;
  readonly edit: () => void;
  readonly leave: () => void;
  readonly take: (rows: readonly Row[], place: number, side: merge.Column) => void;
}

function Conflict({ state, conflict, decision, typing, decide, pick, edit, leave, take }: ConflictProps): JSX.Element {
  const { trans } = useHost();
  const { labels, language } = state.look;
  const picked = decision?.pick;
  return (
    <article className="cellar-merge-conflict" aria-label={placeOf(trans, conflict)}>
      <h2>
        {placeOf(trans, conflict)} <small>{aboutOf(trans, conflict)}</small>
      </h2>
      {conflict.kind !== 'cell' ? (
        <Settings conflict={conflict} labels={labels} picked={picked} onPick={pick} />
      ) : (
        <ThreeColumns
          {...{ conflict, language, labels, picked }}
          parts={state.parts.get(conflict.id)}
          onPick={pick}
          onPart={take}
        />
      )}
      <Result {...{ conflict, decision, language, typing }} onDecide={decide} onEdit={edit} onLeave={leave} />
      <Parts conflict={conflict} />
      <Outputs conflict={conflict} />
      <Attachments conflict={conflict} />
    </article>
  );
}

function Problem({ error }: { readonly error: Error }): JSX.Element {
  return (
    <p className="cellar-merge-problem" role="alert">
      {error.message}
      {error instanceof CellarError && error.hint && <small> {error.hint}</small>}
    </p>
  );
}

async function end(
  source: MergeSource,
  dirty: boolean,
  ask: (question: string) => Promise<boolean>,
  question: string
): Promise<void> {
  if (!dirty || (await ask(question))) {
    await source.end?.();
  }
}

async function confirmHere(question: string): Promise<boolean> {
  return window.confirm(question);
}

function isText(target: EventTarget): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input[type="text"], textarea'));
}
