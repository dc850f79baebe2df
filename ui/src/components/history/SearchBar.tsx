/** Search and filters of the history. */
import { forwardRef } from 'react';
import type { Query, SearchKind } from '../../model/search';
import { useHost } from '../host';
import { Icon } from '../parts/icons';

interface Props {
  readonly query: Query;
  readonly isBusy: boolean;
  /** How many entries are shown and how many there are. */
  readonly counts: string;
  setQuery(query: Query): void;
  down(): void;
}

export const SearchBar = forwardRef<HTMLInputElement, Props>(function SearchBar(props, input) {
  const { query, setQuery } = props;
  const { trans } = useHost();
  const kinds: [SearchKind, string][] = [
    ['text', trans.__('everywhere')],
    ['code', trans.__('code')],
    ['output', trans.__('outputs')],
    ['variable', trans.__('variable')],
    ['message', trans.__('messages')],
    ['name', trans.__('tags, branches')]
  ];
  const filters: ['onlyNamed' | 'onlyFailed' | 'onlyLine', string, string][] = [
    ['onlyNamed', trans.__('named'), trans.__('Only commits with a message, a branch or a tag')],
    ['onlyFailed', trans.__('failed'), trans.__('Only cells that failed')],
    ['onlyLine', trans.__('this branch'), trans.__('Only what led to now')]
  ];
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape' && query.text) {
      event.stopPropagation();
      setQuery({ ...query, text: '' });
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      props.down();
    }
  };
  return (
    <div className="cellar-search" role="search">
      <div className="cellar-search-line">
        <Icon name="search" />
        <input
          ref={input}
          className="cellar-input"
          type="text"
          aria-label={trans.__('Search the history')}
          placeholder={query.kind === 'variable' ? trans.__('name of a variable') : trans.__('Search')}
          value={query.text}
          aria-busy={props.isBusy}
          spellCheck={false}
          onChange={event => setQuery({ ...query, text: event.target.value })}
          onKeyDown={onKeyDown}
        />
        <select
          className="cellar-input"
          aria-label={trans.__('Where to search')}
          value={query.kind}
          onChange={event => setQuery({ ...query, kind: event.target.value as SearchKind })}
        >
          {kinds.map(([kind, word]) => (
            <option key={kind} value={kind}>
              {word}
            </option>
          ))}
        </select>
      </div>
      <div className="cellar-search-line">
        {filters.map(([key, word, title]) => (
          <button
            key={key}
            className="cellar-toggle"
            aria-pressed={query[key]}
            title={title}
            onClick={() => setQuery({ ...query, [key]: !query[key] })}
          >
            {word}
          </button>
        ))}
        <span className="cellar-counts" role="status">
          {props.counts}
        </span>
      </div>
    </div>
  );
});
