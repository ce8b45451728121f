import { describe, expect, it } from 'vitest';
import { inputSpecs } from '../../src/commands/preconditions.js';
import type { Graph } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

const INT8: QuantParams = {
  dtype: 'int8',
  qmin: -128,
  qmax: 127,
  granularity: { kind: 'per-tensor' },
  scale: Float32Array.of(0.5),
  zeroPoint: Int32Array.of(83),
  source: 'file',
};

function twoInputs(format: Graph['format']): Graph {
  return graph({ format })
    .input('image', 'float32', [1, 8, 8, 3])
    .input('size', 'int32', [2])
    .node('Identity', { inputs: ['image'], outputs: ['y'] })
    .output('y')
    .build();
}

function laneOf(of: Graph, params: QuantParams): Lane {
  return { name: 'file', tensors: new Map([[tensorNamed(of, 'image').id, params]]), uses: new Map() };
}

describe('inputSpecs of a TFLite model', () => {
  const tflite = twoInputs('tflite');

  it('say which inputs the file takes as codes, and that channels are last by convention', () => {
    expect(inputSpecs(tflite, laneOf(tflite, INT8))).toEqual([
      {
        name: 'image',
        dtype: 'float32',
        shape: [1, 8, 8, 3],
        layout: 'nhwc',
        quant: { dtype: 'int8', scale: 0.5, zeroPoint: 83 },
      },
      { name: 'size', dtype: 'int32', shape: [2], layout: 'nhwc' },
    ]);
  });

  it('have no codes when the file is a float model, or only its inner tensors are quantized', () => {
    const inner: Lane = {
      name: 'file',
      tensors: new Map([[tensorNamed(tflite, 'y').id, INT8]]),
      uses: new Map(),
    };
    for (const specs of [inputSpecs(tflite), inputSpecs(tflite, inner)]) {
      expect(specs[0]).toEqual({ name: 'image', dtype: 'float32', shape: [1, 8, 8, 3], layout: 'nhwc' });
    }
  });

  it.each<[string, Partial<QuantParams>]>([
    ['a scale of 0', { scale: Float32Array.of(0) }],
    ['a scale that is not a number', { scale: Float32Array.of(NaN) }],
    ['an infinite scale', { scale: Float32Array.of(Infinity) }],
    ['no scale', { scale: new Float32Array(0) }],
    [
      'several scales',
      {
        granularity: { kind: 'per-axis', axis: 3 },
        scale: Float32Array.of(1, 2, 3),
        zeroPoint: new Int32Array(3),
      },
    ],
  ])('have no codes whose values are known with %s', (_, params) => {
    expect(inputSpecs(tflite, laneOf(tflite, { ...INT8, ...params }))[0]).not.toHaveProperty('quant');
  });
});

it('inputSpecs of an ONNX model are its float inputs even when a quantizer follows them', () => {
  const onnx = twoInputs('onnx');
  expect(inputSpecs(onnx, laneOf(onnx, INT8))).toEqual([
    { name: 'image', dtype: 'float32', shape: [1, 8, 8, 3] },
    { name: 'size', dtype: 'int32', shape: [2] },
  ]);
});
