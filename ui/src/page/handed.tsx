/** `?view=handed`: the notebooks that a command handed over, each with what changed. */
import { useEffect, useState, type JSX } from 'react';
import { useHost } from '../components/host';
import { CellarError, type Answer } from '../wire/client';
import { useFinish, waits } from './finish';

export default function HandedPage(): JSX.Element {
  const { backend, trans } = useHost();
  const [found, setFound] = useState<Answer<'handed'>['pairs'] | null>(null);
  const [error, setError] = useState('');
  const finish = useFinish();
  useEffect(() => {
    backend
      .read('handed', { path: '' })
      .then(answer => setFound(answer.pairs))
      .catch(reason => setError(reason instanceof CellarError ? reason.message : String(reason)));
  }, [backend]);
  return (
    <main className="cellar-page cellar-start">
      <header>
        <h1>{trans._n('%1 notebook differs', '%1 notebooks differ', found?.length ?? 0)}</h1>
        {waits() && (
          <button type="button" className="cellar-start-done" onClick={finish}>
            {trans.__('Done')}
          </button>
        )}
      </header>
      {error && <p role="alert">{error}</p>}
      <ul className="cellar-start-list">
        {found?.map(pair => (
          <li key={pair.id} className="cellar-start-pair">
            <a href={`?view=diff&handed=${encodeURIComponent(pair.id)}${waits() ? '&wait=1&among=1' : ''}`}>
              {pair.name}
            </a>
            <span className="cellar-start-summary">{pair.summary}</span>
          </li>
        ))}
      </ul>
    </main>
  );
}
