/** Sums of products are exact integers, however large. */
import { describe, expect, it } from 'vitest';
import type { OperatorCall } from '../../../src/compile/integer/kernel.js';
import { centeredRange, convolved, type Centered } from '../../../src/compile/integer/products.js';
import type { Sums } from '../../../src/compile/integer/requantize.js';
import { ModelWriter } from '../../../src/compile/model-writer.js';
import type { Value } from '../../../src/compile/model-writer.js';
import type { Node } from '../../../src/ir/graph.js';
import { openSession } from '../../../src/run/runtime.js';
import { compiled, type Compiled } from '../../support/compiled.js';
import { constantData, graph } from '../../support/graph-builder.js';
import { perTensor } from '../../support/lanes.js';

const FILTERS = 2;

interface Convolution {
  /** Of a picture of one pixel, by channel. */
  readonly x: readonly number[];
  readonly range: Centered['range'];
  /** By filter and channel. */
  readonly weights: readonly (readonly number[])[];
  readonly bias?: readonly number[];
}

function program({ x, range, weights, bias }: Convolution): { sums: Sums | undefined; writer: ModelWriter } {
  const channels = x.length;
  const main = graph()
    .input('x', 'float32', [1, channels, 1, 1])
    .constant('w', 'float32', [FILTERS, channels, 1, 1])
    .constant('b', 'float32', [FILTERS])
    .node('Conv', { inputs: ['x', 'w', 'b'], outputs: ['y'] })
    .build().nodes[0] as Node;
  const writer = new ModelWriter(new Map([['', 20]]), 9);
  const call = {
    writer,
    apply: (node: Node, inputs: readonly (Value | null)[]) =>
      writer.node(node, 'conv', inputs, () => {
        throw new Error('nothing is captured');
      }),
  } as OperatorCall;
  const input: Centered = { value: writer.input('x', 'float32', [1, channels, 1, 1]), range };
  const data = constantData('float32', [FILTERS, channels, 1, 1], weights.flat());
  const product = { call, main, bias: bias === undefined ? undefined : Float64Array.from(bias) };
  return { sums: convolved(product, input, data, 0), writer };
}

async function run(convolution: Convolution): Promise<{ sums: number[]; bound: number; model: Compiled }> {
  const { sums, writer } = program(convolution);
  const model = writer.encode([sums!.value]);
  const session = await openSession(model, { threads: 1 });
  const dims = [1, convolution.x.length, 1, 1];
  const data = Float32Array.from(convolution.x);
  const [fetched] = await session.run(new Map([['x', { dtype: 'float32', dims, data }]]));
  await session.close();
  return { sums: Array.from(fetched as Float64Array), bound: sums!.bound, model: compiled(model) };
}

/** Numbers of JavaScript are exact up to 2^53. */
function sumsOf({ x, weights, bias }: Convolution): number[] {
  return weights.map((row, f) => row.reduce((sum, w, i) => sum + w * x[i]!, bias?.[f] ?? 0));
}

function ramp(length: number, of: (i: number) => number): number[] {
  return Array.from({ length }, (_, i) => of(i));
}

const UNSIGNED = [0, 255] as const;
const SIGNED16 = [-32768, 32767] as const;

describe('sums of a convolution', () => {
  it('are one convolution in float32 where it holds them', async () => {
    const convolution = {
      x: ramp(64, (i) => (i * 37) % 256),
      range: UNSIGNED,
      weights: [ramp(64, (i) => ((i * 91) % 255) - 127), ramp(64, () => 127)],
      bias: [-1000, 17],
    };
    const { sums, bound, model } = await run(convolution);
    expect(sums).toEqual(sumsOf(convolution));
    expect(model.count('Conv')).toBe(1);
    expect(bound).toBe(64 * 127 * 255 + 17);
  });

  it.each([
    ['two digits of the weights', 4099, 2],
    ['four digits of the weights', 20011, 4],
  ])('beyond 2^24 are put together from %s', async (_, channels, digits) => {
    const convolution = {
      x: ramp(channels, (i) => 255 - (i % 2)),
      range: UNSIGNED,
      weights: [ramp(channels, (i) => 127 - (i % 3)), ramp(channels, (i) => ((i * 91) % 255) - 127)],
      bias: [10007, -7],
    };
    const wanted = sumsOf(convolution);
    // Not every such sum is a float32.
    expect(wanted.map(Math.fround)).not.toEqual(wanted);
    const { sums, model } = await run(convolution);
    expect(sums).toEqual(wanted);
    expect(model.count('Conv')).toBe(digits);
  });

  it('of 16-bit activations are put together from their bytes', async () => {
    const convolution = {
      x: ramp(301, (i) => ((i * 7919) % 65536) - 32768),
      range: SIGNED16,
      weights: [ramp(301, (i) => ((i * 91) % 255) - 127), ramp(301, () => -127)],
    };
    const { sums, model } = await run(convolution);
    expect(sums).toEqual(sumsOf(convolution));
    expect(model.count('Conv')).toBe(2);
  });

  it('have a large bias added in float64', async () => {
    const convolution = {
      x: [255],
      range: UNSIGNED,
      weights: [[1], [-127]],
      bias: [2 ** 31 - 1, -(2 ** 31)],
    };
    expect((await run(convolution)).sums).toEqual(sumsOf(convolution));
  });

  it('are left to float where no digits are small enough', () => {
    const channels = 2 ** 18;
    const weights = ramp(FILTERS, () => 0).map(() => ramp(channels, () => 127));
    expect(program({ x: ramp(channels, () => 0), range: UNSIGNED, weights }).sums).toBeUndefined();
  });
});

describe('the range of codes minus zero point', () => {
  it('has 0 in it, which padding is', () => {
    expect(centeredRange(perTensor('int8', 1, -128))).toEqual([0, 255]);
    expect(centeredRange(perTensor('uint8', 1, 100))).toEqual([-100, 155]);
    expect(centeredRange(perTensor('int8', 1, -200))).toEqual([0, 327]);
  });
});
