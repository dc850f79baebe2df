/** Dialogs of the session: React bodies in Lab's own dialogs, which have the keyboard and the focus right. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { JSX } from 'react';
import { CheckoutForm, type Chosen } from '../components/checkout';
import { type Host, HostProvider } from '../components/host';
import { OutcomeParts, ReplayQuestion } from '../components/outcome';
import type { Part, Replay } from '../model/outcome';
import { INSTALL } from '../model/recording';

export class Body extends ReactWidget {
  constructor(
    private readonly host: Host,
    private readonly content: JSX.Element
  ) {
    super();
    this.addClass('cellar-session-dialog');
  }

  protected override render(): JSX.Element {
    return <HostProvider value={this.host}>{this.content}</HostProvider>;
  }
}

/** Ask for the message of a commit: null when it was cancelled, "" for an automatic one. */
export async function askMessage(host: Host): Promise<string | null> {
  const { trans } = host;
  let message = '';
  const form = (
    <label className="cellar-session-message-form">
      {trans.__('What is this point?')}
      <input className="jp-mod-styled" type="text" onChange={event => void (message = event.target.value)} />
      <small>{trans.__('Empty: it is named by the time.')}</small>
    </label>
  );
  const { button } = await showDialog({
    title: trans.__('Commit'),
    body: new Body(host, form),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Commit'), ariaLabel: trans.__('Commit with this message') })
    ],
    defaultButton: 1,
    focusNodeSelector: 'input[type=text]'
  });
  return button.accept ? message.trim() : null;
}

/** Let one commit be chosen; null when it was cancelled. */
export async function chooseCommit(host: Host, path: string, replay: boolean): Promise<Chosen | null> {
  const { trans } = host;
  let chosen: Chosen | undefined;
  const accept = () => dialog.resolve(1);
  const body = new Body(
    host,
    <CheckoutForm path={path} replay={replay} onAccept={accept} onChange={now => void (chosen = now)} />
  );
  const dialog = new Dialog({
    title: trans.__('Check out'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Check out'), ariaLabel: trans.__('Check out the selected commit') })
    ],
    defaultButton: 1,
    focusNodeSelector: 'input[type=search]'
  });
  const { button } = await dialog.launch();
  return button.accept && chosen?.choice && (chosen.variables || chosen.code) ? chosen : null;
}

/** Ask whether cells may run again: yes, no (go on without them), or null: do nothing at all. */
export async function askReplay(host: Host, replay: Replay): Promise<boolean | null> {
  const { trans } = host;
  const runs = trans._n('Run %1 cell again', 'Run %1 cells again', replay.cells.length);
  const { button } = await showDialog({
    title: trans.__('Run cells again?'),
    body: new Body(host, <ReplayQuestion replay={replay} />),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.createButton({ label: trans.__('Go on without'), accept: false, actions: ['without'] }),
      Dialog.okButton({ label: runs })
    ],
    defaultButton: 0
  });
  return button.actions.includes('without') ? false : button.accept || null;
}

/** Show what was done, part by part. */
export async function showOutcome(host: Host, headline: string, parts: readonly Part[]): Promise<void> {
  await showDialog({
    title: headline,
    body: new Body(host, <OutcomeParts parts={parts} />),
    buttons: [Dialog.okButton({ label: host.trans.__('Close') })]
  });
}

/** Show an error that a notification has no room for. */
export async function showProblem(host: Host, message: string, hint: string): Promise<void> {
  const body = (
    <>
      <p className="cellar-session-message">{message}</p>
      {hint && <p className="cellar-session-hint">{hint}</p>}
    </>
  );
  await showDialog({
    title: host.trans.__('Cellar'),
    body: new Body(host, body),
    buttons: [Dialog.okButton({ label: host.trans.__('Close') })]
  });
}

const INSTALL_WITH = ['-m', 'pip', 'install', 'nbcellar'];

/** Say how Cellar comes into the environment of the kernel, whose Python is at `python` ("": not known). */
export async function showInstall({ trans, ...host }: Host, python = ''): Promise<void> {
  const inTerminal = [quoted(python), ...INSTALL_WITH].join(' ');
  const body = (
    <>
      <p>
        {trans.__('This kernel runs in an environment without Cellar. Run this in a cell, then restart the kernel:')}
      </p>
      <pre className="cellar-session-command">{INSTALL}</pre>
      {python && (
        <>
          <p>{trans.__('Or in a terminal, as the same environment:')}</p>
          <pre className="cellar-session-command">{inTerminal}</pre>
        </>
      )}
    </>
  );
  const { button } = await showDialog({
    title: trans.__('Install Cellar in this kernel'),
    body: new Body({ trans, ...host }, body),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Copy the command') })
    ]
  });
  if (button.accept) {
    await navigator.clipboard.writeText(INSTALL);
  }
}

const quoted = (path: string): string => (/^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${path}"`);
