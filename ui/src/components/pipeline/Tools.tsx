/** The buttons above the graph, and how far a run is. */
import { useEffect, useState, type RefObject } from 'react';
import type { Component } from '../../model/pipeline';
import { progressOf } from '../../model/pipeline_run';
import { duration } from '../../model/words';
import { CellarError } from '../../wire/client';
import { initialise, useHost } from '../host';
import { CloseButton } from '../parts/CloseButton';
import { Icon } from '../parts/icons';
import { pickFile } from '../parts/files';
import { Menu, type MenuEntry } from '../parts/Menu';
import { Problem } from '../parts/states';
import type { GraphHandle } from './Graph';
import type { Exchange, Told } from './useExchange';
import type { Results } from './useResults';
import type { NotStarted, Running } from './useRun';
import { STEP } from './useView';

interface Props {
  readonly running: Running;
  readonly chosen: Component | null;
  /** Why nothing can be run. */
  readonly off: string | undefined;
  readonly exchange: Exchange;
  /** Archives of results; null where there are no dialogs for them. */
  readonly results: Results | null;
  addCell(): void;
}

export function Tools({ running, chosen, off, exchange, results, addCell }: Props): JSX.Element {
  const { trans } = useHost();
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const isBusy = running.run.state === 'running' || running.isStarting;
  const start = (wanted: Parameters<Running['start']>[0]) => void running.start(wanted);
  const entries: MenuEntry[] = [
    { label: trans.__('Make the active cell a component'), run: addCell },
    {
      label: trans.__('Export the pipeline…'),
      apart: true,
      run: () => void exchange.exportFile(null)
    },
    {
      label: chosen ? trans.__('Export %1…', chosen.name) : trans.__('Export the chosen component…'),
      off: chosen ? undefined : trans.__('no component is chosen'),
      run: () => void exchange.exportFile(chosen)
    },
    {
      label: trans.__('Import a pipeline or component…'),
      run: () => pickFile('.json,application/json', file => void exchange.importFile(file))
    },
    ...(results
      ? [
          { label: trans.__('Export results…'), apart: true, run: () => void results.exportFile() },
          { label: trans.__('Import results…'), run: () => void results.importFile() }
        ]
      : [])
  ];
  return (
    <div className="cellar-toolbar" role="toolbar" aria-label={trans.__('Pipeline')}>
      {isBusy ? (
        <button className="cellar-button" onClick={() => void running.cancel()} disabled={running.isStarting}>
          <Icon name="close" /> {trans.__('Cancel')}
        </button>
      ) : (
        <>
          <button
            className="cellar-button cellar-is-main"
            disabled={off !== undefined}
            title={off ?? trans.__('Run what is needed of the whole pipeline')}
            onClick={() => start({})}
          >
            {trans.__('Run all')}
          </button>
          <button
            className="cellar-button"
            disabled={off !== undefined || !chosen}
            title={off ?? trans.__('Run the chosen component, and what it needs')}
            onClick={() => chosen && start({ components: [chosen.id] })}
          >
            {trans.__('This')}
          </button>
          <button
            className="cellar-button"
            disabled={off !== undefined || !chosen}
            title={off ?? trans.__('Run the chosen component anew, and all that comes after it')}
            onClick={() => chosen && start({ start: chosen.id })}
          >
            {trans.__('From here')}
          </button>
        </>
      )}
      <button
        className="cellar-button cellar-at-end"
        aria-label={trans.__('More')}
        aria-haspopup="menu"
        title={trans.__('More')}
        onClick={event => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          setMenu({ x: left, y: bottom });
        }}
      >
        <Icon name="more" />
      </button>
      {menu && <Menu label={trans.__('More')} entries={entries} x={menu.x} y={menu.y} close={() => setMenu(null)} />}
    </div>
  );
}

/** The buttons on the graph. */
export function Zoom({ graph }: { graph: RefObject<Pick<GraphHandle, 'fit' | 'zoom'>> }): JSX.Element {
  const { trans } = useHost();
  return (
    <div className="cellar-pipeline-zoom" role="group" aria-label={trans.__('How large')}>
      <button
        className="cellar-button"
        aria-label={trans.__('Smaller')}
        title={trans.__('Smaller (-)')}
        onClick={() => graph.current?.zoom(1 / STEP)}
      >
        −
      </button>
      <button className="cellar-button" title={trans.__('Show all (0)')} onClick={() => graph.current?.fit()}>
        {trans.__('Fit')}
      </button>
      <button
        className="cellar-button"
        aria-label={trans.__('Larger')}
        title={trans.__('Larger (+)')}
        onClick={() => graph.current?.zoom(STEP)}
      >
        +
      </button>
    </div>
  );
}

