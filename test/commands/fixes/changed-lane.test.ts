/** What each kind of change makes of the lane of a finished file, and what it leaves as it is. */
import { describe, expect, it } from 'vitest';
import { changedLane } from '../../../src/commands/fixes/changed-lane.js';
import type { EdgeMeasurement } from '../../../src/diff/edge-measurements.js';
import type { LaneChange } from '../../../src/doctor/finding.js';
import { toFloat32 } from '../../../src/ir/elements.js';
import type { Graph, TensorId } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Lane, QuantParams } from '../../../src/ir/lane.js';
import { alignmentOf, operatorsByPosition } from '../../support/comparison.js';
import { edgeMeasurement } from '../../support/evidence.js';
import { graph, tensorNamed } from '../../support/graph-builder.js';
import { laneOf, perTensor } from '../../support/lanes.js';

const OWN = [1.27, -0.5, 0.25, 12.7];
const WORN = [1, -1, 0, 13];

function network(weight: readonly number[], bias: readonly number[]): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 4, 4])
      .constant('w', 'float32', [2, 2, 1, 1], weight)
      .constant('b', 'float32', [2], bias)
      .node('Conv', { name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['a'] })
      .node('MaxPool', {
        name: 'pool',
        inputs: ['a'],
        outputs: ['y'],
        attrs: { kernel_shape: [2, 2], strides: [2, 2] },
      })
      .output('y')
      .build(),
  );
}

const REFERENCE = network(OWN, [0.5, -0.5]);
const CANDIDATE = network(WORN, [0, 0]);
const id = (name: string): TensorId => tensorNamed(CANDIDATE, name).id;
const CLIPPING = perTensor('uint8', 0.01);
const LANE: Lane = {
  ...laneOf(CANDIDATE, {
    x: perTensor('uint8', 0.1),
    w: perTensor('int8', 1),
    b: perTensor('int32', 0.1),
    a: CLIPPING,
    y: CLIPPING,
  }),
  arithmetic: 'tflite',
};
const RANGES: Readonly<Record<string, readonly [number, number]>> = { x: [0, 1], a: [0, 5.1], y: [0, 3.825] };
const MEASURED = Object.entries(RANGES).map(([name, [min, max]]): EdgeMeasurement =>
  edgeMeasurement(CANDIDATE, name, {}, { range: { min, max } }),
);

function changed(change: Omit<LaneChange, 'kind'>, measured = MEASURED): Lane | undefined {
  const alignment = alignmentOf({ operators: operatorsByPosition(REFERENCE, CANDIDATE) });
  const candidate = { graph: CANDIDATE, lane: LANE, loaded: {} as never };
  return changedLane({ candidate, alignment }, measured, { kind: 'lane', ...change });
}

const scaleOf = (lane: Lane | undefined, name: string): readonly string[] | undefined => {
  const params: QuantParams | undefined = lane?.tensors.get(id(name));
  return params === undefined ? undefined : Array.from(params.scale, (scale) => scale.toPrecision(4));
};

describe('a change of ranges', () => {
  it('gives the tensor the range of its values, and those that have the same parameters theirs', () => {
    const lane = changed({ ranges: [id('a')] });
    expect(scaleOf(lane, 'a')).toEqual(['0.02000']);
    expect(scaleOf(lane, 'y')).toEqual(['0.01500']);
    expect(scaleOf(lane, 'x')).toEqual(['0.1000']);
  });

  it('computes in float between quantizers: kernels go by the scales of all that they read', () => {
    expect(LANE.arithmetic).toBe('tflite');
    expect(changed({ ranges: [id('a')] })).not.toHaveProperty('arithmetic');
    expect(LANE.tensors.get(id('a'))).toBe(CLIPPING);
  });

  it('is none where nothing finite was measured', () => {
    const infinite = edgeMeasurement(CANDIDATE, 'a', {}, { range: { min: 0, max: Infinity } });
    expect(changed({ ranges: [id('a')] }, [infinite])).toBeUndefined();
  });
});

describe('a tensor in float', () => {
  it('has no quantizer, others keep theirs', () => {
    const lane = changed({ float: [id('a')] });
    expect(scaleOf(lane, 'a')).toBeUndefined();
    expect(scaleOf(lane, 'y')).toEqual(['0.01000']);
  });
});

describe('a change of constants', () => {
  const valuesOf = (lane: Lane | undefined, name: string): number[] | undefined => {
    const data = lane?.values?.get(id(name));
    return data === undefined ? undefined : Array.from(toFloat32(data));
  };

  it("has the reference's values, and a scale from them", () => {
    const lane = changed({ constants: [{ tensor: id('w') }] });
    expect(valuesOf(lane, 'w')).toEqual(OWN.map(Math.fround));
    expect(scaleOf(lane, 'w')).toEqual(['0.1000']);
  });

  it('has one scale for each channel where that is the fix', () => {
    const lane = changed({ constants: [{ tensor: id('w'), perAxis: true }] });
    expect(scaleOf(lane, 'w')).toEqual(['0.01000', '0.1000']);
  });

  it('leaves a bias in float: its scale is that of the products', () => {
    const lane = changed({ constants: [{ tensor: id('b') }] });
    expect(valuesOf(lane, 'b')).toEqual([0.5, -0.5]);
    expect(scaleOf(lane, 'b')).toBeUndefined();
  });
});

describe('a change that cannot be made', () => {
  it('is no lane: of nothing, of a tensor without a quantizer, of a constant without a counterpart', () => {
    expect(changed({})).toBeUndefined();
    const bare = { graph: CANDIDATE, lane: laneOf(CANDIDATE, {}), loaded: {} as never };
    const alone = { candidate: bare, alignment: alignmentOf() };
    const all: LaneChange = {
      kind: 'lane',
      ranges: [id('a')],
      float: [id('a')],
      constants: [{ tensor: id('w') }],
    };
    expect(changedLane(alone, MEASURED, all)).toBeUndefined();
  });
});
