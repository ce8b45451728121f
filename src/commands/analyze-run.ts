/** The passes of an analysis: what is run over the samples, over all of them or over those of one shard. */
import { ERROR_KINDS } from '../compile/measurement-program.js';
import { endsOf } from '../diff/ends.js';
import type { Evidence } from '../doctor/evidence.js';
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { LoadedModel } from '../loader/index.js';
import type { Report } from '../report/report.js';
import { calibrate, type Calibration, type CalibrationOptions } from '../run/calibrate.js';
import type { Dataset } from '../run/data/dataset.js';
import { studied } from '../run/data/study-builder.js';
import { measure, type EdgeSums } from '../run/measure.js';
import { OutputWatch } from '../run/output-study.js';
import { withExtents, type Samples, type Watch } from '../run/samples.js';
import type { AccuracyPart, EvaluatedData } from './accuracy/evaluated.js';
import type { Rung } from './accuracy/ladder.js';
import { evaluatedLanes, requireAccuracyOf } from './accuracy/of-lanes.js';
import type { AnalyzeRequest } from './analyze.js';
import { calibrated } from './calibrated.js';
import { reportedData } from './describe.js';
import { openedData } from './opened-data.js';
import { shardWindow, type Shard, type ShardWindow } from './shards/window.js';
import { calibratedLane, clippingEdges, gainsOf, type Simulation } from './simulation.js';
import { saturationOf, studyOf } from './studies.js';

/** A network and what is going to be looked at. */
export interface Prepared {
  readonly loaded: LoadedModel;
  readonly request: AnalyzeRequest;
  readonly graph: Graph;
  readonly simulation: Simulation;
  readonly rungs: readonly Rung[];
  readonly passes: CalibrationOptions;
  /** For the reader. */
  readonly title: string;
}

/** What the passes have shown. */
export interface Ran {
  readonly lane: Lane;
  readonly calibration: Calibration;
  /** Of the samples that were measured. */
  readonly seen: Calibration;
  readonly sums: readonly EdgeSums[];
  /** Tensors to judge by. */
  readonly ends: ReadonlySet<TensorId>;
  readonly studies: Partial<Evidence>;
  readonly part: AccuracyPart;
  readonly data: Report['data'];
  /** The data are random. */
  readonly isSmoke: boolean;
  /** Some of those that were measured, evenly spread, or why there are none. */
  readonly samples: (most: number) => Promise<Samples | string>;
  /** Which samples were measured, where not all were. */
  readonly window?: ShardWindow;
}

/** Edges that calibration follows for any of them, each once. */
export function observedBy({ simulation, rungs }: Prepared): Simulation['observed'] {
  const edges = [simulation, ...rungs.map((rung) => rung.simulation)].flatMap(({ observed }) => observed);
  return [...new Map(edges.map((edge) => [edge.tensor, edge])).values()];
}

