/**
 * One small network as two exporters would write it: a residual block, depthwise convolution, branches that are joined, squeeze and
 * excitation, a flattened picture, two outputs. The styles share weights by name and nothing else.
 */
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Graph } from '../../../src/ir/graph.js';
import { graph, type GraphBuilder, type NodeSpec } from '../../support/graph-builder.js';

/** Pseudo-random numbers that a name stands for, roughly normal. */
export function numbersOf(name: string, count: number): number[] {
  let state = 7;
  for (let i = 0; i < name.length; i++) state = (Math.imul(state, 31) + name.charCodeAt(i)) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return Array.from({ length: count }, () => next() + next() + next() - 1.5);
}

const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

interface Scaled {
  readonly scale: number[];
  readonly shift: number[];
}

/** BatchNormalization of a layer as scale and shift; mean 0.1, variance and gamma by name. */
function normalization(
  name: string,
  channels: number,
): { gamma: number[]; beta: number[]; mean: number[]; variance: number[] } & Scaled {
  const gamma = numbersOf(`${name}.gamma`, channels).map((value) => 1 + 0.4 * value);
  const beta = numbersOf(`${name}.beta`, channels).map((value) => 0.3 * value);
  const mean = numbersOf(`${name}.mean`, channels).map((value) => 0.2 * value);
  const variance = numbersOf(`${name}.variance`, channels).map((value) => 1 + 0.4 * Math.abs(value));
  const scale = gamma.map((value, i) => value / Math.sqrt((variance[i] ?? 1) + 1e-5));
  const shift = beta.map((value, i) => value - (mean[i] ?? 0) * (scale[i] ?? 1));
  return { gamma, beta, mean, variance, scale, shift };
}

/** Shorthand: every tensor is named after what writes it. */
class Writer {
  readonly builder: GraphBuilder;
  readonly #rename: (name: string) => string;

  constructor(rename: (name: string) => string) {
    this.builder = graph({ opset: 17 });
    this.#rename = rename;
  }

  name(name: string): string {
    return this.#rename(name);
  }

  floats(name: string, dims: readonly number[], values: readonly number[]): string {
    this.builder.constant(this.name(name), 'float32', dims, values);
    return this.name(name);
  }

  ints(name: string, values: readonly number[]): string {
    this.builder.constant(this.name(name), 'int64', [values.length], values);
    return this.name(name);
  }

  node(op: string, inputs: readonly string[], output: string, attrs: NodeSpec['attrs'] = {}): string {
    this.builder.node(op, {
      inputs,
      outputs: [this.name(output)],
      attrs,
      name: this.name(`${output}_${op}`),
    });
    return this.name(output);
  }
}

export interface Twin {
  readonly graph: Graph;
  /** Tensors by the part of the network that they end. */
  readonly parts: ReadonlyMap<string, string>;
}

const CONVS = {
  stem: [8, 3, 3, 3],
  depthwise: [8, 1, 3, 3],
  pointwise: [8, 8, 1, 1],
  a: [4, 8, 1, 1],
  b: [4, 8, 3, 3],
  c: [4, 8, 1, 1],
} as const;
type Layer = keyof typeof CONVS;

