import { describe, expect, it } from 'vitest';
import { nodeOf, topologyOf, type NodeId } from '../../src/ir/graph.js';
import { useKey, type Lane } from '../../src/ir/lane.js';
import { dequantizeLine, inputPort, isUsable, outputPort, quantizeLine } from '../../src/quant/ports.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { HAS_SHARED, openNetwork } from '../support/tflite-network.js';

const NET = graph()
  .input('x', 'float32', [1, 4])
  .node('Relu', { inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();
const [X, Y] = [tensorNamed(NET, 'x').id, tensorNamed(NET, 'y').id];
const QUANT = perTensor('uint8', 0.25, 3);

describe('a port of an ONNX file', () => {
  it('takes floats that a quantizer behind it rounds', () => {
    expect(inputPort(NET, laneOf(NET, { x: QUANT }), X)).toEqual({ form: 'inside', params: QUANT });
    const use: Lane['uses'] = new Map([[useKey(0 as NodeId, 0), QUANT]]);
    expect(inputPort(NET, laneOf(NET, {}, use), X)).toEqual({ form: 'inside', params: QUANT });
  });

  it('takes or gives codes where the file calls them by its name', () => {
    const lane: Lane = {
      ...laneOf(NET, { x: QUANT, y: QUANT }),
      stored: new Map([
        [X, { codes: ['x'], values: [] }],
        [Y, { codes: ['y'], values: [] }],
      ]),
    };
    expect(inputPort(NET, lane, X)?.form).toBe('codes');
    expect(outputPort(NET, lane, Y)?.form).toBe('codes');
  });

  it('has none without a quantizer', () => {
    expect(inputPort(NET, laneOf(NET, {}), X)).toBeUndefined();
    expect(outputPort(NET, laneOf(NET, {}), Y)).toBeUndefined();
  });
});

describe('a port of a TFLite file', () => {
  it.each([['fixtures/tflite/digits_int8.tflite', 'codes']] as const)('of %s is %s', async (path, form) => {
    const { graph: g, lane } = await openNetwork(path);
    expect(inputPort(g, lane, g.inputs[0]!)?.form).toBe(form);
    expect(outputPort(g, lane, g.outputs[0]!)?.form).toBe(form);
  });

  it.skipIf(!HAS_SHARED)('has the codes of a QUANTIZE behind it, and of a DEQUANTIZE before it', async () => {
    const { graph: g, lane } = await openNetwork('../shared/models/digits/digits_int8_floatio.tflite');
    const input = inputPort(g, lane, g.inputs[0]!);
    expect(input?.form).toBe('inside');
    expect(input?.params.scale[0]).toBeCloseTo(1 / 255, 6);
    expect(outputPort(g, lane, g.outputs[0]!)?.form).toBe('inside');
    expect(nodeOf(g, topologyOf(g).uses[g.inputs[0]!]![0]!.node).origin.op).toBe('QUANTIZE');
  });
});

describe('lines for the application', () => {
  it.each([
    [
      QUANT,
      'q = np.clip(np.round(x / np.float32(0.25)) + 3, 0, 255).astype(np.uint8)',
      'x = (q.astype(np.float32) - 3) * np.float32(0.25)',
    ],
    [
      perTensor('int8', 1, -128),
      'q = np.clip(np.round(x) - 128, -128, 127).astype(np.int8)',
      'x = (q.astype(np.float32) + 128) * np.float32(1)',
    ],
    [
      perTensor('uint4', 0.1),
      'q = np.clip(np.round(x / np.float32(0.1)), 0, 15).astype(np.uint8)',
      'x = q.astype(np.float32) * np.float32(0.1)',
    ],
  ])('have the numbers of the port in as few digits as tell a float32', (params, quantize, dequantize) => {
    expect(quantizeLine(params)).toBe(quantize);
    expect(dequantizeLine(params)).toBe(dequantize);
  });

  it('need one scale that is a positive number', () => {
    expect(isUsable(QUANT)).toBe(true);
    for (const scale of [0, -1, NaN, Infinity]) expect(isUsable(perTensor('int8', scale))).toBe(false);
    expect(isUsable(perAxis('int8', 0, [1, 2]))).toBe(false);
  });
});
