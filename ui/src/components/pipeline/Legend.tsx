/** What the lines between components mean; only those that are there. */
import { type Drawing, styleOf } from '../../model/pipeline';
import { useHost } from '../host';

export function Legend({ drawing }: { drawing: Drawing }): JSX.Element | null {
  const { trans } = useHost();
  const there = new Set(drawing.curves.map(styleOf));
  const words = {
    inferred: trans.__('from the source'),
    declared: trans.__('declared'),
    both: trans.__('declared, from the source'),
    observed: trans.__('seen in a run'),
    wrong: trans.__('part of a problem')
  };
  const kinds = (Object.keys(words) as (keyof typeof words)[]).filter(kind => there.has(kind));
  return kinds.length === 0 ? null : (
    <ul className="cellar-plain cellar-pipeline-legend" aria-label={trans.__('Lines')}>
      {kinds.map(kind => (
        <li key={kind}>
          <svg width="24" height="8" aria-hidden="true" className={`cellar-pipeline-edge cellar-mod-${kind}`}>
            <path className="cellar-pipeline-line" d="M0 4h24" />
          </svg>
          {words[kind]}
        </li>
      ))}
    </ul>
  );
}
