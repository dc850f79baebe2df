/** What the panel needs of the notebook that is open; JupyterLab has it. */
import type { Archive } from '../../model/results';
import type { Answer } from '../../wire/client';

export type Edited = Answer<'pipeline-edit'>;
export type Imported = Answer<'pipeline-import'>;

/** One edit of a pipeline: see `PipelineEdit` in schema/openapi.json. */
export interface Edit {
  readonly kind: 'init' | 'add' | 'remove' | 'rename' | 'connect' | 'disconnect' | 'set' | 'unset' | 'policy';
  readonly component?: string;
  readonly parent?: string;
  readonly child?: string;
  readonly name?: string;
  readonly value?: unknown;
}

/** A notebook at one moment: as it is sent, and what its cells are called where it is open. */
export interface Moment {
  readonly notebook: object;
  readonly ids: readonly string[];
}

export interface OpenNotebook {
  /** The notebook as it is, without outputs; null when it was closed. */
  moment(): Moment | null;
  /** Be told of each change, and of each save (`isSaved`). */
  subscribe(tell: (isSaved: boolean) => void): () => void;
  /** Make what an edit of that moment says, as one step that can be undone. Fails where cells changed meanwhile. */
  change(edited: Edited, sent: Moment): Promise<void>;
  /** The notebook with attachments, for a pipeline file; hasIds: each cell with the id that it has here. */
  whole(hasIds: boolean): Moment | null;
  /** Take in what a file brings, as one step that can be undone. Fails where the notebook changed since `sent`. */
  take(imported: Imported, sent: Moment): Promise<void>;
  /** The id of the cell that is worked on. */
  active(): string | null;
  followActive(tell: () => void): () => void;
  /** Go to a cell; `enter`: the keyboard goes there, too. */
  goTo(id: string, enter: boolean): void;
  /** Whether the file holds the notebook now. */
  save(): Promise<boolean>;
  /** The name of its kernelspec, "" where none is known. */
  kernel(): string;
}

/** What is asked about archives of results; JupyterLab has dialogs for it. */
export interface Archives {
  /** What a new one is to be called; null: none is to be written. */
  name(proposed: string): Promise<string | null>;
  /** The path of one that is there, below the server's root; null: none. */
  choose(notebook: string): Promise<string | null>;
  /** Whether results are taken in, and all who signed them trusted. Only an explicit choice is a yes. */
  agree(archive: Archive): Promise<boolean>;
}
