/**
 * The names of components above their cells.
 *
 * Invariant: they say what the metadata of the cells says, at once and whoever changed it; the server is not asked. The
 * notebook is not touched.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Cellar } from './tokens';
import { followChanges } from './open_pipeline';

const NAME = 'cellar-component-name';

export class ComponentNames {
  constructor(
    private readonly panel: NotebookPanel,
    private readonly cellar: Cellar,
    private readonly act: (cell: string, rename: boolean) => void
  ) {
    const end = followChanges(panel, () => this.soon());
    panel.content.modelContentChanged.connect(this.soon, this);
    panel.disposed.connect(() => {
      this.isOver = true;
      end();
    });
    this.draw();
  }

  private soon(): void {
    if (!this.isAsked) {
      this.isAsked = true;
      requestAnimationFrame(() => {
        this.isAsked = false;
        this.draw();
      });
    }
  }

  private draw(): void {
    if (this.isOver || !this.panel.content.model) {
      return;
    }
    for (const { node, model } of this.panel.content.widgets) {
      drawName(node, nameOf(model.sharedModel.getMetadata('cellar')), this.cellar.trans, rename =>
        this.act(model.id, rename)
      );
    }
  }

  private isAsked = false;
  private isOver = false;
}

/** The name of the component that a cell's metadata says it is, "" for none. */
export function nameOf(cellar: unknown): string {
  const component = (cellar as { component?: unknown } | null | undefined)?.component;
  const name = (component as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name : '';
}

function drawName(node: HTMLElement, name: string, trans: Cellar['trans'], act: (rename: boolean) => void): void {
  const found = node.querySelector<HTMLButtonElement>(`:scope > .${NAME}`);
  node.classList.toggle('cellar-is-component', name !== '');
  if (!name) {
    found?.remove();
    return;
  }
  const button = found ?? document.createElement('button');
  if (found?.textContent === name) {
    return;
  }
  button.type = 'button';
  button.className = NAME;
  button.textContent = name;
  button.title = trans.__('Component %1: show it in the pipeline (F2 renames)', name);
  button.setAttribute('aria-label', trans.__('Component %1', name));
  button.dataset.lmSuppressShortcuts = 'true'; // Enter is for the button, not for the cell
  button.onclick = event => {
    event.stopPropagation();
    act(false);
  };
  button.ondblclick = () => act(true);
  button.onkeydown = event => {
    if (event.key === 'F2') {
      event.preventDefault();
      act(true);
    }
  };
  if (!found) {
    node.append(button);
  }
}
