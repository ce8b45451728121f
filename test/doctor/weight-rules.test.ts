/** What is said of constants that are not the reference's: each rule on its situation, and silence on the near miss. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { biasOverflow } from '../../src/doctor/rules/w/bias-overflow.js';
import { inputScale } from '../../src/doctor/rules/w/input-scale.js';
import { coarseScale } from '../../src/doctor/rules/w/coarse-scale.js';
import { notSameModel } from '../../src/doctor/rules/w/not-same-model.js';
import type { Suspect } from '../../src/diff/suspects.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, type Lane, type QuantParams } from '../../src/ir/lane.js';
import { Random } from '../quant/samples.js';
import { comparedByPosition, comparison, suspect } from '../support/comparison.js';
import { edgeMeasurement, errorOf } from '../support/evidence.js';
import { constantData, graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { bells } from '../support/measured-networks.js';

const LAYERS = 4;
const SIZE = 4 * 4 * 3 * 3;
const drawn = new Random(77);
const WEIGHTS = Array.from({ length: LAYERS }, () => bells(drawn, SIZE));
const BIASES = Array.from({ length: LAYERS }, () => bells(drawn, 4));

/** Convolutions in a row, w0, b0 and so on. */
function network(
  weights: readonly (readonly number[])[] = WEIGHTS,
  biases: readonly (readonly number[])[] = BIASES,
): Graph {
  let builder = graph().input('t0', 'float32', [1, 4, 6, 6]);
  weights.forEach((weight, i) => {
    builder = builder
      .constant(`w${i}`, 'float32', [4, 4, 3, 3], weight)
      .constant(`b${i}`, 'float32', [4], biases[i])
      .node('Conv', {
        name: `conv${i}`,
        inputs: [`t${i}`, `w${i}`, `b${i}`],
        outputs: [`t${i + 1}`],
        attrs: { pads: [1, 1, 1, 1] },
      });
  });
  return inferShapes(builder.output(`t${weights.length}`).build());
}

/** Rounded to multiples of the scale, as codes are. */
const rounded = (values: readonly number[], scale: number): number[] =>
  values.map((value) => scale * Math.round(value / scale));

const REFERENCE = network();
const change = (layer: number, how: (value: number, index: number) => number, of = WEIGHTS): number[][] =>
  of.map((values, i) => (i === layer ? values.map(how) : [...values]));

function told(
  candidate: Graph,
  lane: Lane = FLOAT_LANE,
  suspects: readonly Suspect[] = [],
  reference = REFERENCE,
): readonly Finding[] {
  const evidence = comparison(candidate, {
    lane,
    reference: { graph: reference, lane: FLOAT_LANE },
    compared: comparedByPosition(reference, candidate, lane),
    suspects,
  });
  return [...notSameModel.check(evidence), ...coarseScale.check(evidence)];
}

const short = ({ rule, severity, subject }: Finding): string =>
  [severity, rule, subject.node, subject.tensor].filter((part) => part !== undefined).join(' ');

/** The one finding; the severity, rule and place, and what it says. */
function only(findings: readonly Finding[]): [string, string] {
  expect(findings.map(short)).toHaveLength(1);
  return [short(findings[0]!), findings[0]!.message];
}

const NAMED = 'error w.not-same-model conv1 w1';

describe('w.not-same-model is silent on weights that are', () => {
  it('the same, rounded to 8 bits under one scale, or to 4 bits under one for each channel', () => {
    const eight = network(WEIGHTS.map((values) => rounded(values, 1 / 32)));
    const lane = laneOf(
      eight,
      Object.fromEntries(WEIGHTS.map((_, i) => [`w${i}`, perTensor('int8', 1 / 32)])),
    );
    expect(told(eight, lane)).toEqual([]);
    const four = network(WEIGHTS.map((values) => rounded(values, 1 / 2)));
    const axis = laneOf(
      four,
      Object.fromEntries(WEIGHTS.map((_, i) => [`w${i}`, perAxis('int4', 0, [0.5, 0.5, 0.5, 0.5])])),
    );
    expect(told(four, axis)).toEqual([]);
  });

  it('a little changed by an equalization or a correction: one channel 1.2 times', () => {
    expect(told(network(change(1, (value, i) => (i < 36 ? 1.2 * value : value))))).toEqual([]);
  });

  it('too few to tell', () => {
    const tiny = (values: readonly number[]): Graph =>
      inferShapes(
        graph()
          .input('x', 'float32', [1, 7, 2, 2])
          .constant('w', 'float32', [1, 7, 1, 1], values)
          .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
          .output('y')
          .build(),
      );
    const [a, b] = [tiny([1, 2, 3, 4, 5, 6, 7]), tiny([7, -3, 1, 0, 2, 6, 1])];
    expect(told(b, FLOAT_LANE, [], a)).toEqual([]);
  });
});

