/**
 * A lane as an ONNX model with QuantizeLinear and DequantizeLinear (QDQ), which ONNX Runtime and other tools run.
 *
 * Where the graph is the file node by node, the file itself is changed, field by field: what the lane does not touch keeps its very
 * bytes. Where it is not (functions, codes in the file, TensorFlow Lite), the graph is written as a model first.
 */
import { UnsupportedError } from '../../errors.js';
import { isFloat, nodeLabel, tensorOf, type Graph, type NodeId, type TensorId } from '../../ir/graph.js';
import { useKey, type Lane } from '../../ir/lane.js';
import { upgradeOpset, type Upgraded } from '../../ir/upgrade/index.js';
import { joined, type Parts } from '../../onnx/wire.js';
import { editedModel, wireModel, type WireModel } from '../../onnx/wire-model.js';
import { correspondence, type Correspondence } from './correspondence.js';
import { graphFile } from './graph-file.js';
import { laneEdits } from './lane-edits.js';

export interface QdqModel {
  readonly bytes: Uint8Array;
  /** 'changed': the file with additions. 'written': a model made from the graph, because the file could not be changed so. */
  readonly how: 'changed' | 'written';
  /** What a user of the file has to know, one line each. */
  readonly notes: readonly string[];
  /** What of the lane the file does not have, one line each. */
  readonly lost: readonly string[];
}

/**
 * ONNX Runtime replaces quantizers and what is between them by integer operators, and float biases by rounded ones, without asking
 * whether the model's opset has those: QLinearConv is there from 10, Round from 11.
 */
const OLDEST = 11;
const UPGRADED = { opset: 13, irVersion: 7 } as const;
/** Protobuf messages end here. */
const LIMIT = 2 ** 31 - 1;

/**
 * @param file bytes of the user's model file, ONNX or TensorFlow Lite; they stay as they are
 * @param graph read from that file; extents may be bound since, ids and nodes are as the loader gave them
 * @throws UnsupportedError where no ONNX model can say it: operators that nothing computes, opsets without a form of it, beyond 2 GiB
 */
export function qdqModel(file: Uint8Array, graph: Graph, lane: Lane): QdqModel {
  const original = graph.format === 'onnx' ? wireModel(file) : undefined;
  const found = original === undefined ? 'the file is not ONNX' : placesOf(original, graph, lane);
  const isChanged = original !== undefined && typeof found !== 'string';
  const base = isChanged ? { model: original, graph, lane, places: found } : written(graph, lane, original);
  const { edits, notes, lost } = laneEdits(base.model, base.graph, base.lane, base.places);
  return {
    bytes: inOnePiece(editedModel(base.model, edits)),
    how: isChanged ? 'changed' : 'written',
    notes: [
      ...(typeof found === 'string'
        ? [`written anew from what was read, not a changed copy of the file: ${found}`]
        : []),
      ...notes,
      ...externalNotes(graph, lane),
      ...runtimeNotes(graph, lane),
    ],
    lost: [...lost, ...kernelsLost(lane)],
  };
}

/** Where the lane goes in the file; in words of the user why it cannot, where it cannot. */
function placesOf(file: WireModel, graph: Graph, lane: Lane): Correspondence | string {
  const opset = file.opsets.get('') ?? OLDEST;
  if (opset < OLDEST)
    return `integer operators that ONNX Runtime makes of it need opset ${OLDEST}, it has ${opset}`;
  const places = correspondence(file, graph);
  if (typeof places === 'string') return places;
  const isInlined = (node: NodeId): boolean => (graph.nodes[node]?.origin.functionPath?.length ?? 0) > 0;
  const inlined = [...lane.uses.keys(), ...(lane.dynamic?.keys() ?? [])]
    .map((key) => Number(key.split(':')[0]) as NodeId)
    .find(isInlined);
  const inFunction = (label: string): string =>
    `${label} is inside a function of the model, which may be called twice`;
  if (inlined !== undefined) return inFunction(nodeLabel(graph.nodes[inlined]!));
  const folded = new Set(
    [...places.folded.keys()].flatMap((node) => graph.nodes[node]?.inputs.slice(1) ?? []),
  );
  for (const id of [...lane.tensors.keys(), ...(lane.values?.keys() ?? [])]) {
    const { name, data, dtype } = tensorOf(graph, id);
    if (!isFloat(dtype) || folded.has(id)) continue;
    const isThere =
      data === undefined
        ? places.producers.has(name) || file.inputs.has(name)
        : places.constants.has(name) || file.initializers.has(name);
    if (!isThere) return inFunction(`'${name}'`);
  }
  return places;
}

interface Base {
  readonly model: WireModel;
  readonly graph: Graph;
  readonly lane: Lane;
  readonly places: Correspondence;
}

function written(given: Graph, givenLane: Lane, original: WireModel | undefined): Base {
  const { graph, lane = givenLane } = modern(given, givenLane);
  const made = graphFile(graph, original);
  const model = wireModel(inOnePiece(made.parts));
  const places = correspondence(model, made.graph);
  if (typeof places === 'string') throw new RangeError(`a graph is not as it was written: ${places}`);
  return { model, graph: made.graph, lane, places };
}

/** In the opset that has quantizers with one scale per channel, where the file's has none. */
function modern(graph: Graph, lane: Lane): Upgraded {
  if ((graph.opsets.get('') ?? OLDEST) >= OLDEST) return { graph, lane };
  const upgraded = upgradeOpset(graph, UPGRADED.opset, lane);
  return {
    ...upgraded,
    graph: { ...upgraded.graph, irVersion: Math.max(graph.irVersion, UPGRADED.irVersion) },
  };
}

function inOnePiece(parts: Parts): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length <= LIMIT) return joined(parts);
  throw new UnsupportedError(
    `the quantized model would take ${length} bytes; an ONNX file ends at ${LIMIT}`,
    {
      hint: 'onnx.save_model(onnx.load(MODEL), MODEL, save_as_external_data=True), then export again',
    },
  );
}

function externalNotes(graph: Graph, lane: Lane): string[] {
  const left = graph.tensors.flatMap(({ id, data }) =>
    data?.external === undefined || lane.tensors.has(id) || lane.values?.has(id) === true
      ? []
      : [data.external.location],
  );
  return [...new Set(left)].map((location) => `reads ${location}, beside which it has to lie`);
}

/** Where the runtime's default optimizations compute something else than the quantizers say. */
function runtimeNotes(graph: Graph, lane: Lane): string[] {
  const isQuantized = (node: NodeId, slot: number, tensor: TensorId | null | undefined): boolean =>
    tensor !== null &&
    tensor !== undefined &&
    (lane.uses.has(useKey(node, slot)) || lane.tensors.has(tensor));
  const multiplies = graph.nodes.some(({ id, op, inputs: [input, weight] }) => {
    const isProduct = op === 'MatMul' || op === 'Gemm';
    return isProduct && isQuantized(id, 1, weight) && !isQuantized(id, 0, input);
  });
  return multiplies
    ? [
        'where only the weights of a MatMul are quantized, ONNX Runtime also brings its input to 8 bits, unless ' +
          "add_session_config_entry('session.qdq_matmulnbits_accuracy_level', '1')",
      ]
    : [];
}

function kernelsLost({ arithmetic, hybrid }: Lane): string[] {
  const lost: string[] = [];
  if (arithmetic !== undefined)
    lost.push('integer kernels: operators compute in float between quantizers, results can be one step off');
  if (hybrid !== undefined && hybrid.size > 0)
    lost.push(
      `${hybrid.size} hybrid operators: their activations stay in float, their weights are quantized`,
    );
  return lost;
}
