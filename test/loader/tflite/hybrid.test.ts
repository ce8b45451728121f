/**
 * Which kernel the interpreter takes for float activations beside codes of weights. Every row was tried with the interpreter: those
 * without a kernel are refused by it, end the process or give numbers of other tensors.
 */
import { describe, expect, it } from 'vitest';
import { hybridInput } from '../../../src/loader/tflite/hybrid.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { OptionValue, TfliteSubgraph } from '../../../src/loader/tflite/model.js';
import { CONV, DENSE, HandmadeSubgraph, type TensorSpec } from '../../support/tflite-subgraph.js';

const STEPS = [0.5, 0.25, 1, 2];
const SAME = [0.5, 0.5, 0.5, 0.5];

/** The choice for one operator whose input has the shape `x`; its weights are 1 everywhere. */
function choiceOf(
  op: string,
  x: readonly number[],
  w: readonly number[],
  weight: TensorSpec,
  options: Readonly<Record<string, OptionValue>> = {},
  bias: TensorSpec | null = {},
): string | undefined {
  const net = new HandmadeSubgraph();
  const input = net.input(x);
  const weights = net.constant(w, 1, weight);
  const isTransposed = op === 'TRANSPOSE_CONV';
  const inputs = isTransposed ? [net.integers([1, 2, 2, 4]), weights, input] : [input, weights];
  if (bias !== null) inputs.push(net.constant([4], 1, bias));
  net.op(op, inputs, [net.tensor([1])], options);
  const { operators, tensors } = net.build();
  return hybridInput(operators[0]!, tensors);
}

describe('a convolution', () => {
  const picture = [1, 4, 4, 2];
  const conv = (weight: TensorSpec, seen = 2, bias: TensorSpec | null = {}): string | undefined =>
    choiceOf('CONV_2D', picture, [4, 1, 1, seen], weight, CONV, bias);

  it.each([
    ['one scale', 'symmetric', conv({ type: 'INT8', scale: 0.5 })],
    ['one scale that is repeated', 'symmetric', conv({ type: 'INT8', scale: SAME })],
    ['a scale for each filter', 'asymmetric', conv({ type: 'INT8', scale: STEPS })],
    ['4 bits', 'asymmetric', conv({ type: 'INT4', scale: STEPS })],
    ['unsigned bytes, whose first scale is taken', 'symmetric', conv({ type: 'UINT8', scale: STEPS })],
    ['groups', 'asymmetric', conv({ type: 'INT8', scale: SAME }, 1)],
    ['groups with one scale', undefined, conv({ type: 'INT8', scale: 0.5 }, 1)],
    ['groups of unsigned bytes', undefined, conv({ type: 'UINT8', scale: SAME }, 1)],
    ['scales along another dimension', undefined, conv({ type: 'INT8', scale: [0.5, 1], axis: 3 })],
    ['16 bits', undefined, conv({ type: 'INT16', scale: 0.5 })],
    ['no scale', undefined, conv({ type: 'INT8' })],
    ['floats', undefined, conv({})],
    ['no bias', undefined, conv({ type: 'INT8', scale: 0.5 }, 2, null)],
    ['an integer bias', undefined, conv({ type: 'INT8', scale: 0.5 }, 2, { type: 'INT32', scale: 1 })],
  ])('with %s: %s', (_, expected, found) => {
    expect(found).toBe(expected);
  });

  it('of one filter for each channel has the asymmetric kernel, for bytes with a scale each', () => {
    const depthwise = (weight: TensorSpec, bias: TensorSpec | null = {}): string | undefined =>
      choiceOf('DEPTHWISE_CONV_2D', [1, 4, 4, 4], [1, 3, 3, 4], { axis: 3, ...weight }, CONV, bias);
    expect(depthwise({ type: 'INT8', scale: STEPS })).toBe('asymmetric');
    expect(depthwise({ type: 'INT8', scale: SAME })).toBe('asymmetric');
    expect(depthwise({ type: 'INT8', scale: 0.5 })).toBeUndefined();
    expect(depthwise({ type: 'UINT8', scale: STEPS })).toBeUndefined();
    expect(depthwise({ type: 'INT4', scale: STEPS })).toBeUndefined();
    expect(depthwise({ type: 'INT8', scale: STEPS }, null)).toBeUndefined();
  });

  it('that is transposed has the asymmetric kernel, for bytes, with and without a bias', () => {
    const transposed = (weight: TensorSpec, bias: TensorSpec | null = {}): string | undefined =>
      choiceOf('TRANSPOSE_CONV', [1, 2, 2, 3], [4, 1, 1, 3], weight, {}, bias);
    expect(transposed({ type: 'INT8', scale: STEPS })).toBe('asymmetric');
    expect(transposed({ type: 'INT8', scale: 0.5 }, null)).toBe('asymmetric');
    expect(transposed({ type: 'UINT8', scale: 0.5 })).toBeUndefined();
    expect(transposed({ type: 'INT4', scale: STEPS })).toBeUndefined();
  });
});

