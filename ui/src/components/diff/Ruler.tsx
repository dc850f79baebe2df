/** The whole comparison on a strip: where what changed, and what is in view. The keyboard goes by n and p instead. */
import { useCallback, type JSX } from 'react';

export interface Mark {
  readonly kind: string;
  /** Shares of the whole. */
  readonly from: number;
  readonly to: number;
}

interface RulerProps {
  readonly marks: readonly Mark[];
  readonly view: readonly [number, number];
  readonly onGo: (share: number) => void;
}

export function Ruler({ marks, view, onGo }: RulerProps): JSX.Element {
  const go = useCallback(
    (event: React.PointerEvent<HTMLDivElement>) => {
      if (event.buttons & 1) {
        const box = event.currentTarget.getBoundingClientRect();
        onGo(Math.min(1, Math.max(0, (event.clientY - box.top) / box.height)));
      }
    },
    [onGo]
  );
  return (
    <div className="cellar-diff-ruler" aria-hidden="true" onPointerDown={go} onPointerMove={go}>
      {marks.map((mark, at) => (
        <i
          key={at}
          className={`cellar-diff-mark-${mark.kind}`}
          style={{ top: `${mark.from * 100}%`, height: `max(3px, ${(mark.to - mark.from) * 100}%)` }}
        />
      ))}
      <b style={{ top: `${view[0] * 100}%`, height: `${Math.max(0, view[1] - view[0]) * 100}%` }} />
    </div>
  );
}
