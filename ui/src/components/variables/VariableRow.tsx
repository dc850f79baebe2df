/** One variable in two lines: name, type, sparkline, size; preview, cell and time. */
import { memo } from 'react';
import type { Lifeline } from '../../model/sparkline';
import { sizeOf, type Line } from '../../model/variables';
import { shape, size, when } from '../../model/words';
import { useHost } from '../host';
import { Icon } from '../parts/icons';
import { Sparkline } from './Sparkline';

export const ROW_HEIGHT = 44;

interface Props {
  readonly line: Line;
  readonly lifeline: Lifeline | undefined;
  readonly length: number;
  readonly isActive: boolean;
  readonly id: string;
}

export const VariableRow = memo(function VariableRow({ line, lifeline, length, isActive, id }: Props): JSX.Element {
  const { trans } = useHost();
  const { variable, entry } = line;
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      className={`cellar-variable ${isActive ? 'cellar-is-active' : ''}`}
    >
      <div className="cellar-variable-line">
        <code className="cellar-name">{variable.name}</code>
        <span className="cellar-soft cellar-cut" title={variable.type}>
          {shortType(variable.type)} {shape(variable.shape)}
        </span>
        {variable.uncertain && (
          <span
            className="cellar-flag cellar-flag-uncertain"
            role="img"
            aria-label={variable.uncertain}
            title={variable.uncertain}
          >
            <Icon name="uncertain" />
          </span>
        )}
        {!variable.stored && (
          <span
            className="cellar-flag"
            role="img"
            aria-label={trans.__('not stored: %1', variable.reason)}
            title={trans.__('not stored: %1', variable.reason)}
          >
            <Icon name="unsaved" />
          </span>
        )}
        <Sparkline line={lifeline} length={length} />
        <span className="cellar-variable-size">{size(sizeOf(variable))}</span>
      </div>
      <div className="cellar-variable-line">
        <code className="cellar-variable-preview">{variable.preview.split('\n')[0]}</code>
        {entry && (
          <span className="cellar-soft">
            {entry.execution_count !== null && <code>[{entry.execution_count}]</code>} {when(entry.time)}
          </span>
        )}
      </div>
    </div>
  );
});

/** `DataFrame` for `pandas.core.frame.DataFrame`. */
export const shortType = (type: string): string => type.slice(type.lastIndexOf('.') + 1);
