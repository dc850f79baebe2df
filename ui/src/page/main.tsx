/** The stand-alone page: its address says which view is shown, each view comes when it is asked for. */
import { lazy, StrictMode, Suspense, type ComponentType, type JSX } from 'react';
import { createRoot } from 'react-dom/client';
import { english, HostProvider } from '../components/host';
import { Client } from '../wire/client';
import { transport } from './transport';
import '../../style/page.css';
import '../../style/index.css';

/** What `?view=` may say. A view reads the rest of the address itself. */
const VIEWS: Record<string, () => Promise<{ default: ComponentType }>> = {
  start: () => import('./start'),
  diff: () => import('./diff'),
  merge: () => import('./merge'),
  handed: () => import('./handed')
};

const wanted = new URLSearchParams(window.location.search).get('view') ?? 'start';
const View = lazy(VIEWS[wanted] ?? VIEWS['start']!);
const host = { backend: new Client(transport()), trans: english };

function Page(): JSX.Element {
  return (
    <StrictMode>
      <HostProvider value={host}>
        <Suspense fallback={<p className="cellar-page-wait">{english.__('Loading…')}</p>}>
          <View />
        </Suspense>
      </HostProvider>
    </StrictMode>
  );
}

createRoot(document.getElementById('root')!).render(<Page />);
