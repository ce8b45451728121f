/** All shards of a run as the run itself: their sums added up, and explained as those of one run are. */
import { endsOf } from '../../diff/ends.js';
import { DataError, QdbgError, UsageError } from '../../errors.js';
import { loadModel, type LoadedModel } from '../../loader/index.js';
import type { Report, ReportedData } from '../../report/report.js';
import { calibrationOf } from '../../run/calibration-state.js';
import type { Dataset } from '../../run/data/dataset.js';
import type { ResolvedPreprocessing } from '../../run/data/preprocessing.js';
import { sumsOf } from '../../run/measure-state.js';
import { METRIC_NAMES } from '../../run/metrics/index.js';
import { isModulePath } from '../../run/predictions/user-decoder.js';
import { withExtents, type Watch } from '../../run/samples.js';
import { NO_ACCURACY, type AccuracyPart } from '../accuracy/evaluated.js';
import { evaluatedLanes } from '../accuracy/of-lanes.js';
import { judgedAnalysis, prepare, reported, type AnalyzeRequest, type PreparedAnalysis } from '../analyze.js';
import { evaluatedData, observedBy, openedSamples, type OpenedSamples, type Ran } from '../analyze-run.js';
import { storedBaseline } from '../judge.js';
import { calibratedLane } from '../simulation.js';
import { laneDigest } from '../sweep/trials/lane-digest.js';
import { oneRun, type StoredShard } from './compatible.js';
import { requestOf, type OfAllSamples } from './shard-state.js';

export interface MergeOptions {
  /** Where the model is now; where it was when absent. */
  readonly model?: string | undefined;
  /** The samples that were measured, likewise. */
  readonly eval?: readonly string[] | undefined;
  /** Files of metrics of the user's own. */
  readonly metric?: readonly string[] | undefined;
  /** YYYY-MM-DD: suppressions expire. */
  readonly today: string;
}

/** @throws UsageError, DataError when they are not all shards of one run, or the model is another */
export async function mergedShards(
  shards: readonly StoredShard[],
  options: MergeOptions,
  watch: Watch,
): Promise<Report> {
  const sorted = oneRun(shards);
  const [{ report, state }] = sorted;
  const request = movedRequest(requestOf(state.request), options);
  const baseline = await storedBaseline(request.gate);
  const loaded = await sameModel(request, report);
  const extents = new Map(state.extents.map(({ input, dims }) => [input, dims]));
  const supported = (): Promise<void> => Promise.resolve();
  const prepared = await prepare(loaded, request, extents, supported);
  const ran = await ranShards(prepared, sorted, extents, options, watch);
  return judgedAnalysis(await reported(prepared, ran, report.tool.runtime ?? ''), request, baseline);
}

function movedRequest(
  request: AnalyzeRequest,
  { model, eval: samples, today }: MergeOptions,
): AnalyzeRequest {
  const isMeasuredOnCalib = request.eval.length === 0;
  return {
    ...request,
    ...(model === undefined ? {} : { model }),
    ...(samples === undefined ? {} : isMeasuredOnCalib ? { calib: samples } : { eval: samples }),
    gate: { ...request.gate, today },
  };
}

/** @throws UsageError when there is no such file, or it is another */
async function sameModel({ model, data }: AnalyzeRequest, { models: [ran] }: Report): Promise<LoadedModel> {
  const loaded = await loadModel(model, { shapes: data.shapes }).catch((error: unknown) => {
    if (!(error instanceof QdbgError)) throw error;
    throw new UsageError(`the model of these shards cannot be read: ${error.message}`, {
      places: error.places,
      hint: '--model FILE, the model as the shards had it',
      cause: error,
    });
  });
  const found = await loaded.sha256();
  if (found === ran?.sha256) return loaded;
  throw new UsageError(
    `${model} is not the model of these shards: its sha256 is ${found.slice(0, 12)}, theirs ${ran?.sha256.slice(0, 12) ?? 'none'}`,
    { hint: '--model FILE, the model as the shards had it' },
  );
}

async function ranShards(
  prepared: PreparedAnalysis,
  shards: readonly [StoredShard, ...StoredShard[]],
  extents: ReadonlyMap<string, readonly number[]>,
  options: MergeOptions,
  watch: Watch,
): Promise<Ran> {
  const { loaded, graph, simulation, request } = prepared;
  const [{ state, file }] = shards;
  const { once } = state;
  if (once === undefined) throw new DataError(`${file} lacks what the first shard hands on`);
  const calibration = calibrationOf(once.calibration, observedBy(prepared));
  const lane = loaded.lane ?? calibratedLane(simulation, calibration);
  if (laneDigest(lane) !== state.laneDigest)
    throw new DataError(`${file} does not hold the calibration that it was run with`);
  const { edges } = simulation;
  const seen =
    once.seen === undefined
      ? calibration
      : calibrationOf(
          once.seen,
          edges,
          shards.map((shard) => shard.state.counts),
        );
  const samples = await samplesAgain(prepared, state.data, options);
  const data = evaluatedData(prepared, { ...samples.opened, extents });
  const part = await partOf(
    prepared,
    shards,
    { calibration, lane },
    data,
    samples.unreadable,
    options,
    watch,
  );
  const withLabels = (reported: ReportedData): ReportedData => ({
    ...reported,
    assumed: [...reported.assumed, ...part.assumed],
  });
  return {
    lane,
    calibration,
    seen,
    sums: sumsOf(
      edges,
      shards.map((shard) => shard.state.sums),
    ),
    ends: endsOf(graph, new Set(edges.map(({ tensor }) => tensor))),
    studies: studiesOf(once),
    part,
    data:
      state.data.eval === undefined
        ? { calib: withLabels(state.data.calib) }
        : { calib: state.data.calib, eval: withLabels(state.data.eval) },
    isSmoke: state.isSmoke,
    samples: async (most) =>
      samples.unreadable ??
      withExtents(await data.open(request.data.preprocessing, Math.min(most, data.dataset.count)), extents),
  };
}

