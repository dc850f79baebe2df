/** `?view=merge&path=NOTEBOOK`, or `?view=merge&given=ID` for a merge that a command handed over. */
import { useCallback, useMemo, useState, type JSX } from 'react';
import { useHost } from '../components/host';
import { MergeView } from '../components/merge/merge_view';
import { FileSource, type MergeSource } from '../components/merge/source';

export default function MergePage(): JSX.Element {
  const { backend, trans } = useHost();
  const [ended, setEnded] = useState(false);
  const source = useMemo(() => {
    const query = new URLSearchParams(window.location.search);
    const [path, given] = [query.get('path') ?? '', query.get('given') ?? ''];
    document.title = path ? `${path.split('/').pop()} · Cellar` : 'Cellar';
    return ending(new FileSource(backend, path, given), () => setEnded(true));
  }, [backend]);
  const onDirty = useCallback((dirty: boolean) => {
    window.onbeforeunload = dirty ? event => event.preventDefault() : null;
  }, []);
  return ended ? (
    <main className="cellar-merge">
      <p className="cellar-merge-hint" role="status">
        {trans.__('Done: the command in the terminal goes on. This page can be closed.')}
      </p>
    </main>
  ) : (
    <main className="cellar-page">
      <MergeView source={source} onDirty={onDirty} />
    </main>
  );
}

function ending(source: FileSource, done: () => void): MergeSource {
  const end = source.end;
  return end
    ? Object.assign(source, {
        end: async () => {
          await end();
          window.onbeforeunload = null;
          done();
        }
      })
    : source;
}
