/** One component: how it stands, what it takes and gives, how it is run, its variables. */
import { useState } from 'react';
import { type Component, type Curve, type Drawing, curvesOf } from '../../model/pipeline';
import type { Status } from '../../model/pipeline_run';
import { shape, size, withoutColours } from '../../model/words';
import { useHost } from '../host';
import { useRead } from '../parts/hooks';
import { Icon } from '../parts/icons';
import { Problem } from '../parts/states';
import { shortType } from '../variables/VariableRow';
import { MarkShape, statusWords } from './marks';
import type { Edit } from './open';
import { provenanceWords } from './shapes';

interface Props {
  readonly path: string;
  readonly component: Component;
  readonly drawing: Drawing;
  readonly status: Status;
  readonly proposed: boolean;
  readonly edge: string | null;
  select(id: string): void;
  selectEdge(key: string | null): void;
  removeEdge(key: string): void;
  edit(edit: Edit): void;
  rename(): void;
  goTo(id: string): void;
}

export function ComponentDetail(props: Props): JSX.Element {
  const { component, status, proposed, drawing } = props;
  const { trans } = useHost();
  const unknown = component.after.filter(parent => !drawing.byId.has(parent));
  return (
    <div className="cellar-pipeline-detail">
      <div className="cellar-pipeline-title">
        <span className="cellar-name cellar-cut" title={component.name}>
          {component.name}
        </span>
        <button className="cellar-link" onClick={() => props.goTo(component.id)}>
          {trans.__('cell %1', component.cell)}
        </button>
        {!proposed && (
          <button className="cellar-button cellar-is-small cellar-at-end" onClick={props.rename}>
            {trans.__('Rename…')}
          </button>
        )}
      </div>
      <StatusLine status={status} />
      <Edges {...props} unknown={unknown} />
      {!proposed && <PolicyForm key={component.id} component={component} edit={props.edit} />}
      {status.result !== null && <Variables path={props.path} commit={status.result} />}
    </div>
  );
}

function StatusLine({ status }: { status: Status }): JSX.Element | null {
  const { trans } = useHost();
  if (status.mark === 'none') {
    return null;
  }
  const { error } = status;
  return (
    <div className="cellar-pipeline-status">
      <p>
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <MarkShape mark={status.mark} />
        </svg>{' '}
        {statusWords(status, trans)}
        {status.reason && (
          <span className="cellar-soft">
            {' · '}
            {status.mark === 'done' ? trans.__('before the run: %1', status.reason) : status.reason}
          </span>
        )}
      </p>
      {status.notes.map(note => (
        <p key={note} className="cellar-warn">
          {note}
        </p>
      ))}
      {error && (
        <>
          <p className="cellar-is-removed">
            {error.name}: {error.message}
            {error.line !== null && ` (${trans.__('line %1', error.line)})`}
          </p>
          {error.traceback && (
            <details>
              <summary>{trans.__('Traceback')}</summary>
              <pre tabIndex={0}>{withoutColours(error.traceback)}</pre>
            </details>
          )}
        </>
      )}
    </div>
  );
}

function Edges(props: Props & { readonly unknown: readonly string[] }): JSX.Element | null {
  const { component, drawing, unknown, edit } = props;
  const { trans } = useHost();
  const curves = curvesOf(drawing, component.id);
  if (!curves.length && !unknown.length) {
    return null;
  }
  return (
    <ul className="cellar-plain cellar-pipeline-edges" aria-label={trans.__('Edges')}>
      {curves.map(curve => (
        <EdgeRow key={curve.key} {...props} curve={curve} />
      ))}
      {unknown.map(parent => (
        <li key={parent} className="cellar-is-removed">
          <span className="cellar-cut">{trans.__('after a cell that is no component: %1', parent)}</span>
          <RemoveButton
            label={trans.__('Take the edge from %1 away', parent)}
            remove={() => edit({ kind: 'disconnect', parent, child: component.id })}
          />
        </li>
      ))}
    </ul>
  );
}