describe('a product of matrices', () => {
  const asked = { asymmetricQuantizeInputs: true };
  const dense = (
    weight: TensorSpec,
    [units, depth]: readonly [number, number] = [4, 6],
    options: Readonly<Record<string, OptionValue>> = {},
  ): string | undefined =>
    choiceOf('FULLY_CONNECTED', [1, depth], [units, depth], weight, { ...DENSE, ...options }, null);

  it('has the kernel that the file asks for', () => {
    expect(dense({ type: 'INT8', scale: 0.5 })).toBe('symmetric');
    expect(dense({ type: 'INT8', scale: 0.5 }, [4, 6], asked)).toBe('asymmetric');
    expect(dense({ type: 'UINT8', scale: 0.5 }, [4, 6], asked)).toBe('asymmetric');
    expect(dense({ type: 'INT8', scale: STEPS })).toBe('symmetric');
    expect(dense({ type: 'INT8', scale: STEPS, axis: 1 })).toBeUndefined();
  });

  it.each([
    [[4, 32], 'packed'],
    [[4, 34], 'packed'],
    [[3, 32], 'asymmetric'],
    [[4, 33], 'asymmetric'],
    [[4, 30], 'asymmetric'],
  ] as const)('of 4 bits, %j, whatever the file asks for: %s', (shape, expected) => {
    expect(dense({ type: 'INT4', scale: 0.5 }, shape, asked)).toBe(expected);
  });

  it('of 4 bits has zero point 0, or none', () => {
    expect(dense({ type: 'INT4', scale: 0.5, zeroPoint: 1 }, [4, 32])).toBeUndefined();
    expect(dense({ type: 'INT8', scale: 0.5, zeroPoint: 1 })).toBe('symmetric');
  });

  it('with scales for blocks has the asymmetric kernel, where the packed one would be', () => {
    const blockwise = { scales: 0, zeroPoints: -1, blockSize: 32 };
    expect(dense({ type: 'INT4', blockwise }, [4, 32])).toBe('asymmetric');
    expect(dense({ type: 'INT4', blockwise }, [3, 32])).toBeUndefined();
  });

  it('of batches takes one scale, or one for each column', () => {
    const batch = (
      weight: TensorSpec,
      options: Readonly<Record<string, OptionValue>> = {},
    ): string | undefined => choiceOf('BATCH_MATMUL', [3, 4], [4, 4], weight, options, null);
    expect(batch({ type: 'INT8', scale: 0.5 })).toBe('symmetric');
    expect(batch({ type: 'INT8', scale: 0.5 }, asked)).toBe('asymmetric');
    expect(batch({ type: 'INT8', scale: STEPS, axis: 1 })).toBe('symmetric');
    expect(batch({ type: 'UINT8', scale: 0.5 })).toBeUndefined();
  });
});

describe('an operator', () => {
  it('with integer activations, weights that are computed, or nothing to multiply has none', () => {
    const net = new HandmadeSubgraph();
    const codes = net.input([1, 6], { type: 'INT8', scale: 1 });
    const floats = net.input([1, 6]);
    const empty = net.input([0, 6]);
    const stored = net.constant([4, 6], 1, { type: 'INT8', scale: 0.5 });
    const computed = net.input([4, 6], { type: 'INT8', scale: 0.5 });
    const pairs = [
      [codes, stored],
      [floats, computed],
      [empty, stored],
    ];
    for (const pair of pairs) net.op('FULLY_CONNECTED', pair, [net.tensor([1, 4])], DENSE);
    net.op('ADD', [floats, stored], [net.tensor([4, 6])]);
    const { operators, tensors } = net.build();
    expect(operators.map((op) => hybridInput(op, tensors))).toEqual(operators.map(() => undefined));
  });
});

describe('bytes of type UINT8', () => {
  /** One table for a product with floats, and what else reads it. */
  function lookedAt(
    zeroPoint: number,
    more?: (net: HandmadeSubgraph, table: number) => void,
  ): TfliteSubgraph {
    const net = new HandmadeSubgraph();
    const table = net.constant([2, 3], [0, 1, 127, 128, 200, 255], { type: 'UINT8', scale: 0.5, zeroPoint });
    const y = net.tensor([1, 2]);
    net.op('FULLY_CONNECTED', [net.input([1, 3]), table], [y], DENSE);
    more?.(net, table);
    return net.build(y);
  }

  it('are signed codes around 0, as the kernel takes them', () => {
    const { graph, lane } = buildGraph(lookedAt(0));
    const [table] = lane!.tensors.keys();
    expect(lane!.tensors.get(table!)).toMatchObject({ dtype: 'int8', qmin: -128, qmax: 127 });
    expect(new Float32Array(graph.tensors[table!]!.data!.bytes().slice().buffer)).toEqual(
      Float32Array.of(0, 0.5, 63.5, -64, -28, -0.5),
    );
  });

  it('are what they say where they have another zero point, or are read as numbers too', () => {
    const dequantize = (net: HandmadeSubgraph, table: number): void =>
      net.op('DEQUANTIZE', [table], [net.tensor([2, 3])]);
    for (const subgraph of [lookedAt(128), lookedAt(0, dequantize)]) {
      const types = [...buildGraph(subgraph).lane!.tensors.values()].map(({ dtype }) => dtype);
      expect(new Set(types)).toEqual(new Set(['uint8']));
    }
  });
});
