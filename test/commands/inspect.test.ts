import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspect, type InspectRequest } from '../../src/commands/inspect.js';
import { QdbgError, UsageError } from '../../src/errors.js';
import {
  encodeModel,
  onnx,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from '../../src/onnx/proto.js';
import type { InspectedModel, InspectReport } from '../../src/report/inspect-report.js';
import { modelOf, refusal, temporaryFolder } from '../loader/model-files.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const DIGITS = join(FIXTURES, 'digits/digits.onnx');
const RESCALED = join(FIXTURES, 'digits/digits_rescaled.onnx');

interface NumpyWeight {
  readonly node: string;
  readonly tensor: string;
  readonly min: number;
  readonly max: number;
  readonly spread: number;
  readonly fence: number;
  readonly outlierChannels: readonly number[];
  readonly fewLevelChannels: readonly number[];
  readonly fewestLevels: number;
  readonly perTensorSqnrDb: number;
  readonly perAxisSqnrDb: number;
  readonly channels: readonly (readonly number[])[];
}

interface NumpyModel {
  readonly weights: readonly NumpyWeight[];
  readonly convolutions: {
    readonly counts: readonly number[];
    readonly median: number;
    readonly p95: number;
    readonly max: number;
    readonly farOut: readonly string[];
  };
}

type Numpy = { readonly edges: readonly number[] } & Readonly<
  Record<'digits' | 'digits_rescaled', NumpyModel>
>;

const NUMPY = JSON.parse(readFileSync(join(FIXTURES, 'inspect/weights.json'), 'utf8')) as Numpy;

const folder = temporaryFolder();
let files = 0;

function fileOf(graph: GraphProto, model: ModelProto = {}): string {
  const path = join(folder, `m${files++}.onnx`);
  writeFileSync(path, encodeModel(modelOf(graph, model)));
  return path;
}

function inspected(models: readonly string[], options: Partial<InspectRequest> = {}): Promise<InspectReport> {
  return inspect({ models, shapes: new Map(), timestamp: false, complete: false, ...options });
}

async function inspectedModel(path: string, options: Partial<InspectRequest> = {}): Promise<InspectedModel> {
  return (await inspected([path], options)).models[0]!;
}

function float32(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return { name, dims: [...dims], dataType: 1, rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

function value(name: string, dims: readonly (number | string)[]): NonNullable<GraphProto['input']>[number] {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
}

/** A depthwise 1x1 convolution whose channels have these weights: x [1, channels, 2, 2] -> y. */
function depthwise(values: readonly number[]): GraphProto {
  const channels = values.length;
  return {
    input: [value('x', [1, channels, 2, 2])],
    output: [value('y', [1, channels, 2, 2])],
    initializer: [float32('w', [channels, 1, 1, 1], values)],
    node: [
      {
        opType: 'Conv',
        name: 'dw',
        input: ['x', 'w'],
        output: ['y'],
        attribute: [{ name: 'group', type: onnx.AttributeProto.AttributeType.INT, i: channels }],
      },
    ],
  };
}

describe.each(['digits', 'digits_rescaled'] as const)('inspect of %s', (name) => {
  const path = join(FIXTURES, `digits/${name}.onnx`);
  const expected = NUMPY[name];
  let report: InspectReport;
  let model: InspectedModel;
  beforeAll(async () => {
    report = await inspected([path], { complete: true });
    model = report.models[0]!;
  });

  it('gives range, spread and outlier channels of every weight as numpy computes them, BatchNormalization folded', () => {
    const weights = model.layers.flatMap(({ node, weight }) =>
      weight === undefined ? [] : [{ node, ...weight }],
    );
    expect(weights.map(({ node, tensor }) => [node, tensor])).toEqual(
      expected.weights.map(({ node, tensor }) => [node, tensor]),
    );
    for (const [i, weight] of weights.entries()) {
      const numpy = expected.weights[i]!;
      expect([weight.min, weight.max]).toEqual([numpy.min, numpy.max]);
      expect(weight.spread).toBeCloseTo(numpy.spread, 10);
      expect(weight.outlierChannels).toEqual(numpy.outlierChannels);
    }
  });

  it('gives the five numbers of every channel as numpy.percentile does', () => {
    expect(report.weights?.length).toBe(expected.weights.length);
    for (const [i, { channels, fence }] of (report.weights ?? []).entries()) {
      const numpy = expected.weights[i]!;
      expect(channels.map(({ min, q1, median, q3, max }) => [min, q1, median, q3, max])).toEqual(
        numpy.channels,
      );
      expect(fence).toBeCloseTo(numpy.fence, 10);
    }
  });

  it('forecasts levels and SQNR as numpy quantizes', () => {
    const poor = expected.weights.filter(({ fewLevelChannels }) => fewLevelChannels.length > 0);
    expect(model.forecast.weights).toBe(7);
    expect(model.forecast.layers.map(({ node, fewLevelChannels }) => ({ node, fewLevelChannels }))).toEqual(
      poor.map(({ node, fewLevelChannels }) => ({ node, fewLevelChannels })),
    );
    for (const [i, { fewestLevels }] of model.forecast.layers.entries()) {
      expect(fewestLevels).toBeCloseTo(poor[i]!.fewestLevels, 10);
    }
    for (const [i, { perTensorSqnrDb, perAxisSqnrDb }] of (report.weights ?? []).entries()) {
      expect(perTensorSqnrDb).toBeCloseTo(expected.weights[i]!.perTensorSqnrDb, 4);
      expect(perAxisSqnrDb).toBeCloseTo(expected.weights[i]!.perAxisSqnrDb, 4);
    }
  });
});

describe('inspect of one model', () => {
  it('lists layers in graph order with symbolic extents, and says which nodes were merged', async () => {
    const model = await inspectedModel(DIGITS);
    expect(model.layers.map(({ order }) => order)).toEqual([...model.layers.keys()]);
    expect(model.layers[0]).toMatchObject({
      node: 'stem/conv',
      op: 'Conv',
      shape: ['N', 16, 8, 8],
      absorbed: ['stem/conv_bn'],
    });
    expect(model.absorbed).toEqual(['stem/conv_bn', 'block2/project_bn']);
    expect(model.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['N', 1, 8, 8] }]);
    expect(model.outputs).toEqual([{ name: 'logits', dtype: 'float32', shape: ['N', 10] }]);
    expect(model.opCounts[0]).toEqual({ op: 'Conv', count: 6 });
  });

  it('counts parameters layer by layer so that they add up to those of the model', async () => {
    const model = await inspectedModel(DIGITS);
    // Convolution weights and biases, the dense layer, and the two limits that both Clip share.
    const sizes = [
      16 * 9 + 16,
      16 * 9 + 16,
      24 * 16 + 24,
      48 * 24 + 48,
      2,
      48 * 9 + 48,
      24 * 48 + 24,
      10 * 24 + 10,
    ];
    expect(model.layers.map(({ parameters }) => parameters).filter((size) => size > 0)).toEqual(sizes);
    expect(model.parameters).toBe(sizes.reduce((a, b) => a + b));
  });

  it('counts multiply-accumulates for one sample where only the batch is open', async () => {
    const { macs, layers } = await inspectedModel(DIGITS);
    const perLayer = [
      16 * 64 * 9,
      16 * 64 * 9,
      24 * 64 * 16,
      48 * 16 * 24,
      48 * 16 * 9,
      24 * 16 * 48,
      10 * 24,
    ];
    expect(layers.flatMap(({ macs: own }) => (own === undefined || own === 0 ? [] : [own]))).toEqual(
      perLayer,
    );
    expect(macs).toEqual({
      total: perLayer.reduce((a, b) => a + b),
      unknownLayers: 0,
      counted: { image: [1, 1, 8, 8] },
    });
  });

  it('leaves multiply-accumulates unknown until --shape fixes what is open', async () => {
    const path = fileOf({
      input: [value('x', ['N', 1, 'H', 'W'])],
      output: [value('y', ['N', 1, 'H', 'W'])],
      initializer: [float32('w', [1, 1, 1, 1], [2])],
      node: [{ opType: 'Conv', name: 'conv', input: ['x', 'w'], output: ['y'] }],
    });
    const open = await inspectedModel(path);
    expect(open.macs).toEqual({ unknownLayers: 1, counted: {} });
    expect(open.layers[0]).not.toHaveProperty('macs');
    const fixed = await inspectedModel(path, { shapes: new Map([['x', [1, 1, 4, 5]]]) });
    expect(fixed.macs.total).toBe(20);
    expect(fixed.inputs[0]?.shape).toEqual([1, 1, 4, 5]);
  });

  it('marks operators with nested graphs, which it does not look into', async () => {
    const { layers } = await inspectedModel(join(FIXTURES, 'loader/control-flow.onnx'));
    const opaque = layers.filter((layer) => layer.opaque === true).map(({ op }) => op);
    expect(opaque).not.toEqual([]);
    expect(opaque.every((op) => ['If', 'Loop', 'Scan'].includes(op))).toBe(true);
  });

  it('hashes the file and describes every channel only for a document', async () => {
    const brief = await inspected([DIGITS]);
    expect(brief.models[0]).not.toHaveProperty('sha256');
    expect(brief).not.toHaveProperty('weights');
    const complete = await inspected([DIGITS], { complete: true });
    expect(complete.models[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('draws the network in a document, one node for each layer, with what it costs for one sample', async () => {
    const { graph: network, layers, macs } = await inspectedModel(DIGITS, { complete: true });
    expect(network).toMatchObject({ inputs: ['image'], outputs: ['logits'] });
    expect(network!.nodes.map(({ node, op }) => [node, op])).toEqual(
      layers.map(({ node, op }) => [node, op]),
    );
    expect(network!.nodes.reduce((sum, node) => sum + node.macs!, 0)).toBe(macs.total);
    expect(network!.nodes.filter(({ float }) => float !== undefined)).toEqual([]);
    expect((await inspectedModel(DIGITS)).graph).toBeUndefined();
  });

  it('says the same about a model whether a document is wanted or not', async () => {
    const brief = await inspectedModel(RESCALED);
    const { sha256, graph: network, ...complete } = await inspectedModel(RESCALED, { complete: true });
    expect([sha256, network]).not.toContain(undefined);
    expect(complete).toEqual(brief);
  });

  it('has the time of day only when asked, and is otherwise the same every time', async () => {
    expect(await inspected([DIGITS])).toEqual(await inspected([DIGITS]));
    expect((await inspected([DIGITS], { timestamp: true })).createdAt).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('loads neither the runtime nor the image decoder', async () => {
    await inspected([DIGITS, RESCALED]);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.some((path) => path.includes('onnx-proto'))).toBe(true);
    expect(loaded.filter((path) => /onnxruntime|sharp/.test(path))).toEqual([]);
  });

  it('lists ten thousand nodes in seconds', async () => {
    const count = 10_000;
    const path = fileOf({
      input: [value('t0', ['N', 2])],
      output: [value(`t${count}`, ['N', 2])],
      initializer: [float32('w', [2, 2], [1, 2, 3, 4])],
      node: Array.from({ length: count }, (_, i) => ({
        opType: 'MatMul',
        input: [`t${i}`, 'w'],
        output: [`t${i + 1}`],
      })),
    });
    const started = performance.now();
    const { layers, parameters } = await inspectedModel(path);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(layers.length).toBe(count);
    expect(parameters).toBe(4);
  });
});

describe('weights that are unusual', () => {
  it('are counted channel by channel where they are NaN or infinite, and the rest is described', async () => {
    const weights = [NaN, 1, 2, Infinity, -Infinity, NaN, -3, 4, 5];
    const path = fileOf({
      input: [value('x', [1, 1, 8, 8])],
      output: [value('y', [1, 3, 8, 8])],
      initializer: [float32('w', [3, 1, 1, 3], weights), float32('b', [3], [0, NaN, 0])],
      node: [{ opType: 'Conv', name: 'conv', input: ['x', 'w', 'b'], output: ['y'] }],
    });
    const report = await inspected([path], { complete: true });
    const model = report.models[0]!;
    expect(model.nonFinite).toEqual([
      { tensor: 'w', node: 'conv', role: 'weight', count: 4, channels: [0, 1] },
      { tensor: 'b', node: 'conv', role: 'constant', count: 1 },
    ]);
    // Channel 1 has no finite value: it is neither a channel of zeros nor a narrow one.
    expect(model.layers[0]?.weight).toMatchObject({ min: -3, max: 5, spread: 5 / 3.5 });
    expect(report.weights?.[0]?.channels[1]).toEqual({});
  });

  it('have no range when they are empty, however long their other extents are', async () => {
    const path = fileOf({
      input: [value('x', [1, 0, 8, 8])],
      output: [value('y', [1, 2, 8, 8])],
      initializer: [float32('w', [2 ** 40, 0, 1, 1], [])],
      node: [{ opType: 'Conv', name: 'conv', input: ['x', 'w'], output: ['y'] }],
    });
    const report = await inspected([path], { complete: true });
    expect(report.models[0]?.layers[0]?.weight).toEqual({
      tensor: 'w',
      dtype: 'float32',
      shape: [2 ** 40, 0, 1, 1],
      axis: 0,
      outlierChannels: [],
    });
    expect(report.weights).toEqual([]);
    await expect(inspected([path], { node: 'conv' })).rejects.toThrow(/no elements/);
  });

  it('have no spread when all of them are 0', async () => {
    const { layers, forecast } = await inspectedModel(fileOf(depthwise([0, 0])));
    expect(layers[0]?.weight).toMatchObject({ min: 0, max: 0 });
    expect(layers[0]?.weight).not.toHaveProperty('spread');
    expect(forecast).toEqual({ weights: 1, fewLevels: 16, layers: [] });
  });

  it('are looked at once when several layers share them, and each layer shows them', async () => {
    const path = fileOf({
      input: [value('x', [1, 2])],
      output: [value('y', [1, 2])],
      initializer: [float32('w', [2, 2], [1, 2, 3, 4])],
      node: [
        { opType: 'MatMul', name: 'first', input: ['x', 'w'], output: ['m'] },
        { opType: 'MatMul', name: 'second', input: ['m', 'w'], output: ['y'] },
      ],
    });
    const report = await inspected([path]);
    const { layers, forecast } = report.models[0]!;
    expect(layers.map(({ weight }) => weight?.max)).toEqual([4, 4]);
    expect(layers.map(({ weight }) => weight?.sharedWith)).toEqual([undefined, 'first']);
    expect(layers.map(({ parameters }) => parameters)).toEqual([4, 0]);
    expect(forecast.weights).toBe(1);
    expect((await inspected([path], { node: 'second' })).node?.weight).toBe('w');
  });

  it('are none in a model of activations only', async () => {
    const { forecast, layers, parameters } = await inspectedModel(fileOf({}));
    expect(forecast.weights).toBe(0);
    expect(layers).toEqual([{ order: 0, node: 'Relu#0', op: 'Relu', shape: [2], parameters: 0, macs: 0 }]);
    expect(parameters).toBe(0);
  });
});

describe('the forecast', () => {
  it('counts a channel as lost below 16 levels, 2 absmax / (widest / 127), not at 16', async () => {
    // 16 levels are 16 / 254 of the widest channel.
    const { forecast } = await inspectedModel(fileOf(depthwise([127, 8, 7.99, 0, 64])));
    expect(forecast.layers.map(({ fewLevelChannels }) => fewLevelChannels)).toEqual([[2]]);
    expect(forecast.layers[0]?.fewestLevels).toBeCloseTo(15.98, 5);
  });

  it('calls a depthwise convolution unusable when more than a tenth of its channels keep fewer than 8 levels', async () => {
    // 4 of 127 are 8 levels of 254.
    const channels = (narrow: number): number[] => [
      127,
      ...Array.from({ length: 19 }, (_, i) => (i < narrow ? 3.9 : 4)),
    ];
    const unusable = async (narrow: number): Promise<boolean | undefined> =>
      (await inspectedModel(fileOf(depthwise(channels(narrow))))).forecast.layers[0]?.unusable;
    expect(await unusable(2)).toBe(false);
    expect(await unusable(3)).toBe(true);
  });

  it('does not call other convolutions unusable', async () => {
    const graph = depthwise([100, 1, 1, 1]);
    const ordinary = { ...graph, initializer: [float32('w', [2, 2, 1, 1], [100, 100, 1, 1])] };
    ordinary.node = [{ ...graph.node![0], attribute: [] }];
    const { forecast } = await inspectedModel(fileOf({ ...ordinary, input: [value('x', [1, 2, 2, 2])] }));
    expect(forecast.layers).toMatchObject([{ depthwise: false, unusable: false, fewLevelChannels: [1] }]);
  });
});

describe('several models', () => {
  it('have the ranges of their convolutions counted in common bins as numpy.histogram does', async () => {
    const { weightRanges } = await inspected([DIGITS, RESCALED]);
    expect(weightRanges?.of).toBe('convolutions');
    expect(weightRanges?.edges).toEqual(NUMPY.edges);
    for (const [i, name] of (['digits', 'digits_rescaled'] as const).entries()) {
      const own = weightRanges?.models[i];
      const { counts, median, p95, max, farOut } = NUMPY[name].convolutions;
      expect(own).toMatchObject({ counts, layers: 6, max, farOut });
      expect(own?.median).toBeCloseTo(median, 10);
      expect(own?.p95).toBeCloseTo(p95, 10);
    }
    expect(weightRanges?.models[1]?.widest).toBe('block1/depthwise');
  });

  it('have all weights counted when none has a convolution', async () => {
    const path = fileOf({
      input: [value('x', [1, 2])],
      output: [value('y', [1, 2])],
      initializer: [float32('w', [2, 2], [-1, 2, 0, 1])],
      node: [{ opType: 'MatMul', name: 'dense', input: ['x', 'w'], output: ['y'] }],
    });
    const { weightRanges } = await inspected([path, fileOf({})]);
    expect(weightRanges?.of).toBe('weights');
    // 3 lies in the bin from 2 to 5.
    expect(weightRanges?.edges).toEqual([2, 5]);
    expect(weightRanges?.models).toEqual([
      { counts: [1], layers: 1, median: 3, p95: 3, max: 3, widest: 'dense', farOut: [] },
      { counts: [0], layers: 0, farOut: [] },
    ]);
  });

  it('put ranges of 0 and those far below the others into one bin from 0', async () => {
    const graph: GraphProto = {
      input: [value('x', [1, 1, 2, 2])],
      output: [value('y0', [1, 1, 2, 2])],
      initializer: [0, 1e-9, 1, 1e6].map((range, i) => float32(`w${i}`, [1, 1, 1, 2], [0, range])),
      node: [0, 1, 2, 3].map((i) => ({
        opType: 'Conv',
        name: `c${i}`,
        input: ['x', `w${i}`],
        output: [`y${i}`],
      })),
    };
    const path = fileOf(graph);
    const { weightRanges } = await inspected([path, path]);
    const { edges = [], models = [] } = weightRanges ?? {};
    expect(edges.slice(0, 3)).toEqual([0, 10, 20]);
    expect(edges.at(-1)).toBe(2e6);
    expect(models[0]?.counts[0]).toBe(3);
    expect(models[0]?.counts.reduce((a, b) => a + b)).toBe(4);
  });
});

describe('--node', () => {
  const close = async (node: string): Promise<InspectReport> => inspected([DIGITS], { node });

  it.each(['block1/depthwise', 'block1/depthwise.weight', '*1/depthwise', 'block1/depthwise.*'])(
    'finds the weight of one layer by %s',
    async (name) => {
      const { node, weights } = await close(name);
      expect(node).toMatchObject({
        node: 'block1/depthwise',
        weight: 'block1/depthwise.weight',
        depthwise: true,
      });
      expect(weights?.map(({ tensor }) => tensor)).toEqual(['block1/depthwise.weight']);
    },
  );

  it('finds a layer by the name of a node that was merged into it', async () => {
    expect((await close('stem/conv_bn')).node?.node).toBe('stem/conv');
  });

  it('is refused with all that a glob matches when that is more than one layer', async () => {
    const error = await refusal(close('block2/*'));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe("--node 'block2/*' matches 3 layers with weights; one is wanted");
    expect(error.places).toEqual(
      ['expand', 'depthwise', 'project'].map((name) => `block2/${name}, weight block2/${name}.weight`),
    );
  });

  it('is refused with close names when it matches nothing', async () => {
    const error = await refusal(close('block1/depthwize'));
    expect(error.message).toBe("--node 'block1/depthwize' matches no layer with weights");
    expect(error.places?.[0]).toBe('close: block1/depthwise');
  });

  it.each([
    ['block1/pool', 'block1/pool (MaxPool) has no weights: it does not multiply its input with a constant'],
    ['image', 'image is no weight but an input of the model'],
    ['block1/depthwise.bias', 'block1/depthwise.bias is no weight but a constant of block1/depthwise'],
    ['logits', 'logits is no weight but what head/classifier computes'],
  ])('says what %s is when that has no weights', async (name, message) => {
    expect((await refusal(close(name))).message).toBe(message);
  });

  it('is refused for a model without weights', async () => {
    await expect(inspected([fileOf({})], { node: 'x1' })).rejects.toThrow(
      /no layer of this model has weights/,
    );
  });

  it('is refused for several models', async () => {
    await expect(inspected([DIGITS, RESCALED], { node: 'stem/conv' })).rejects.toThrow(
      /looks at one model; 2 are given/,
    );
  });
});

describe('files that cannot be inspected', () => {
  it('are refused with their name', async () => {
    for (const path of [join(folder, 'missing.onnx'), join(FIXTURES, 'README.md'), FIXTURES]) {
      const error = await refusal(inspected([DIGITS, path]));
      expect(error).toBeInstanceOf(QdbgError);
      expect(error.message).toContain(path);
    }
  });
});