function EdgeRow({ curve, component, drawing, edge, select, selectEdge, removeEdge }: Props & { curve: Curve }) {
  const { trans } = useHost();
  const isInto = curve.child === component.id;
  const other = drawing.byId.get(isInto ? curve.parent : curve.child)!.component;
  const canGo = isInto ? component.after.includes(curve.parent) : other.after.includes(component.id);
  return (
    <li className={curve.key === edge ? 'cellar-is-active' : ''} onMouseEnter={() => selectEdge(curve.key)}>
      <span className="cellar-soft">{isInto ? trans.__('from') : trans.__('to')}</span>
      <button
        className="cellar-link"
        onFocus={() => selectEdge(curve.key)}
        onClick={() => select(other.id)}
        onKeyDown={event => event.key === 'Delete' && canGo && removeEdge(curve.key)}
      >
        {other.name}
      </button>
      <code className="cellar-cut" title={curve.names.join(', ')}>
        {curve.names.join(', ')}
      </code>
      <span className="cellar-soft cellar-at-end">{provenanceWords(curve, trans)}</span>
      {canGo && (
        <RemoveButton
          label={
            isInto
              ? trans.__('Take the edge from %1 away', other.name)
              : trans.__('Take the edge to %1 away', other.name)
          }
          remove={() => removeEdge(curve.key)}
        />
      )}
    </li>
  );
}

function RemoveButton({ label, remove }: { label: string; remove: () => void }): JSX.Element {
  return (
    <button className="cellar-pipeline-remove" aria-label={label} title={label} onClick={remove}>
      <Icon name="close" />
    </button>
  );
}

/** How a component is run; what is usual is not written down. */
function PolicyForm({ component, edit }: { component: Component; edit: Props['edit'] }): JSX.Element {
  const { trans } = useHost();
  const { policy } = component;
  const set = (name: string, value: unknown) =>
    edit({ kind: 'policy', component: component.id, value: { [name]: value } });
  return (
    <div className="cellar-pipeline-policy" role="group" aria-label={trans.__('How it is run')}>
      <label title={trans.__('Its results are kept and used again')}>
        <input
          type="checkbox"
          checked={policy.cache}
          onChange={event => set('cache', event.target.checked ? null : false)}
        />
        {trans.__('cache')}
      </label>
      <label title={trans.__('A result that is there is used, whatever changed')}>
        <input
          type="checkbox"
          checked={policy.freeze}
          onChange={event => set('freeze', event.target.checked ? true : null)}
        />
        {trans.__('freeze')}
      </label>
      <NumberField
        label={trans.__('retries')}
        value={policy.retries || null}
        save={value => set('retries', value || null)}
      />
      <NumberField
        label={trans.__('timeout, s')}
        value={policy.timeout_s}
        save={value => set('timeout_s', value || null)}
      />
    </div>
  );
}

interface NumberProps {
  readonly label: string;
  readonly value: number | null;
  save(value: number | null): void;
}

function NumberField({ label, value, save }: NumberProps): JSX.Element {
  const [text, setText] = useState<string | null>(null);
  const take = () => {
    const typed = text?.trim();
    if (typed !== undefined && typed !== String(value ?? '')) {
      save(typed === '' ? null : Number(typed));
    }
    setText(null);
  };
  return (
    <label>
      {label}
      <input
        className="cellar-input"
        type="number"
        min={0}
        value={text ?? value ?? ''}
        onChange={event => setText(event.target.value)}
        onBlur={take}
        onKeyDown={event => event.key === 'Enter' && take()}
      />
    </label>
  );
}

function Variables({ path, commit }: { path: string; commit: string }): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const found = useRead('variables', { path, ref: commit });
  if (found.error !== null) {
    return <Problem error={found.error} again={found.again} />;
  }
  return (
    <section aria-label={trans.__('Variables')}>
      <p className="cellar-pipeline-heading">
        {trans.__('Variables')}
        {host.showVariables && (
          <button className="cellar-button cellar-is-small cellar-at-end" onClick={() => host.showVariables!(commit)}>
            {trans.__('Show all')}
          </button>
        )}
      </p>
      <ul className="cellar-plain cellar-pipeline-variables">
        {(found.value?.variables ?? []).map(variable => (
          <li key={variable.name}>
            <code className="cellar-name">{variable.name}</code>
            <span className="cellar-soft cellar-cut" title={variable.type}>
              {shortType(variable.type)} {shape(variable.shape)}
            </span>
            <code className="cellar-cut">{variable.preview.split('\n')[0]}</code>
            <span className="cellar-soft cellar-at-end">{size(variable.size_bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
