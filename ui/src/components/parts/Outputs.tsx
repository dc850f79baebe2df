/**
 * Recorded outputs in static form: text and pictures.
 *
 * Invariant: nothing of an output becomes markup or runs here; what would need that is named instead.
 */
import { firstLines, withoutColours } from '../../model/words';
import { useHost } from '../host';

const MOST_LINES = 40;
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

type Output = Record<string, unknown>;

export function Outputs({ outputs }: { outputs: readonly unknown[] }): JSX.Element {
  return (
    <div className="cellar-outputs">
      {outputs.map((output, index) => (
        <OneOutput key={index} output={output as Output} />
      ))}
    </div>
  );
}

function OneOutput({ output }: { output: Output }): JSX.Element {
  const { trans } = useHost();
  if (output.output_type === 'stream') {
    return <Text text={plain(output.text)} kind={output.name === 'stderr' ? 'cellar-is-stderr' : ''} />;
  }
  if (output.output_type === 'error') {
    const trace = Array.isArray(output.traceback) ? output.traceback.map(plain).join('\n') : '';
    return <Text text={trace || `${plain(output.ename)}: ${plain(output.evalue)}`} kind="cellar-is-error" />;
  }
  const data = (output.data ?? {}) as Output;
  const picture = PICTURES.find(type => typeof data[type] === 'string' || Array.isArray(data[type]));
  if (picture) {
    const base64 = plain(data[picture]).replace(/\s/g, '');
    return <img src={`data:${picture};base64,${base64}`} alt={plain(data['text/plain']) || trans.__('picture')} />;
  }
  if (data['image/svg+xml'] !== undefined) {
    const svg = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(plain(data['image/svg+xml']))}`;
    return <img src={svg} alt={plain(data['text/plain']) || trans.__('drawing')} />;
  }
  const others = Object.keys(data).filter(type => type !== 'text/plain');
  return (
    <>
      {data['text/plain'] !== undefined && <Text text={plain(data['text/plain'])} />}
      {others.length > 0 && <p className="cellar-soft">{trans.__('also as %1', others.join(', '))}</p>}
    </>
  );
}

function Text({ text, kind = '' }: { text: string; kind?: string }): JSX.Element {
  const { trans } = useHost();
  const shown = firstLines(withoutColours(text), MOST_LINES);
  return (
    <>
      <pre className={kind} tabIndex={0}>
        {shown.text}
      </pre>
      {shown.more > 0 && (
        <p className="cellar-soft">{trans._n('1 more line', '%1 more lines', shown.more, shown.more)}</p>
      )}
    </>
  );
}

function plain(text: unknown): string {
  return Array.isArray(text) ? text.map(String).join('') : typeof text === 'string' ? text : '';
}
