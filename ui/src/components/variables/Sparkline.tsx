/** When a variable changed on the way to a commit, and its number where it is one. */
import { memo } from 'react';
import { spark, type Lifeline } from '../../model/sparkline';
import { useHost } from '../host';

const WIDTH = 60;
const HEIGHT = 14;

export const Sparkline = memo(function Sparkline({
  line,
  length
}: {
  line: Lifeline | undefined;
  length: number;
}): JSX.Element {
  const { trans } = useHost();
  if (!line) {
    return <span className="cellar-spark" style={{ width: WIDTH, height: HEIGHT }} />;
  }
  const { ticks, path } = spark(line, length, WIDTH, HEIGHT);
  const words = trans._n('%1 version', '%1 versions', line.versions, line.versions);
  return (
    <svg className="cellar-spark" width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
      <title>{words}</title>
      {!path && <path className="cellar-spark-base" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />}
      {!path &&
        ticks.map((tick, index) => <path key={index} className="cellar-spark-tick" d={`M${tick} ${HEIGHT}V4`} />)}
      {path && <path className="cellar-spark-line" d={path} />}
    </svg>
  );
});
