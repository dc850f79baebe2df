/**
 * What changed in a value: the model of `diff/model.py`, drawn.
 *
 * Everything here is text and pictures that the server made; no value is loaded to show it.
 */
import type { ReactNode } from 'react';
import type { Answer } from '../../wire/client';
import { useHost } from '../host';
import { ArrayDetail } from './ArrayDetail';
import { FrameDetail } from './FrameDetail';
import { Arrow, Bar, Mark, count } from './parts';

type VariableDiff = Answer<'diff-commits'>['variables'][number];
type ValueChange = NonNullable<VariableDiff['value']>;
type Detail = NonNullable<ValueChange['detail']>;

/** One variable that differs. */
export function VariableChange({ variable, open }: { variable: VariableDiff; open?: boolean }): JSX.Element {
  const { trans } = useHost();
  const { before, after, value } = variable;
  const sides = [before, after].filter(side => side !== null);
  const types = [...new Set(sides.map(side => side.type))];
  const showsPreviews = !value || variable.change !== 'changed';
  return (
    <details className={`cellar-change cellar-is-${variable.change}`} open={open}>
      <summary>
        <Mark change={variable.change} />
        <code className="cellar-name">{variable.name}</code>
        <span className="cellar-soft">{types.join(' → ')}</span>
        {value && <Sizes detail={value.detail} />}
      </summary>
      <div className="cellar-inside">
        {variable.renamed_from && (
          <p>
            {trans.__('was called')} <code>{variable.renamed_from}</code>
          </p>
        )}
        {variable.reason && <p className="cellar-warn">{variable.reason}</p>}
        {sides.map(
          (side, index) =>
            side.uncertain && (
              <p key={index} className="cellar-warn">
                {side.uncertain}
              </p>
            )
        )}
        {value && variable.change === 'changed' && <ValueDiff value={value} prefix={variable.name} isTop />}
        {showsPreviews &&
          sides.map(
            (side, index) =>
              side.preview && (
                <pre key={index} tabIndex={0}>
                  {side.preview}
                </pre>
              )
          )}
      </div>
    </details>
  );
}

/** A change and the changes inside it. */
function ValueDiff({ value, prefix, isTop }: { value: ValueChange; prefix: string; isTop?: boolean }): JSX.Element {
  const { trans } = useHost();
  const parts = [...flat(value)];
  const isPlain = !value.detail && parts.length === 0 && !value.more && (value.before !== '' || value.after !== '');
  const types = [value.type_before, value.type_after];
  const body: ReactNode = (
    <>
      {value.notes.length > 0 && <span className="cellar-soft">{value.notes.join('; ')} </span>}
      {isPlain && <OneLine value={value} />}
      {isPlain && types[0] && types[1] && types[0] !== types[1] && (
        <span className="cellar-soft"> {types.join(' → ')}</span>
      )}
      {value.detail && <DetailOf detail={value.detail} />}
      {parts.length > 0 && (
        <ul className="cellar-plain cellar-parts">
          {parts.map((part, index) => (
            <li key={index}>
              <Mark change={part.change} />
              <code>{part.path.startsWith(prefix) ? part.path.slice(prefix.length) : part.path}</code>{' '}
              <ValueDiff value={part} prefix={prefix} />
            </li>
          ))}
        </ul>
      )}
      {value.more > 0 && <p className="cellar-soft">{trans.__('… %1 more', value.more)}</p>}
    </>
  );
  return isTop ? <div className="cellar-value">{body}</div> : <span className="cellar-value">{body}</span>;
}

/** The parts of a change; of those that only hold others, these. */
function* flat(value: ValueChange): Iterable<ValueChange> {
  for (const part of value.parts) {
    if (part.parts.length > 0 && !part.detail && part.notes.length === 0 && !part.more) {
      yield* flat(part);
    } else {
      yield part;
    }
  }
}

function OneLine({ value }: { value: ValueChange }): JSX.Element {
  if (value.change === 'added') {
    return <code className="cellar-new">{value.after}</code>;
  }
  if (value.change === 'removed') {
    return <code className="cellar-old">{value.before}</code>;
  }
  return <Arrow before={value.before} after={value.after} />;
}

function DetailOf({ detail }: { detail: Detail }): JSX.Element {
  switch (detail.type) {
    case 'frame':
      return <FrameDetail detail={detail} />;
    case 'array':
      return <ArrayDetail detail={detail} />;
    case 'text':
      return <TextDetail lines={detail.lines} />;
    case 'picture':
      return <PictureDetail detail={detail} />;
    case 'blocks':
      return <BlocksDetail detail={detail} />;
  }
}

function BlocksDetail({ detail }: { detail: Extract<Detail, { type: 'blocks' }> }): JSX.Element {
  const { trans } = useHost();
  return (
    <p>
      <Bar part={detail.changed_bytes} whole={detail.total_bytes} />
      {trans.__('%1 of %2 stored blocks differ', detail.changed, detail.total)}
    </p>
  );
}

type TextLine = Extract<Detail, { type: 'text' }>['lines'][number];
const LINE_CLASSES: Record<string, string> = { '+': 'cellar-is-plus', '-': 'cellar-is-minus', '…': 'cellar-soft' };

/** A text by its lines, with what is new or gone in a line marked. */
export function TextDetail({ lines }: { lines: readonly TextLine[] }): JSX.Element {
  return (
    <pre className="cellar-lines" tabIndex={0}>
      {lines.map((line, index) => (
        <span key={index} className={LINE_CLASSES[line.mark]}>
          {line.mark} <Marked text={line.text} words={line.words as unknown as [number, number][]} />
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

/** Text with some stretches marked; places count characters as Python does, not UTF-16 units. */
export function Marked({ text, words }: { text: string; words: readonly (readonly [number, number])[] }): JSX.Element {
  if (words.length === 0) {
    return <>{text}</>;
  }
  const letters = [...text];
  const pieces: ReactNode[] = [];
  let done = 0;
  words.forEach(([begin, end], index) => {
    pieces.push(letters.slice(done, begin).join(''), <mark key={index}>{letters.slice(begin, end).join('')}</mark>);
    done = end;
  });
  pieces.push(letters.slice(done).join(''));
  return <>{pieces}</>;
}

function PictureDetail({ detail }: { detail: Extract<Detail, { type: 'picture' }> }): JSX.Element {
  const { trans } = useHost();
  const shown = [
    [trans.__('before'), detail.before],
    [trans.__('after'), detail.after],
    [trans.__('difference'), detail.difference]
  ] as const;
  return (
    <>
      {detail.pixels !== null && <p>{trans.__('%1 of %2 pixels differ', count(detail.pixels), count(detail.of))}</p>}
      <div className="cellar-pictures">
        {shown.map(
          ([word, uri]) =>
            uri.startsWith('data:image/png;base64,') && (
              <figure key={word}>
                <img src={uri} alt={word} />
                <figcaption>{word}</figcaption>
              </figure>
            )
        )}
      </div>
    </>
  );
}

function Sizes({ detail }: { detail: Detail | null }): JSX.Element | null {
  if (detail?.type === 'frame') {
    const before = `${count(detail.rows_before)} × ${count(detail.columns_before)}`;
    const after = `${count(detail.rows_after)} × ${count(detail.columns_after)}`;
    return before === after ? <code>{after}</code> : <Arrow before={before} after={after} />;
  }
  return null;
}
