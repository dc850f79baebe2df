/** Work on a document that others go on editing: what comes of it counts only for the document that it was made of. */
import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';

// Somebody who types without a pause, or a cell that prints all the time, is waited for no longer.
const MOST_TURNS = 5;

/** Return what `work` makes of what `read` returns, made again where that is another by then; null if it always is. */
export async function whileUnchanged<T>(read: () => object, work: (held: object) => Promise<T>): Promise<T | null> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const held = read();
    const made = await work(held);
    if (JSONExt.deepEqual(held as ReadonlyPartialJSONValue, read() as ReadonlyPartialJSONValue)) {
      return made;
    }
  }
  return null;
}
