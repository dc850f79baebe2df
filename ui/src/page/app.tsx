/** Puts a view of the stand-alone page up. */
import { StrictMode, type ComponentType } from 'react';
import { createRoot } from 'react-dom/client';
import { english, HostProvider } from '../components/host';
import { Client } from '../wire/client';
import type { Transport } from '../wire/transport';

export function show(View: ComponentType, transport: Transport): void {
  const host = { backend: new Client(transport), trans: english };
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <HostProvider value={host}>
        <View />
      </HostProvider>
    </StrictMode>
  );
}
