/** Two commits compared: the cells between them, and the variables that differ, by value. */
import type { Answer } from '../../wire/client';
import { short, when } from '../../model/words';
import { useHost } from '../host';
import { Code } from '../parts/Code';
import { useRead } from '../parts/hooks';
import { Problem } from '../parts/states';
import { TextDetail, VariableChange } from '../values/ValueDiff';

type Diff = Answer<'diff-commits'>;

interface Props {
  readonly path: string;
  /** The earlier commit; null: the step before the other. */
  readonly before: string | null;
  readonly after: string;
  /** Changes when `after` may mean another commit. */
  readonly turn?: unknown;
}

export function CompareView({ path, before, after, turn }: Props): JSX.Element {
  const { trans } = useHost();
  const read = useRead('diff-commits', { path, before: before ?? undefined, after }, turn);
  return (
    <article className="cellar-detail" aria-label={trans.__('comparison')} aria-busy={read.isLoading}>
      {read.error !== null && <Problem error={read.error} again={read.again} />}
      {!read.value && read.isLoading && <p className="cellar-soft">{trans.__('Comparing …')}</p>}
      {read.value && <Compared diff={read.value} />}
    </article>
  );
}

function Compared({ diff }: { diff: Diff }): JSX.Element {
  const { trans } = useHost();
  const ways: Record<string, string> = {
    same: trans.__('the same commit twice'),
    back: trans.__('the second is the earlier one'),
    across: trans.__('on two branches'),
    apart: trans.__('with no commit in common')
  };
  const same = diff.unchanged + diff.equal.length;
  return (
    <>
      <header>
        <Point line={diff.before} /> → <Point line={diff.after} />
        {ways[diff.way] && <span className="cellar-soft"> {ways[diff.way]}</span>}
      </header>
      {diff.notes.map((note, index) => (
        <p key={index} className="cellar-warn">
          {note}
        </p>
      ))}
      {diff.variables.map(variable => (
        <VariableChange key={variable.name} variable={variable} open={diff.variables.length <= 8} />
      ))}
      <p className="cellar-soft">
        {diff.variables.length === 0 && `${trans.__('No variable differs.')} `}
        {trans._n('%1 variable as before', '%1 variables as before', same, same)}
      </p>
      {diff.surroundings.map(({ part, text }) => (
        <p key={part}>
          <span className="cellar-soft">{part}</span> {text}
        </p>
      ))}
      {diff.steps.length > 0 && <Steps diff={diff} />}
    </>
  );
}

function Point({ line }: { line: Diff['before'] }): JSX.Element {
  const count = line.execution_count !== null ? ` [${line.execution_count}]` : '';
  return (
    <span title={line.title}>
      <code className="cellar-name">{short(line.id)}</code>
      <code>{count}</code> <span className="cellar-soft">{when(line.time)}</span>
    </span>
  );
}

function Steps({ diff }: { diff: Diff }): JSX.Element {
  const { trans } = useHost();
  const number = diff.steps.length + diff.more_steps;
  return (
    <details className="cellar-change" open={diff.steps.length <= 3}>
      <summary>{trans._n('%1 step between', '%1 steps between', number, number)}</summary>
      <div className="cellar-inside">
        {diff.steps.map(step => {
          const remarks = [
            ...(step.undone ? [trans.__('undone')] : []),
            ...(step.lost ? [trans.__('only on the way to the first')] : []),
            ...(step.again ? [trans.__('run again')] : []),
            ...(step.error ? [trans.__('failed: %1', step.error.name)] : [])
          ];
          return (
            <section key={step.commit} className={step.undone ? 'cellar-is-undone' : ''}>
              <p className="cellar-soft">
                <code>{step.execution_count !== null ? `[${step.execution_count}]` : step.kind}</code>{' '}
                {step.source ? '' : step.title} {remarks.join(', ')}
              </p>
              {step.source_change ? (
                <TextDetail lines={step.source_change.lines} />
              ) : (
                step.source && (
                  <pre className="cellar-source" tabIndex={0}>
                    <Code text={step.source} />
                  </pre>
                )
              )}
            </section>
          );
        })}
      </div>
    </details>
  );
}
