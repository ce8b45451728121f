import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { activationCodes } from '../../src/quant/saturation/activation-codes.js';
import { kernelWeights } from '../../src/quant/saturation/kernel-weights.js';
import { PairSum, pairBound } from '../../src/quant/saturation/pairs.js';
import { saturableProducts, type SaturableProduct } from '../../src/quant/saturation/products.js';
import { noSums, ProductSimulation } from '../../src/quant/saturation/simulation.js';

interface Recorded {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** What ONNX Runtime 1.31 gives on x86 with VNNI (`exact`) and under qemu as a processor with AVX2 only (`haswell`). */
interface Case {
  readonly input: Recorded & { readonly dtype: string };
  readonly exact: Recorded;
  readonly haswell: Recorded;
  readonly operators: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
  readonly pairs?: number;
  readonly saturated?: number;
}

const FOLDER = 'fixtures/saturation';
const CASES = Object.entries(
  JSON.parse(readFileSync(`${FOLDER}/saturation.json`, 'utf8')) as Record<string, Case>,
);
const INTEGER = /QLinearConv|QLinearMatMul|QGemm|MatMulIntegerToFloat|DynamicQuantizeMatMul/;

async function load(name: string): Promise<{ graph: Graph; lane: Lane; products: SaturableProduct[] }> {
  const { graph, lane = FLOAT_LANE } = await loadModel(`${FOLDER}/${name}.onnx`);
  return { graph, lane, products: saturableProducts(graph, lane) };
}

/** All outputs of the one product, with the channels where the model has them, as values. */
async function outputsOf(name: string, { input }: Case) {
  const { graph, lane, products } = await load(name);
  const [product] = products as [SaturableProduct];
  const { coding, output, node } = product;
  const simulation = new ProductSimulation(graph, lane, product);
  const isFloat = input.dtype === 'float32';
  const codes = isFloat
    ? activationCodes(Float32Array.from(input.values), input.dims, coding)
    : {
        codes: Uint8Array.from(input.values),
        dims: input.dims,
        scale: coding?.params.scale[0] ?? 0,
        zeroPoint: coding?.params.zeroPoint[0] ?? 0,
      };
  const rows = simulation.rows(input.dims);
  if (rows === undefined) throw new Error(`${name} has no rows`);
  const sums = noSums();
  const { channels } = simulation.weights;
  const images = node.op === 'Conv' ? (input.dims[0] ?? 1) : rows.positions;
  const plane = rows.positions / images;
  const exact: number[] = [];
  const cut: number[] = [];
  for (let position = 0; position < rows.positions; position++) {
    simulation.at(codes, rows, position, sums);
    for (let channel = 0; channel < channels; channel++) {
      const at = (Math.floor(position / plane) * channels + channel) * plane + (position % plane);
      exact[at] = simulation.exact[channel] ?? NaN;
      cut[at] = simulation.cut[channel] ?? NaN;
    }
  }
  return { exact, cut, sums, output, graph };
}

/** From codes in the kernel's uint8 to what the model puts out. */
function shown({ output, graph }: Awaited<ReturnType<typeof outputsOf>>, values: readonly number[]) {
  const isCodes =
    graph.nodes.some(({ origin }) => origin.op.startsWith('QLinear')) ||
    graph.nodes.some(({ origin }) => origin.op === 'QuantizeLinear');
  const activation = graph.nodes.find(({ op }) => op === 'Relu' || op === 'Sigmoid')?.op;
  return values.map((value) => {
    if (output === undefined) {
      if (activation === 'Relu') return Math.max(0, value);
      return activation === 'Sigmoid' ? 1 / (1 + Math.exp(-value)) : value;
    }
    const { params, shift } = output;
    if (isCodes) return value - shift;
    return Math.fround((value - shift - (params.zeroPoint[0] ?? 0)) * (params.scale[0] ?? 0));
  });
}

function expectClose(met: readonly number[], wanted: readonly number[]): void {
  expect(met).toHaveLength(wanted.length);
  const worst = met.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? NaN))), 0);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(worst).toBeLessThanOrEqual(2e-6 * largest);
}

