/** One commit in full: its code, outputs and error, what it changed, who signed it. */
import type { Answer } from '../../wire/client';
import type { Entry, Named } from '../../model/history';
import { duration, moment, short, size } from '../../model/words';
import { useHost } from '../host';
import { Code } from '../parts/Code';
import { useRead } from '../parts/hooks';
import { Outputs } from '../parts/Outputs';
import { Problem } from '../parts/states';
import { Mark } from '../values/parts';
import { Chips, kindWords } from './EntryRow';

type Show = Answer<'show'>;
type Output = { readonly output_type?: string };

interface Props {
  readonly path: string;
  readonly entry: Entry;
  readonly names: readonly Named[] | undefined;
  readonly isHead: boolean;
}

export function EntryDetail({ path, entry, names, isHead }: Props): JSX.Element {
  const { trans } = useHost();
  const read = useRead('show', { path, ref: entry.id }, entry.title);
  const show = read.value;
  return (
    <article className="cellar-detail" aria-label={trans.__('commit %1', short(entry.id))} aria-busy={read.isLoading}>
      <header>
        <code className="cellar-name">{short(entry.id)}</code>
        <span className="cellar-soft">
          {kindWords(entry, trans)} {moment(entry.time)}
          {entry.duration_s !== null && ` · ${duration(entry.duration_s)}`}
        </span>
        <Chips names={names} isHead={isHead} />
      </header>
      {read.error !== null && <Problem error={read.error} again={read.again} />}
      {show && <Full show={show} />}
    </article>
  );
}

function Full({ show }: { show: Show }): JSX.Element {
  const { trans } = useHost();
  const { cell, commit } = show;
  return (
    <>
      {commit.message && <p className="cellar-message">{commit.message}</p>}
      {cell && (
        <pre className="cellar-source" tabIndex={0}>
          <Code text={cell.source} />
        </pre>
      )}
      {cell?.error && !cell.outputs.some(output => (output as Output).output_type === 'error') && (
        <p className="cellar-problem">
          <strong>{cell.error.name}</strong> {cell.error.value}
          {cell.error.line > 0 && <span className="cellar-soft"> {trans.__('line %1', cell.error.line)}</span>}
        </p>
      )}
      {cell && cell.outputs.length > 0 && <Outputs outputs={cell.outputs} />}
      {cell && cell.opened_for_writing.length > 0 && (
        <p className="cellar-soft">{trans.__('opened for writing: %1', cell.opened_for_writing.join(', '))}</p>
      )}
      {show.changes.length > 0 && <ChangedVariables changes={show.changes} />}
      {show.notes.map((note, index) => (
        <p key={index} className="cellar-warn">
          {note}
        </p>
      ))}
      <Facts show={show} />
    </>
  );
}

function ChangedVariables({ changes }: { changes: Show['changes'] }): JSX.Element {
  return (
    <ul className="cellar-plain cellar-changed">
      {changes.map(change => {
        const shown = change.after ?? change.before;
        return (
          <li key={change.name}>
            <Mark change={change.change} />
            <code className="cellar-name">{change.name}</code>
            <span className="cellar-soft">{shown?.type}</span>
            <code className="cellar-preview">{shown?.preview}</code>
            {change.after && <span className="cellar-soft">{size(change.after.size_bytes)}</span>}
            {change.after && (change.after.uncertain || change.after.reason) && (
              <span className="cellar-warn">{change.after.uncertain || change.after.reason}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Facts({ show }: { show: Show }): JSX.Element {
  const { trans } = useHost();
  const signers = show.signers.map(signer => `${signer.name || short(signer.key)} (${signer.trust})`).join(', ');
  const facts: [string, string][] = [
    [trans.__('commit'), show.commit.id],
    [trans.__('author'), show.author],
    [trans.__('signed by'), signers],
    [trans.__('git HEAD'), show.git_head],
    [trans.__('document'), show.has_code ? trans.__('recorded') : trans.__('not recorded here')]
  ];
  return (
    <dl className="cellar-facts">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          )
      )}
    </dl>
  );
}