/** As PyTorch exports it: channels first, BatchNormalization and activations as operators, Flatten and Gemm. */
export function torchTwin(): Twin {
  const w = new Writer((name) => name);
  const parts = new Map<string, string>();
  const part = (name: string, tensor: string): string => {
    parts.set(name, tensor);
    return tensor;
  };
  const conv = (layer: Layer, from: string): string => {
    const dims = CONVS[layer];
    const [channels] = dims;
    const { gamma, beta, mean, variance } = normalization(layer, channels);
    const weight = w.floats(`${layer}.weight`, dims, numbersOf(layer, size(dims)));
    const pad = dims[2] === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0];
    const group = layer === 'depthwise' ? channels : 1;
    const raw = w.node('Conv', [from, weight], `${layer}.conv`, { pads: pad, group });
    const constants = [
      w.floats(`${layer}.bn.gamma`, [channels], gamma),
      w.floats(`${layer}.bn.beta`, [channels], beta),
      w.floats(`${layer}.bn.mean`, [channels], mean),
      w.floats(`${layer}.bn.var`, [channels], variance),
    ];
    return w.node('BatchNormalization', [raw, ...constants], `${layer}.bn`);
  };
  const gemm = (layer: string, from: string, outs: number, ins: number): string =>
    w.node(
      'Gemm',
      [
        from,
        w.floats(`${layer}.weight`, [outs, ins], numbersOf(layer, outs * ins)),
        w.floats(`${layer}.bias`, [outs], numbersOf(`${layer}.bias`, outs)),
      ],
      layer,
      { transB: 1 },
    );
  w.builder.input('x', 'float32', [1, 3, 8, 8]);
  const stem = part('stem', w.node('Relu', [conv('stem', 'x')], 'stem.relu'));
  const depthwise = part('depthwise', w.node('HardSwish', [conv('depthwise', stem)], 'depthwise.act'));
  const pointwise = part('pointwise', conv('pointwise', depthwise));
  const sum = part('sum', w.node('Relu', [w.node('Add', [pointwise, stem], 'sum.add')], 'sum.relu'));
  const a = part('a', w.node('Relu', [conv('a', sum)], 'a.relu'));
  const b = part('b', w.node('Relu', [conv('b', sum)], 'b.relu'));
  const pooled = w.node('MaxPool', [sum], 'c.pool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const c = part('c', w.node('Relu', [conv('c', pooled)], 'c.relu'));
  const joined = part('joined', w.node('Concat', [a, b, c], 'joined', { axis: 1 }));
  const small = part(
    'small',
    w.node('MaxPool', [joined], 'small', { kernel_shape: [2, 2], strides: [2, 2] }),
  );
  const mean = w.node('Flatten', [w.node('GlobalAveragePool', [small], 'squeeze.mean')], 'squeeze.flat');
  const squeeze = part('squeeze', w.node('Relu', [gemm('squeeze', mean, 4, 12)], 'squeeze.relu'));
  const excite = part('excite', w.node('Sigmoid', [gemm('excite', squeeze, 12, 4)], 'excite.sigmoid'));
  const gate = w.node('Reshape', [excite, w.ints('gate.shape', [1, 12, 1, 1])], 'gate');
  const gated = part('gated', w.node('Mul', [small, gate], 'gated'));
  const flat = part('flat', w.node('Flatten', [gated], 'flat'));
  const hidden = part('hidden', w.node('Relu', [gemm('hidden', flat, 16, 192)], 'hidden.relu'));
  const classes = part('classes', w.node('Softmax', [gemm('classes', hidden, 5, 16)], 'classes.softmax'));
  const boxes = part('boxes', gemm('boxes', hidden, 3, 16));
  w.builder.output(classes).output(boxes);
  return { graph: inferShapes(w.builder.build()), parts };
}

export interface LiteStyle {
  /** Codes of so many levels are what is left of the weights. */
  readonly levels?: number;
  /** Changes weights by layer before they are written, in the order of the other exporter. */
  readonly fault?: (layer: string, weights: number[]) => number[];
  /** Leaves the activation function of these parts away. */
  readonly withoutActivation?: readonly string[];
  readonly withSoftmax?: boolean;
}

/**
 * As TensorFlow's converters export it: pictures come channels last, BatchNormalization is folded, HardSwish is four operators,
 * padding is one of its own, features are flattened channels last, matrix products have their weights the other way around, and
 * names are numbers. Branches, outputs and operands come in another order.
 */
