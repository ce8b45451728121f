/** Quantizers as AIMET and QNN write them down: codes counted from 0 up, whatever type they have, and a zero point below 0. */
import { tensorOf, topologyOf, type Graph, type Tensor, type TensorId } from '../../../ir/graph.js';
import { QRANGE, type QuantParams } from '../../../ir/lane.js';
import { sourceOf } from '../../../ir/operators.js';
import { bitsOf } from '../../../quant/affine.js';
import type { Decision } from './decision.js';
import { listed, writtenTensors, fileOperators, floatLayers } from './decided-layers.js';
import { nameFolded, quantizedEdges, soleQuantizer } from './edge-quantizers.js';

export interface Encoding {
  /** Of the tensor. */
  readonly name: string;
  readonly isConstant: boolean;
  readonly bits: number;
  /** The zero point is the middle of the codes. */
  readonly isSymmetric: boolean;
  readonly isPerAxis: boolean;
  readonly scale: readonly number[];
  /** x = (code + offset) * scale with codes from 0 to 2^bits - 1. */
  readonly offset: readonly number[];
}

/** One for each tensor of the file with a quantizer; what such files cannot say goes into `lost`. */
export function encodingsOf({ graph, lane }: Decision, tool: string, lost: string[]): Encoding[] {
  const several: string[] = [];
  const blocks: string[] = [];
  const nameless: string[] = [];
  const repeated: string[] = [];
  const names = new Set<string>();
  const encodings = quantizedEdges(graph, lane).flatMap((edge): Encoding[] => {
    const { tensor, isConstant, readings } = edge;
    const params =
      soleQuantizer(edge) ?? edge.own ?? readings.find((reading) => reading.params !== undefined)?.params;
    if (params === undefined) return [];
    const name = nameFolded(edge);
    if (name === undefined) nameless.push(tensor.name);
    else if (names.has(name)) repeated.push(name);
    else if (params.granularity.kind === 'per-block') blocks.push(name);
    else {
      if (soleQuantizer(edge) === undefined) several.push(name);
      names.add(name);
      return [{ name, isConstant, ...unsigned(params) }];
    }
    return [];
  });
  const line = (list: readonly string[], what: string): void => {
    if (list.length > 0) lost.push(`${listed(list)}: ${what}`);
  };
  line(several, `read with different quantizers, or by some in float; ${tool} has one encoding for a tensor`);
  line(blocks, 'quantized in blocks, which such a file says for each tool differently; left out');
  line(nameless, `no name that ${tool} would know`);
  line(repeated, 'the name of several tensors; the encoding is that of the first');
  return encodings;
}

function unsigned({
  dtype,
  granularity,
  scale,
  zeroPoint,
}: QuantParams): Omit<Encoding, 'name' | 'isConstant'> {
  const bits = bitsOf(dtype);
  const [lowest] = QRANGE[dtype];
  const offset = Array.from(zeroPoint, (point) => lowest - point);
  return {
    bits,
    isSymmetric: offset.every((value) => value === -(2 ** (bits - 1))),
    isPerAxis: granularity.kind === 'per-axis',
    scale: [...scale],
    offset,
  };
}

/** Tensors of layers kept in float: what they write, and their constants that nothing else reads. */
export interface FloatTensors {
  readonly written: readonly Tensor[];
  readonly constants: readonly Tensor[];
}

export function floatTensors(decision: Decision): FloatTensors {
  const { graph } = decision;
  const operators = fileOperators(graph, floatLayers(decision));
  const inside = new Set(operators.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  const { uses } = topologyOf(graph);
  const read = operators.flatMap(({ nodes }) => nodes.flatMap(({ inputs }) => inputs));
  const constants = [...new Set(read)].flatMap((id): TensorId[] =>
    id !== null && isFloatConstant(graph, id) && (uses[id] ?? []).every(({ node }) => inside.has(node))
      ? [id]
      : [],
  );
  return {
    written: operators.flatMap((operator) => writtenTensors(graph, operator)),
    constants: constants.map((id) => tensorOf(graph, sourceOf(graph, id))),
  };
}

function isFloatConstant(graph: Graph, id: TensorId): boolean {
  const { data } = tensorOf(graph, id);
  return data?.dtype === 'float32' && graph.inner?.has(id) !== true;
}
