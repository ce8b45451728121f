/** What a quantized network takes and gives at its ends: codes, or floats that a quantizer beside the port rounds. */
import { nodeOf, tensorOf, topologyOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import { sourceOf } from '../ir/operators.js';

/** Parameters at a port, and whether the port itself has the codes. */
export interface Port {
  readonly form: 'codes' | 'inside';
  readonly params: QuantParams;
}

/** Undefined for an input that no quantizer stands beside. */
export function inputPort(graph: Graph, lane: Lane, id: TensorId): Port | undefined {
  const own = lane.tensors.get(id);
  if (own !== undefined) return { form: formOf(graph, lane, id), params: own };
  for (const { node, slot } of topologyOf(graph).uses[id] ?? []) {
    const params = lane.uses.get(useKey(node, slot)) ?? conversionParams(lane, nodeOf(graph, node));
    if (params !== undefined) return { form: 'inside', params };
  }
  return undefined;
}

/** Of the codes that a QUANTIZE makes of a float input. */
function conversionParams(lane: Lane, { origin: { op }, outputs: [output] }: Node): QuantParams | undefined {
  return op === 'QUANTIZE' && output !== undefined && output !== null ? lane.tensors.get(output) : undefined;
}

/** Undefined for an output that no quantizer stands beside. */
export function outputPort(graph: Graph, lane: Lane, port: TensorId): Port | undefined {
  const id = sourceOf(graph, port);
  const own = lane.tensors.get(port) ?? lane.tensors.get(id);
  if (own !== undefined) return { form: formOf(graph, lane, id), params: own };
  const writer = topologyOf(graph).producer[id];
  const node = writer === undefined ? undefined : nodeOf(graph, writer);
  const [input] = node?.inputs ?? [];
  if (node?.origin.op !== 'DEQUANTIZE' || input === undefined || input === null) return undefined;
  const params = lane.tensors.get(sourceOf(graph, input)) ?? lane.tensors.get(input);
  return params === undefined ? undefined : { form: 'inside', params };
}

/** Whether the file has the port as codes. */
function formOf(graph: Graph, lane: Lane, id: TensorId): Port['form'] {
  if (graph.format === 'onnx') {
    const names = lane.stored?.get(id);
    return names?.codes.includes(tensorOf(graph, id).name) === true ? 'codes' : 'inside';
  }
  // FAKE_QUANT rounds floats, and they stay floats.
  const writer = topologyOf(graph).producer[id];
  const isRounded = writer !== undefined && nodeOf(graph, writer).origin.op === 'FAKE_QUANT';
  return isRounded ? 'inside' : 'codes';
}

/** One scale that is a positive number. */
export function isUsable({ granularity, scale: [scale = NaN] }: QuantParams): boolean {
  return granularity.kind === 'per-tensor' && scale > 0 && Number.isFinite(scale);
}

type Parameters = Pick<QuantParams, 'scale' | 'zeroPoint'>;

/**
 * A line of Python, of arrays: `q = np.clip(np.round(x / np.float32(0.0078125)) + 128, 0, 255).astype(np.uint8)`
 *
 * @param params usable ones
 */
export function quantizeLine({
  dtype,
  qmin,
  qmax,
  ...params
}: Parameters & Pick<QuantParams, 'dtype' | 'qmin' | 'qmax'>): string {
  const [step, point] = numbersOf(params);
  const by = step === 1 ? '' : ` / np.float32(${exact(step)})`;
  const plus = point === 0 ? '' : ` ${point < 0 ? '-' : '+'} ${Math.abs(point)}`;
  const storage = dtype === 'int4' ? 'int8' : dtype === 'uint4' ? 'uint8' : dtype;
  return `q = np.clip(np.round(x${by})${plus}, ${qmin}, ${qmax}).astype(np.${storage})`;
}

/**
 * The other way: `x = (q.astype(np.float32) - 128) * np.float32(0.0078125)`
 *
 * @param params usable ones
 */
export function dequantizeLine(params: Parameters): string {
  const [step, point] = numbersOf(params);
  const minus = point === 0 ? '' : ` ${point < 0 ? '+' : '-'} ${Math.abs(point)}`;
  const floats = point === 0 ? 'q.astype(np.float32)' : `(q.astype(np.float32)${minus})`;
  return `x = ${floats} * np.float32(${exact(step)})`;
}

function numbersOf({ scale: [step = 1], zeroPoint: [point = 0] }: Parameters): [step: number, point: number] {
  return [step, point];
}

/** A float32 in as few digits as tell it from its neighbours: 0.0078125, 0.003921569. */
function exact(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}
