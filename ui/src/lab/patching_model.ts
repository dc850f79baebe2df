/**
 * The change of a shared notebook into another one, in one transaction: what `patching.ts` does, without a widget.
 *
 * Invariant: cells keep their identity where id and type are the same and they need not move past others; of all ways
 * to order the rest, the one that moves the fewest. A transaction is one step of the notebook's undo.
 */
import type { ISharedCell, ISharedCodeCell, ISharedNotebook, YBaseCell, YNotebook } from '@jupyter/ydoc';
import { JSONExt, type PartialJSONValue, type ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { longestRise } from '../model/order';

/** A cell of an nbformat 4 notebook. */
export interface CellJson {
  readonly id?: string;
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly metadata?: ReadonlyPartialJSONObject;
  readonly outputs?: readonly ReadonlyPartialJSONObject[];
  readonly execution_count?: number | null;
  readonly attachments?: ReadonlyPartialJSONObject;
}

/** An nbformat 4 notebook. */
export interface NotebookJson {
  readonly cells: readonly CellJson[];
  readonly metadata: ReadonlyPartialJSONObject;
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

/** What was done: how many cells stayed as they were, got another content, came, went, and stand elsewhere. */
export interface Patched {
  readonly same: number;
  readonly changed: number;
  readonly inserted: number;
  readonly removed: number;
  readonly moved: number;
}

// Of the notebook's metadata these say which kernel runs, which no other version of the text changes.
const OF_THE_KERNEL = ['kernelspec', 'language_info'];

/** Make `model` into `wanted` in one transaction. `trusted`: outputs that come may show what they like. */
export function patchModel(model: ISharedNotebook, wanted: NotebookJson, options: { trusted: boolean }): Patched {
  const cells = [...model.cells]; // the model lists the cells as they were until the transaction ends
  const partner = pair(cells, wanted.cells);
  const stays = new Set(longestRise(partner));
  const kept = new Set([...stays].map(at => partner[at]!));
  const metadata = notebookMetadata(model, wanted);
  const { undoManager, ymeta } = model as YNotebook;
  if (metadata) {
    // Only where it differs: from then on whatever Lab changes there, the name of the kernel too, is undone with cells.
    undoManager.addToScope(ymeta);
  }
  const paired = partner.filter(index => index >= 0).length;
  const removed = cells.length - paired;
  let changed = 0;
  undoManager.stopCapturing(); // what was done half a second before is another step
  model.transact(() => {
    for (let index = cells.length - 1; index >= 0; index--) {
      if (!kept.has(index)) {
        model.deleteCell(index);
      }
    }
    wanted.cells.forEach((cell, at) => {
      if (!stays.has(at)) {
        model.insertCell(at, forInsertion(cell, options.trusted) as never);
      } else if (update(cells[partner[at]!]!, cell)) {
        changed++;
      }
    });
    if (metadata) {
      model.setMetadata(metadata as never);
      dropMissing(model, metadata);
    }
    if (wanted.nbformat === 4 && wanted.nbformat_minor > model.nbformat_minor) {
      (model as YNotebook).nbformat_minor = wanted.nbformat_minor;
    }
  });
  undoManager.stopCapturing();
  return {
    same: stays.size - changed,
    changed,
    inserted: wanted.cells.length - paired,
    removed,
    moved: paired - stays.size
  };
}

/** The indices of the code cells of `model` that stay and get other outputs once it is `wanted`. */
export function outputsToCome(model: ISharedNotebook, wanted: NotebookJson): number[] {
  const cells = [...model.cells];
  return pair(cells, wanted.cells)
    .map((index, at) => ({ cell: cells[index], index, outputs: wanted.cells[at]!.outputs ?? [] }))
    .filter(
      ({ cell, outputs }) =>
        cell?.cell_type === 'code' &&
        !same((cell as ISharedCodeCell).getOutputs().map(plainOutput), outputs.map(plainOutput))
    )
    .map(({ index }) => index);
}

/** For each wanted cell, the index of the cell that becomes it, -1 for none: by id, without ids by content. */
function pair(cells: readonly ISharedCell[], wanted: readonly CellJson[]): number[] {
  const free = new Map<string, number>();
  cells.forEach((cell, index) => free.set(`${cell.cell_type} ${cell.getId()}`, index));
  const found = wanted.map(cell => take(free, `${cell.cell_type} ${cell.id ?? ''}`));
  const alike = new Map<string, number[]>();
  for (const index of free.values()) {
    const key = contentKey(cells[index]!.cell_type, cells[index]!.getSource());
    alike.set(key, [...(alike.get(key) ?? []), index]);
  }
  return found.map((index, at) => {
    const cell = wanted[at]!;
    return index >= 0 || cell.id !== undefined
      ? index
      : (alike.get(contentKey(cell.cell_type, text(cell.source)))?.shift() ?? -1);
  });
}

function take(free: Map<string, number>, key: string): number {
  const index = free.get(key) ?? -1;
  free.delete(key);
  return index;
}

function contentKey(type: string, source: string): string {
  return `${type} ${source}`;
}

/** Make a cell into `wanted`; return whether anything differed. */
function update(cell: ISharedCell, wanted: CellJson): boolean {
  const parts = [updateSource(cell, text(wanted.source)), updateMetadata(cell, wanted.metadata ?? {})];
  if (cell.cell_type === 'code') {
    parts.push(updateRun(cell as ISharedCodeCell, wanted));
  } else {
    parts.push(updateAttachments(cell, wanted));
  }
  return parts.includes(true);
}

/** Replace what lies between the common beginning and end, so that a cursor elsewhere in the cell stays. */
function updateSource(cell: ISharedCell, wanted: string): boolean {
  const present = cell.getSource();
  if (present === wanted) {
    return false;
  }
  const shorter = Math.min(present.length, wanted.length);
  let start = 0;
  while (start < shorter && present[start] === wanted[start]) {
    start++;
  }
  let end = 0;
  while (end < shorter - start && present[present.length - 1 - end] === wanted[wanted.length - 1 - end]) {
    end++;
  }
  cell.updateSource(start, present.length - end, wanted.slice(start, wanted.length - end));
  return true;
}

function updateMetadata(cell: ISharedCell, wanted: ReadonlyPartialJSONObject): boolean {
  const present = without(cell.getMetadata() as ReadonlyPartialJSONObject, ['trusted']);
  const target = mirrored(without(wanted, ['trusted']));
  if (same(present, target)) {
    return false;
  }
  for (const key of Object.keys(present)) {
    if (!(key in target)) {
      cell.deleteMetadata(key);
    }
  }
  for (const [key, value] of Object.entries(target)) {
    if (!same(present[key], value)) {
      cell.setMetadata(key, value as PartialJSONValue);
    }
  }
  return true;
}

/** Whether outputs are folded is said twice in a shared cell; a file may say it once. */
function mirrored(metadata: ReadonlyPartialJSONObject): ReadonlyPartialJSONObject {
  const jupyter = metadata.jupyter as ReadonlyPartialJSONObject | undefined;
  if (metadata.collapsed !== undefined) {
    return { ...metadata, jupyter: { ...jupyter, outputs_hidden: metadata.collapsed } };
  }
  return jupyter?.outputs_hidden !== undefined ? { ...metadata, collapsed: jupyter.outputs_hidden } : metadata;
}

function updateRun(cell: ISharedCodeCell, wanted: CellJson): boolean {
  const count = wanted.execution_count ?? null;
  const counted = cell.execution_count !== count;
  if (counted) {
    cell.execution_count = count;
  }
  const present = cell.getOutputs().map(plainOutput);
  const target = (wanted.outputs ?? []).map(plainOutput);
  if (same(present, target)) {
    return counted;
  }
  let start = 0;
  while (start < present.length && same(present[start], target[start])) {
    start++;
  }
  // To the end: Lab appends outputs that are inserted, wherever that was.
  cell.updateOutputs(start, present.length, target.slice(start) as never);
  return true;
}

function updateAttachments(cell: ISharedCell, wanted: CellJson): boolean {
  const attached = cell as ISharedCell & { attachments?: unknown };
  if (same(attached.attachments ?? {}, wanted.attachments ?? {})) {
    return false;
  }
  attached.attachments = wanted.attachments;
  return true;
}

function forInsertion(cell: CellJson, trusted: boolean): CellJson {
  const metadata: ReadonlyPartialJSONObject = {
    ...without(cell.metadata ?? {}, ['trusted']),
    ...(trusted && cell.cell_type === 'code' ? { trusted: true } : {})
  };
  const outputs = cell.cell_type === 'code' ? { outputs: (cell.outputs ?? []).map(plainOutput) } : {};
  return { ...cell, ...outputs, source: text(cell.source), metadata } as CellJson;
}

/** The metadata to set, undefined where it is as wanted. */
function notebookMetadata(model: ISharedNotebook, wanted: NotebookJson): ReadonlyPartialJSONObject | undefined {
  const present = model.getMetadata() as ReadonlyPartialJSONObject;
  const own = Object.fromEntries(Object.entries(present).filter(([key]) => OF_THE_KERNEL.includes(key)));
  const target = { ...without(wanted.metadata, [...OF_THE_KERNEL, 'orig_nbformat']), ...own };
  return same(present, target) ? undefined : target;
}

function dropMissing(model: ISharedNotebook, metadata: ReadonlyPartialJSONObject): void {
  const held = (model as YNotebook).ymeta.get('metadata') as YBaseCell<never>['ymodel'];
  for (const key of [...held.keys()]) {
    if (!(key in metadata)) {
      held.delete(key);
    }
  }
}

/** An output with its text in one piece, as shared models hold it. */
function plainOutput(output: unknown): ReadonlyPartialJSONObject {
  const plain = output as ReadonlyPartialJSONObject & { text?: string | readonly string[] };
  return plain.output_type === 'stream' ? { ...plain, text: text(plain.text ?? '') } : plain;
}

function text(source: string | readonly string[]): string {
  return typeof source === 'string' ? source : source.join('');
}

function without(held: ReadonlyPartialJSONObject, names: readonly string[]): ReadonlyPartialJSONObject {
  return Object.fromEntries(Object.entries(held).filter(([key]) => !names.includes(key)));
}

function same(one: unknown, other: unknown): boolean {
  return JSONExt.deepEqual((one ?? null) as PartialJSONValue, (other ?? null) as PartialJSONValue);
}
