/** Edited lanes against the lanes that `buildLane` gives where the same was asked for from the start. */
import { beforeAll, describe, expect, it } from 'vitest';
import { tensorOf, type Graph, type TensorId } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { useKey, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { activationParams, quantizedActivations } from '../../../src/quant/edits/activations.js';
import { constantParams } from '../../../src/quant/edits/constant-params.js';
import { editedLane } from '../../../src/quant/edits/edited-lane.js';
import { sharedEntries } from '../../../src/quant/edits/shared-scale.js';
import { buildLane } from '../../../src/quant/lane.js';
import { observe, type Range } from '../../../src/quant/observers/index.js';
import { observedTensors, type QuantPlan } from '../../../src/quant/placement/plan.js';
import { planQuantization } from '../../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES } from '../../../src/quant/presets.js';
import type { ObserverSpec, Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION, type Selection } from '../../../src/quant/select.js';
import type { Calibration } from '../../../src/run/calibrate.js';
import { calibratedLane } from '../../support/calibrated-lane.js';
import { graph, producerOf, tensorNamed } from '../../support/graph-builder.js';
import { bells, images, smallNetwork } from '../../support/measured-networks.js';
import { Random } from '../samples.js';

const ORT = SCHEMES['ort']!;
const TFLITE = SCHEMES['tflite']!;

type Plain = Omit<QuantParams, 'source'>;

/** Everything of a lane but its name and where parameters come from. */
function plain({ tensors, uses }: Lane): Record<string, Plain> {
  const entries = [...tensors, ...uses].map(([key, params]): [string, Plain] => {
    const { dtype, qmin, qmax, granularity, scale, zeroPoint } = params;
    return [`${key}`, { dtype, qmin, qmax, granularity, scale, zeroPoint }];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is planned with a range of its own, given ranges. */
function withRanges(built: Graph, plan: QuantPlan, lane: Lane, ranges: (tensor: TensorId) => Range): Lane {
  const activations = quantizedActivations(built, plan, lane).flatMap(({ tensor, planned, scheme }) =>
    planned.range.kind === 'observed' ? [[tensor, activationParams(ranges(tensor), scheme)] as const] : [],
  );
  return editedLane(built, plan, lane, { activations: new Map(activations) });
}

describe('a lane whose activations are all edited to the ranges of another observer', () => {
  const network = smallNetwork(17, bells);
  let calibration: Calibration;
  beforeAll(async () => {
    ({ calibration } = await calibratedLane(network, ORT, images(4, bells)));
  });

  const laneOf = (scheme: Scheme): { plan: QuantPlan; lane: Lane } => {
    const plan = planQuantization(network, scheme, NO_SELECTION);
    const observers = observedTensors(network, plan);
    const ranges = (tensor: TensorId): Range => {
      const served = observers.get(tensor)!;
      return observe(served.observer, calibration.edges.get(tensor)!, served);
    };
    return { plan, lane: buildLane(network, plan, ranges, scheme.name) };
  };
  const observers: readonly ObserverSpec[] = [
    { kind: 'minmax' },
    { kind: 'percentile', percentile: 99.9 },
    { kind: 'entropy' },
    { kind: 'mse' },
  ];
  const schemes: readonly Scheme[] = [
    ORT,
    overrideScheme(ORT, { granularity: 'per-axis', activations: 'int8', symmetric: true }),
    overrideScheme(ORT, { activations: 'int16', weights: 'int16' }),
    TFLITE,
    SCHEMES['tensorrt']!,
  ];
  it.each(schemes)('$name $activations.dtype is the lane of the scheme with that observer', (scheme) => {
    const from = laneOf(scheme);
    if (scheme.activations === 'float') throw new Error('activations are quantized');
    const present = scheme.activations;
    for (const observer of observers) {
      const wanted = laneOf({ ...scheme, activations: { ...present, observer } }).lane;
      const edited = withRanges(network, from.plan, from.lane, (tensor) =>
        observe(observer, calibration.edges.get(tensor)!, present),
      );
      expect(plain(edited)).toEqual(plain(wanted));
      if (observer.kind === present.observer.kind) expect(edited).toBe(from.lane);
    }
  });
});

/** Two convolutions whose biases are far beyond what their weights' scales can add, a shared constant, and a Concat of both. */
function biased(): Graph {
  const random = new Random(3);
  const values = (count: number, width: number): number[] =>
    Array.from({ length: count }, () => Math.fround(width * random.bell()));
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 4, 4])
      .constant('w1', 'float32', [3, 2, 1, 1], values(6, 1e-6))
      .constant('b1', 'float32', [3], [40, 0.5, -9])
      .constant('w2', 'float32', [3, 3, 1, 1], values(9, 1))
      .constant('b2', 'float32', [3], [1e7, 2, 0])
      .node('Conv', { name: 'conv1', inputs: ['x', 'w1', 'b1'], outputs: ['a'] })
      .node('Conv', { name: 'conv2', inputs: ['a', 'w2', 'b2'], outputs: ['b'] })
      .node('Conv', { name: 'conv3', inputs: ['b', 'w2', 'b2'], outputs: ['c'] })
      .node('Relu', { name: 'relu', inputs: ['b'], outputs: ['r'] })
      .node('MaxPool', { name: 'pool', inputs: ['r'], outputs: ['p'], attrs: { kernel_shape: [1, 1] } })
      .node('Concat', { name: 'concat', inputs: ['p', 'c'], outputs: ['y'], attrs: { axis: 1 } })
      .output('y')
      .build(),
  );
}

const BIASED = biased();
const idOf = (name: string): TensorId => tensorNamed(BIASED, name).id;

function ranged(scheme: Scheme, width: (tensor: TensorId) => number, selection: Selection = NO_SELECTION) {
  const plan = planQuantization(BIASED, scheme, selection);
  const ranges = (tensor: TensorId): Range => ({ rmin: -width(tensor), rmax: width(tensor) / 2 });
  return { plan, ranges, lane: buildLane(BIASED, plan, ranges, scheme.name) };
}

describe('what follows from an edit', () => {
  const schemes = [ORT, overrideScheme(ORT, { granularity: 'per-axis' }), TFLITE];

  it.each(schemes)(
    'leaves no trace of the former ranges in $name: weights under biases, either',
    (scheme) => {
      const random = new Random(5);
      let widened = 0;
      for (let i = 0; i < 30; i++) {
        const widths = (): ((tensor: TensorId) => number) => {
          const drawn = BIASED.tensors.map(() => 10 ** random.integer(-5, 3));
          return (tensor) => drawn[tensor]!;
        };
        const [from, to] = [ranged(scheme, widths()), ranged(scheme, widths())];
        expect(plain(withRanges(BIASED, from.plan, from.lane, to.ranges))).toEqual(plain(to.lane));
        if (plain(from.lane)[idOf('w2')]!.scale.join() !== plain(to.lane)[idOf('w2')]!.scale.join())
          widened++;
      }
      // The weight that two biases widen does have other scales in many of them.
      expect(widened).toBeGreaterThan(10);
    },
  );

  it('makes weights with a scale for each channel those of the scheme that asks for them, with their biases', () => {
    const perAxis = overrideScheme(ORT, { granularity: 'per-axis' });
    const from = ranged(ORT, () => 2);
    const to = ranged(perAxis, () => 2);
    const weights = ['w1', 'w2'].map((name) => {
      const { data, id } = tensorNamed(BIASED, name);
      if (perAxis.weights === 'float') throw new Error('weights are quantized');
      return [id, constantParams(data!, perAxis.weights, 0)] as const;
    });
    const edited = editedLane(BIASED, from.plan, from.lane, { weights: new Map(weights) });
    expect(plain(edited)).toEqual(plain(to.lane));
    expect(edited.tensors.get(idOf('b1'))?.scale).toHaveLength(3);
  });

  it('makes activations of 16 bits those of the scheme that asks for them', () => {
    const wide = overrideScheme(ORT, { activations: 'uint16' });
    const [from, to] = [ranged(ORT, () => 2), ranged(wide, () => 2)];
    if (wide.activations === 'float') throw new Error('activations are quantized');
    const scheme = wide.activations;
    const activations = quantizedActivations(BIASED, from.plan, from.lane).map(
      ({ tensor }) => [tensor, activationParams(from.ranges(tensor), scheme)] as const,
    );
    const edited = editedLane(BIASED, from.plan, from.lane, { activations: new Map(activations) });
    expect(plain(edited)).toEqual(plain(to.lane));
  });

  it('leaves a bias in float where TensorFlow Lite adds it to products of 16-bit activations', () => {
    const { plan, lane } = ranged(TFLITE, () => 2);
    const wide = activationParams(
      { rmin: -2, rmax: 2 },
      { dtype: 'int16', symmetric: true, narrowRange: true },
    );
    const edited = editedLane(BIASED, plan, lane, { activations: new Map([[idOf('a'), wide]]) });
    const gone = [...lane.tensors.keys(), ...lane.uses.keys()].filter(
      (key) => !(typeof key === 'number' ? edited.tensors.has(key) : edited.uses.has(key)),
    );
    expect(gone).toEqual([idOf('b2')]);
    expect(edited.tensors.get(idOf('a'))?.dtype).toBe('int16');
  });

  it('makes no quantizer where the lane has none, and keeps the others as they are', () => {
    const whole = ranged(ORT, () => 2);
    const part = ranged(ORT, () => 2, { only: ['conv2'], skip: [] });
    const edited = withRanges(BIASED, whole.plan, part.lane, () => ({ rmin: -1, rmax: 3 }));
    expect([...edited.tensors.keys()]).toEqual([...part.lane.tensors.keys()]);
    expect(edited.tensors.get(idOf('a'))?.scale).toEqual(Float32Array.of(4 / 255));
    const alone = {
      activations: new Map([
        [
          idOf('b'),
          activationParams({ rmin: -1, rmax: 1 }, { dtype: 'uint8', symmetric: false, narrowRange: false }),
        ],
      ]),
    };
    const other = editedLane(BIASED, whole.plan, part.lane, alone);
    for (const name of ['a', 'w2', 'b2']) {
      expect(other.tensors.get(idOf(name))).toBe(part.lane.tensors.get(idOf(name)));
    }
    expect(editedLane(BIASED, whole.plan, part.lane, {})).toBe(part.lane);
    expect(editedLane(BIASED, whole.plan, other, alone)).toBe(other);
  });

  it('goes by the values that the lane has for a bias', () => {
    const from = ranged(ORT, () => 2);
    const { data } = tensorOf(BIASED, idOf('b1'));
    const zeros = { ...data!, bytes: () => new Uint8Array(data!.byteLength) };
    const values = new Map([[idOf('b1'), zeros]]);
    const edited = withRanges(BIASED, from.plan, { ...from.lane, values }, () => ({ rmin: -3, rmax: 3 }));
    const weight = tensorOf(BIASED, idOf('w1')).data!;
    if (ORT.weights === 'float') throw new Error('weights are quantized');
    // Nothing is left that the weight would have to be widened for.
    expect(edited.tensors.get(idOf('w1'))?.scale).not.toEqual(constantParams(weight, ORT.weights).scale);
    expect(edited.values).toBe(values);
  });
});

describe('tensors that share the scale of a Concat', () => {
  // r goes to the pool, whose result the Concat reads; c is read by the Concat alone.
  const { plan, lane } = ranged(TFLITE, (tensor) => (tensor === idOf('y') ? 8 : 2));

  it('are told where something else reads them', () => {
    expect(sharedEntries(BIASED, plan, lane).map(({ isReadElsewhere }) => isReadElsewhere)).toEqual([
      false,
      false,
    ]);
    const widely = inferShapes(
      graph()
        .input('x', 'float32', [1, 2, 4, 4])
        .node('Abs', { name: 'abs', inputs: ['x'], outputs: ['a'] })
        .node('MaxPool', { name: 'pool', inputs: ['a'], outputs: ['p'], attrs: { kernel_shape: [1, 1] } })
        .node('Exp', { name: 'exp', inputs: ['p'], outputs: ['e'] })
        .node('Concat', { name: 'concat', inputs: ['e', 'p'], outputs: ['y'], attrs: { axis: 1 } })
        .output('y')
        .build(),
    );
    const id = (name: string): TensorId => tensorNamed(widely, name).id;
    const other = planQuantization(widely, TFLITE, NO_SELECTION);
    const built = buildLane(
      widely,
      other,
      (tensor) => ({ rmin: 0, rmax: tensor === id('y') ? 8 : 1 }),
      'made',
    );
    const [entry, ...rest] = sharedEntries(widely, other, built).filter((one) => one.isReadElsewhere);
    const concat = producerOf(widely, 'y').id;
    expect(rest).toEqual([]);
    expect(entry).toEqual({
      tensor: id('a'),
      leader: id('y'),
      tensors: [id('a'), id('p')],
      joined: [{ node: concat, slot: 1 }],
      joins: [concat],
      isReadElsewhere: true,
    });
    const own = activationParams(
      { rmin: 0, rmax: 1 },
      { dtype: 'int8', symmetric: false, narrowRange: false },
    );
    const { tensors, joined } = entry!;
    const parted = editedLane(widely, other, built, {
      splits: [{ tensors, params: own, requantized: joined }],
    });
    expect(parted.tensors.get(id('a'))).toBe(own);
    expect(parted.tensors.get(id('p'))).toBe(own);
    expect(parted.uses.get(useKey(concat, 1))?.scale).toEqual(built.tensors.get(id('y'))?.scale);
    expect(parted.tensors.get(id('y'))).toBe(built.tensors.get(id('y')));

    // An edit of the result goes on to where its inputs are requantized, and no further.
    const narrow = activationParams(
      { rmin: 0, rmax: 4 },
      { dtype: 'int8', symmetric: false, narrowRange: false },
    );
    const edited = editedLane(widely, other, parted, { activations: new Map([[id('y'), narrow]]) });
    expect(edited.uses.get(useKey(concat, 1))?.scale).toEqual(narrow.scale);
    expect(edited.tensors.get(id('e'))?.scale).toEqual(narrow.scale);
    expect(edited.tensors.get(id('a'))).toBe(own);
    expect(sharedEntries(widely, other, parted).map(({ tensor }) => tensor)).toEqual([id('e')]);
  });
});