/** The samples of an analysis, opened. */
export interface OpenedSamples {
  readonly calib: Dataset;
  /** Absent where the calibration data are measured. */
  readonly evaluation: Dataset | undefined;
  /** Of the inputs in the first sample. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
}

export function evaluatedData(
  { loaded, request }: Pick<Prepared, 'loaded' | 'request'>,
  { calib, evaluation, extents }: OpenedSamples,
): EvaluatedData {
  const [flag, sources] =
    evaluation === undefined ? (['--calib', request.calib] as const) : (['--eval', request.eval] as const);
  return {
    dataset: evaluation ?? calib,
    extents,
    flags: request.data.preprocessing,
    open: (preprocessing, count) =>
      openedData(loaded, flag, sources, { ...request.data, preprocessing, samples: count }),
  };
}

/** @param shard what of the samples is measured; calibration is on all of them in every shard */
export async function ran(
  prepared: Prepared,
  opened: OpenedSamples,
  watch: Watch,
  shard?: Shard,
): Promise<Ran> {
  const { loaded, request, graph, simulation, rungs, passes, title } = prepared;
  const { calib, evaluation, extents } = opened;
  const data = evaluatedData(prepared, opened);
  await requireAccuracyOf(graph, data, request);
  const { edges, fusedAway } = simulation;
  const layout = graph.format === 'tflite' ? 'nhwc' : 'nchw';
  const calibSamples = studied(withExtents(calib, extents), calib, { flag: '--calib', layout });
  const calibration = await calibrated(graph, observedBy(prepared), calibSamples, passes, watch);
  const lane = loaded.lane ?? calibratedLane(simulation, calibration);

  const all =
    evaluation === undefined
      ? calibSamples
      : studied(withExtents(evaluation, extents), evaluation, { flag: '--eval', layout });
  const measured = evaluation ?? calib;
  // All samples have passed by when the histograms begin: those that cannot be read are known.
  const window = shard === undefined ? undefined : shardWindow(shard, measured);
  const samples = window === undefined ? all : withExtents(window.samples, extents);
  const seen =
    evaluation === undefined
      ? calibration
      : await calibrate(
          graph,
          edges,
          all,
          { ...passes, ...(window === undefined ? {} : { counted: samples }) },
          watch,
        );
  const options = {
    threads: request.threads,
    kinds: ERROR_KINDS,
    clipping: clippingEdges(simulation, lane, seen),
    gains: gainsOf(simulation, seen),
  };
  const ends = endsOf(graph, new Set(edges.map(({ tensor }) => tensor)));
  const outputs = new OutputWatch({ graph, lane, edges, ends }, { threads: request.threads });
  // Of a few samples of all, whichever are measured: the first shard looks at them.
  const looksAtSome = window === undefined || window.index === 1;
  const isSmoke = measured.kind === 'random';
  const beside = window === undefined ? outputs.beside(samples) : samples;
  const told = await (async () => {
    try {
      const sums = await measure(graph, lane, edges, fusedAway, beside, options, watch);
      if (window !== undefined && looksAtSome) await outputs.over(all);
      // Random data say nothing about what the network answers.
      return { sums, ...(isSmoke || !looksAtSome ? {} : { outputs: await outputs.result() }) };
    } finally {
      await outputs.close();
    }
  })();
  const { sums, ...answered } = told;
  const network = { graph, lane, title, rungs, calibration, isFile: loaded.lane !== undefined };
  const part = await evaluatedLanes(
    request,
    network,
    data,
    watch,
    window === undefined ? undefined : { kind: 'some', samples, scoredBefore: window.scoredBefore },
  );
  const silent = { threads: request.threads, watch: (): void => undefined };
  return {
    lane,
    calibration,
    seen,
    sums,
    ends,
    studies: {
      ...studyOf('calib', await calibSamples.study()),
      ...(evaluation === undefined ? {} : studyOf('data', await all.study())),
      ...answered,
      ...(looksAtSome ? await saturationOf(graph, lane, simulation.scheme, all, silent) : {}),
    },
    part,
    data: {
      calib: await reportedData(calib, evaluation === undefined ? part.assumed : []),
      ...(evaluation === undefined ? {} : { eval: await reportedData(evaluation, part.assumed) }),
    },
    isSmoke,
    samples: async (most) =>
      window === undefined
        ? withExtents(await data.open(request.data.preprocessing, Math.min(most, all.count)), extents)
        : 'of all shards together',
    ...(window === undefined ? {} : { window }),
  };
}

export async function openedSamples(
  loaded: LoadedModel,
  request: AnalyzeRequest,
): Promise<Pick<OpenedSamples, 'calib' | 'evaluation'>> {
  const calib = await openedData(loaded, '--calib', request.calib, request.data);
  const evaluation =
    request.eval.length === 0 ? undefined : await openedData(loaded, '--eval', request.eval, request.data);
  return { calib, evaluation };
}
