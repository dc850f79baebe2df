/** `?view=diff&path=NOTEBOOK&before=SIDE&after=SIDE`, or `?view=diff&handed=ID` for what a command handed over. */
import { useState, type JSX } from 'react';
import { NotebookDiff } from '../components/diff';
import { useHost } from '../components/host';
import { requestOf } from '../model/asked';
import { formatSide, type Side } from '../model/sides';
import { useFinish, waits } from './finish';

export default function DiffPage(): JSX.Element {
  const { trans } = useHost();
  const [query] = useState(() => new URLSearchParams(window.location.search));
  const [request, setRequest] = useState(() => requestOf(query));
  const { path, handed } = request;
  const finish = useFinish();
  const pick = (which: 'before' | 'after', side: Side): void => {
    setRequest(known => ({ ...known, [which]: side }));
    query.set(which, formatSide(side));
    window.history.replaceState(null, '', `?${query}`);
  };
  document.title = path ? `${path.split('/').pop()} · Cellar` : 'Cellar';
  return (
    <main className="cellar-page">
      {(!handed || query.has('among')) && (
        <nav className="cellar-page-nav" aria-label={trans.__('Cellar')}>
          <a href={handed ? `?view=handed${waits() ? '&wait=1' : ''}` : '?'}>{trans.__('All notebooks')}</a>
        </nav>
      )}
      <NotebookDiff
        request={request}
        onPick={handed ? undefined : pick}
        onDone={handed && waits() ? finish : undefined}
      />
    </main>
  );
}
