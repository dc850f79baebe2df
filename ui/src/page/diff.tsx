/** `?view=diff&path=NOTEBOOK&before=SIDE&after=SIDE`, or `?view=diff&handed=ID` for what a command handed over. */
import { useState, type JSX } from 'react';
import { NotebookDiff } from '../components/diff';
import { useHost } from '../components/host';
import { useFinish, waits } from './finish';
import { formatSide, parseSide, type Side } from '../model/sides';

export default function DiffPage(): JSX.Element {
  const { trans } = useHost();
  const [query] = useState(() => new URLSearchParams(window.location.search));
  const [before, setBefore] = useState<Side>(() => sideOf(query.get('before'), { kind: 'git', revision: 'HEAD' }));
  const [after, setAfter] = useState<Side>(() => sideOf(query.get('after'), { kind: 'file' }));
  const [path] = useState(() => query.get('path') ?? '');
  const [handed] = useState(() => query.get('handed') ?? undefined);
  const finish = useFinish();
  const pick = (which: 'before' | 'after', side: Side): void => {
    (which === 'before' ? setBefore : setAfter)(side);
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
        request={{ path, before, after, handed }}
        onPick={handed ? undefined : pick}
        onDone={handed && waits() ? finish : undefined}
      />
    </main>
  );
}

function sideOf(text: string | null, otherwise: Side): Side {
  const found = text === null ? null : parseSide(text);
  return found && found.kind !== 'open' ? found : otherwise;
}
