/** The merge view as a widget of JupyterLab or Notebook 7, and the line in a notebook that leads to it. */
import { Dialog, MainAreaWidget, showDialog } from '@jupyterlab/apputils';
import { LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { JSX } from 'react';
import { HostProvider, type Host } from '../components/host';
import { MergeView } from '../components/merge/merge_view';
import type { MergeSource } from '../components/merge/source';
import type { MergeSaved } from '../model/merge';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><g class="jp-icon3" fill="none"
 stroke="#616161" stroke-width="1.5"><circle cx="4" cy="3.5" r="1.8"/><circle cx="12" cy="3.5" r="1.8"/>
<circle cx="8" cy="12.5" r="1.8"/><path d="M4 5.3C4 8.5 8 7.5 8 10.7M12 5.3C12 8.5 8 7.5 8 10.7"/></g></svg>`;

export const mergeIcon = new LabIcon({ name: 'nbcellar-lab:merge', svgstr: SVG });

/** The view; it asks before decisions are lost. */
export class MergeWidget extends ReactWidget {
  constructor(
    private readonly host: Host,
    private readonly source: MergeSource,
    private readonly onSaved: (saved: MergeSaved) => void
  ) {
    super();
    this.addClass('cellar-merge-widget');
    this.node.tabIndex = -1; // takes the keys until the view is there, which takes them from it
  }

  protected override onActivateRequest(): void {
    (this.node.querySelector<HTMLElement>('.cellar-merge') ?? this.node).focus();
  }

  /** Decisions that are not in the notebook yet would be lost. */
  dirty = false;

  protected override render(): JSX.Element {
    return (
      <HostProvider value={this.host}>
        <MergeView
          source={this.source}
          saveLabel={this.host.trans.__('Apply and save')}
          onDirty={this.noteDirty}
          onSaved={this.onSaved}
          ask={question => confirm(this.host, question)}
        />
      </HostProvider>
    );
  }

  private readonly noteDirty = (dirty: boolean): void => {
    this.dirty = dirty;
  };
}

/** The view as a document of the main area. */
export class MergePanel extends MainAreaWidget<MergeWidget> {
  constructor(
    content: MergeWidget,
    private readonly host: Host
  ) {
    super({ content });
    this.toolbar.hide();
  }

  protected override onCloseRequest(message: Message): void {
    void mayLeave(this.content, this.host).then(yes => {
      if (yes && !this.isDisposed) {
        super.onCloseRequest(message);
        this.dispose();
      }
    });
  }
}

/** The view over all of a window, where there is no place beside the notebook. */
export class MergeOverlay extends Widget {
  constructor(
    private readonly content: MergeWidget,
    private readonly host: Host
  ) {
    super();
    this.addClass('cellar-merge-overlay');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-modal', 'true');
    this.node.setAttribute('aria-label', host.trans.__('Merge'));
    const close = document.createElement('button');
    close.className = 'cellar-merge-close jp-mod-styled';
    close.textContent = host.trans.__('Back to the notebook');
    close.onclick = () => void this.leave();
    this.node.append(close);
  }

  protected override onAfterAttach(): void {
    if (!this.content.isAttached) {
      Widget.attach(this.content, this.node);
      this.content.activate();
    }
  }

  private async leave(): Promise<void> {
    if (await mayLeave(this.content, this.host)) {
      this.dispose();
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.content.dispose();
      super.dispose();
    }
  }
}

/** A line above the cells of a notebook: what is with it, and a button. */
export class Banner extends Widget {
  constructor() {
    super();
    this.addClass('cellar-merge-banner');
    this.node.setAttribute('role', 'status');
    this.node.append(this.text, this.button);
    this.button.className = 'jp-mod-styled jp-mod-accept';
  }

  say(text: string, label: string, action: () => void): void {
    this.text.textContent = text;
    this.button.textContent = label;
    this.button.onclick = action;
  }

  private readonly text = document.createElement('span');
  private readonly button = document.createElement('button');
}

async function mayLeave(content: MergeWidget, host: Host): Promise<boolean> {
  return (
    !content.dirty ||
    (await confirm(host, host.trans.__('What was decided is not in the notebook yet. Leave all the same?')))
  );
}

export async function confirm(host: Host, question: string): Promise<boolean> {
  const answer = await showDialog({
    title: host.trans.__('Merge'),
    body: question,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: host.trans.__('Yes') })]
  });
  return answer.button.accept;
}
