/** Grounds for fixes over the networks of fixtures/digits, and what lanes lose there. */
import { openedData } from '../../src/commands/opened-data.js';
import { extentsOf } from '../../src/commands/sample-extents.js';
import { calibratedLane, planSimulation } from '../../src/commands/simulation.js';
import type { FixGround } from '../../src/commands/sweep/fixes/lane-fix.js';
import { edgesOf } from '../../src/compile/edges.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { Lane } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { layersOf } from '../../src/quant/layers.js';
import { SCHEMES } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { calibrate } from '../../src/run/calibrate.js';
import { Ladder } from '../../src/run/ladder.js';
import { withExtents } from '../../src/run/samples.js';
import { projectPath } from './tflite-network.js';

/** @param model name of a file of fixtures/digits */
export async function digitsGround(
  model: string,
  scheme: Scheme = SCHEMES.ort!,
  count?: number,
): Promise<FixGround> {
  const loaded = await loadModel(projectPath(`fixtures/digits/${model}`));
  const calib = await openedData(loaded, '--calib', [projectPath('fixtures/digits/calib')], {
    preprocessing: { preset: 'unit' },
    shapes: new Map(),
    skipUnreadable: false,
    ...(count === undefined ? {} : { samples: count }),
  });
  const extents = await extentsOf(calib, '--calib');
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const simulation = { ...planSimulation(graph, scheme, NO_SELECTION), scheme };
  const samples = withExtents(calib, extents);
  const { edges: followed } = edgesOf(graph, new Set());
  const passes = { threads: 1, histograms: true, momentum: 0.99 };
  const calibration = await calibrate(graph, followed, samples, passes, () => undefined);
  const lane = calibratedLane(simulation, calibration);
  const { edges, plan } = simulation;
  const ends = edges.filter(({ tensor }) => graph.outputs.includes(tensor));
  const simulated = { simulation, calibration, selection: NO_SELECTION, lane };
  return { simulated, layers: layersOf(graph, plan), edges, ends, samples, threads: 1 };
}

export function graphOf({ simulated }: FixGround): Graph {
  return simulated.simulation.graph;
}

/** SQNR in dB of each lane at the first output, over the samples of the ground. */
export async function outputDb(ground: FixGround, lanes: readonly Lane[]): Promise<number[]> {
  const ladder = new Ladder(graphOf(ground), lanes, ground.ends, undefined, { threads: 1 });
  try {
    for await (const sample of ground.samples.samples()) await ladder.add(sample);
  } finally {
    await ladder.close();
  }
  return ladder.sums.map(([end]) => 10 * Math.log10(end!.sumXX / end!.sumEE));
}

/** What is left without quantizers: the function that the lane's constants compute. */
export function withoutQuantizers(lane: Lane): Lane {
  return { ...lane, tensors: new Map(), uses: new Map() };
}
