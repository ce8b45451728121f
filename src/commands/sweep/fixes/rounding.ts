/** Weights rounded for the output of their layer instead of each to the nearest code. */
import { edgesOf } from '../../../compile/edges.js';
import { inferenceProgram } from '../../../compile/measurement-program.js';
import { toFloat32 } from '../../../ir/elements.js';
import { nodeLabel, tensorOf, type ConstantData, type Graph, type TensorId } from '../../../ir/graph.js';
import { FLOAT_LANE, hasSameCodes, type Lane, type QuantParams } from '../../../ir/lane.js';
import { weightsOf, type Weight } from '../../../ir/weights.js';
import { compensating, exactGraph, exactOf } from '../../../quant/edits/constant-values.js';
import { kernelChannels } from '../../../quant/edits/kernel-channels.js';
import { LayerInputs } from '../../../quant/edits/layer-inputs.js';
import { SecondMoments, searchedCodes } from '../../../quant/edits/rounding.js';
import { dequantize, quantize } from '../../../quant/affine.js';
import { plural } from '../../../report/format.js';
import { openSession } from '../../../run/runtime.js';
import type { FixGround, LaneFix } from './lane-fix.js';

/** Inputs of one output beyond which the search of a layer takes minutes. */
const MOST_INPUTS = 1152;
/** Elements of the moments, and of the activations of one sample, that are in memory together. */
const MOST_ELEMENTS = 2 ** 24;
/** Positions of each layer that are looked at, over all samples: more change no code in a hundred. */
const POSITIONS = 2048;

/**
 * One fix for all layers whose weights the lane quantizes to 8 bits or fewer, with as many inputs as can be searched. Takes a pass
 * over the samples for every few layers.
 *
 * @param lane the one whose weights are rounded, other fixes included; that of the sweep when absent
 */
export async function roundingFixes(
  ground: FixGround,
  lane: Lane = ground.simulated.lane,
): Promise<LaneFix[]> {
  const { graph } = ground.simulated.simulation;
  const open = exactGraph(graph, lane);
  const layers = searchable(open, lane);
  const rounded = new Map<TensorId, ConstantData>();
  for (const chunk of chunksOf(layers)) {
    const moments = await momentsOf(ground, open, chunk);
    for (const { layer, inputs } of chunk) {
      const params = lane.tensors.get(layer.tensor);
      const own = moments.get(layer.tensor);
      if (params === undefined || own === undefined) continue;
      const made = roundedWeight(layer, inputs, params, own);
      if (made !== undefined) rounded.set(layer.tensor, made);
    }
  }
  if (rounded.size === 0) return [];
  const places = layers
    .filter(({ layer }) => rounded.has(layer.tensor))
    .map(({ layer }) => nodeLabel(layer.node));
  return [
    {
      id: 'rounding:searched',
      kind: 'rounding',
      title: `weights of ${plural(rounded.size, 'layer')} rounded up or down so that the error of each output is least`,
      places,
      tensors: [...rounded.keys()],
      apply: (onto) => roundedLane(graph, lane, onto, rounded),
      remade: async (onto) => (await roundingFixes(ground, onto))[0],
    },
  ];
}

/** Only where the weight and its quantizer are those that were searched. */
function roundedLane(
  graph: Graph,
  searched: Lane,
  onto: Lane,
  rounded: ReadonlyMap<TensorId, ConstantData>,
): Lane {
  const values = new Map(onto.values);
  let isChanged = false;
  for (const [tensor, data] of rounded) {
    const [then, now] = [searched.tensors.get(tensor), onto.tensors.get(tensor)];
    const exact = (of: Lane): ConstantData | undefined =>
      of.values?.get(tensor) ?? tensorOf(graph, tensor).data;
    if (then === undefined || now === undefined || !hasSameCodes(then, now)) continue;
    if (exact(searched) !== exact(onto)) continue;
    values.set(tensor, data);
    isChanged = true;
  }
  return isChanged ? { ...onto, values } : onto;
}

interface Searched {
  readonly layer: Weight;
  readonly inputs: LayerInputs;
  readonly tensor: TensorId;
  readonly elements: number;
}

