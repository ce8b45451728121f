/** Encodings of AIMET and QNN: codes counted from 0, whatever type they have. */
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../../src/commands/sweep/export/decision.js';
import { exportAimet, type AimetEncodings } from '../../../../src/commands/sweep/export/aimet.js';
import { exportQnn, type QnnEncodings } from '../../../../src/commands/sweep/export/qnn.js';
import { UsageError } from '../../../../src/errors.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { QRANGE, useKey, type QDType, type QuantParams } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { decide } from '../../../support/decisions.js';
import { graph, producerOf, tensorNamed } from '../../../support/graph-builder.js';
import { perAxis, perTensor } from '../../../support/lanes.js';

const DECISION = decide(
  inferShapes(
    graph()
      .input('x', 'float32', [1, 4])
      .constant(
        'w',
        'float32',
        [4, 4],
        Array.from({ length: 16 }, (_, i) => i - 8),
      )
      .constant(
        'v',
        'float32',
        [4, 4],
        Array.from({ length: 16 }, (_, i) => 8 - i),
      )
      .node('MatMul', { name: 'first', inputs: ['x', 'w'], outputs: ['__proto__'] })
      .node('MatMul', { name: 'second', inputs: ['__proto__', 'v'], outputs: ['y'] })
      .output('y')
      .build(),
  ),
  SCHEMES['ort']!,
  Object.fromEntries([
    ['x', [-1, 1]],
    ['__proto__', [0, 3]],
    ['y', [-2, 2]],
  ]),
);

function withParams(name: string, params: QuantParams): Decision {
  const tensors = new Map(DECISION.lane.tensors).set(tensorNamed(DECISION.graph, name).id, params);
  return { ...DECISION, lane: { ...DECISION.lane, tensors } };
}

const aimet = (decision: Decision): AimetEncodings =>
  JSON.parse(exportAimet(decision).content as string) as AimetEncodings;
const qnn = (decision: Decision): QnnEncodings =>
  JSON.parse(exportQnn(decision).content as string) as QnnEncodings;

describe('an encoding', () => {
  it.each<[QDType, number]>([
    ['uint8', 37],
    ['int8', -91],
    ['int8', 0],
    ['uint16', 30001],
    ['int16', 0],
    ['uint4', 3],
    ['int4', 0],
  ])('stands for the values of %s codes with zero point %i', (dtype, zeroPoint) => {
    const scale = Math.fround(0.1);
    const decision = withParams('y', perTensor(dtype, scale, zeroPoint));
    const [lowest, highest] = QRANGE[dtype];
    const value = (code: number): number => (code - zeroPoint) * scale;
    const entry = aimet(decision).activation_encodings.find(({ name }) => name === 'y')!;
    expect((0 + entry.offset[0]!) * entry.scale[0]!).toBe(value(lowest));
    expect((2 ** entry.bw - 1 + entry.offset[0]!) * entry.scale[0]!).toBe(value(highest));
    expect(qnn(decision).activation_encodings['y']).toEqual([
      {
        bitwidth: entry.bw,
        dtype: 'int',
        is_symmetric: entry.is_sym ? 'True' : 'False',
        max: value(highest),
        min: value(lowest),
        offset: entry.offset[0]!,
        scale,
      },
    ]);
    expect(entry.is_sym).toBe(zeroPoint === 0);
  });

  it('of a per-axis constant has one scale for each index', () => {
    const scales = [0.5, 0.25, 0.125, 2];
    const decision = withParams('w', perAxis('int8', 1, scales));
    const [entry] = aimet(decision).param_encodings;
    expect(entry).toEqual({
      name: 'w',
      dtype: 'INT',
      bw: 8,
      is_sym: true,
      enc_type: 'PER_CHANNEL',
      scale: scales,
      offset: [-128, -128, -128, -128],
    });
    expect(qnn(decision).param_encodings['w']!.map((one) => 'scale' in one && one.scale)).toEqual(scales);
  });

  it('has the name of the tensor, whatever that is', () => {
    expect(aimet(DECISION).activation_encodings.map(({ name }) => name)).toContain('__proto__');
    expect(Object.keys(qnn(DECISION).activation_encodings)).toContain('__proto__');
  });
});

describe('layers in float', () => {
  const [, second] = DECISION.layers;
  const float = { ...DECISION, float: [second!] };

  it('are floats for QNN, with their weights and what they write', () => {
    const { activation_encodings, param_encodings } = qnn(float);
    expect(activation_encodings['y']).toEqual([{ bitwidth: 16, dtype: 'float' }]);
    expect(param_encodings['v']).toEqual([{ bitwidth: 16, dtype: 'float' }]);
    expect(param_encodings['w']).toMatchObject([{ bitwidth: 8, dtype: 'int' }]);
    expect(exportQnn(float).lost).toEqual([
      expect.stringMatching(/^quantizers of 'y', which layers in float write/),
    ]);
  });

  it('have no encodings for AIMET, which turns their quantizers off', () => {
    const tensors = new Map(DECISION.lane.tensors);
    for (const name of ['v', 'y']) tensors.delete(tensorNamed(DECISION.graph, name).id);
    const { activation_encodings, param_encodings } = aimet({
      ...float,
      lane: { ...DECISION.lane, tensors },
    });
    expect(param_encodings.map(({ name }) => name)).toEqual(['w']);
    expect(activation_encodings.map(({ name }) => name)).toEqual(['x', '__proto__']);
  });
});

describe('what cannot be told', () => {
  it('is a quantizer of one reader', () => {
    const key = useKey(producerOf(DECISION.graph, 'y').id, 0);
    const uses = new Map([[key, perTensor('uint16', 0.5)]]);
    const tensors = new Map(DECISION.lane.tensors);
    const lane = { ...DECISION.lane, tensors, uses };
    const entry = (decision: Decision): unknown =>
      aimet(decision).activation_encodings.find(({ name }) => name === '__proto__')?.bw;
    // It is the only reader: its quantizer is that of the tensor.
    expect(entry({ ...DECISION, lane })).toBe(16);
    expect(exportAimet({ ...DECISION, lane }).lost).toEqual([]);
    const outputs = [...DECISION.graph.outputs, tensorNamed(DECISION.graph, '__proto__').id];
    const shown = { ...DECISION, graph: { ...DECISION.graph, outputs }, lane };
    expect(exportAimet(shown).lost).toEqual([
      expect.stringMatching(/^'__proto__': read with different quantizers/),
    ]);
  });

  it('is a TFLite model, to AIMET', () => {
    expect(() => exportAimet({ ...DECISION, graph: { ...DECISION.graph, format: 'tflite' } })).toThrow(
      UsageError,
    );
  });
});
