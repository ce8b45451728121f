/** Decisions of sweeps over fixtures, with ranges from fixtures/sweep/ranges.json instead of a run: the same on every machine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision } from '../../src/commands/sweep/export/decision.js';
import type { Simulated } from '../../src/commands/sweep/part-lanes.js';
import { wideLane } from '../../src/commands/sweep/search/wide-lane.js';
import { calibratedLane, planSimulation } from '../../src/commands/simulation.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { nodeLabel, tensorOf, type Graph } from '../../src/ir/graph.js';
import { layersOf, type Layer } from '../../src/quant/layers.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../src/quant/select.js';
import { loadModel } from '../../src/loader/index.js';
import { projectPath } from './tflite-network.js';

export type Ranges = Readonly<Record<string, readonly [number, number]>>;

interface Case {
  readonly model: string;
  /** In ranges.json. */
  readonly ranges: string;
  readonly scheme: Scheme;
  /** Layers that are kept in float, and moved to 16 bits. */
  readonly float: readonly string[];
  readonly wide: readonly string[];
}

const PER_AXIS = overrideScheme(SCHEMES['ort']!, { granularity: 'per-axis' });

/** By the name of the recorded files in fixtures/sweep/exports. */
export const CASES: Readonly<Record<string, Case>> = {
  digits: {
    model: 'fixtures/digits/digits.onnx',
    ranges: 'digits',
    scheme: SCHEMES['ort']!,
    float: ['block1/depthwise', 'head/classifier'],
    wide: ['block2/expand'],
  },
  digits_rescaled: {
    model: 'fixtures/digits/digits_rescaled.onnx',
    ranges: 'digits_rescaled',
    scheme: PER_AXIS,
    float: ['stem/conv'],
    wide: [],
  },
  mobile: {
    model: 'fixtures/sweep/mobile.onnx',
    ranges: 'mobile',
    scheme: PER_AXIS,
    float: ['block.1[depthwise]*$'],
    wide: ['block.2{project}'],
  },
  mobile_plain: {
    model: 'fixtures/sweep/mobile.onnx',
    ranges: 'mobile',
    scheme: SCHEMES['ort']!,
    float: [],
    wide: [],
  },
  digits_tflite: {
    model: 'fixtures/tflite/digits_float.tflite',
    ranges: 'digits_tflite',
    scheme: SCHEMES['tflite']!,
    float: ['CONV_2D#2'],
    wide: ['CONV_2D#4'],
  },
  digits_tflite_ends: {
    model: 'fixtures/tflite/digits_float.tflite',
    ranges: 'digits_tflite',
    scheme: SCHEMES['tflite']!,
    float: ['CONV_2D#0', 'FULLY_CONNECTED#9', 'SOFTMAX#10'],
    wide: [],
  },
};

export async function decisionOf(name: string): Promise<Decision> {
  const { model, ranges, scheme, float, wide } = CASES[name]!;
  const all = JSON.parse(readFileSync(join(SWEEP, 'ranges.json'), 'utf8')) as Record<string, Ranges>;
  const loaded = await loadModel(projectPath(model));
  const [input] = loaded.graph.inputs.map((id) => tensorOf(loaded.graph, id));
  const dims = (input?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
  const graph = inferShapes(bindInputs(loaded.graph, new Map([[input?.name ?? '', dims]])));
  return decide(graph, scheme, all[ranges]!, { float, wide });
}

const SWEEP = projectPath('fixtures/sweep');

/** A decision about a graph whose activations have these ranges, by tensor. */
export function decide(
  graph: Graph,
  scheme: Scheme,
  ranges: Ranges,
  { float = [], wide = [] }: { readonly float?: readonly string[]; readonly wide?: readonly string[] } = {},
): Decision {
  const { plan } = planSimulation(graph, scheme, NO_SELECTION);
  const layers = layersOf(graph, plan);
  const named = (names: readonly string[]): Layer[] =>
    names.map((name) => {
      const layer = layers.find((candidate) => candidate.name === name);
      if (layer === undefined) throw new Error(`no layer ${name}; ${layers.map((l) => l.name).join(', ')}`);
      return layer;
    });
  const kept = named(float);
  const moved = named(wide);
  const simulated = simulate(graph, scheme, ranges, kept);
  const lane = wideLane(simulated, moved);
  if (lane === undefined) throw new Error('the target has no 16-bit kernels');
  return { graph, scheme, layers, float: kept, wide: moved, fixes: [], lane };
}

function simulate(graph: Graph, scheme: Scheme, ranges: Ranges, float: readonly Layer[]): Simulated {
  const nodes = new Set(float.flatMap((layer) => layer.nodes));
  const names = graph.nodes.filter(({ id }) => nodes.has(id)).map((node) => nodeLabel(node));
  const selection: Selection = { only: [], skip: [...new Set(names)] };
  const simulation = { ...planSimulation(graph, scheme, selection), scheme };
  const edges = new Map(
    graph.tensors.flatMap(({ id, name }) => {
      const range = ranges[name];
      return range === undefined ? [] : [[id, { count: 1, min: range[0], max: range[1] }] as const];
    }),
  );
  const calibration = { edges } as unknown as Simulated['calibration'];
  return { simulation, calibration, selection, lane: calibratedLane(simulation, calibration) };
}
