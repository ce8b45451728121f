/** The planted faults change what they say and nothing else, and leave files that runtimes read. */
import { readFileSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { decodeModel, onnx } from '../../../src/onnx/proto.js';
import { tensorData } from '../../../src/onnx/tensor.js';
import { projectPath } from '../tflite-network.js';
import {
  activationRemoved,
  axisMoved,
  batchNormForgotten,
  biasNotRescaled,
  biasOverflow,
  channelDead,
  channelScaled,
  type Fault,
  normalizationMissing,
  openIntegerFile,
  outputsSwapped,
  readWithOtherScale,
  readWithOtherZeroPoint,
  scaled,
  scalesOfOtherAxis,
  sharedScale,
  signFlipped,
  transposed,
  valuesOf,
  weightsOf,
  weightsTooCoarse,
  zeroPointOff,
} from './faults.js';

const QDQ = bytesOf('triage_qdq.onnx');
const QOPERATOR = bytesOf('triage_qoperator.onnx');
const TFLITE = bytesOf('triage_int8.tflite');

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(projectPath(`fixtures/triage/${name}`)));
}

/** Everything in the file that has a name, as text. */
function partsOf(bytes: Uint8Array): Map<string, string> {
  const isTflite = new TextDecoder().decode(bytes.subarray(4, 8)) === 'TFL3';
  return isTflite ? partsOfTflite(bytes) : partsOfOnnx(bytes);
}

function partsOfOnnx(bytes: Uint8Array): Map<string, string> {
  const { node, initializer, output } = decodeModel(bytes).graph!;
  const hex = (encoded: Uint8Array): string => Buffer.from(encoded).toString('hex');
  return new Map([
    ...node!.map((part): [string, string] => [part.name!, hex(onnx.NodeProto.encode(part).finish())]),
    ...initializer!.map((part): [string, string] => {
      const data = tensorData(part, part.name!);
      return [part.name!, `${data.dtype} ${data.dims.join('x')} ${hex(data.bytes())}`];
    }),
    ['outputs', output!.map(({ name }) => name).join(' ')],
  ]);
}

function partsOfTflite(bytes: Uint8Array): Map<string, string> {
  const { tensors, operators, outputs } = readTflite(bytes).subgraphs[0]!;
  return new Map([
    ...tensors.map(({ data, quantization, ...tensor }): [string, string] => {
      const codes = data === undefined ? '' : Buffer.from(data.bytes()).toString('hex');
      const { scale = [], ...others } = quantization ?? {};
      return [tensor.name, JSON.stringify([tensor, others, Array.from(scale), codes])];
    }),
    ...operators.map(({ op, inputs, outputs: written, options }): [string, string] => [
      `writes ${tensors[written[0]!]!.name}`,
      JSON.stringify([op, inputs, written, options]),
    ]),
    ['outputs', outputs.map((id) => tensors[id]!.name).join(' ')],
  ]);
}

/** Names of what is not as it was, gone or new. */
function changes(before: Uint8Array, after: Uint8Array): string[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.filter((name) => old.get(name) !== now.get(name)).sort();
}

interface Planted {
  readonly fault: string;
  readonly plant: Fault;
  readonly qdq?: readonly [where: string, changed: readonly string[]];
  readonly qoperator?: readonly [where: string, changed: readonly string[]];
  readonly tflite?: readonly [where: string, changed: readonly string[]];
}

