/** The two histories of a notebook, behind tabs: that of its session, and its commits in git. */
import { useId, useState, type JSX, type KeyboardEvent, type ReactNode } from 'react';
import { useHost } from '../host';
import { ServerNotice } from '../parts/states';

interface Props {
  readonly session: ReactNode;
  readonly git: ReactNode;
}

const TABS = ['session', 'git'] as const;
type Tab = (typeof TABS)[number];

export function HistoryTabs(props: Props): JSX.Element {
  const { trans } = useHost();
  const [tab, setTab] = useState<Tab>('session');
  const id = useId();
  const names: Record<Tab, string> = { session: trans.__('Session'), git: 'git' };
  const move = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const other = tab === 'session' ? 'git' : 'session';
      setTab(other);
      document.getElementById(`${id}-${other}`)?.focus();
    }
  };
  return (
    <div className="cellar-history-tabs">
      <div role="tablist" aria-label={trans.__('Which history')} onKeyDown={move}>
        {TABS.map(name => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={tab === name}
            aria-controls={`${id}-panel`}
            tabIndex={tab === name ? 0 : -1}
            onClick={() => setTab(name)}
          >
            {names[name]}
          </button>
        ))}
      </div>
      <ServerNotice />
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`}>
        {props[tab]}
      </div>
    </div>
  );
}
