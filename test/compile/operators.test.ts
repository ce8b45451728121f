import { describe, expect, it } from 'vitest';
import { LaneTensors } from '../../src/compile/lane-tensors.js';
import { ModelWriter } from '../../src/compile/model-writer.js';
import { fakeQuantize } from '../../src/compile/operators.js';
import type { QDType } from '../../src/ir/lane.js';
import { fakeQuantize as fakeQuantizeArray, quantize } from '../../src/quant/affine.js';
import { openSession } from '../../src/run/runtime.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';

const VALUES = Float32Array.of(-9, -1.3, -0.75, -0.26, 0, 0.2, 0.25, 0.3, 0.74, 0.76, 1.26, 9);

describe.each<[QDType, number]>([
  ['int2', -1],
  ['int4', 3],
  ['uint4', 7],
  ['int8', -5],
  ['int16', 0],
])('a quantizer of %s', (dtype, zeroPoint) => {
  const params = perTensor(dtype, 0.5, zeroPoint);
  const g = graph()
    .input('x', 'float32', [VALUES.length])
    .node('Identity', { inputs: ['x'], outputs: ['y'] })
    .output('y')
    .build();

  it('gives the values and codes that it has in JavaScript', async () => {
    const writer = new ModelWriter(new Map([['', 20]]), 9);
    const x = writer.input('x', 'float32', [VALUES.length]);
    const tensors = new LaneTensors(writer, g, { ...laneOf(g, { x: params }), arithmetic: 'tflite' });
    const codes = tensors.codes(tensorNamed(g, 'x').id, { raw: x });
    const model = writer.encode([fakeQuantize(writer, x, params, 1), codes]);
    const session = await openSession(model, { threads: 1 });
    const feed = { dtype: 'float32' as const, dims: [VALUES.length], data: VALUES };
    const [values, integers] = await session.run(new Map([['x', feed]]));
    await session.close();
    expect(Array.from(values as Float32Array)).toEqual(
      Array.from(fakeQuantizeArray(VALUES, [VALUES.length], params)),
    );
    expect(Array.from(integers as Float32Array)).toEqual(
      Array.from(quantize(VALUES, [VALUES.length], params)),
    );
  });
});