const FAULTS: readonly Planted[] = [
  {
    fault: 'a scale 8 times too small',
    plant: scaled(1 / 8),
    qdq: ['stem_relu:out', ['stem_relu:out_scale']],
    qoperator: ['stem_bn:out_quantized', ['stem_bn:out_scale']],
    tflite: ['stem', ['stem']],
  },
  {
    fault: 'a zero point off by 20',
    plant: zeroPointOff(20),
    qdq: ['mix_bn:out', ['mix_bn:out_zero_point']],
    qoperator: ['mix_bn:out_quantized', ['mix_bn:out_zero_point']],
    tflite: ['mix', ['mix']],
  },
  {
    fault: 'a reader with another scale',
    plant: readWithOtherScale(4),
    qdq: [
      'stem_relu:out',
      ['stem_relu:out_DequantizeLinear', 'stem_relu:out_scale/stem_relu:out_DequantizeLinear/1'],
    ],
    qoperator: ['stem_bn:out_quantized', ['depthwise_quant', 'stem_bn:out_scale/depthwise_quant/1']],
  },
  {
    fault: 'a reader with another zero point',
    plant: readWithOtherZeroPoint(20),
    qdq: [
      'stem_relu:out',
      ['stem_relu:out_DequantizeLinear', 'stem_relu:out_zero_point/stem_relu:out_DequantizeLinear/2'],
    ],
    qoperator: ['stem_bn:out_quantized', ['depthwise_quant', 'stem_bn:out_zero_point/depthwise_quant/2']],
  },
  {
    fault: 'a missing activation function',
    plant: activationRemoved,
    qdq: ['stem_relu:out', ['stem_relu:out_scale', 'stem_relu:out_zero_point']],
    qoperator: ['stem_bn:out_quantized', ['stem_bn:out_scale', 'stem_bn:out_zero_point']],
    tflite: ['stem', ['stem', 'writes stem']],
  },
  {
    fault: 'one scale around a Concat',
    plant: sharedScale(1),
    qdq: ['small_relu:out large_relu:out', ['large_relu:out_scale']],
    qoperator: ['small:out_quantized large:out_quantized', ['large:out_scale']],
  },
  {
    fault: 'a missing normalization',
    plant: normalizationMissing('image', 1),
    qdq: ['norm', ['norm/div', 'norm/sub', 'norm_QuantizeLinear', 'norm_scale', 'norm_zero_point']],
    qoperator: [
      'norm',
      ['norm/div', 'norm/sub', 'norm_QuantizeLinear', 'norm_scale', 'norm_zero_point', 'stem.bias_quantized'],
    ],
    tflite: ['norm', ['stem.bias', 'writes centered', 'writes norm', 'writes stem']],
  },
  {
    fault: 'swapped outputs',
    plant: outputsSwapped,
    qdq: ['', ['outputs']],
    qoperator: ['', ['outputs']],
    tflite: ['', ['outputs']],
  },
  ...[
    { fault: 'transposed weights', plant: transposed },
    { fault: 'codes made with the scales of another axis', plant: scalesOfOtherAxis, isPerAxis: true },
  ].map(({ fault, plant, isPerAxis = false }): Planted => ({
    fault,
    plant,
    qdq: ['tail', ['tail.weight_quantized']],
    ...(isPerAxis ? {} : { qoperator: ['tail_quant', ['tail.weight_quantized']] }),
    tflite: ['tail', ['tail.weight']],
  })),
  {
    fault: 'flipped signs',
    plant: signFlipped,
    qdq: ['tail', ['tail.weight_quantized']],
    qoperator: ['tail_quant', ['tail.weight_quantized', 'tail.weight_zero_point']],
    tflite: ['tail', ['tail.weight']],
  },
  {
    fault: 'weights of another layer',
    plant: weightsOf('scores'),
    qdq: ['offsets', ['offsets.weight_quantized']],
    tflite: ['offsets', ['offsets.weight']],
  },
  {
    fault: 'a bias that was not rescaled',
    plant: biasNotRescaled(16),
    qdq: ['large', ['large.bias_quantized']],
    qoperator: ['large_quant', ['large.bias_quantized']],
    tflite: ['large', ['large.bias']],
  },
  {
    fault: 'a bias that does not fit into 32 bits',
    plant: biasOverflow(5),
    qdq: ['mix', ['mix.bias_quantized', 'mix.bias_quantized_scale', 'mix.weight_scale']],
    tflite: ['mix', ['mix.bias', 'mix.weight']],
  },
  {
    fault: 'a channel read with another scale',
    plant: channelScaled(3, 8),
    qdq: ['tail', ['tail.weight_scale']],
    tflite: ['tail', ['tail.weight']],
  },
  {
    fault: 'scales on another axis',
    plant: axisMoved,
    qdq: ['tail', ['tail.weight_DequantizeLinear']],
    tflite: ['tail', ['tail.weight']],
  },
  {
    fault: 'a dead channel',
    plant: channelDead(2),
    qdq: ['tail', ['tail.bias_quantized', 'tail.weight_quantized']],
    qoperator: ['tail_quant', ['tail.bias_quantized', 'tail.weight_quantized']],
    tflite: ['tail', ['tail.bias', 'tail.weight']],
  },
  {
    fault: 'weights of a few levels',
    plant: weightsTooCoarse(100),
    qdq: ['tail', ['tail.weight_quantized', 'tail.weight_scale']],
    qoperator: ['tail_quant', ['tail.bias_quantized', 'tail.weight_quantized', 'tail.weight_scale']],
    tflite: ['tail', ['tail.bias', 'tail.weight']],
  },
];

