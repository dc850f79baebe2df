/** A comparison of notebooks in the main area; it follows the open notebook behind its second side, and edits it. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Message } from '@lumino/messaging';
import type { JSX } from 'react';
import { NotebookDiff } from '../components/diff';
import { HostProvider, type Host } from '../components/host';
import { nameSide, type Side } from '../model/sides';
import { LiveNotebook } from './live';

export interface Sides {
  readonly path: string;
  readonly before: Side;
  readonly after: Side;
}

export class DiffWidget extends ReactWidget {
  constructor(
    private readonly host: Host,
    private readonly tracker: INotebookTracker,
    private readonly localPath: (path: string) => string,
    private sides: Sides
  ) {
    super();
    this.addClass('cellar-diff-widget');
    this.node.tabIndex = -1; // has the focus until there is something to show
    this.follow(this.panel());
    tracker.widgetAdded.connect(this.look, this);
    tracker.currentChanged.connect(this.look, this);
    this.name();
  }

  get shown(): Sides {
    return this.sides;
  }

  override dispose(): void {
    this.tracker.widgetAdded.disconnect(this.look, this);
    this.tracker.currentChanged.disconnect(this.look, this);
    this.followed?.disposed.disconnect(this.closed, this);
    super.dispose();
  }

  protected override render(): JSX.Element {
    return (
      <HostProvider value={this.host}>
        <NotebookDiff request={this.sides} live={this.live} canBeOpen={this.live !== null} onPick={this.pick} />
      </HostProvider>
    );
  }

  protected override onActivateRequest(_: Message): void {
    (this.node.querySelector<HTMLElement>('.cellar-diff-scroller') ?? this.node).focus();
  }

  private readonly pick = (which: 'before' | 'after', side: Side): void => {
    this.sides = { ...this.sides, [which]: side };
    this.name();
    this.update();
  };

  private name(): void {
    const { path, before, after } = this.sides;
    const { trans } = this.host;
    this.title.label = trans.__('%1 (changes)', path.split('/').pop());
    this.title.caption = `${path}\n${nameSide(before, trans)} → ${nameSide(after, trans)}`;
    this.title.closable = true;
  }

  private panel(): NotebookPanel | null {
    return this.tracker.find(panel => this.localPath(panel.context.path) === this.sides.path) ?? null;
  }

  /** A notebook was opened or closed: is it this one? */
  private look(): void {
    const panel = this.panel();
    if (panel !== this.followed) {
      this.follow(panel);
      this.update();
    }
  }

  private follow(panel: NotebookPanel | null): void {
    this.followed?.disposed.disconnect(this.closed, this);
    this.followed = panel;
    this.live = panel ? new LiveNotebook(panel) : null;
    panel?.disposed.connect(this.closed, this);
    const side: Side = { kind: 'file' };
    if (!panel && (this.sides.after.kind === 'open' || this.sides.before.kind === 'open')) {
      const { path, before, after } = this.sides;
      this.sides = {
        path,
        before: before.kind === 'open' ? side : before,
        after: after.kind === 'open' ? side : after
      };
      this.name();
    }
  }

  private closed(): void {
    if (!this.isDisposed) {
      this.follow(null);
      this.update();
    }
  }

  private followed: NotebookPanel | null = null;
  private live: LiveNotebook | null = null;
}
