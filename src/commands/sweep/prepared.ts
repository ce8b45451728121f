/** All that comes before the first trial: the model, its data, its calibration, and the network quantized as a whole. */
import { edgesOf, type Edge } from '../../compile/edges.js';
import { endsOf } from '../../diff/ends.js';
import { UsageError } from '../../errors.js';
import { bindInputs } from '../../ir/bind-inputs.js';
import { inferShapes } from '../../ir/infer/index.js';
import { loadModel, type LoadedModel } from '../../loader/index.js';
import { layersOf, type Layer } from '../../quant/layers.js';
import type { Dataset } from '../../run/data/dataset.js';
import { withExtents, type Watch } from '../../run/samples.js';
import { requireSupported } from '../../run/unsupported.js';
import { isAsked } from '../accuracy/evaluated.js';
import { requireAccuracyOf } from '../accuracy/of-lanes.js';
import { calibrated, passesOf } from '../calibrated.js';
import { openedData } from '../opened-data.js';
import { requireSomething } from '../preconditions.js';
import { extentsOf } from '../sample-extents.js';
import { defaultScheme } from '../scheme-request.js';
import { calibratedLane, planSimulation } from '../simulation.js';
import type { Simulated } from './part-lanes.js';
import type { SweepRequest } from './request.js';

/** The model and its data, and what of the network is to be quantized. */
export interface Opened {
  readonly loaded: LoadedModel;
  readonly calib: Dataset;
  /** Of `--eval`. */
  readonly evaluation: Dataset | undefined;
  /** Of the inputs, by name. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
  readonly simulation: Simulated['simulation'];
  /** In graph order. */
  readonly layers: readonly Layer[];
  /** Where all trials are compared with float: outputs, or the last tensors that are measured. */
  readonly ends: readonly Edge[];
  /** Whether there is a metric, with labels or without. */
  readonly isScored: boolean;
}

export interface Prepared extends Omit<Opened, 'simulation'> {
  readonly simulated: Simulated;
}

/**
 * @throws UsageError for a model that is quantized already, and as `qdbg analyze`
 */
export async function opened(request: SweepRequest): Promise<Opened> {
  if (request.calib.length === 0) {
    throw new UsageError('sweep needs calibration data: nothing says which values the activations take', {
      hint: '--calib FOLDER_OF_IMAGES, or --calib random for a smoke test',
    });
  }
  const loaded = await loadModel(request.model, { shapes: request.data.shapes });
  if (loaded.lane !== undefined) {
    throw new UsageError(`${request.model} is quantized already: its layers cannot be quantized one by one`, {
      hint: `qdbg sweep with the float model; qdbg compare FLOAT ${request.model} --data DATA shows where this file loses`,
    });
  }
  const calib = await openedData(loaded, '--calib', request.calib, request.data);
  const evaluation =
    request.eval.length === 0 ? undefined : await openedData(loaded, '--eval', request.eval, request.data);
  const extents = await extentsOf(calib, '--calib');
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const scheme = request.scheme ?? defaultScheme(loaded.format, request.schemeOverrides ?? {});
  const simulation = { ...planSimulation(graph, scheme, request.selection), scheme };
  if (simulation.notMeasured.length > 0) await requireSupported(graph);
  requireSomething(simulation, request.selection);
  const ends = endsOf(graph, new Set(simulation.edges.map(({ tensor }) => tensor)));
  return {
    loaded,
    calib,
    evaluation,
    extents,
    simulation,
    layers: layersOf(graph, simulation.plan),
    ends: simulation.edges.filter(({ tensor }) => ends.has(tensor)),
    isScored: evaluation !== undefined || isAsked(request.accuracy),
  };
}

/** The passes over the calibration data, after a look at whether what was asked for can be evaluated. */
export async function prepared(
  { simulation, ...network }: Opened,
  request: SweepRequest,
  watch: Watch,
): Promise<Prepared> {
  const { graph, scheme } = simulation;
  const { calib, evaluation, extents } = network;
  const threads = request.threads * request.processes;
  await requireAccuracyOf(graph, { dataset: evaluation ?? calib, extents }, { ...request, threads });
  // Edges inside fused operators, too: another scheme, or a part of the network alone, may have quantizers there.
  const { edges } = edgesOf(graph, new Set(graph.inner ?? []));
  const samples = withExtents(calib, extents);
  const calibration = await calibrated(graph, edges, samples, passesOf(scheme, threads), watch);
  const lane = calibratedLane(simulation, calibration);
  return { ...network, simulated: { simulation, calibration, selection: request.selection, lane } };
}