function studiesOf({ calib, eval: evaluation, outputs, saturation }: OfAllSamples): Ran['studies'] {
  return {
    ...(calib === undefined ? {} : { calib }),
    ...(evaluation === undefined ? {} : { data: evaluation }),
    ...(outputs === undefined ? {} : { outputs }),
    ...(saturation === undefined ? {} : { saturation }),
  };
}

async function partOf(
  { graph, rungs, title, request, loaded }: PreparedAnalysis,
  shards: readonly [StoredShard, ...StoredShard[]],
  { calibration, lane }: Pick<Ran, 'calibration' | 'lane'>,
  data: ReturnType<typeof evaluatedData>,
  unreadable: string | undefined,
  { metric = [] }: MergeOptions,
  watch: Watch,
): Promise<AccuracyPart> {
  const states = shards.flatMap(({ state }) => state.accuracy ?? []);
  if (states.length === 0) return { ...NO_ACCURACY, notMeasured: shards[0].state.noAccuracy };
  const without = shards.find(({ state }) => state.accuracy === undefined);
  if (without !== undefined) {
    throw new DataError(`${without.file} has no accuracy, other shards have`, {
      places: without.state.noAccuracy.map(({ reason }) => reason),
    });
  }
  const network = { graph, lane, title, rungs, calibration, isFile: loaded.lane !== undefined };
  return evaluatedLanes(request, network, data, watch, {
    kind: 'merged',
    states,
    metrics: metric,
    ...(unreadable === undefined ? {} : { unreadable }),
  });
}

interface SamplesAgain {
  readonly opened: Pick<OpenedSamples, 'calib' | 'evaluation'>;
  /** Why they cannot be run again. */
  readonly unreadable?: string;
}

/** Fixes are tried on a few samples once it is known what they have to mend; without the samples they are not. */
async function samplesAgain(
  { loaded, request }: PreparedAnalysis,
  { calib, eval: evaluation }: { readonly calib: ReportedData; readonly eval?: ReportedData },
  options: MergeOptions,
): Promise<SamplesAgain> {
  const stored = {
    calib: storedDataset(calib),
    evaluation: evaluation === undefined ? undefined : storedDataset(evaluation),
  };
  const { metrics, decode } = request.accuracy;
  const isOwn =
    metrics.some((name) => !METRIC_NAMES.includes(name)) || (decode !== undefined && isModulePath(decode));
  if (isOwn) return { opened: stored, unreadable: 'a document names no code to run' };
  try {
    const opened = await openedMeasured(loaded, request, stored);
    const measured = opened.evaluation ?? opened.calib;
    if ((await measured.sha256()) === (evaluation ?? calib).sha256) return { opened };
    if (options.eval !== undefined)
      throw new UsageError(`--eval ${options.eval.join(' ')}: these are not the samples that were measured`);
  } catch (error) {
    if (!(error instanceof QdbgError) || options.eval !== undefined) throw error;
  }
  return {
    opened: stored,
    unreadable: 'the samples are not where they were; qdbg report with --eval PATH finds them',
  };
}

/** The calibration data are not needed again. */
async function openedMeasured(
  loaded: LoadedModel,
  request: AnalyzeRequest,
  stored: SamplesAgain['opened'],
): Promise<SamplesAgain['opened']> {
  if (stored.evaluation === undefined) return openedSamples(loaded, request);
  const { calib } = await openedSamples(loaded, { ...request, calib: request.eval, eval: [] });
  return { calib: stored.calib, evaluation: calib };
}

/** What a document says of a data set, without the samples. */
function storedDataset({ path, kind, samples, sha256, preprocessing, excluded }: ReportedData): Dataset {
  return {
    kind: kind as Dataset['kind'],
    path,
    count: samples,
    available: samples,
    ids: [],
    names: [],
    preprocessing: preprocessing as ResolvedPreprocessing | undefined,
    assumed: [],
    excluded: excluded.map(({ sample, reason }) => ({ id: sample, reason })),
    samples: () => {
      throw new RangeError('these samples are not here');
    },
    sha256: () => Promise.resolve(sha256),
  };
}
