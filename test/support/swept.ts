/** Networks whose layers are swept, with everything that running trials needs. */
import { afterAll, beforeAll } from 'vitest';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { toFloat32 } from '../../src/ir/elements.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { tensorOf, type ConstantData, type Graph, type TensorId } from '../../src/ir/graph.js';
import type { Lane } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { layersOf, type Layer } from '../../src/quant/layers.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { edgesOf } from '../../src/compile/edges.js';
import { endsOf } from '../../src/diff/ends.js';
import { calibrate } from '../../src/run/calibrate.js';
import { extentsOf } from '../../src/commands/sample-extents.js';
import { withExtents } from '../../src/run/samples.js';
import type { AccuracyRequest } from '../../src/commands/accuracy/request.js';
import type { DataRequest } from '../../src/commands/data-request.js';
import { openedData } from '../../src/commands/opened-data.js';
import { calibratedLane, planSimulation } from '../../src/commands/simulation.js';
import {
  openGround,
  type GroundDescription,
  type TrialGround,
} from '../../src/commands/sweep/trials/ground.js';
import { partLane, type Simulated } from '../../src/commands/sweep/part-lanes.js';
import type { Trial } from '../../src/commands/sweep/trials/trial.js';
import { UNWATCHED } from './measured-networks.js';
import { projectPath } from './tflite-network.js';

export interface Swept {
  readonly ground: TrialGround;
  readonly description: GroundDescription;
  readonly simulated: Simulated;
  readonly layers: readonly Layer[];
  /** `alone` of every layer, then `restored` of every layer. */
  readonly trials: readonly Trial[];
}

export interface SweptOptions {
  /** Folders of the samples for noise and for the metric; without the second there is no metric. */
  readonly calib: string;
  readonly eval?: string;
  readonly metric?: string;
  readonly samples?: number;
}

/** The digits of the fixtures, quantized as ONNX Runtime does. */
export async function sweptDigits(options: Partial<SweptOptions> = {}): Promise<Swept> {
  const { calib = projectPath('fixtures/digits/calib'), samples = 12, metric = 'top1' } = options;
  const model = projectPath('fixtures/digits/digits.onnx');
  const scheme = SCHEMES.ort!;
  const request: DataRequest = { preprocessing: {}, shapes: new Map(), samples, skipUnreadable: false };
  const loaded = await loadModel(model);
  const dataset = await openedData(loaded, '--calib', [calib], request);
  const extents = await extentsOf(dataset, '--calib');
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const simulation = { ...planSimulation(graph, scheme, NO_SELECTION), scheme };
  const passes = { threads: 1, histograms: false, momentum: 0.99 };
  const { edges } = edgesOf(graph, new Set(graph.inner ?? []));
  const calibration = await calibrate(graph, edges, withExtents(dataset, extents), passes, UNWATCHED);
  const lane = calibratedLane(simulation, calibration);
  const simulated = { simulation, calibration, selection: NO_SELECTION, lane };
  const ends = endsOf(graph, new Set(simulation.edges.map(({ tensor }) => tensor)));
  const accuracy: AccuracyRequest = {
    metrics: [metric],
    skipUnlabelled: false,
    isRequired: true,
    pictures: 0,
    tellsAgreement: false,
  };
  const description: GroundDescription = {
    model,
    sha256: await loaded.sha256(),
    extents,
    ends: simulation.edges.filter(({ tensor }) => ends.has(tensor)),
    noise: { flag: '--calib', sources: [calib], request },
    ...(options.eval === undefined
      ? {}
      : { evaluation: { flag: '--eval' as const, sources: [options.eval], request, accuracy } }),
    threads: 1,
  };
  const layers = layersOf(graph, simulation.plan);
  const part = (kind: 'only' | 'without', title: string): Trial[] =>
    layers.map(({ name, nodes }) => {
      const made = partLane(simulated, { kind, nodes });
      if (made === undefined) throw new Error(`no lane for ${name}`);
      return { id: `${title} layer:${name}`, lane: made };
    });
  const ground = { ...(await openGround(description)), graph };
  return {
    ground,
    description,
    simulated,
    layers,
    trials: [...part('only', 'alone'), ...part('without', 'restored')],
  };
}

/** The lane with a constant of other values. */
export function withConstant(
  graph: Graph,
  lane: Lane,
  name: string,
  change: (values: Float32Array) => void,
): Lane {
  const tensor = graph.tensors.find((each) => each.name === name);
  if (tensor?.data === undefined) throw new Error(`no constant ${name}`);
  const values = Float32Array.from(toFloat32(tensor.data));
  change(values);
  const { dims } = tensor.data;
  const data: ConstantData = {
    dtype: 'float32',
    dims,
    byteLength: values.byteLength,
    bytes: () => new Uint8Array(values.buffer),
  };
  return { ...lane, values: new Map([...(lane.values ?? []), [tensor.id, data]]) };
}

/** The last constant of one axis: the bias of the classifier. */
export function lastBias(graph: Graph): string {
  const biases = graph.nodes.flatMap(({ inputs }) => inputs.slice(2)).filter((id) => id !== null);
  return tensorOf(graph, biases.at(-1) as TensorId).name;
}

/** Processes that the tests of the file start run the sources. */
export function startsSources(): void {
  const before = process.env.NODE_OPTIONS;
  beforeAll(() => {
    process.env.NODE_OPTIONS = `--import ${new URL('typescript-process.mjs', import.meta.url).href}`;
  });
  afterAll(() => {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
  });
}
