/** One line that asks for a name or a text: Enter takes it, Escape leaves it. */
import { useState } from 'react';
import { useHost } from '../host';
import { Problem } from './states';

interface Props {
  readonly label: string;
  readonly action: string;
  readonly begin?: string;
  readonly allowEmpty?: boolean;
  done(text: string): Promise<unknown>;
  cancel(): void;
}

export function AskLine({ label, action, begin = '', allowEmpty, done, cancel }: Props): JSX.Element {
  const { trans } = useHost();
  const [text, setText] = useState(begin);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    if (!text.trim() && !allowEmpty) {
      return;
    }
    setBusy(true);
    try {
      await done(text.trim());
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <form
      className="cellar-ask"
      onSubmit={event => {
        event.preventDefault();
        void send();
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          cancel();
        }
      }}
    >
      <label>
        <span>{label}</span>
        <input
          className="cellar-input"
          autoFocus
          value={text}
          onChange={event => setText(event.target.value)}
          spellCheck={false}
        />
      </label>
      <span className="cellar-ask-buttons">
        <button type="submit" className="cellar-button cellar-is-main" disabled={isBusy}>
          {action}
        </button>
        <button type="button" className="cellar-button" onClick={cancel}>
          {trans.__('Cancel')}
        </button>
      </span>
      {error !== null && <Problem error={error} />}
    </form>
  );
}
