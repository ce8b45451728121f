/** The main subgraph of a TFLite file -> Graph and the lane that its parameters make. */
import {
  OPAQUE_DOMAIN,
  type ConstantData,
  type Graph,
  type NodeId,
  type Tensor,
  type TensorId,
} from '../../../ir/graph.js';
import type { HybridInput, Lane, LaneFault, QuantParams } from '../../../ir/lane.js';
import { isMain } from '../../../ir/operators.js';
import { fileTensorsOf, type FileTensor } from '../file-tensors.js';
import { hybridInput } from '../hybrid.js';
import type { TfliteOperator, TfliteSubgraph } from '../model.js';
import { DraftGraph, type Annotation } from './draft-graph.js';
import { Unlowerable } from './lowering.js';
import { opaqueReason } from './opaque.js';
import { OperatorLowering } from './operator-lowering.js';
import { ruleOf } from './table.js';

/** Has every operator that the rules write; kernels of later ones are not in all supported versions of the runtime. */
const OPSET = 20;
const IR_VERSION = 9;

export interface BuiltGraph {
  readonly graph: Pick<
    Graph,
    'opsets' | 'irVersion' | 'tensors' | 'nodes' | 'inputs' | 'outputs' | 'inner' | 'name' | 'format'
  >;
  /** Undefined when nothing in the file is quantized. */
  readonly lane: Lane | undefined;
}

export function buildGraph(subgraph: TfliteSubgraph): BuiltGraph {
  const { tensors, faults } = fileTensorsOf(subgraph);
  uniqueInputNames(tensors, subgraph.inputs);
  const draft = new DraftGraph(tensors);
  for (const op of subgraph.operators) lower(op, draft);
  const outputs = subgraph.outputs.map((index) => {
    const origin = { name: '', op: 'output', index: subgraph.operators.length };
    return draft.inLayout(index, 'file', draft.fileTensor(index).dims.length, origin);
  });
  return {
    graph: {
      name: subgraph.name,
      format: 'tflite',
      opsets: new Map([['', OPSET]]),
      irVersion: IR_VERSION,
      tensors: draft.tensors,
      nodes: draft.nodes,
      inputs: subgraph.inputs as readonly TensorId[],
      outputs,
      inner: draft.inner,
    },
    lane: laneOf(draft.annotations, draft.tensors, hybridOf(subgraph, draft), faults),
  };
}

function hybridOf({ operators, tensors }: TfliteSubgraph, draft: DraftGraph): Map<NodeId, HybridInput> {
  const hybrid = new Map<NodeId, HybridInput>();
  const inputs = new Map(operators.map((op) => [op.index, hybridInput(op, tensors)]));
  for (const node of draft.nodes) {
    const input = isMain(node) && node.domain !== OPAQUE_DOMAIN ? inputs.get(node.origin.index) : undefined;
    if (input !== undefined) hybrid.set(node.id, input);
  }
  return hybrid;
}

function lower(op: TfliteOperator, draft: DraftGraph): void {
  if (isFolded(op, draft)) return;
  const mark = draft.mark();
  try {
    const rule = ruleOf(op);
    if (rule === undefined) throw new Unlowerable(opaqueReason(op));
    const resource = op.inputs.find((index) => index >= 0 && draft.fileTensor(index).dtype === undefined);
    if (resource !== undefined) {
      throw new Unlowerable(`'${draft.fileTensor(resource).name}' is a resource, which has no elements`);
    }
    const state = op.inputs.find((index) => index >= 0 && draft.fileTensor(index).isVariable);
    if (state !== undefined) {
      throw new Unlowerable(`'${draft.fileTensor(state).name}' keeps its value from one run to the next`);
    }
    rule(new OperatorLowering(op, draft));
  } catch (error) {
    if (!(error instanceof Unlowerable)) throw error;
    draft.restore(mark);
    writeOpaque(op, draft, error.message);
  }
}

/** DEQUANTIZE of a constant has become one. */
function isFolded({ op, custom, outputs }: TfliteOperator, draft: DraftGraph): boolean {
  const [output = -1] = outputs;
  return !custom && op === 'DEQUANTIZE' && output >= 0 && draft.fileTensor(output).data !== undefined;
}

function writeOpaque(
  { op, index, inputs, outputs }: TfliteOperator,
  draft: DraftGraph,
  reason: string,
): void {
  const ids = (list: readonly number[]): (TensorId | null)[] =>
    list.map((i) => (i < 0 ? null : (i as TensorId)));
  for (const output of outputs) if (output >= 0) draft.writtenIn(output, 'file');
  draft.node(op, OPAQUE_DOMAIN, ids(inputs), ids(outputs), { reason }, { name: '', op, index });
}

function laneOf(
  annotations: ReadonlyMap<TensorId, Annotation>,
  tensors: readonly Tensor[],
  hybrid: ReadonlyMap<NodeId, HybridInput>,
  faults: readonly LaneFault[],
): Lane | undefined {
  if (annotations.size === 0) return undefined;
  const params = new Map<TensorId, QuantParams>();
  const codes = new Map<TensorId, ConstantData>();
  for (const [id, annotation] of annotations) {
    params.set(id, annotation.params);
    if (annotation.codes !== undefined) codes.set(id, annotation.codes);
  }
  const isActivation = (id: TensorId): boolean => tensors[id]?.data === undefined;
  const hasIntegers = hybrid.size > 0 || [...params.keys()].some(isActivation);
  return {
    name: 'file',
    tensors: params,
    uses: new Map(),
    codes,
    ...(hasIntegers ? { arithmetic: 'tflite' as const } : {}),
    ...(hybrid.size > 0 ? { hybrid } : {}),
    faults,
  };
}

/** Data is fed by name; names in a TFLite file may repeat. */
function uniqueInputNames(tensors: FileTensor[], inputs: readonly number[]): void {
  const seen = new Set<string>();
  for (const index of inputs) {
    const tensor = tensors[index];
    if (tensor === undefined) continue;
    let { name } = tensor;
    while (seen.has(name)) name = `${name}#${index}`;
    if (name !== tensor.name) tensors[index] = { ...tensor, name };
    seen.add(name);
  }
}
