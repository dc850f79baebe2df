/** The cross at the end of a line or a toolbar. */
import { useHost } from '../host';
import { Icon } from './icons';

interface Props {
  /** In a line: without a frame. */
  readonly isSmall?: boolean;
  close(): void;
}

export function CloseButton({ isSmall = false, close }: Props): JSX.Element {
  const { trans } = useHost();
  return (
    <button
      className={`${isSmall ? 'cellar-pipeline-remove' : 'cellar-button'} cellar-at-end`}
      aria-label={trans.__('Close')}
      title={trans.__('Close')}
      onClick={close}
    >
      <Icon name="close" />
    </button>
  );
}
