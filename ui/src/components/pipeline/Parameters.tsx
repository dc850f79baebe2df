/** The parameters of a pipeline: their values, checked against their types; new ones; those that cells set. */
import { useState } from 'react';
import { isName, textOf, valueOf, valueOfNew } from '../../model/parameters';
import type { Parameter } from '../../model/pipeline';
import { useHost } from '../host';
import { Icon } from '../parts/icons';
import type { Edit } from './open';

interface Props {
  readonly parameters: readonly Parameter[];
  nameOf(id: string): string;
  edit(edit: Edit): Promise<boolean>;
  /** Go to the cell of that number. */
  goToCell(cell: number): void;
}

export function Parameters({ parameters, nameOf, edit, goToCell }: Props): JSX.Element {
  const { trans } = useHost();
  return (
    <div className="cellar-pipeline-parameters">
      {parameters.length === 0 && <p className="cellar-soft">{trans.__('No parameters yet.')}</p>}
      {parameters.map(parameter => (
        <Row key={parameter.name} {...{ parameter, nameOf, edit, goToCell }} />
      ))}
      <NewParameter taken={parameters.map(({ name }) => name)} edit={edit} />
    </div>
  );
}

type RowProps = Omit<Props, 'parameters'> & { readonly parameter: Parameter };

function Row({ parameter, nameOf, edit, goToCell }: RowProps): JSX.Element {
  const { trans } = useHost();
  const { name, type, cell } = parameter;
  const written = textOf(parameter.value, type);
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState('');
  const users = parameter.used_by.map(nameOf).join(', ');
  const take = async () => {
    if (text === null || text === written) {
      setText(null);
      setWrong('');
      return;
    }
    const typed = valueOf(text, type);
    if ('wrong' in typed) {
      setWrong(trans.__('%1 is of the type %2', name, type));
      return;
    }
    setWrong('');
    if (await edit({ kind: 'set', name, value: typed.value })) {
      setText(null);
    }
  };
  return (
    <div className="cellar-pipeline-parameter">
      <div className="cellar-pipeline-parameter-line">
        <code className="cellar-name cellar-cut" title={users ? trans.__('used by %1', users) : trans.__('not used')}>
          {name}
        </code>
        {cell === null ? (
          <input
            className="cellar-input"
            aria-label={trans.__('Value of %1 (%2)', name, type)}
            aria-invalid={wrong !== ''}
            value={text ?? written}
            spellCheck={false}
            onChange={event => setText(event.target.value)}
            onBlur={() => void take()}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                void take();
              } else if (event.key === 'Escape') {
                event.stopPropagation();
                setText(null);
                setWrong('');
              }
            }}
          />
        ) : (
          <>
            <code className="cellar-cut">{written}</code>
            <button className="cellar-link" onClick={() => goToCell(cell)}>
              {trans.__('set in cell %1', cell)}
            </button>
          </>
        )}
        <span className="cellar-soft">{type}</span>
        {cell === null && (
          <button
            className="cellar-pipeline-remove"
            aria-label={trans.__('Remove %1', name)}
            title={trans.__('Remove %1', name)}
            onClick={() => void edit({ kind: 'unset', name })}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      <Wrong text={wrong} />
    </div>
  );
}

function NewParameter({ taken, edit }: { taken: readonly string[]; edit: Props['edit'] }): JSX.Element {
  const { trans } = useHost();
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const add = async () => {
    if (!isName(name.trim())) {
      setWrong(trans.__('A parameter has the name of a variable'));
    } else if (taken.includes(name.trim())) {
      setWrong(trans.__('There is a parameter %1', name.trim()));
    } else if (await edit({ kind: 'set', name: name.trim(), value: valueOfNew(text) })) {
      setName('');
      setText('');
      setWrong('');
    }
  };
  return (
    <form
      className="cellar-pipeline-parameter"
      onSubmit={event => {
        event.preventDefault();
        void add();
      }}
    >
      <div className="cellar-pipeline-parameter-line">
        <input
          className="cellar-input"
          aria-label={trans.__('Name of a new parameter')}
          placeholder={trans.__('name')}
          value={name}
          spellCheck={false}
          onChange={event => setName(event.target.value)}
        />
        <input
          className="cellar-input"
          aria-label={trans.__('Value of the new parameter')}
          placeholder={trans.__('value')}
          value={text}
          spellCheck={false}
          onChange={event => setText(event.target.value)}
        />
        <button className="cellar-button" type="submit" disabled={!name.trim()}>
          {trans.__('Add')}
        </button>
      </div>
      <Wrong text={wrong} />
    </form>
  );
}

function Wrong({ text }: { text: string }): JSX.Element | null {
  return text ? (
    <p className="cellar-is-removed" role="alert">
      {text}
    </p>
  ) : null;
}
