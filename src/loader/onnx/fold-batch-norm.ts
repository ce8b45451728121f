/**
 * BatchNormalization folded into the convolution before it, as deployed models have it and quantizers see it:
 *
 *   y = (conv(x, W) + b - mean) · s + beta        s = gamma / sqrt(var + epsilon), by output channel
 *     = conv(x, W · s) + (b - mean) · s + beta
 *
 * https://onnx.ai/onnx/operators/onnx__BatchNormalization.html (inference mode)
 */
import { elementCount, toFloat32, toFloat64 } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import { draftLabel } from './draft.js';
import type { Draft, DraftNode } from './draft.js';
import { FreshNames } from './fresh-names.js';
import { lazyData } from '../../onnx/tensor.js';
import type { ValueType } from './value-type.js';

/** Folds behind Conv and ConvTranspose with float32 constants whose result only an inference BatchNormalization reads. */
export function foldBatchNorms(draft: Draft): Draft {
  if (!draft.nodes.some(isBatchNorm)) return draft;
  const folding = new Folding(draft);
  draft.nodes.forEach((node, at) => {
    if (isBatchNorm(node)) folding.fold(node, at);
  });
  return folding.result();
}

function isBatchNorm({ op, domain }: DraftNode): boolean {
  return op === 'BatchNormalization' && domain === '';
}

/** The constants of one foldable pair; none is read before the folded ones are asked for. */
interface Pair {
  /** Conv [channels, in/groups, ...kernel], ConvTranspose [in, channels/groups, ...kernel]. */
  readonly weight: ConstantData;
  readonly transposed: boolean;
  readonly groups: number;
  readonly channels: number;
  /** [channels], as the rest. */
  readonly bias: ConstantData | undefined;
  readonly gamma: ConstantData;
  readonly beta: ConstantData;
  readonly mean: ConstantData;
  readonly variance: ConstantData;
  readonly epsilon: number;
}

class Folding {
  readonly #draft: Draft;
  readonly #nodes: (DraftNode | undefined)[];
  readonly #constants: Map<string, ConstantData>;
  readonly #types: Map<string, ValueType>;
  /** Position of the node that writes a value. */
  readonly #producers = new Map<string, number>();
  readonly #uses = new Map<string, number>();
  readonly #usesInFile: ReadonlyMap<string, number>;
  readonly #names: FreshNames;