function searchable(graph: Graph, lane: Lane): Searched[] {
  const edges = new Map(
    edgesOf({ ...graph, inner: new Set() }, new Set()).edges.map((edge) => [edge.tensor, edge]),
  );
  return weightsOf(graph).flatMap((layer): Searched[] => {
    const params = lane.tensors.get(layer.tensor);
    const input = layer.node.inputs[0];
    const edge = input === null || input === undefined ? undefined : edges.get(input);
    const isByte = params !== undefined && params.qmax - params.qmin < 256;
    if (!isByte || edge === undefined || params.granularity.kind === 'per-block') return [];
    if (params.granularity.kind === 'per-axis' && params.granularity.axis !== layer.axis) return [];
    if (layer.data.dtype !== 'float32' || exactOf(layer.data) !== layer.data) return [];
    const inputs = LayerInputs.of(layer.node, layer.data.dims, edge.dims);
    if (inputs === undefined || inputs.size > MOST_INPUTS) return [];
    if (inputs.groups * inputs.size ** 2 > MOST_ELEMENTS) return [];
    return [{ layer, inputs, tensor: edge.tensor, elements: edge.count }];
  });
}

/** Layers whose moments and inputs fit into memory together. */
function chunksOf(layers: readonly Searched[]): Searched[][] {
  const chunks: Searched[][] = [];
  let [moments, elements] = [Infinity, Infinity];
  for (const layer of layers) {
    const size = layer.inputs.groups * layer.inputs.size ** 2;
    moments += size;
    elements += layer.elements;
    if (moments > MOST_ELEMENTS || elements > MOST_ELEMENTS) {
      chunks.push([]);
      [moments, elements] = [size, layer.elements];
    }
    chunks.at(-1)?.push(layer);
  }
  return chunks;
}

/** By weight: of every group. */
async function momentsOf(
  { samples, threads }: FixGround,
  graph: Graph,
  layers: readonly Searched[],
): Promise<Map<TensorId, SecondMoments[]>> {
  const made = new Map(
    layers.map(({ layer, inputs }) => [
      layer.tensor,
      Array.from({ length: inputs.groups }, () => new SecondMoments(inputs.size)),
    ]),
  );
  const program = inferenceProgram(
    graph,
    FLOAT_LANE,
    layers.map(({ tensor }) => tensor),
  );
  const session = await openSession(program.model, { threads });
  const most = Math.max(1, Math.ceil(POSITIONS / Math.max(1, samples.count)));
  try {
    let sample = 0;
    for await (const { feeds, id } of samples.samples()) {
      const fetched = await session.run(feeds, id);
      layers.forEach(({ layer, inputs }, i) => {
        const values = fetched[program.positions[i]!];
        const moments = made.get(layer.tensor);
        if (values instanceof Float32Array && moments !== undefined)
          inputs.visit(values, { most, first: sample }, (group, x) => moments[group]?.add(x));
      });
      sample++;
    }
  } finally {
    await session.close();
  }
  return made;
}

/** What the quantizer makes the searched codes of; undefined where they are those of plain rounding. */
function roundedWeight(
  { node, data }: Weight,
  inputs: LayerInputs,
  params: QuantParams,
  moments: readonly SecondMoments[],
): ConstantData | undefined {
  const values = toFloat32(data);
  if (!values.every(Number.isFinite)) return undefined;
  const codes = quantize(values, data.dims, params);
  const matrices = moments.map((moment) => moment.matrix());
  const { outputs } = kernelChannels(node, data.dims);
  let isChanged = false;
  for (let output = 0; output < outputs; output++) {
    const matrix = matrices[inputs.groupOf(output)];
    if (matrix === undefined) continue;
    const elements = inputs.elementsOf(output);
    const at = params.granularity.kind === 'per-axis' ? output : 0;
    const quantizer = {
      scale: params.scale[at]!,
      zeroPoint: params.zeroPoint[at]!,
      qmin: params.qmin,
      qmax: params.qmax,
    };
    const row = Float64Array.from(elements, (element) => values[element]!);
    const nearest = Int32Array.from(elements, (element) => codes[element]!);
    searchedCodes(row, nearest, quantizer, matrix).forEach((code, i) => {
      if (code !== nearest[i]) isChanged = true;
      codes[elements[i]!] = code;
    });
  }
  return isChanged ? compensating(data, dequantize(codes, data.dims, params)) : undefined;
}
