/**
 * The panel Pipeline: the graph of the open notebook, what is chosen in it, its parameters and problems, and runs.
 *
 * Invariant: what is drawn is the notebook as it is open; an edit changes the open notebook, a run reads its file, which
 * is saved before. A plain notebook is shown as a proposal and is not changed by looking.
 */
import { useEffect, useMemo, useRef, useState } from 'react';
import { drawingOf, type Drawing } from '../../model/pipeline';
import { type Run, statusOf, type Status } from '../../model/pipeline_run';
import { useHost } from '../host';
import { AskLine } from '../parts/AskLine';
import { Menu, type MenuEntry } from '../parts/Menu';
import { Splitter } from '../parts/Splitter';
import { Empty, Problem, ServerNotice } from '../parts/states';
import { ComponentDetail } from './ComponentDetail';
import { Graph, type GraphHandle } from './Graph';
import { Legend } from './Legend';
import type { Archives, Edit, OpenNotebook } from './open';
import { Parameters } from './Parameters';
import { Problems } from './Problems';
import { ExchangeLine, RunLine, Tools, Zoom } from './Tools';
import { useCaches } from './useCaches';
import { useExchange } from './useExchange';
import { type Pipeline, usePipeline } from './usePipeline';
import { useResults } from './useResults';
import { useRun } from './useRun';

/** A component that is asked for from outside; another object each time. */
export interface WantedComponent {
  readonly id: string;
  readonly rename?: boolean;
}

interface Props {
  readonly path: string | null;
  readonly open: OpenNotebook | null;
  readonly wanted?: WantedComponent | null;
  readonly archives?: Archives | null;
}

export function PipelinePanel({ path, open, wanted, archives }: Props): JSX.Element {
  const { trans } = useHost();
  if (path === null || !open) {
    return <Empty title={trans.__('No notebook')} text={trans.__('Open a notebook to see it as a pipeline.')} />;
  }
  return <NotebookPipeline key={path} path={path} open={open} wanted={wanted ?? null} archives={archives ?? null} />;
}

interface OpenProps {
  readonly path: string;
  readonly open: OpenNotebook;
  readonly wanted: WantedComponent | null;
  readonly archives: Archives | null;
}

function NotebookPipeline(props: OpenProps): JSX.Element {
  const { trans } = useHost();
  const pipeline = usePipeline(props.path, props.open);
  if (!pipeline.shown) {
    return (
      <div className="cellar-panel">
        <ServerNotice />
        {pipeline.error !== null ? (
          <Problem error={pipeline.error} again={pipeline.again} />
        ) : (
          <p className="cellar-empty">{trans.__('Reading the notebook…')}</p>
        )}
      </div>
    );
  }
  return <ShownPipeline {...props} pipeline={pipeline} shown={pipeline.shown} />;
}

type ShownProps = OpenProps & { readonly pipeline: Pipeline; readonly shown: NonNullable<Pipeline['shown']> };
type Tab = 'component' | 'parameters' | 'problems';

