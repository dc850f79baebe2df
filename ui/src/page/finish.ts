/** A command may wait for the page: then the page says when it is done with. */
import { useCallback } from 'react';
import { useHost } from '../components/host';

export function waits(): boolean {
  return new URLSearchParams(window.location.search).has('wait');
}

/** Return what tells the command to go on, and what to do with this tab then. */
export function useFinish(): () => void {
  const { backend, trans } = useHost();
  return useCallback(() => {
    const leave = (): void => {
      window.close(); // works only in a tab that a program opened
      const said = document.createElement('p');
      said.className = 'cellar-page-wait';
      said.setAttribute('role', 'status');
      said.textContent = trans.__('Done: this tab can be closed.');
      document.body.replaceChildren(said);
    };
    backend.post('finish', { path: '' }).then(leave, leave); // gone already is done, too
  }, [backend, trans]);
}
