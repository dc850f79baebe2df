/** How a component stands: a shape of its own for each case, and the words for it. */
import type { Mark, Status } from '../../model/pipeline_run';
import { duration } from '../../model/words';
import type { Words } from '../host';

/** A shape in a box of 12 x 12, for SVG. */
export function MarkShape({ mark, x = 0, y = 0 }: { mark: Mark; x?: number; y?: number }): JSX.Element | null {
  const shape = SHAPES[mark];
  return shape ? (
    <g className={`cellar-pipeline-mark cellar-mod-${mark}`} transform={`translate(${x} ${y})`}>
      {shape}
    </g>
  ) : null;
}

const check = <path className="cellar-stroke" d="M3.2 6.2 5.2 8.2 8.8 4" />;
const SHAPES: Record<Mark, JSX.Element | null> = {
  none: null,
  cached: (
    <>
      <circle className="cellar-fill" cx="6" cy="6" r="5.5" />
      <path className="cellar-on-fill" d="M3.2 6.2 5.2 8.2 8.8 4" />
    </>
  ),
  done: (
    <>
      <circle className="cellar-stroke" cx="6" cy="6" r="5" />
      {check}
    </>
  ),
  stale: <circle className="cellar-stroke" cx="6" cy="6" r="4.6" strokeDasharray="2.2 2" />,
  edited: <path className="cellar-stroke" d="M2 10 2.6 7.4 8 2 10 4 4.6 9.4Z" />,
  waiting: <path className="cellar-stroke" d="M6 1.2a4.8 4.8 0 1 0 .01 0ZM6 3.4V6l1.8 1.4" />,
  running: (
    <>
      <circle className="cellar-track" cx="6" cy="6" r="4.6" />
      <path className="cellar-stroke cellar-turning" d="M6 1.4A4.6 4.6 0 0 1 10.6 6" />
    </>
  ),
  failed: <path className="cellar-stroke cellar-thick" d="M2.5 2.5l7 7M9.5 2.5l-7 7" />,
  broken: <path className="cellar-stroke" d="M6 1.2 11.2 10.6H.8ZM6 4.6v2.6M6 8.7v.3" />,
  blocked: <path className="cellar-stroke" d="M1.4 6a4.6 4.6 0 1 0 9.2 0 4.6 4.6 0 1 0-9.2 0M3 6h6" />,
  cancelled: <path className="cellar-stroke" d="M2.2 2.2h7.6v7.6H2.2z" />
};

/** The word for a mark. */
export function wordOf(mark: Mark, trans: Words): string {
  const words: Record<Mark, string> = {
    none: '',
    cached: trans.__('cached'),
    done: trans.__('done'),
    stale: trans.__('to be run'),
    edited: trans.__('edited since'),
    waiting: trans.__('waiting'),
    running: trans.__('running'),
    failed: trans.__('failed'),
    broken: trans.__('cannot be read'),
    blocked: trans.__('blocked'),
    cancelled: trans.__('cancelled')
  };
  return words[mark];
}

/** The word and the time: `cached · 1.2 s`. */
export function statusWords(status: Status, trans: Words): string {
  const { mark, seconds } = status;
  const isOld = (mark === 'stale' || mark === 'edited') && seconds !== null;
  const time = isOld ? trans.__('%1 the last time', duration(seconds)) : timeOf(status);
  return [wordOf(mark, trans), time].filter(Boolean).join(' · ');
}

/** How long it took, "" where that is not known or is not of now. */
export function timeOf({ mark, seconds }: Status): string {
  return seconds !== null && TIMED.has(mark) ? duration(seconds) : '';
}

const TIMED = new Set<Mark>(['cached', 'done', 'failed']);