interface LineProps {
  readonly path: string;
  readonly running: Running;
  nameOf(id: string): string;
  select(id: string): void;
}

/** How far a run is; or how it ended, until that is closed. */
export function RunLine({ path, running, nameOf, select }: LineProps): JSX.Element | null {
  const { trans } = useHost();
  const { run, failed, isStarting } = running;
  const [closed, setClosed] = useState('');
  useEffect(() => running.forget(), [run.name]);
  if (failed) {
    return <Failed path={path} running={running} failed={failed} />;
  }
  if (isStarting || (run.state === 'running' && run.steps.size === 0)) {
    return (
      <div className="cellar-notice" role="status">
        {trans.__('Starting…')}
      </div>
    );
  }
  if (run.state === 'running') {
    const { done, total, running: now } = progressOf(run);
    return (
      <div className="cellar-notice" role="status">
        <progress aria-label={trans.__('How far the run is')} max={total} value={done} />
        <span>{trans.__('%1 of %2', done, total)}</span>
        <span className="cellar-soft cellar-cut">{now.map(nameOf).join(', ')}</span>
      </div>
    );
  }
  const { end } = run;
  if (!end || closed === run.name) {
    return null;
  }
  const close = <CloseButton isSmall close={() => setClosed(run.name)} />;
  if (end.message) {
    return (
      <div className="cellar-pipeline-failed">
        <Problem error={new CellarError(end.message, 'run', end.hint)} />
        {close}
      </div>
    );
  }
  const broken = [...run.steps].filter(([, { state }]) => state === 'failed').map(([id]) => id);
  const counts = [
    end.ran ? trans.__('%1 ran', end.ran) : '',
    end.cached ? trans.__('%1 cached', end.cached) : '',
    end.failed ? trans.__('%1 failed', end.failed) : '',
    end.blocked ? trans.__('%1 blocked', end.blocked) : ''
  ].filter(Boolean);
  const words = { done: trans.__('Done'), failed: trans.__('Failed'), cancelled: trans.__('Cancelled') };
  return (
    <div className={`cellar-notice cellar-pipeline-ended cellar-mod-${run.state}`} role="status">
      <b>{words[run.state as keyof typeof words]}</b>
      {end.seconds !== null && <span>{duration(end.seconds)}</span>}
      <span className="cellar-soft">{counts.join(', ')}</span>
      {broken.map(id => (
        <button key={id} className="cellar-link" onClick={() => select(id)}>
          {nameOf(id)}
        </button>
      ))}
      {close}
    </div>
  );
}

/** Why a run could not be started; where there is no repository for its results, the way to make one. */
function Failed({ path, running, failed }: Pick<LineProps, 'path' | 'running'> & { failed: NotStarted }): JSX.Element {
  const host = useHost();
  const { trans } = host;
  const { error, wanted } = failed;
  const isWithout = error instanceof CellarError && error.code === 'no-repository';
  const make = async () => {
    await initialise(host, path);
    await running.start(wanted);
  };
  return (
    <div className="cellar-pipeline-failed">
      {isWithout ? (
        <div className="cellar-problem" role="alert">
          <span>{trans.__('Results are kept in a repository, and there is none here.')}</span>
          <button className="cellar-button" onClick={() => void make()}>
            {trans.__('Record this folder and run')}
          </button>
        </div>
      ) : (
        <Problem error={error} />
      )}
      <CloseButton isSmall close={running.forget} />
    </div>
  );
}

/** What an export or import did, until that is closed. */
export function ExchangeLine({ exchange }: { exchange: Told }): JSX.Element | null {
  const { said, error, action, forget } = exchange;
  if (error !== null) {
    // The hint of a refusal names an option of the command; here it is a button.
    const shown = action && error instanceof CellarError ? new CellarError(error.message, error.code) : error;
    return (
      <div className="cellar-pipeline-failed">
        <Problem error={shown} />
        {action && (
          <button className="cellar-button" onClick={() => void action.run()}>
            {action.label}
          </button>
        )}
        <CloseButton isSmall close={forget} />
      </div>
    );
  }
  return said === null ? null : (
    <div className="cellar-notice cellar-pipeline-ended" role="status">
      <span>
        {said.map(line => (
          <span key={line} className="cellar-pipeline-said-line">
            {line}
          </span>
        ))}
      </span>
      <CloseButton isSmall close={forget} />
    </div>
  );
}
