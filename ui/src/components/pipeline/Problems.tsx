/** What is wrong with a pipeline, each with what to do and the cells it is about. */
import type { Drawing, PipelineProblem } from '../../model/pipeline';
import { useHost } from '../host';
import { Icon } from '../parts/icons';

interface Props {
  readonly problems: readonly PipelineProblem[];
  readonly drawing: Drawing;
  goTo(id: string): void;
}

export function Problems({ problems, drawing, goTo }: Props): JSX.Element {
  const { trans } = useHost();
  if (problems.length === 0) {
    return <p className="cellar-soft cellar-pipeline-detail">{trans.__('Nothing is wrong.')}</p>;
  }
  const ordered = [...problems].sort((one, other) => Number(other.is_error) - Number(one.is_error));
  return (
    <ul className="cellar-plain cellar-pipeline-problems">
      {ordered.map((problem, at) => (
        <li key={at} className={problem.is_error ? 'cellar-is-error' : ''}>
          <p>
            <span className={problem.is_error ? 'cellar-is-removed' : 'cellar-warn'}>
              <Icon name={problem.is_error ? 'failed' : 'uncertain'} />
            </span>{' '}
            {problem.message}
          </p>
          {problem.hint && <p className="cellar-soft">{problem.hint}</p>}
          <p className="cellar-pipeline-cells">
            {problem.cells
              .flatMap(id => drawing.byId.get(id) ?? [])
              .map(({ id, component }) => (
                <button key={id} className="cellar-link" onClick={() => goTo(id)}>
                  {trans.__('%1 (cell %2)', component.name, component.cell)}
                </button>
              ))}
          </p>
        </li>
      ))}
    </ul>
  );
}
