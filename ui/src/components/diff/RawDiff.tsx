/** The JSON text of both files, line by line, where they differ. */
import { useEffect, useState, type JSX } from 'react';
import { CellarError, type Answer } from '../../wire/client';
import { useHost } from '../host';

export function RawDiff({ path, id }: { path: string; id: string }): JSX.Element {
  const { backend, trans } = useHost();
  const [found, setFound] = useState<Answer<'diff-raw'>['text'] | string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    backend
      .read('diff-raw', { path, id }, abort.signal)
      .then(answer => setFound(answer.text))
      .catch(error => !abort.signal.aborted && setFound(error instanceof CellarError ? error.message : String(error)));
    return () => abort.abort();
  }, [backend, path, id]);
  if (found === null || typeof found === 'string') {
    return (
      <p className="cellar-diff-note" role="status">
        {found ?? trans.__('Comparing the texts…')}
      </p>
    );
  }
  if (!found.lines.length) {
    return <p className="cellar-diff-note">{trans.__('The two files have the same text.')}</p>;
  }
  const classes: Record<string, string> = { '+': 'cellar-diff-new', '-': 'cellar-diff-old', '…': 'cellar-diff-hidden' };
  return (
    <div className="cellar-diff-raw" tabIndex={0} role="region" aria-label={trans.__('Text of the files')}>
      {found.lines.map((line, at) => (
        <div key={at} className={`cellar-diff-raw-line ${classes[line.mark] ?? ''}`}>
          <span aria-hidden="true">{line.mark === '-' ? '−' : line.mark}</span>
          <code>{line.text}</code>
        </div>
      ))}
    </div>
  );
}
