/**
 * What other views use of the comparison of notebooks: `NotebookDiff`, all of it with its bar; `OutputView`, one output,
 * safe; what a notebook that is open has to offer.
 */
export type { Live, LiveCell } from './comparing';
export { NotebookDiff } from './NotebookDiff';
export { OutputView } from './OutputView';
