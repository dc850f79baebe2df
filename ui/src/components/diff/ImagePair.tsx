/** Two pictures: beside each other, one wiped over the other, one shining through, or the pixels that differ. */
import { useEffect, useRef, useState, type JSX } from 'react';
import { useHost } from '../host';

type Way = 'side' | 'swipe' | 'onion' | 'difference';
const MOST_PIXELS = 8_000_000;
const VISIBLE = 12; // of 255: less is what another version of a drawing library does to edges

export function ImagePair({ before, after }: { before: string; after: string }): JSX.Element {
  const { trans } = useHost();
  const [way, setWay] = useState<Way>('side');
  const [share, setShare] = useState(50);
  const ways: [Way, string][] = [
    ['side', trans.__('Side by side')],
    ['swipe', trans.__('Swipe')],
    ['onion', trans.__('Onion skin')],
    ['difference', trans.__('Difference')]
  ];
  return (
    <div className="cellar-diff-images">
      <div className="cellar-diff-ways" role="group" aria-label={trans.__('How to compare the pictures')}>
        {ways.map(([name, label]) => (
          <button key={name} type="button" aria-pressed={way === name} onClick={() => setWay(name)}>
            {label}
          </button>
        ))}
        {(way === 'swipe' || way === 'onion') && (
          <input
            type="range"
            min={0}
            max={100}
            value={share}
            aria-label={way === 'swipe' ? trans.__('Where to wipe') : trans.__('How much of the new picture')}
            onChange={event => setShare(Number(event.target.value))}
          />
        )}
      </div>
      {way === 'side' && (
        <div className="cellar-diff-two">
          <img className="cellar-diff-picture" src={before} alt={trans.__('Picture before')} />
          <img className="cellar-diff-picture" src={after} alt={trans.__('Picture after')} />
        </div>
      )}
      {(way === 'swipe' || way === 'onion') && (
        <div className="cellar-diff-stack">
          <img className="cellar-diff-picture" src={before} alt={trans.__('Picture before')} />
          <img
            className="cellar-diff-picture"
            src={after}
            alt={trans.__('Picture after')}
            style={way === 'swipe' ? { clipPath: `inset(0 0 0 ${share}%)` } : { opacity: share / 100 }}
          />
          {way === 'swipe' && <div className="cellar-diff-wipe" style={{ left: `${share}%` }} />}
        </div>
      )}
      {way === 'difference' && <Difference before={before} after={after} />}
    </div>
  );
}

function Difference({ before, after }: { before: string; after: string }): JSX.Element {
  const { trans } = useHost();
  const place = useRef<HTMLCanvasElement>(null);
  const [told, setTold] = useState('');
  useEffect(() => {
    let gone = false;
    const tell = (text: string): void => {
      if (!gone) {
        setTold(text);
      }
    };
    compare(before, after, () => (gone ? null : place.current))
      .then(found =>
        tell(
          found
            ? trans.__('%1 of %2 pixels differ visibly', found.differ.toLocaleString(), found.of.toLocaleString())
            : trans.__('These pictures are too large to be compared here')
        )
      )
      .catch(() => tell(trans.__('These pictures cannot be compared here')));
    return () => {
      gone = true;
    };
  }, [before, after, trans]);
  return (
    <div>
      <canvas ref={place} className="cellar-diff-picture" aria-label={trans.__('Pixels that differ')} role="img" />
      <p className="cellar-diff-note" role="status">
        {told}
      </p>
    </div>
  );
}

async function compare(
  before: string,
  after: string,
  place: () => HTMLCanvasElement | null
): Promise<{ differ: number; of: number } | null> {
  const [old, fresh] = await Promise.all([load(before), load(after)]);
  const width = Math.max(old.naturalWidth, fresh.naturalWidth, 1);
  const height = Math.max(old.naturalHeight, fresh.naturalHeight, 1);
  const canvas = place();
  if (!canvas || width * height > MOST_PIXELS) {
    return null;
  }
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const pixels = (image: HTMLImageElement): Uint8ClampedArray => {
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, width, height).data;
  };
  const [a, b] = [pixels(old), pixels(fresh)];
  const drawn = context.createImageData(width, height);
  let differ = 0;
  for (let at = 0; at < a.length; at += 4) {
    const apart = Math.max(
      Math.abs(a[at]! - b[at]!),
      Math.abs(a[at + 1]! - b[at + 1]!),
      Math.abs(a[at + 2]! - b[at + 2]!)
    );
    const grey = 215 + 0.15 * ((b[at]! + b[at + 1]! + b[at + 2]!) / 3);
    const is = apart > VISIBLE;
    differ += is ? 1 : 0;
    drawn.data[at] = is ? 214 : grey;
    drawn.data[at + 1] = is ? 40 : grey;
    drawn.data[at + 2] = is ? 110 : grey;
    drawn.data[at + 3] = 255;
  }
  context.putImageData(drawn, 0, 0);
  return { differ, of: width * height };
}

function load(source: string): Promise<HTMLImageElement> {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => failed(new Error('no picture'));
    image.src = source;
  });
}
