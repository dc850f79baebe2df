/** A line between an upper and a lower part that can be moved, by mouse and by keyboard. */
interface Props {
  readonly label: string;
  /** How high the lower part is, in per cent of the whole. */
  readonly share: number;
  setShare(share: number): void;
}

const clamp = (share: number) => Math.max(12, Math.min(85, share));

export function Splitter({ label, share, setShare }: Props): JSX.Element {
  const onPointerDown = (event: React.PointerEvent<HTMLDivElement>) => {
    const line = event.currentTarget;
    const box = line.parentElement!.getBoundingClientRect();
    line.setPointerCapture(event.pointerId);
    const move = (moved: PointerEvent) => setShare(clamp((100 * (box.bottom - moved.clientY)) / box.height));
    const end = () => {
      line.removeEventListener('pointermove', move);
      line.removeEventListener('lostpointercapture', end);
    };
    line.addEventListener('pointermove', move);
    line.addEventListener('lostpointercapture', end);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowUp: 5, ArrowDown: -5 }[event.key];
    if (step) {
      event.preventDefault();
      setShare(clamp(share + step));
    }
  };
  return (
    <div
      className="cellar-splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label={label}
      aria-valuenow={Math.round(share)}
      aria-valuemin={12}
      aria-valuemax={85}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
