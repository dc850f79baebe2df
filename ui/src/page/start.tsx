/** The first view: the notebooks below the server's folder, and what changed in each since git's HEAD. */
import { useEffect, useState, type JSX } from 'react';
import { useHost } from '../components/host';
import { ServerNotice } from '../components/parts/states';
import { CellarError, type Answer } from '../wire/client';

type States = Answer<'notebooks'>;

export default function StartPage(): JSX.Element {
  const { backend, trans } = useHost();
  const [found, setFound] = useState<States | null>(null);
  const [error, setError] = useState('');
  const [filter, setFilter] = useState('');
  useEffect(() => {
    let stop = new AbortController();
    const load = (): void => {
      stop.abort(); // an answer that comes late is older
      const { signal } = (stop = new AbortController());
      backend
        .read('notebooks', { path: '' }, signal)
        .then(answer => (setFound(answer), setError('')))
        .catch(reason => signal.aborted || setError(reason instanceof CellarError ? reason.message : String(reason)));
    };
    load();
    // A first `hello` counts as well: what was read before the subscription may be older than it.
    const end = backend.subscribe('', ({ event }) => (event === 'git' || event === 'hello') && load());
    return () => {
      end();
      stop.abort();
    };
  }, [backend]);
  const words: Record<string, string> = {
    same: trans.__('as in HEAD'),
    changed: trans.__('changed'),
    new: trans.__('new'),
    unknown: '',
    broken: trans.__('not readable')
  };
  const rank = ['changed', 'broken', 'new', 'unknown', 'same'];
  const listed = (found?.notebooks ?? [])
    .filter(notebook => notebook.path.toLowerCase().includes(filter.toLowerCase()))
    .sort((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state) || a.path.localeCompare(b.path));
  return (
    <main className="cellar-page cellar-start">
      <header>
        <h1>{trans.__('Notebooks')}</h1>
        {found?.branch && (
          <span className="cellar-start-branch">{trans.__('beside git HEAD of %1', found.branch)}</span>
        )}
        <input
          type="search"
          placeholder={trans.__('Filter by name')}
          aria-label={trans.__('Filter by name')}
          value={filter}
          onChange={event => setFilter(event.target.value)}
        />
      </header>
      <ServerNotice />
      {error && <p role="alert">{error}</p>}
      {!found && !error && <p role="status">{trans.__('Looking for notebooks…')}</p>}
      {found && !listed.length && (
        <p role="status">
          {filter ? trans.__('No notebook has such a name.') : trans.__('There are no notebooks in this folder.')}
        </p>
      )}
      {listed.length > 0 && (
        <ul className="cellar-start-list">
          {listed.map(notebook => (
            <li key={notebook.path} className={`cellar-start-${notebook.state}`}>
              <a href={`?view=diff&path=${encodeURIComponent(notebook.path)}&before=git%3AHEAD&after=file`}>
                {notebook.path}
              </a>
              <span className="cellar-start-state">{words[notebook.state] ?? notebook.state}</span>
              <span className="cellar-start-summary">{notebook.summary}</span>
            </li>
          ))}
        </ul>
      )}
      {found && found.more > 0 && (
        <p>{trans._n('%1 more notebook is not listed.', '%1 more notebooks are not listed.', found.more)}</p>
      )}
    </main>
  );
}