function ShownPipeline({ path, open, wanted, archives, pipeline, shown }: ShownProps): JSX.Element {
  const { trans } = useHost();
  const { components, problems, parameters, proposed } = shown.pipeline;
  const drawing = useMemo(() => drawingOf(shown), [shown]);
  const running = useRun(path, open);
  const { caches, edited, reason, again } = useCaches(path, open, pipeline, running.run);
  const exchange = useExchange(path, open);
  const results = useResults(path, open, archives, again);
  const [selected, setSelected] = useState<string | null>(null);
  const [edge, setEdge] = useState<string | null>(null);
  const [tab, setTab] = useState<Tab>('component');
  const [share, setShare] = useState(42);
  const [asks, setAsks] = useState<'rename' | null>(null);
  const [menu, setMenu] = useState<{ id: string; x: number; y: number } | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [said, say] = useState('');
  const graph = useRef<GraphHandle>(null);

  const { run } = running;
  const changed = useChanged(pipeline, run);
  const statuses = useMemo(
    () =>
      new Map(
        components.map((component): [string, Status] => [
          component.id,
          statusOf(component, { run, caches, edited, changed })
        ])
      ),
    [components, run, caches, edited, changed]
  );
  const wrong = useMemo(
    () => new Set(problems.filter(({ is_error }) => is_error).flatMap(({ cells }) => cells)),
    [problems]
  );
  const nameOf = (id: string): string => drawing.byId.get(id)?.component.name ?? id;
  const cells = useCells(drawing, pipeline);

  const edit = async (wish: Edit): Promise<boolean> => {
    setFailed(null);
    try {
      await pipeline.edit(wish);
      return true;
    } catch (error) {
      setFailed(error);
      return false;
    }
  };
  const goTo = (id: string, enter = false) => {
    const cell = cells.idOf(id);
    if (cell !== null) {
      open.goTo(cell, enter);
    }
  };
  const select = (id: string) => {
    setSelected(id);
    setTab('component');
    goTo(id);
  };
  const connect = async (parent: string, child: string) => {
    if (await edit({ kind: 'connect', parent, child })) {
      say(trans.__('%1 is before %2 now', nameOf(parent), nameOf(child)));
    }
  };
  const removeEdge = async (key: string) => {
    const curve = drawing.curves.find(each => each.key === key);
    if (curve && (await edit({ kind: 'disconnect', parent: curve.parent, child: curve.child }))) {
      setEdge(null);
      say(trans.__('%1 is not declared before %2 any more', nameOf(curve.parent), nameOf(curve.child)));
    }
  };
  const rename = (id: string) => {
    setSelected(id);
    setAsks('rename');
  };
  const closeAsk = () => {
    setAsks(null);
    graph.current?.focus();
  };

  // What is chosen follows the notebook, and what is asked for from outside.
  useEffect(() => {
    const follow = () => {
      const found = cells.componentOf(open.active());
      if (found !== null) {
        setSelected(found);
      }
    };
    follow();
    return open.followActive(follow);
  }, [open, cells]);
  useEffect(() => {
    const found = wanted && cells.componentOf(wanted.id);
    if (found) {
      setSelected(found);
      setTab('component');
      setAsks(wanted.rename ? 'rename' : null);
    }
  }, [wanted]);

  const chosen = selected === null ? null : (drawing.byId.get(selected)?.component ?? null);
  const errors = problems.filter(({ is_error }) => is_error).length;
  const entries = (id: string): MenuEntry[] => {
    const busy =
      run.state === 'running'
        ? trans.__('the pipeline is being run')
        : errors
          ? trans.__('problems keep it from being run')
          : undefined;
    const plain = proposed ? trans.__('write the proposal down first') : undefined;
    return [
      {
        label: trans.__('Run this, and what it needs'),
        off: busy,
        run: () => void running.start({ components: [id] })
      },
      { label: trans.__('Run from here'), off: busy, run: () => void running.start({ start: id }) },
      { label: trans.__('Go to the cell'), apart: true, run: () => goTo(id, true) },
      { label: trans.__('Connect to…'), off: plain, run: () => graph.current?.startConnecting(id) },
      { label: trans.__('Rename…'), off: plain, run: () => rename(id) },
      { label: trans.__('Export…'), run: () => void exchange.exportFile({ id, name: nameOf(id) }) },
      {
        label: trans.__('Make it a plain cell'),
        off: plain,
        apart: true,
        run: () => void edit({ kind: 'remove', component: id })
      }
    ];
  };
  return (
    <div className="cellar-panel cellar-pipeline" data-run={run.state} data-count={components.length}>
      <Tools
        running={running}
        chosen={chosen}
        exchange={exchange}
        results={results}
        off={
          components.length === 0
            ? trans.__('there is nothing to run')
            : errors
              ? trans.__('problems keep it from being run')
              : undefined
        }
        addCell={() => {
          const place = pipeline.moment?.ids.indexOf(open.active() ?? '') ?? -1;
          if (place >= 0) {
            void edit({ kind: 'add', component: String(place + 1) });
          }
        }}
      />
      <ServerNotice />
      {pipeline.error !== null && <Problem error={pipeline.error} again={pipeline.again} />}
      {proposed && components.length > 0 && (
        <div className="cellar-notice" role="status">
          <span>{trans.__('A proposal: no cell says yet that it is a component. Nothing was changed.')}</span>
          <button className="cellar-button" onClick={() => void edit({ kind: 'init' })}>
            {trans.__('Write it down')}
          </button>
        </div>
      )}
      {reason && (
        <div className="cellar-notice" role="status">
          {trans.__('What is cached is not known: %1', reason)}
        </div>
      )}
      <RunLine path={path} running={running} nameOf={nameOf} select={select} />
      <ExchangeLine exchange={exchange} />
      {results && <ExchangeLine exchange={results} />}
      {failed !== null && (
        <div className="cellar-pipeline-failed">
          <Problem error={failed} />
          <button className="cellar-button cellar-is-small" onClick={() => setFailed(null)}>
            {trans.__('Close')}
          </button>
        </div>
      )}
      {asks === 'rename' && chosen && (
        <AskLine
          key={chosen.id}
          label={trans.__('Another name for %1', chosen.name)}
          action={trans.__('Rename')}
          begin={chosen.name}
          done={async name => {
            await pipeline.edit({ kind: 'rename', component: chosen.id, name });
            closeAsk();
          }}
          cancel={closeAsk}
        />
      )}
      {components.length === 0 ? (
        <Empty title={trans.__('No code')} text={trans.__('No cell of this notebook does anything yet.')} />
      ) : (
        <div className="cellar-split">
          <div className="cellar-pipeline-room">
            <Graph
              handle={graph}
              drawing={drawing}
              statuses={statuses}
              wrong={wrong}
              selected={selected}
              edge={edge}
              select={select}
              selectEdge={setEdge}
              enter={id => goTo(id, true)}
              connect={(parent, child) => void connect(parent, child)}
              removeEdge={key => void removeEdge(key)}
              rename={rename}
              run={id => run.state !== 'running' && void running.start({ components: [id] })}
              menu={(id, x, y) => setMenu({ id, x, y })}
              say={say}
            />
          </div>
          <div className="cellar-pipeline-foot">
            <Legend drawing={drawing} />
            <Zoom graph={graph} />
          </div>
          <Splitter label={trans.__('Height of the details')} share={share} setShare={setShare} />
          <section className="cellar-lower" style={{ flexBasis: `${share}%` }} aria-label={trans.__('Details')}>
            <Tabs tab={tab} setTab={setTab} parameters={parameters.length} problems={problems.length} errors={errors} />
            <div className="cellar-scroll" role="tabpanel" tabIndex={-1}>
              {tab === 'component' &&
                (chosen ? (
                  <ComponentDetail
                    key={chosen.id}
                    path={path}
                    component={chosen}
                    drawing={drawing}
                    status={statuses.get(chosen.id)!}
                    proposed={proposed}
                    edge={edge}
                    select={select}
                    selectEdge={setEdge}
                    removeEdge={key => void removeEdge(key)}
                    edit={wish => void edit(wish)}
                    rename={() => rename(chosen.id)}
                    goTo={id => goTo(id, true)}
                  />
                ) : (
                  <p className="cellar-soft cellar-pipeline-detail">{trans.__('Choose a component.')}</p>
                ))}
              {tab === 'parameters' && (
                <Parameters
                  parameters={parameters}
                  nameOf={nameOf}
                  edit={edit}
                  goToCell={cell => {
                    const id = pipeline.moment?.ids[cell - 1];
                    if (id) {
                      open.goTo(id, true);
                    }
                  }}
                />
              )}
              {tab === 'problems' && <Problems problems={problems} drawing={drawing} goTo={id => goTo(id, true)} />}
            </div>
          </section>
        </div>
      )}
      {menu && (
        <Menu
          label={trans.__('What to do with %1', nameOf(menu.id))}
          entries={entries(menu.id)}
          x={menu.x}
          y={menu.y}
          close={() => setMenu(null)}
        />
      )}
      <div className="cellar-pipeline-said" role="status" aria-live="polite">
        {said}
      </div>
    </div>
  );
}

