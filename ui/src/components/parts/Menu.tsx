/**
 * A menu at a place on the screen, by keyboard and mouse; it gives the focus back when it closes.
 *
 * It stands at the end of the page: JupyterLab's panels are contained, and what is fixed in one is placed by the panel.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';

export interface MenuEntry {
  readonly label: string;
  /** Why it cannot be chosen now; nothing: it can. */
  readonly off?: string;
  /** A line above it. */
  readonly apart?: boolean;
  run(): void;
}

interface Props {
  readonly label: string;
  readonly entries: readonly MenuEntry[];
  readonly x: number;
  readonly y: number;
  close(): void;
}

export function Menu({ label, entries, x, y, close }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(() => entries.findIndex(entry => !entry.off));
  const [place, setPlace] = useState({ left: x, top: y });
  useLayoutEffect(() => {
    const own = box.current!;
    const size = own.getBoundingClientRect();
    const left = Math.max(4, Math.min(x, window.innerWidth - size.width - 4));
    const top = Math.max(4, Math.min(y, window.innerHeight - size.height - 4));
    setPlace({ left, top });
    const before = document.activeElement;
    own.focus({ preventScroll: true });
    return () => {
      const now = document.activeElement;
      const isFree = !now || now === document.body || own.contains(now);
      if (isFree && (before instanceof HTMLElement || before instanceof SVGElement)) {
        before.focus({ preventScroll: true });
      }
    };
  }, [x, y]);
  useEffect(() => {
    const away = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) {
        close();
      }
    };
    document.addEventListener('pointerdown', away, true);
    window.addEventListener('blur', close);
    return () => {
      document.removeEventListener('pointerdown', away, true);
      window.removeEventListener('blur', close);
    };
  }, [close]);
  const move = (step: number) => {
    for (let next = active + step, tries = 0; tries < entries.length; next += step, tries++) {
      const index = (next + entries.length) % entries.length;
      if (!entries[index]!.off) {
        setActive(index);
        return;
      }
    }
  };
  const choose = (index: number) => {
    const entry = entries[index];
    if (entry && !entry.off) {
      close();
      entry.run();
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Home: () => setActive(entries.findIndex(entry => !entry.off)),
      Enter: () => choose(active),
      ' ': () => choose(active),
      Escape: close,
      Tab: close
    };
    const step = steps[event.key];
    event.stopPropagation();
    if (step) {
      event.preventDefault();
      step();
    }
  };
  return createPortal(
    <div
      ref={box}
      className="cellar-menu"
      role="menu"
      aria-label={label}
      tabIndex={-1}
      aria-activedescendant={active >= 0 ? `cellar-menu-${active}` : undefined}
      style={place}
      onKeyDown={onKeyDown}
      onContextMenu={event => event.preventDefault()}
    >
      {entries.map((entry, index) => (
        <div
          key={index}
          id={`cellar-menu-${index}`}
          role="menuitem"
          aria-disabled={entry.off ? true : undefined}
          title={entry.off}
          className={`${index === active ? 'cellar-is-active' : ''} ${entry.apart ? 'cellar-is-apart' : ''}`}
          onPointerMove={() => !entry.off && setActive(index)}
          onClick={() => choose(index)}
        >
          {entry.label}
        </div>
      ))}
    </div>,
    document.body
  );
}