export function liteTwin({
  levels = 255,
  fault = (_, values) => values,
  withoutActivation = [],
  withSoftmax = true,
}: LiteStyle = {}): Twin {
  let numbers = 0;
  const names = new Map<string, string>();
  const w = new Writer((name) => {
    const known = names.get(name) ?? `t${numbers++}`;
    names.set(name, known);
    return known;
  });
  const parts = new Map<string, string>();
  const part = (name: string, tensor: string): string => {
    parts.set(name, tensor);
    return tensor;
  };
  const rounded = (values: readonly number[]): number[] => {
    const most = Math.max(...values.map(Math.abs));
    const step = most === 0 ? 1 : (2 * most) / levels;
    return values.map((value) => Math.round(value / step) * step);
  };
  const weight = (layer: string, dims: readonly number[], values: number[]): string =>
    w.floats(`${layer}.w`, dims, rounded(fault(layer, values)));
  const relu = (name: string, from: string): string =>
    withoutActivation.includes(name)
      ? from
      : w.node('Clip', [from, w.floats('zero', [], [0])], `${name}.act`);
  const conv = (layer: Layer, from: string): string => {
    const dims = CONVS[layer];
    const [channels] = dims;
    const { scale, shift } = normalization(layer, channels);
    const each = size(dims) / channels;
    const folded = numbersOf(layer, size(dims)).map((value, i) => value * (scale[Math.floor(i / each)] ?? 1));
    const group = layer === 'depthwise' ? channels : 1;
    const padded =
      dims[2] === 3
        ? w.node('Pad', [from, w.ints(`${layer}.pads`, [0, 0, 1, 1, 0, 0, 1, 1])], `${layer}.pad`)
        : from;
    const inputs = [padded, weight(layer, dims, folded), w.floats(`${layer}.b`, [channels], shift)];
    return w.node('Conv', inputs, `${layer}.out`, { group });
  };
  const transposed = (values: readonly number[], outs: number, ins: number): number[] =>
    Array.from({ length: ins * outs }, (_, i) => values[(i % outs) * ins + Math.floor(i / outs)] ?? 0);
  const product = (
    layer: string,
    from: string,
    outs: number,
    ins: number,
    values = numbersOf(layer, outs * ins),
  ): string => {
    const raw = w.node(
      'MatMul',
      [from, weight(layer, [ins, outs], transposed(values, outs, ins))],
      `${layer}.mm`,
    );
    const bias = w.floats(`${layer}.b`, [outs], numbersOf(`${layer}.bias`, outs));
    return w.node('Add', [bias, raw], `${layer}.out`);
  };
  /** A product with a vector as a convolution of a picture of one pixel. */
  const pixel = (layer: string, from: string, outs: number, ins: number): string =>
    w.node(
      'Conv',
      [
        from,
        weight(layer, [outs, ins, 1, 1], numbersOf(layer, outs * ins)),
        w.floats(`${layer}.b`, [outs], numbersOf(`${layer}.bias`, outs)),
      ],
      `${layer}.out`,
    );
  w.builder.input('serving_input', 'float32', [1, 8, 8, 3]);
  const picture = w.node('Transpose', ['serving_input'], 'picture', { perm: [0, 3, 1, 2] });
  const stem = part('stem', relu('stem', conv('stem', picture)));
  const raw = conv('depthwise', stem);
  const shifted = w.node('Add', [raw, w.floats('three', [], [3])], 'hs.shifted');
  const limited = w.node(
    'Clip',
    [shifted, w.floats('zero', [], [0]), w.floats('six', [], [6])],
    'hs.limited',
  );
  const swished = w.node('Mul', [limited, raw], 'hs.product');
  const depthwise = part('depthwise', w.node('Mul', [swished, w.floats('sixth', [], [1 / 6])], 'hs.out'));
  const pointwise = part('pointwise', conv('pointwise', depthwise));
  const sum = part('sum', relu('sum', w.node('Add', [stem, pointwise], 'sum.out')));
  const b = part('b', relu('b', conv('b', sum)));
  const pooled = w.node('MaxPool', [sum], 'c.pool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  const c = part('c', relu('c', conv('c', pooled)));
  const a = part('a', relu('a', conv('a', sum)));
  const joined = part('joined', w.node('Concat', [a, b, c], 'joined', { axis: 1 }));
  const small = part(
    'small',
    w.node('MaxPool', [joined], 'small', { kernel_shape: [2, 2], strides: [2, 2] }),
  );
  const mean = w.node('ReduceMean', [small], 'mean', { axes: [2, 3], keepdims: 1 });
  const squeeze = part('squeeze', relu('squeeze', pixel('squeeze', mean, 4, 12)));
  const excite = part('excite', w.node('Sigmoid', [pixel('excite', squeeze, 12, 4)], 'gate'));
  const gated = part('gated', w.node('Mul', [excite, small], 'gated'));
  const turned = w.node('Transpose', [gated], 'turned', { perm: [0, 2, 3, 1] });
  const flat = part('flat', w.node('Reshape', [turned, w.ints('flat.shape', [1, -1])], 'flat'));
  // Feature (y, x, c) there is feature (c, y, x) here.
  const plain = numbersOf('hidden', 16 * 192);
  const permuted = plain.map((_, i) => {
    const [unit, feature] = [Math.floor(i / 192), i % 192];
    return plain[unit * 192 + (feature % 12) * 16 + Math.floor(feature / 12)] ?? 0;
  });
  const hidden = part('hidden', relu('hidden', product('hidden', flat, 16, 192, permuted)));
  const boxes = part('boxes', product('boxes', hidden, 3, 16));
  const logits = product('classes', hidden, 5, 16);
  const classes = withSoftmax
    ? part('classes', w.node('Softmax', [logits], 'probabilities'))
    : part('logits', logits);
  w.builder.output(boxes).output(classes);
  return { graph: inferShapes(w.builder.build()), parts };
}