/** The components whose source is another one than when the last run began, or was first heard of. */
function useChanged({ moment, shown }: Pipeline, run: Run): ReadonlySet<string> {
  const began = useRef<{ name: string; sources: ReadonlyMap<string, string> }>({ name: '', sources: new Map() });
  return useMemo(() => {
    const cells = (moment?.notebook as { cells: readonly { source: string }[] } | undefined)?.cells ?? [];
    const components = shown?.pipeline.components ?? [];
    const sources = new Map(components.map(({ id, cell }) => [id, cells[cell - 1]?.source ?? '']));
    if (began.current.name !== run.name) {
      began.current = { name: run.name, sources };
    }
    const before = began.current.sources;
    return new Set([...sources.keys()].filter(id => before.get(id) !== sources.get(id)));
  }, [moment, shown, run.name]);
}

/** From components to the cells of the open notebook, and back: notebooks before nbformat 4.5 have no ids in the file. */
function useCells(drawing: Drawing, { moment }: Pipeline) {
  return useMemo(() => {
    const ids = moment?.ids ?? [];
    const byCell = new Map(drawing.boxes.map(({ id, component }) => [ids[component.cell - 1] ?? '', id]));
    return {
      idOf: (id: string): string | null => ids[(drawing.byId.get(id)?.component.cell ?? 0) - 1] ?? null,
      componentOf: (cell: string | null): string | null => (cell === null ? null : (byCell.get(cell) ?? null))
    };
  }, [drawing, moment]);
}

interface TabsProps {
  readonly tab: Tab;
  readonly parameters: number;
  readonly problems: number;
  readonly errors: number;
  setTab(tab: Tab): void;
}

function Tabs({ tab, setTab, parameters, problems, errors }: TabsProps): JSX.Element {
  const { trans } = useHost();
  const tabs: [Tab, string, number][] = [
    ['component', trans.__('Component'), 0],
    ['parameters', trans.__('Parameters'), parameters],
    ['problems', trans.__('Problems'), problems]
  ];
  const move = (event: React.KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
      const at = tabs.findIndex(([name]) => name === tab);
      const next = (at + step + tabs.length) % tabs.length;
      setTab(tabs[next]![0]);
      (event.currentTarget.children[next] as HTMLElement).focus();
    }
  };
  return (
    <div className="cellar-pipeline-tabs" role="tablist" aria-label={trans.__('What is shown below')} onKeyDown={move}>
      {tabs.map(([name, word, count]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={tab === name}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => setTab(name)}
        >
          {word}
          {count > 0 && (
            <span className={`cellar-chip ${name === 'problems' && errors ? 'cellar-is-error' : ''}`}>{count}</span>
          )}
        </button>
      ))}
    </div>
  );
}