describe('w.not-same-model names the layer whose weights', () => {
  it('have the sign turned', () => {
    const [place, message] = only(told(network(change(1, (value) => -value))));
    expect(place).toBe(NAMED);
    expect(message).toContain('with the sign turned');
  });

  it('have one channel under a scale that does not fit, with channel and factor', () => {
    const [place, message] = only(
      told(network(change(1, (value, i) => (i >= 36 && i < 72 ? 3 * value : value)))),
    );
    expect(place).toBe(NAMED);
    expect(message).toMatch(/channel 1 .*is 3(\.0+)? times the reference's: the scale does not fit/);
  });

  it('are all off by one factor', () => {
    const [place, message] = only(told(network(change(1, (value) => value / 8))));
    expect(place).toBe(NAMED);
    expect(message).toMatch(/^the weights are 0\.125 times/);
  });

  it('are zero in one channel', () => {
    const [place, message] = only(told(network(change(1, (value, i) => (i >= 108 ? 0 : value)))));
    expect(place).toBe(NAMED);
    expect(message).toMatch(/channel 3 is zero, in the reference not/);
  });

  it('lie with two axes exchanged', () => {
    const transposed = WEIGHTS[1]!.map((_, at) => {
      const [o, i, rest] = [Math.floor(at / 36), Math.floor(at / 9) % 4, at % 9];
      return WEIGHTS[1]![36 * i + 9 * o + rest]!;
    });
    const [place, message] = only(told(network(change(1, (_, i) => transposed[i]!))));
    expect(place).toBe(NAMED);
    expect(message).toContain('the axes of the kernel exchanged');
  });

  it('are those of another layer, which it says', () => {
    const [place, message] = only(told(network(change(1, (_, i) => WEIGHTS[3]![i]!))));
    expect(place).toBe(NAMED);
    expect(message).toContain('those of w3');
  });

  it('are NaN', () => {
    const [place, message] = only(told(network(change(1, (value, i) => (i === 5 ? NaN : value)))));
    expect(place).toBe(NAMED);
    expect(message).toBe('1 of the weights are NaN or infinite');
  });
});

describe('w.not-same-model of two files that nothing ran', () => {
  /** Without what was measured. */
  const said = (candidate: Graph): string[] => {
    const { edges, suspects, ...files } = comparison(candidate, {
      reference: { graph: REFERENCE, lane: FLOAT_LANE },
      compared: comparedByPosition(REFERENCE, candidate, FLOAT_LANE),
    });
    expect([edges, suspects]).not.toContain(undefined);
    return notSameModel.check(files).map(short);
  };

  it('names a layer whose weights are others for sure', () => {
    expect(said(network(change(1, (_, i) => WEIGHTS[3]![i]!)))).toEqual([NAMED]);
    expect(said(network(change(1, (value, i) => (i === 5 ? NaN : value))))).toEqual([NAMED]);
    expect(said(network(change(1, (value) => -value)))).toEqual([NAMED]);
  });

  it('warns of scaled channels, which an equalization makes on purpose', () => {
    const scaled = network(change(1, (value, i) => (i >= 36 && i < 72 ? 3 * value : value)));
    expect(said(scaled)).toEqual([NAMED.replace('error', 'warning')]);
  });

  it('says nothing of biases', () => {
    expect(
      said(
        network(
          WEIGHTS,
          change(1, (value) => 5 * value, BIASES),
        ),
      ),
    ).toEqual([]);
  });
});

describe('w.coarse-scale', () => {
  const coarse = (dtype: QuantParams['dtype']): readonly Finding[] => {
    const candidate = network(change(1, (value) => 4 * Math.round(value / 4)));
    return told(candidate, laneOf(candidate, { w1: perTensor(dtype, 4) }));
  };

  it('tells of a scale that rounding takes most of the weight with', () => {
    const [place, message] = only(coarse('int8'));
    expect(place).toBe('error w.coarse-scale conv1 w1');
    expect(message).toMatch(
      /^the scale of the int8 weights is too large for them: rounding leaves -?[\d.]+ dB$/,
    );
  });

  it('warns of it where there are only 4 bits', () => {
    expect(only(coarse('int4'))[0]).toBe('warning w.coarse-scale conv1 w1');
  });
});

describe('other checkpoints', () => {
  const other = new Random(5);

  it('are told once, of the whole model', () => {
    const [place, message] = only(told(network(WEIGHTS.map(() => bells(other, SIZE)))));
    expect(place).toBe('error w.not-same-model');
    expect(message).toMatch(/^the weights of 4 of 4 layers .*two different checkpoints$/);
  });

  it('that were trained further are a note', () => {
    const noise = bells(other, SIZE);
    const trained = network(WEIGHTS.map((values) => values.map((value, i) => value + 0.5 * noise[i]!)));
    const [place, message] = only(told(trained));
    expect(place).toBe('note w.not-same-model');
    expect(message).toContain('trained further');
  });

  it('that were trained further keep the error of a layer that is not like the others', () => {
    const noise = bells(other, SIZE);
    const swapped = WEIGHTS.map((values, layer) =>
      (layer === 2 ? bells(other, SIZE) : values).map((value, i) => value + 0.5 * noise[i]!),
    );
    expect(told(network(swapped)).map(short)).toEqual([
      'note w.not-same-model',
      'error w.not-same-model conv2 w2',
    ]);
  });
});

describe('biases', () => {
  const biased = (how: (value: number, i: number) => number): Graph =>
    network(WEIGHTS, change(1, how, BIASES));

  it('off by one factor are told: a warning, and an error where the layer is broken', () => {
    const candidate = biased((value) => 4 * value);
    const [place, message] = only(told(candidate));
    expect(place).toBe('warning w.not-same-model conv1 b1');
    expect(message).toMatch(/^the bias is 4(\.0+)? times the reference's: its scale does not fit$/);
    expect(only(told(candidate, FLOAT_LANE, [suspect(candidate, 't2', 'operator', 3)]))[0]).toBe(
      'error w.not-same-model conv1 b1',
    );
  });

  it('that differ otherwise are told only where the layer is broken', () => {
    const candidate = biased((_, i) => [5, -3, 4, 1][i]!);
    expect(told(candidate)).toEqual([]);
    expect(only(told(candidate, FLOAT_LANE, [suspect(candidate, 't2', 'operator', 3)]))[0]).toBe(
      'error w.not-same-model conv1 b1',
    );
    // Another layer's trouble says nothing of this one.
    expect(told(candidate, FLOAT_LANE, [suspect(candidate, 't1', 'operator', 3)])).toEqual([]);
  });

  it('that a correction moved a little are fine', () => {
    const candidate = biased((value) => value + 0.05);
    expect(told(candidate, FLOAT_LANE, [suspect(candidate, 't2', 'operator', 3)])).toEqual([]);
  });
});

describe('a bias made for another scale of the input', () => {
  const WEIGHT_SCALES = [0.25, 0.5, 0.125, 1];
  const INPUT = 0.5;
  const lane = (input: QuantParams, bias: Partial<QuantParams> = {}): Lane =>
    laneOf(REFERENCE, {
      t0: perTensor('int8', 0.125),
      t1: input,
      w1: perAxis('int8', 0, WEIGHT_SCALES),
      b1: {
        ...perAxis(
          'int32',
          0,
          WEIGHT_SCALES.map((scale) => scale * INPUT),
        ),
        ...bias,
      },
    });
  const misread = (of: Lane, candidate = REFERENCE, rest: Parameters<typeof comparison>[1] = {}) =>
    inputScale(
      comparison(candidate, { lane: of, compared: comparedByPosition(REFERENCE, candidate, of), ...rest }),
    );

  it('accuses the scale of the input, with the factor, and excuses the bias', () => {
    const [found, ...more] = misread(lane(perTensor('int8', INPUT * 8)));
    expect(more).toEqual([]);
    expect(found!.explains?.[0]).toBe('b1');
    expect(short(found!)).toBe('error w.spec conv0 t1');
    expect(found!.args).toEqual({ scale: 4, factor: 8, bias: 'b1' });
  });

  it('says nothing where the scales fit', () => {
    expect(misread(lane(perTensor('int8', INPUT)))).toEqual([]);
    expect(misread(lane(perTensor('int8', INPUT * 1.005)))).toEqual([]);
  });

  it("says nothing where the bias itself is not the reference's", () => {
    const candidate = network(
      WEIGHTS,
      change(1, (value) => 2 * value, BIASES),
    );
    expect(misread(lane(perTensor('int8', INPUT * 8)), candidate)).toEqual([]);
  });

  it('says nothing where the channels do not agree on a factor: a scale of the weights may be wrong', () => {
    const scale = Float32Array.from(WEIGHT_SCALES, (one, i) => one * INPUT * (i === 2 ? 4 : 1));
    expect(misread(lane(perTensor('int8', INPUT), { scale }))).toEqual([]);
    expect(misread(lane(perTensor('int8', INPUT * 8), { scale }))).toEqual([]);
  });

  it('goes by the scale that the operator reads with', () => {
    const read = { scale: Float32Array.of(INPUT * 8), zeroPoint: Int32Array.of(0) };
    const [found] = misread(lane({ ...perTensor('int8', INPUT), read }));
    expect(found!.args).toMatchObject({ factor: 8 });
  });

  it('where the file has no scale for biases, needs something that says the input is off too', () => {
    const candidate = network(
      WEIGHTS,
      change(1, (value) => 8 * value, BIASES),
    );
    const of = lane(perTensor('int8', INPUT * 8), {
      scale: Float32Array.from(WEIGHT_SCALES, (one) => one * INPUT * 8),
      source: 'derived',
    });
    expect(misread(of, candidate)).toEqual([]);
    const suspects = [suspect(candidate, 't1', 'quantizer', 9)];
    const [found] = misread(of, candidate, { suspects });
    expect(found!.args['factor']).toBeCloseTo(8, 5);
    const wide = edgeMeasurement(
      candidate,
      't1',
      { self: errorOf(30) },
      { quant: perTensor('int8', INPUT * 8), range: { min: -60, max: 60 } },
    );
    expect(misread(of, candidate, { edges: [wide] })).toHaveLength(1);
    const fitting = { ...wide, range: { min: -500, max: 500 } };
    expect(misread(of, candidate, { edges: [fitting] })).toEqual([]);
  });

  it('goes up to the first tensor that has the parameters, where codes are only moved', () => {
    const pooled = inferShapes(
      graph()
        .input('x', 'float32', [1, 4, 6, 6])
        .constant('w', 'float32', [4, 4, 3, 3], WEIGHTS[0])
        .constant('b', 'float32', [4], BIASES[0])
        .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['first'] })
        .node('MaxPool', {
          name: 'pool',
          inputs: ['first'],
          outputs: ['pooled'],
          attrs: { kernel_shape: [2, 2], strides: [2, 2] },
        })
        .node('Conv', { name: 'conv', inputs: ['pooled', 'w', 'b'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const of = (first: number) =>
      laneOf(pooled, {
        x: perTensor('int8', 1),
        first: perTensor('int8', first),
        pooled: perTensor('int8', 4),
        w: perAxis('int8', 0, WEIGHT_SCALES),
        b: perAxis(
          'int32',
          0,
          WEIGHT_SCALES.map((scale) => scale * INPUT),
        ),
      });
    const places = [4, 3].map((first) => {
      const [found] = inputScale(
        comparison(pooled, { lane: of(first), compared: comparedByPosition(pooled, pooled, of(first)) }),
      );
      return found!.subject.tensor;
    });
    expect(places).toEqual(['first', 'pooled']);
  });
});

describe('w.bias-overflow', () => {
  const found = (codes: readonly number[], dtype: 'int32' | 'int64' = 'int32'): string[] => {
    const lane: Lane = {
      ...laneOf(REFERENCE, { b2: perAxis(dtype, 0, [1, 1, 1, 1]) }),
      codes: new Map([[tensorNamed(REFERENCE, 'b2').id, constantData(dtype, [4], codes)]]),
    };
    return biasOverflow
      .check({ graph: REFERENCE, lane })
      .map((one) => `${short(one)} ${one.args['channel']}`);
  };

  it.each([[2 ** 31 - 1], [-(2 ** 31)], [1 - 2 ** 31]])(
    'tells the channel whose code is the last that int32 has, on either side: %d',
    (code) => {
      expect(found([0, 5, code, code])).toEqual(['error w.bias-overflow conv2 b2 2']);
    },
  );

  it('is silent on the code before it, and where sums have 64 bits', () => {
    expect(found([0, 5, 2 ** 31 - 2, 2 - 2 ** 31])).toEqual([]);
    expect(found([0, 5, 2 ** 31 - 1, 0], 'int64')).toEqual([]);
  });
});