describe.each([
  { format: 'QDQ', bytes: QDQ, key: 'qdq' },
  { format: 'QOperator', bytes: QOPERATOR, key: 'qoperator' },
  { format: 'TFLite', bytes: TFLITE, key: 'tflite' },
] as const)('faults in a $format file', ({ bytes, key }) => {
  const here = FAULTS.filter((planted) => planted[key] !== undefined);

  it.each(here)('$fault changes nothing else', async (planted) => {
    const [where, expected] = planted[key]!;
    const faulty = planted.plant(bytes, where);
    expect(changes(bytes, faulty)).toEqual([...expected].sort());
    if (key === 'tflite') return;
    const session = await InferenceSession.create(faulty);
    await session.release();
  });
});

describe('what the codes stand for afterwards', () => {
  const FILES = [
    { format: 'QDQ', bytes: QDQ, tail: 'tail', stem: 'stem_relu:out' },
    { format: 'QOperator', bytes: QOPERATOR, tail: 'tail_quant', stem: 'stem_bn:out_quantized' },
    { format: 'TFLite', bytes: TFLITE, tail: 'tail', stem: 'stem' },
  ];

  it.each(FILES)('swaps height and width of the kernels in $format', ({ bytes, tail }) => {
    const before = openIntegerFile(bytes).layer(tail);
    const after = openIntegerFile(transposed(bytes, tail)).layer(tail);
    const strides = before.weights.dims.map((_, axis) =>
      before.weights.dims.slice(axis + 1).reduce((product, dim) => product * dim, 1),
    );
    const [rows, columns] = before.spatial.map((axis) => strides[axis]!);
    expect(after.weights.codes[2 * rows!]).toBe(before.weights.codes[2 * columns!]);
    expect(after.weights.codes[rows! + 2 * columns!]).toBe(before.weights.codes[2 * rows! + columns!]);
    expect(after.weights.codes).not.toEqual(before.weights.codes);
  });

  it.each(FILES)('negates the weights in $format', ({ bytes, tail }) => {
    const before = valuesOf(openIntegerFile(bytes).layer(tail).weights);
    const after = valuesOf(openIntegerFile(signFlipped(bytes, tail)).layer(tail).weights);
    expect(after.map((value) => 0 - value)).toEqual(before);
  });

  it.each(FILES)('makes ranges an eighth as wide in $format', ({ bytes, stem }) => {
    const { scale } = openIntegerFile(bytes).edge(stem);
    expect(openIntegerFile(scaled(1 / 8)(bytes, stem)).edge(stem).scale).toBe(scale / 8);
  });

  it.each(FILES)('stores other weights with scales that fit them in $format', ({ bytes, tail }) => {
    const before = openIntegerFile(bytes).layer(tail).weights;
    const wanted = valuesOf(before).map((value, i) => Math.fround(value * 3 + 0.01 * (i % 7)));
    const { weights, bias } = openIntegerFile(batchNormForgotten(wanted)(bytes, tail)).layer(tail);
    const step = Math.max(...weights.scale);
    valuesOf(weights).forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1.001 * step);
    });
    expect(bias!.codes.every((code) => code === 0)).toBe(true);
  });
});
