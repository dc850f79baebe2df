/**
 * `OutputView`: one output as the server made it safe: text with colours, pictures, cleaned HTML in a frame in which
 * nothing runs, or the name of what would need a script. Where Jupyter trusts the notebook, its own renderers show it.
 */
import { memo, useEffect, useRef, type JSX } from 'react';
import type { Output } from '../../model/comparison';
import { useHost } from '../host';
import { useDrawn } from '../parts/hooks';
import { cleanedMarkup, styleNonce } from '../parts/nonce';

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
const FRAME_STYLE = `body{margin:4px 8px;font:13px/1.4 system-ui,sans-serif;color:CanvasText;background:transparent}
table{border-collapse:collapse;font-size:12px}td,th{padding:2px 8px;text-align:right;
border-bottom:1px solid color-mix(in srgb,CanvasText 15%,transparent)}thead th{font-weight:600}img{max-width:100%}
pre{white-space:pre-wrap}`;

interface OutputViewProps {
  readonly output: Output;
  /** nbformat's JSON, where the notebook is trusted and the place has renderers of its own. */
  readonly raw?: object;
}

export const OutputView = memo(function OutputView({ output, raw }: OutputViewProps): JSX.Element {
  const { renderOutput } = useHost();
  if (raw && renderOutput) {
    return <Rendered raw={raw} />;
  }
  return <Static output={output} />;
});

function Rendered({ raw }: { raw: object }): JSX.Element {
  const { renderOutput } = useHost();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => renderOutput!(raw, place.current!), [raw, renderOutput]);
  return <div className="cellar-diff-rendered" ref={place} />;
}

function Static({ output }: { output: Output }): JSX.Element {
  const { trans } = useHost();
  const cut = output.cut && <p className="cellar-diff-note">{trans.__('There is more of it than is shown.')}</p>;
  switch (output.form) {
    case 'image':
      return <img className="cellar-diff-picture" src={output.data} alt={trans.__('Output, %1', output.mime)} />;
    case 'html':
      return (
        <>
          <Frame output={output} />
          {cut}
        </>
      );
    case 'json':
      return (
        <>
          <pre className="cellar-diff-output-text">{output.data}</pre>
          {cut}
        </>
      );
    case 'scripted':
      return (
        <p className="cellar-diff-placeholder">
          {trans.__('%1 is shown by a script, which does not run here.', output.mime)}
        </p>
      );
    case 'empty':
      return <p className="cellar-diff-placeholder">{trans.__('Empty output')}</p>;
    default:
      return (
        <>
          <pre className={`cellar-diff-output-text${output.name === 'stderr' ? ' cellar-diff-stderr' : ''}`}>
            {output.spans.map((span, at) => (
              <span key={at} className={classesOf(span)} style={colours(span)}>
                {span.text}
              </span>
            ))}
          </pre>
          {cut}
        </>
      );
  }
}

/** A document of its own, in which nothing runs. Its room is there at once: making it takes longer than its text. */
function Frame({ output }: { output: Output }): JSX.Element {
  const { trans } = useHost();
  const isDrawn = useDrawn();
  const style = { colorScheme: scheme(), height: `${Math.min(420, 40 + 24 * Math.max(1, output.rows))}px` };
  return isDrawn ? (
    <iframe
      className="cellar-diff-html"
      sandbox=""
      title={trans.__('Output, HTML without scripts')}
      ref={place => fill(place, frame(output.data))}
      style={style}
    />
  ) : (
    <div className="cellar-diff-html" style={style} />
  );
}

/** A frame does not see the page's theme. */
function scheme(): 'light' | 'dark' {
  const named = document.body.dataset.jpThemeLight;
  const light = named ? named === 'true' : !window.matchMedia('(prefers-color-scheme: dark)').matches;
  return light ? 'light' : 'dark';
}

/** Give a frame its document, once: React would hand over a plain string, which Trusted Types refuse. */
function fill(place: HTMLIFrameElement | null, html: string): void {
  if (place && place.srcdoc !== html) {
    place.srcdoc = cleanedMarkup(html);
  }
}

function frame(html: string): string {
  const style = `<style nonce="${styleNonce()}">:root{color-scheme:${scheme()}}${FRAME_STYLE}</style>`;
  return `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">${style}${html}`;
}

type Span = Output['spans'][number];

function classesOf(span: Span): string | undefined {
  const found = [
    span.ink && !span.ink.startsWith('#') ? `cellar-ink-${span.ink}` : '',
    span.paper && !span.paper.startsWith('#') ? `cellar-paper-${span.paper}` : '',
    span.bold ? 'cellar-bold' : '',
    span.italic ? 'cellar-italic' : '',
    span.underline ? 'cellar-underline' : ''
  ].filter(Boolean);
  return found.length ? found.join(' ') : undefined;
}

const COLOUR = /^#[0-9a-f]{6}$/;

function colours(span: Span): React.CSSProperties | undefined {
  const color = COLOUR.test(span.ink ?? '') ? span.ink : undefined;
  const backgroundColor = COLOUR.test(span.paper ?? '') ? span.paper : undefined;
  return color || backgroundColor ? { color, backgroundColor } : undefined;
}
