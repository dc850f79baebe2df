/** What became of a part, in a word. */
import type { Words } from '../host';

export function changeWords(trans: Words): Record<'added' | 'removed' | 'changed', string> {
  return { added: trans.__('added'), removed: trans.__('removed'), changed: trans.__('changed') };
}