  constructor(draft: Draft) {
    this.#draft = draft;
    this.#nodes = [...draft.nodes];
    this.#constants = new Map(draft.constants);
    this.#types = new Map(draft.types);
    draft.nodes.forEach((node, at) => {
      for (const output of node.outputs) this.#producers.set(output, at);
      for (const name of [...node.inputs, ...node.captures]) this.#count(name, 1);
    });
    for (const output of draft.outputs) this.#count(output, 1);
    this.#usesInFile = new Map(this.#uses);
    this.#names = new FreshNames(
      new Set([...draft.inputs, ...draft.constants.keys(), ...this.#producers.keys()]),
    );
  }

  result(): Draft {
    return {
      ...this.#draft,
      nodes: this.#nodes.filter((node) => node !== undefined),
      constants: this.#constants,
      types: this.#types,
    };
  }

  fold(norm: DraftNode, at: number): void {
    const [source = '', ...parameters] = norm.inputs;
    const [output = ''] = norm.outputs;
    const convAt = source === '' || output === '' ? undefined : this.#producers.get(source);
    const conv = convAt === undefined ? undefined : this.#nodes[convAt];
    if (convAt === undefined || conv === undefined || this.#uses.get(source) !== 1) return;
    if (this.#isQuantized(conv, norm)) return;
    const pair = this.#pair(conv, norm, parameters);
    if (pair === undefined) return;

    const [input = '', weightName = '', biasName = ''] = conv.inputs;
    for (const name of [weightName, biasName, ...parameters]) this.#count(name, -1);
    const weight = this.#addConstant(weightName, `${weightName}_folded`, foldedWeight(pair));
    const newBias = biasName === '' ? `${weightName}_bias` : `${biasName}_folded`;
    const bias = this.#addConstant(biasName, newBias, foldedBias(pair));
    const absorbed = [...(conv.origin.absorbed ?? []), draftLabel(norm)];
    this.#nodes[at] = undefined;
    this.#nodes[convAt] = {
      ...conv,
      inputs: [input, weight, bias],
      outputs: [output],
      origin: { ...conv.origin, absorbed },
    };
    this.#producers.set(output, convAt);
    const type = this.#types.get(source);
    if (type !== undefined && !this.#types.has(output)) this.#types.set(output, type);
  }

  /** Whether a quantizer stands between the two, or holds the values of a constant of theirs. */
  #isQuantized(conv: DraftNode, norm: DraftNode): boolean {
    const tensors = this.#draft.quantization?.tensors;
    const [, ...constants] = conv.inputs;
    const isOfConstant = [...(conv.quantizers?.keys() ?? [])].some((slot) => slot > 0);
    if (isOfConstant || norm.quantizers !== undefined) return true;
    return [...constants, ...norm.inputs].some((name) => tensors?.has(name) === true);
  }

  #pair(conv: DraftNode, norm: DraftNode, parameters: readonly string[]): Pair | undefined {
    const transposed = conv.op === 'ConvTranspose';
    if (!(transposed || conv.op === 'Conv') || conv.domain !== '') return undefined;
    // Training mode normalizes by the batch: said by an attribute from opset 14, by reading the other outputs before.
    // spatial = 0 (opset 7 and 8) normalizes every element for itself.
    const training = norm.outputs.slice(1).some((output) => (this.#uses.get(output) ?? 0) > 0);
    if (training || intOf(norm, 'training_mode', 0) !== 0 || intOf(norm, 'spatial', 1) === 0)
      return undefined;

    const [, weightName = '', biasName = ''] = conv.inputs;
    const weight = this.#floats(weightName);
    const [rows = 0, columns = 0] = weight?.dims ?? [];
    const groups = intOf(conv, 'group', 1);
    if (weight === undefined || weight.dims.length < 3 || groups < 1 || rows % groups !== 0) return undefined;
    const channels = transposed ? columns * groups : rows;
    const [gamma, beta, mean, variance, ...more] = parameters.map((name) => this.#floats(name, channels));
    if (!gamma || !beta || !mean || !variance || more.length > 0) return undefined;
    const bias = this.#floats(biasName, channels);
    if (biasName !== '' && bias === undefined) return undefined;
    const attr = norm.attrs.get('epsilon');
    const epsilon = attr?.type === 'float' ? attr.value : 1e-5;
    return { weight, transposed, groups, channels, bias, gamma, beta, mean, variance, epsilon };
  }

  /** A float32 constant, of shape [length] when that is given. */
  #floats(name: string, length?: number): ConstantData | undefined {
    const data = this.#constants.get(name);
    if (data?.dtype !== 'float32') return undefined;
    if (length !== undefined && (data.dims.length !== 1 || data.dims[0] !== length)) return undefined;
    return data;
  }

  #count(name: string, by: number): void {
    const uses = (this.#uses.get(name) ?? 0) + by;
    this.#uses.set(name, uses);
    if (uses === 0) this.#constants.delete(name);
  }

  /** A folded constant keeps the name of the one it replaces, unless others read that one. */
  #addConstant(replaced: string, otherwise: string, data: ConstantData): string {
    const sole = replaced !== '' && (this.#usesInFile.get(replaced) ?? 1) === 1;
    const name = sole ? replaced : this.#names.next(otherwise);
    this.#constants.set(name, data);
    this.#count(name, 1);
    return name;
  }
}

function intOf(node: DraftNode, name: string, otherwise: number): number {
  const attr = node.attrs.get(name);
  return attr?.type === 'int' ? Number(attr.value) : otherwise;
}

/** gamma / sqrt(var + epsilon), [channels]. */
function channelScale({ gamma, variance, epsilon }: Pair): Float64Array {
  const variances = toFloat64(variance);
  return toFloat64(gamma).map((factor, channel) => factor / Math.sqrt((variances[channel] ?? 0) + epsilon));
}

/** Computed in float64 and rounded once: the float32 result is the closest one. */
function foldedWeight(pair: Pair): ConstantData {
  const { weight, transposed, groups } = pair;
  const [rows = 0, columns = 0, ...kernel] = weight.dims;
  const area = elementCount(kernel);
  return lazyData('float32', weight.dims, () => {
    const scale = channelScale(pair);
    const values = toFloat32(weight);
    const folded = new Float32Array(values.length);
    for (let row = 0, i = 0; row < rows; row++) {
      const firstChannel = Math.floor(row / (rows / groups)) * columns;
      for (let column = 0; column < columns; column++) {
        const factor = scale[transposed ? firstChannel + column : row] ?? 0;
        for (const end = i + area; i < end; i++) folded[i] = (values[i] ?? 0) * factor;
      }
    }
    return new Uint8Array(folded.buffer);
  });
}

function foldedBias(pair: Pair): ConstantData {
  return lazyData('float32', [pair.channels], () => {
    const scale = channelScale(pair);
    const mean = toFloat64(pair.mean);
    const beta = toFloat64(pair.beta);
    const bias = pair.bias === undefined ? undefined : toFloat64(pair.bias);
    const folded = Float32Array.from(
      scale,
      (factor, channel) => ((bias?.[channel] ?? 0) - (mean[channel] ?? 0)) * factor + (beta[channel] ?? 0),
    );
    return new Uint8Array(folded.buffer);
  });
}
