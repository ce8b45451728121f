/** Activation functions that a quantized file leaves to its ranges: in the float graph they are operators, in the codes nothing changes. */
import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { declareInputs, LaneValues } from '../../../src/compile/lane-values.js';
import { ModelWriter } from '../../../src/compile/model-writer.js';
import { bindInputs } from '../../../src/ir/bind-inputs.js';
import { tensorOf } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { FLOAT_LANE, type Lane } from '../../../src/ir/lane.js';
import { loadModel, type LoadedModel } from '../../../src/loader/index.js';
import { fetched } from '../../support/fetched.js';
import { float, graph } from '../../support/graph-builder.js';
import { workspace } from '../../support/workspace.js';

const files = workspace();
let written = 0;

const DIMS = [1, 2, 3, 3];
const X = Array.from({ length: 18 }, (_, i) => ((i * 7) % 18) / 2 - 4.5);
/** A 1x1 convolution of two channels into two. */
const KERNEL = [2, -3, 1, 4];
const WEIGHT_SCALE = 0.5;

interface Written {
  readonly opset?: number;
  readonly scale: number;
  readonly dtype?: 'uint8' | 'int8';
  readonly zeroPoint: number;
  /** Stands between the convolution and its quantizer. */
  readonly then?: string;
}

function qdq({ opset = 17, scale, dtype = 'uint8', zeroPoint, then }: Written): Promise<LoadedModel> {
  const builder = graph({ opset })
    .input('x', 'float32', DIMS)
    .constant('sx', 'float32', [], [0.5])
    .constant('zx', 'int8', [], [0])
    .constant('w', 'int8', [2, 2, 1, 1], KERNEL)
    .constant('sw', 'float32', [], [WEIGHT_SCALE])
    .constant('zw', 'int8', [], [0])
    .constant('sy', 'float32', [], [scale])
    .constant('zy', dtype, [], [zeroPoint])
    .node('QuantizeLinear', { inputs: ['x', 'sx', 'zx'], outputs: ['xq'] })
    .node('DequantizeLinear', { inputs: ['xq', 'sx', 'zx'], outputs: ['xd'] })
    .node('DequantizeLinear', { inputs: ['w', 'sw', 'zw'], outputs: ['wd'] })
    .node('Conv', { name: 'conv', inputs: ['xd', 'wd'], outputs: ['c'] });
  if (then !== undefined)
    builder.node(then, {
      name: 'then',
      inputs: ['c'],
      outputs: ['t'],
      attrs: then === 'LeakyRelu' ? { alpha: float(0.5) } : {},
    });
  const g = builder
    .node('QuantizeLinear', { inputs: [then === undefined ? 'c' : 't', 'sy', 'zy'], outputs: ['q'] })
    .node('DequantizeLinear', { inputs: ['q', 'sy', 'zy'], outputs: ['y'] })
    .output('y', 'float32', DIMS)
    .build();
  return loadModel(files.file(`${written++}.onnx`, declared(files.model('plain.onnx', g))));
}

/** The file with the type of the convolution's output, as most exporters write it. */
function declared(path: string): Uint8Array {
  const model = onnxProto.onnx.ModelProto.decode(readFileSync(path));
  const dim = DIMS.map((dimValue) => ({ dimValue }));
  model.graph!.valueInfo!.push(
    onnxProto.onnx.ValueInfoProto.create({
      name: 'c',
      type: { tensorType: { elemType: 1, shape: { dim } } },
    }),
  );
  return onnxProto.onnx.ModelProto.encode(model).finish();
}

async function run({ graph: loaded }: LoadedModel, lane: Lane): Promise<number[]> {
  const g = inferShapes(bindInputs(loaded, new Map()));
  const writer = new ModelWriter(g.opsets, g.irVersion);
  const values = new LaneValues(writer, g, lane, declareInputs(writer, g));
  const feed = { dtype: 'float32' as const, dims: DIMS, data: Float32Array.from(X) };
  const [y] = await fetched(writer, [values.value(g.outputs[0]!)], new Map([['x', feed]]));
  return y!;
}

/** ONNX Runtime on the file as it is. */
async function original({ path }: LoadedModel): Promise<number[]> {
  const session = await ort.InferenceSession.create(path, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  });
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.from(X), DIMS) });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

/** Without any quantizer but that of the weights, whose codes are exact. */
function convolved(): number[] {
  return Array.from({ length: 18 }, (_, i) => {
    const [k, at] = [Math.floor(i / 9), i % 9];
    return WEIGHT_SCALE * (KERNEL[2 * k]! * X[at]! + KERNEL[2 * k + 1]! * X[9 + at]!);
  });
}

const implied = ({ graph: g }: LoadedModel): string[] =>
  g.nodes.flatMap(({ op, origin }) => (origin.implied === true ? [op] : []));

describe('a range that begins at exactly zero behind a convolution', () => {
  it.each<[string, Written, (x: number) => number, string]>([
    ['stands for Relu, unsigned', { scale: 0.05, zeroPoint: 0 }, (x) => Math.max(0, x), 'Relu'],
    [
      'stands for Relu, signed',
      { scale: 0.05, dtype: 'int8', zeroPoint: -128 },
      (x) => Math.max(0, x),
      'Relu',
    ],
    [
      'and ends at 6 stands for Relu6',
      { scale: 6 / 255, zeroPoint: 0 },
      (x) => Math.min(Math.fround(255 * Math.fround(6 / 255)), Math.max(0, x)),
      'Clip',
    ],
    [
      'and ends near 6, in a file whose Clip has its limits as attributes, is left open above',
      { opset: 10, scale: 6 / 255, zeroPoint: 0 },
      (x) => Math.max(0, x),
      'Relu',
    ],
  ])('%s', async (_, model, activation, op) => {
    const loaded = await qdq(model);
    expect(implied(loaded)).toEqual([op]);
    const plain = convolved();
    expect(plain.some((x) => x < 0) && plain.some((x) => x > 6)).toBe(true);
    expect(await run(loaded, FLOAT_LANE)).toEqual(plain.map(activation));
    expect(await run(loaded, loaded.lane!)).toEqual(await original(loaded));
  });

  it('keeps the name of the tensor behind the activation, and shows nothing before it', async () => {
    const { graph: g } = await qdq({ scale: 0.05, zeroPoint: 0 });
    const relu = g.nodes.find(({ origin }) => origin.implied === true)!;
    const open = relu.inputs[0]!;
    expect(g.inner?.has(open)).toBe(true);
    expect(relu.origin).toMatchObject({ name: 'conv', op: 'Conv', part: 'step' });
    expect(tensorOf(g, open).shape).toEqual(DIMS);
  });
});

describe('no activation is implied', () => {
  it.each<[string, Written]>([
    ['by a range with values below zero', { scale: 0.05, zeroPoint: 1 }],
    ['by a symmetric one', { scale: 0.05, dtype: 'int8', zeroPoint: 0 }],
    ['behind an operator that gives nothing below zero', { scale: 0.05, zeroPoint: 0, then: 'Sigmoid' }],
    ['behind an activation function that is there', { scale: 0.05, zeroPoint: 0, then: 'LeakyRelu' }],
  ])('%s', async (_, model) => {
    const loaded = await qdq(model);
    expect(implied(loaded)).toEqual([]);
    expect(await run(loaded, loaded.lane!)).toEqual(await original(loaded));
  });
});
