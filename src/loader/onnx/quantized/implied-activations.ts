/**
 * Activation functions that a quantized file leaves to the ranges of its integers: an exporter drops a Relu when the quantizer behind
 * it cuts off at zero anyway. Here they are operators again, so that the network without its quantizers is the float network.
 *
 * Nothing changes for the integers: what the operator cuts off, the quantizer would.
 */
import { isFloat, type ConstantData, type DType } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { lazyData } from '../../../onnx/tensor.js';
import type { Draft, DraftNode } from '../draft.js';
import { FreshNames } from '../fresh-names.js';
import type { ValueType } from '../value-type.js';

/** Operators whose results go below zero unless an activation function stops them. */
const SIGNED: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Add',
  'Sub',
  'Mul',
]);

/** How far the end of a range may be from 6, as a share of it, to be that of Relu6: ranges are nudged so that zero is a code. */
const TOLERANCE = 0.01;

/** Opset from which Clip takes its limits as inputs. */
const CLIP_WITH_INPUTS = 11;

/** The draft itself where no range implies one. */
export function withImpliedActivations(draft: Draft, opset: number): Draft {
  const { quantization } = draft;
  if (quantization === undefined) return draft;
  const limits = draft.nodes.map((node) => {
    const [output = ''] = node.outputs;
    const params = quantization.tensors.get(output);
    return params !== undefined && SIGNED.has(node.op) && node.domain === '' ? upperLimit(params) : undefined;
  });
  if (limits.every((limit) => limit === undefined)) return draft;
  const names = new FreshNames(
    new Set([...draft.inputs, ...draft.constants.keys(), ...draft.nodes.flatMap(({ outputs }) => outputs)]),
  );
  const stated = [...draft.types.values(), ...draft.constants.values()];
  const hasOtherFloats = stated.some(({ dtype }) => isFloat(dtype) && dtype !== 'float32');
  const types = new Map<string, ValueType>(draft.types);
  const constants = new Map(draft.constants);
  const inner = new Set(quantization.inner);
  const nodes = draft.nodes.flatMap((node, at): DraftNode[] => {
    const limit = limits[at];
    const [output = ''] = node.outputs;
    if (limit === undefined) return [node];
    const open = names.next(`${output}_unclipped`);
    const type = types.get(output);
    if (type !== undefined) types.set(open, type);
    inner.add(open);
    const bounds: string[] = [];
    // In another type than that of the limits, the upper one is left to the quantizer.
    const isFloat32 = type?.dtype === undefined ? !hasOtherFloats : type.dtype === 'float32';
    const isClipped = limit < Infinity && opset >= CLIP_WITH_INPUTS && isFloat32;
    for (const bound of isClipped ? [0, limit] : []) {
      const name = names.next(`${output}_limit`);
      constants.set(name, scalar('float32', bound));
      inner.add(name);
      bounds.push(name);
    }
    return [
      { ...node, outputs: [open, ...node.outputs.slice(1)] },
      {
        op: isClipped ? 'Clip' : 'Relu',
        domain: '',
        attrs: new Map(),
        graphs: new Map(),
        inputs: [open, ...bounds],
        outputs: [output],
        captures: [],
        origin: { ...node.origin, part: 'step', implied: true },
      },
    ];
  });
  return { ...draft, nodes, constants, types, quantization: { ...quantization, inner } };
}

/** Of the activation function that a range starting at exactly zero stands for: 6 at its last code, or none. */
function upperLimit({
  granularity,
  scale: [scale = 0],
  zeroPoint: [zeroPoint],
  qmin,
  qmax,
  read,
}: QuantParams): number | undefined {
  if (granularity.kind !== 'per-tensor' || zeroPoint !== qmin || !(scale > 0) || read !== undefined)
    return undefined;
  const highest = Math.fround((qmax - zeroPoint) * scale);
  return Math.abs(highest / 6 - 1) <= TOLERANCE ? highest : Infinity;
}

function scalar(dtype: DType, value: number): ConstantData {
  return lazyData(dtype, [], () => new Uint8Array(Float32Array.of(value).buffer));
}
