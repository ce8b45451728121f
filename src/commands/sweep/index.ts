/** `qdbg sweep`: calibrate once, then try every layer, experiment and fix; find what to keep in higher precision; write it down. */
import { UsageError, RunError } from '../../errors.js';
import { FLOAT_LANE } from '../../ir/lane.js';
import type { Scheme } from '../../quant/scheme.js';
import type { SweepReport } from '../../report/sweep-report.js';
import type { Watch } from '../../run/samples.js';
import { passesOf } from '../calibrated.js';
import { assembled } from './assembled.js';
import { decided } from './decided.js';
import { effectBasis, type EffectBasis } from './effects.js';
import { plannedExperiments } from './experiments/experiments.js';
import { checkExports, checkModelExport, exportsOf, type WrittenExport } from './exports.js';
import { measureFixes, type MeasuredFixes } from './fixes/measured.js';
import { proposedFixes } from './fixes/proposed.js';
import { openJournal } from './trials/journal.js';
import type { FixGround } from './fixes/lane-fix.js';
import { parseExperiments } from './experiments/named-experiments.js';
import { PooledRunner } from './trials/pooled-runner.js';
import { opened, prepared, type Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';
import { checkDropTarget, dropTarget } from './search/drop-target.js';
import { requireKernels, searchPrecision, type Searched } from './search/search.js';
import { SharedTrials } from './trials/shared-trials.js';
import { sweepFacts } from './sweep-facts.js';
import { sweptExperiments } from './experiments/swept-experiments.js';
import { SCORED_LAYERS, sweptUnits, type UnitKind } from './units/swept-units.js';
import type { TrialOutcome } from './trials/trial.js';
import { sweptGround, type SweptGround } from './swept-ground.js';
import { unitsOf } from './units/units.js';
import { metricOf, scoredBeside, type Metric } from './whole-networks.js';

export interface Swept {
  readonly report: SweepReport;
  /** To be written beside the report. */
  readonly exported: readonly WrittenExport[];
}

/** @throws UsageError, DataError, LoadError, RunError as `qdbg analyze`, and for what of the request cannot be tried */
export async function sweep(request: SweepRequest, watch: Watch): Promise<Swept> {
  const named =
    request.experiments === undefined
      ? []
      : parseExperiments(request.experiments.value, request.experiments.source);
  const open = await opened(request);
  const { layers } = open;
  const { graph, scheme } = open.simulation;
  checkSearch(request, scheme);
  checkExports(request.exports, open.simulation);
  const units = unitsOf(graph, layers, request.groups);
  const experiments = request.parts.has('experiments')
    ? plannedExperiments({
        graph,
        scheme,
        selection: request.selection,
        layers,
        momentum: passesOf(scheme, request.threads).momentum,
        named,
      })
    : { experiments: [], notMeasured: [] };
  const network = await prepared(open, request, watch);
  const { simulated } = network;
  await checkModelExport(request.exports, network.loaded, { graph, lane: simulated.lane });
  const ground = await sweptGround(request, network);
  const accuracy = await scoredBeside(request, network, ground, watch);
  const metric = metricOf(accuracy);
  if (request.target !== undefined) dropTarget(request.target, metric);
  const journal =
    request.resume === undefined
      ? undefined
      : await openJournal(request.resume, await sweepFacts(request, network, ground));
  const runner = new PooledRunner(ground.trials, ground.description, {
    processes: request.processes,
    ...(journal === undefined ? {} : { journal }),
  });
  const trials = new SharedTrials(runner);
  try {
    const { float, quantized } = await ends(trials, simulated.lane, watch);
    const basis = effectBasis(quantized, metric?.better, float);
    const progress =
      (pass: string) =>
      (done: number, of: number): void =>
        watch(pass, done, of);
    const kinds = new Set<UnitKind>(
      (['alone', 'restored'] as const).filter((kind) => request.parts.has(kind)),
    );
    const swept = await sweptUnits(
      { simulated, units, kinds, score: SCORED_LAYERS, basis },
      trials,
      progress('layers'),
    );
    const tried = await sweptExperiments(
      experiments.experiments,
      { simulated, basis },
      trials,
      progress('experiments'),
    );
    const found = request.parts.has('fixes')
      ? await fixed(request, network, ground, { trials, basis, progress: progress('fixes') })
      : undefined;
    const searched = await searchedFor(request, network, {
      trials,
      basis,
      metric,
      units: kinds.size === 0 ? [] : swept.layers,
      groups: units.groups.filter(({ kind }) => kind === 'group').map((group) => group.layers),
      progress: progress('search'),
    });
    const decision = await decided(
      { simulated, layers, target: request.target, to: request.to, metric, basis },
      {
        ...(found === undefined ? {} : { fixes: found.measured }),
        ...(searched === undefined ? {} : { search: searched }),
      },
      trials,
    );
    const exported = await exportsOf(request.exports, network.loaded, decision.decision);
    return {
      exported: exported.map(({ written }) => written),
      report: await assembled(request, network, ground, {
        accuracy,
        basis,
        float,
        swept,
        experiments: tried.experiments,
        notMeasured: [...experiments.notMeasured, ...tried.notMeasured, ...(found?.notMeasured ?? [])],
        ...(found === undefined ? {} : { fixes: found.measured }),
        ...(searched === undefined ? {} : { search: searched }),
        decision: decision.reported,
        exports: exported.map(({ reported }) => reported),
      }),
    };
  } finally {
    await trials.close();
    await journal?.close();
  }
}

/**
 * Before anything is run; what depends on the metric is looked at once that is known.
 *
 * @throws UsageError for a search that cannot be made
 */
function checkSearch({ parts, target, to }: SweepRequest, scheme: Scheme): void {
  if (target !== undefined) checkDropTarget(target);
  if (!parts.has('search')) return;
  if (target === undefined) {
    throw new UsageError('the search needs a target: how much may be lost?', { hint: '--target-drop 1pt' });
  }
  requireKernels(to, scheme);
}

/** Nothing and everything quantized: what all others lie between. */
async function ends(
  trials: SharedTrials,
  lane: Prepared['simulated']['lane'],
  watch: Watch,
): Promise<{ readonly float: TrialOutcome; readonly quantized: TrialOutcome }> {
  const [float, quantized] = await trials.run(
    [
      { id: 'float', lane: FLOAT_LANE },
      { id: 'everything', lane },
    ],
    { noise: true, score: true },
    (done, of) => watch('float and quantized', done, of),
  );
  const failure = float?.failure ?? quantized?.failure;
  if (float === undefined || quantized === undefined || failure !== undefined) {
    throw new RunError(`the network cannot be run: ${failure ?? 'nothing came back'}`, {
      hint: 'qdbg analyze MODEL --calib random shows whether the model or the data is at fault',
    });
  }
  return { float, quantized };
}

interface Asking {
  readonly trials: SharedTrials;
  readonly basis: EffectBasis;
  readonly progress: (done: number, of: number) => void;
}

async function fixed(
  { processes, threads }: SweepRequest,
  { simulated, layers, ends: endEdges }: Prepared,
  { fitted: samples }: SweptGround,
  { trials, basis, progress }: Asking,
): Promise<{ readonly measured: MeasuredFixes; readonly notMeasured: SweepReport['notMeasured'] }> {
  const ground: FixGround = {
    simulated,
    layers,
    edges: simulated.simulation.edges,
    ends: endEdges,
    samples,
    threads: processes * threads,
  };
  const { fixes, left } = await proposedFixes(ground);
  return {
    measured: await measureFixes(ground, fixes, { runner: trials, basis, progress }),
    notMeasured: left.map(({ title }) => ({
      subject: title,
      reason: 'more promising fixes were tried in its place',
    })),
  };
}

async function searchedFor(
  { parts, target, to, processes }: SweepRequest,
  { simulated, layers }: Prepared,
  {
    trials,
    basis,
    metric,
    units,
    groups,
    progress,
  }: Asking & {
    readonly metric: Metric | undefined;
    readonly units: SweepReport['layers'];
    readonly groups: readonly Prepared['layers'][];
  },
): Promise<Searched | undefined> {
  if (!parts.has('search') || target === undefined) return undefined;
  return searchPrecision(
    {
      simulated,
      layers,
      to,
      target,
      ...(metric === undefined ? {} : { metric }),
      basis,
      units,
      groups,
      batch: Math.max(SEARCHED_AT_ONCE, processes),
    },
    trials,
    progress,
  );
}

/** Candidates of one round share what they compute in common. */
const SEARCHED_AT_ONCE = 8;