describe('products of uint8 and int8', () => {
  it.each(CASES.filter(([, { saturated }]) => saturated !== undefined))(
    'are cut as ONNX Runtime cuts them without VNNI: %s',
    async (name, recorded) => {
      const simulated = await outputsOf(name, recorded);
      expect(simulated.sums).toMatchObject({ pairs: recorded.pairs, saturated: recorded.saturated });
      const cut = shown(simulated, simulated.cut);
      const exact = shown(simulated, simulated.exact);
      if (simulated.output === undefined) {
        expectClose(cut, recorded.haswell.values);
        expectClose(exact, recorded.exact.values);
      } else {
        const toFloat32 = (values: readonly number[]): number[] => values.map(Math.fround);
        expect(cut).toEqual(toFloat32(recorded.haswell.values));
        expect(exact).toEqual(toFloat32(recorded.exact.values));
        const changed = recorded.exact.values.filter((value, i) => value !== recorded.haswell.values[i]);
        expect(simulated.sums).toMatchObject({ outputs: exact.length, changed: changed.length });
      }
    },
  );

  it.each(CASES.filter(([, { operators }]) => !operators.some((op) => INTEGER.test(op))))(
    'are none where the runtime stays in float: %s',
    async (name) => {
      expect((await load(name)).products).toEqual([]);
    },
  );

  it.each([
    'conv_depthwise_16',
    'conv_depthwise_6',
    'conv_one_channel',
    'conv_u8u8',
    'conv_s8s8',
    'dynamic_conv',
  ])('are none of the kernel that saturates: %s', async (name) => {
    expect((await load(name)).products).toEqual([]);
  });

  it.each(CASES.filter(([name]) => /precise|7_bits/.test(name)))(
    'are exact with 7-bit weights, and with the session option: %s',
    async (name, { exact, haswell }) => {
      expect(haswell.values).toEqual(exact.values);
      const { graph, lane, products } = await load(name);
      expect(products).toHaveLength(1);
      const { saturable } = pairBound(kernelWeights(graph, lane, products[0] as SaturableProduct));
      expect(saturable > 0).toBe(name.includes('precise'));
    },
  );

  it('cover every recorded network', () => {
    const others = CASES.filter(([, { saturated }]) => saturated === undefined);
    for (const [name, { exact, haswell }] of others) expect(haswell, name).toEqual(exact);
    expect(CASES.length - others.length).toBeGreaterThan(25);
  });
});

describe('the bound of the weights alone', () => {
  const bound = (codes: readonly number[], channels = 1) =>
    pairBound({ channels, depth: codes.length / channels, codes: Int8Array.from(codes) });

  it('counts pairs that 255 takes out of 16 bits, no others', () => {
    const sum = new PairSum();
    for (const [first, second] of [
      [127, 2],
      [127, 1],
      [-128, -1],
      [-127, -1],
      [64, 64],
      [65, 64],
      [127, -128],
    ] as const) {
      const weights = { channels: 1, depth: 2, codes: Int8Array.of(first, second) };
      let leaves = false;
      for (const a of [0, 1, 254, 255]) {
        for (const b of [0, 1, 254, 255]) {
          sum.of(Uint8Array.of(a, b), weights, 0);
          leaves ||= sum.saturated > 0;
        }
      }
      expect(pairBound(weights).saturable > 0).toBe(leaves);
    }
  });

  it('counts neighbours from the start of each channel, and leaves an odd last weight alone', () => {
    expect(bound([1, 127, 127, 1, 127, 127])).toMatchObject({ pairs: 3, saturable: 1, saturableChannels: 1 });
    expect(bound([127, 127, 127, 1, 1, 127], 2)).toMatchObject({
      pairs: 2,
      saturable: 1,
      saturableChannels: 1,
    });
  });

  it('says how many pairs another order could make', () => {
    expect(bound([127, 0, 127, 0, 127, 0])).toMatchObject({ saturable: 0, anyOrder: 1 });
    // 127 with 2 and 100 with 29: taking 127 with 100 would leave one.
    expect(bound([127, 100, 2, 29]).anyOrder).toBe(2);
    expect(bound([-128, -1, 127, 2, -65, -64]).anyOrder).toBe(3);
    expect(bound([64, 64, 64, 64]).anyOrder).toBe(0);
  });
});
