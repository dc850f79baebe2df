/**
 * What other views use of the comparison of notebooks:
 * - `NotebookDiff`: all of it, with its bar.
 * - `CellPair`: two cells; `SourceDiff`: two texts; `OutputView`: one output, safe. `CellPair` and what asks for outputs
 *   stand inside of a `ComparingProvider`.
 * - `VirtualList`: a long list of rows of unequal height.
 */
export { CellPair } from './CellPair';
export { Chip, nameNoise, States } from './Chips';
export { ComparingProvider, type Comparing, type Live, type LiveCell } from './comparing';
export { ImagePair } from './ImagePair';
export { NotebookDiff, type NotebookDiffProps } from './NotebookDiff';
export { OutputView } from './OutputView';
export { SourceDiff, type Layout } from './SourceDiff';
export { VirtualList, type VirtualListHandle } from './VirtualList';
