/** Where a merge comes from and goes to: the page's routes, or a notebook that is open in JupyterLab. */
import type { Decision, MergeLook, MergeResult, MergeSaved } from '../../model/merge';
import type { Backend } from '../../wire/client';

export interface Asked {
  readonly decisions: readonly Decision[];
  readonly back: readonly string[];
}

export interface MergeSource {
  look(signal?: AbortSignal): Promise<MergeLook>;
  /** The notebook with decisions taken; nothing is written. */
  result(asked: Asked): Promise<MergeResult>;
  save(look: MergeLook, asked: Asked): Promise<MergeSaved>;
  /** Merge again, cell by cell, what git left as text, or as one side alone. */
  again(look: MergeLook): Promise<void>;
  /** Tell git that nothing is left to decide. */
  resolve(): Promise<MergeSaved>;
  /** Be told when what `look` gives is another one. */
  subscribe(changed: () => void): () => void;
  /** Leave, where a command waits for what comes of it. */
  end?(): Promise<void>;
}

/** A notebook's file, or a merge that a command handed over (`given`). */
export class FileSource implements MergeSource {
  constructor(
    private readonly backend: Backend,
    private readonly path: string,
    private readonly given = ''
  ) {
    if (given) {
      this.end = async () => {
        await backend.post('merge-end', { path: '', given });
      };
    }
  }

  look(signal?: AbortSignal): Promise<MergeLook> {
    return this.backend.read('merge', { path: this.path, given: this.given }, signal);
  }

  result(asked: Asked): Promise<MergeResult> {
    return this.backend.post('merge-result', { path: this.path, given: this.given, shown: true, ...asked });
  }

  save(look: MergeLook, asked: Asked): Promise<MergeSaved> {
    return this.backend.post('merge-save', { path: this.path, given: this.given, version: look.version, ...asked });
  }

  async again(look: MergeLook): Promise<void> {
    if (look.state === 'text') {
      await this.backend.post('merge-fix', { path: this.path });
    } else {
      await this.backend.post('merge-again', { path: this.path, version: look.version });
    }
  }

  resolve(): Promise<MergeSaved> {
    return this.backend.post('merge-resolved', { path: this.path });
  }

  subscribe(changed: () => void): () => void {
    // Of a merge that was handed over only this page knows; the socket tells the command that the page is open.
    return this.backend.subscribe(this.path, event => {
      if (!this.given && event.event !== 'kernel') {
        changed();
      }
    });
  }

  readonly end?: () => Promise<void>;
}
