/** What is said of activations, ends and other runs of a candidate: each rule on its situation, and silence on the near miss. */
import { describe, expect, it } from 'vitest';
import type { ErrorMeasurement } from '../../src/diff/measurement.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import type { ComparisonEvidence } from '../../src/doctor/evidence.js';
import type { Finding } from '../../src/doctor/finding.js';
import { diagnose } from '../../src/doctor/index.js';
import { concatSharedScale } from '../../src/doctor/rules/act/concat-shared-scale.js';
import { nonFinite } from '../../src/doctor/rules/act/non-finite.js';
import { outlierChannel } from '../../src/doctor/rules/act/outlier-channel.js';
import { shiftedRange } from '../../src/doctor/rules/act/shifted-range.js';
import { wideRange } from '../../src/doctor/rules/act/wide-range.js';
import { graphChanged } from '../../src/doctor/rules/base/graph-changed.js';
import { saturation } from '../../src/doctor/rules/rt/u8s8-saturation.js';
import { outputOrder } from '../../src/doctor/rules/io/output-order.js';
import { preproc } from '../../src/doctor/rules/io/preproc.js';
import { opDiffers } from '../../src/doctor/rules/base/op-differs.js';
import { mismatch } from '../../src/doctor/rules/rt/mismatch.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, type QuantParams } from '../../src/ir/lane.js';
import type { OtherRun, OtherTensor } from '../../src/run/other-run.js';
import { alignmentOf, comparison, edgesByName, suspect } from '../support/comparison.js';
import { edgeMeasurement, errorOf, NO_ERROR } from '../support/evidence.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';

/** x -> first -> a -> second -> y. */
const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Sigmoid', { name: 'first', inputs: ['x'], outputs: ['a'] })
    .node('Tanh', { name: 'second', inputs: ['a'], outputs: ['y'] })
    .output('y')
    .build(),
);

const told = ({ severity, rule, subject }: Finding): string =>
  [severity, rule, subject.node, subject.tensor].filter((part) => part !== undefined).join(' ');

function edge(
  name: string,
  quant: QuantParams,
  range: readonly [number, number],
  self: number | 'exact',
  noise: ErrorMeasurement['noise'] = { clip: 0, round: 1 },
): EdgeMeasurement {
  const [min, max] = range;
  return edgeMeasurement(NET, name, { self: errorOf(self, { noise }) }, { quant, range: { min, max } });
}

describe('act.wide-range', () => {
  const said = (quant: QuantParams, self: number, noise?: ErrorMeasurement['noise'], isSuspect = true) =>
    wideRange
      .check(
        comparison(NET, {
          edges: [edge('a', quant, [0, 4], self, noise)],
          suspects: isSuspect ? [suspect(NET, 'a', 'quantizer', self)] : [],
        }),
      )
      .map(told);
  const eightTimes = perTensor('uint8', 0.13);

  it('tells of a scale so coarse that rounding destroys the values, by what is left of them', () => {
    expect(said(eightTimes, 9)).toEqual(['error act.wide-range first a']);
    expect(said(eightTimes, 14)).toEqual(['warning act.wide-range first a']);
    expect(said(eightTimes, 20)).toEqual(['note act.wide-range first a']);
  });

  it('gives the codes that are left, and how many times too wide the range is', () => {
    const [finding] = wideRange.check(
      comparison(NET, {
        edges: [edge('a', perTensor('uint8', 1), [0, 5], 5)],
        suspects: [suspect(NET, 'a', 'quantizer', 5)],
      }),
    );
    expect(finding!.args).toEqual({ codes: 6, times: 51, scale: 1 });
    expect(finding!.message).toContain('0 to 5, have 6 codes left of 256');
  });

  it('is silent on a range that fits, however poor its SQNR', () => {
    expect(said(perTensor('uint8', 4 / 255), 20)).toEqual([]);
    expect(said(perTensor('uint8', 4 / 255), 9, { clip: 0.9, round: 0.1 })).toEqual([]);
  });

  it('is no error where something else is the cause', () => {
    expect(said(eightTimes, 9, undefined, false)).toEqual(['note act.wide-range first a']);
  });

  it('is silent on ranges that operators prescribe, and on 16 bits', () => {
    expect(said(perTensor('uint8', 1 / 8), 20)).toEqual([]);
    expect(said(perTensor('int16', 0.13), 40)).toEqual([]);
  });
});

describe('act.shifted-range', () => {
  const said = (
    quant: QuantParams,
    range: readonly [number, number],
    more: readonly EdgeMeasurement[] = [],
    selfDb = 20,
  ) =>
    shiftedRange
      .check(
        comparison(NET, {
          lane: laneOf(NET, { a: quant }),
          edges: [edge('a', quant, range, selfDb), ...more],
        }),
      )
      .map((finding) => `${told(finding)} ${finding.args['codes']}`);

  it('tells of codes below values that never go below zero, and warns where the other end is cut off', () => {
    expect(said(perTensor('uint8', 0.1, 20), [0, 25.5])).toEqual(['warning act.shifted-range first a 20']);
    expect(said(perTensor('uint8', 0.1, 20), [0.5, 23])).toEqual(['note act.shifted-range first a 20']);
  });

  it('tells of codes above values that never go above zero', () => {
    expect(said(perTensor('uint8', 0.1, 230), [-25, 0])).toEqual(['warning act.shifted-range first a 25']);
  });

  it('tells of a range that lies beside values on both sides of zero', () => {
    // The values need -10 to 15.5; the range is -13 to 12.5.
    expect(said(perTensor('uint8', 0.1, 130), [-10, 15.5])).toEqual(['warning act.shifted-range first a 30']);
    // Other samples may lie elsewhere; where that costs nothing, it is a note.
    expect(said(perTensor('uint8', 0.1, 130), [-10, 15.5], [], 30)).toEqual([
      'note act.shifted-range first a 30',
    ]);
  });

  it('is silent where the range is too wide at both ends, or off by a few codes', () => {
    expect(said(perTensor('uint8', 0.1, 128), [-3, 3])).toEqual([]);
    expect(said(perTensor('uint8', 0.1, 12), [0, 24.3])).toEqual([]);
  });

  it('is silent on symmetric parameters, which waste half of it on purpose', () => {
    expect(said(perTensor('int8', 0.1, 0), [0, 12.7])).toEqual([]);
    expect(said(perTensor('uint8', 0.1, 128), [0, 12.7])).toEqual([]);
  });

  it('does not take a zero point in the middle for symmetric where the scale is that of one side', () => {
    expect(said(perTensor('uint8', 0.1, 128), [0, 25.5])).toEqual(['warning act.shifted-range first a 128']);
    // A percentile cut a few off.
    expect(said(perTensor('uint8', 0.1, 128), [0, 16])).toEqual([]);
  });

  it('is silent where a tensor that shares the parameters needs the rest', () => {
    const quant = perTensor('uint8', 0.1, 50);
    expect(said(quant, [0, 20], [edge('y', quant, [-5, 3], 30)])).toEqual([]);
  });
});

describe('act.concat-shared-scale', () => {
  const joined = inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 2, 2])
      .input('z', 'float32', [1, 2, 2, 2])
      .node('Relu', { name: 'left', inputs: ['x'], outputs: ['a'] })
      .node('Relu', { name: 'right', inputs: ['z'], outputs: ['b'] })
      .node('Concat', { name: 'join', inputs: ['a', 'b'], outputs: ['y'], attrs: { axis: 1 } })
      .output('y')
      .build(),
  );
  const said = (small: number, worst: number | undefined, quant = perTensor('uint8', 1)) =>
    concatSharedScale
      .check(
        comparison(joined, {
          lane: laneOf(joined, { y: quant }),
          edges: [
            edgeMeasurement(joined, 'a', { self: errorOf(40) }, { range: { min: 0, max: 250 } }),
            edgeMeasurement(joined, 'b', { self: errorOf(40) }, { range: { min: 0, max: small } }),
            edgeMeasurement(joined, 'y', {
              self: errorOf(35, worst === undefined ? {} : { worstChannel: { channel: 3, sqnrDb: worst } }),
            }),
          ],
        }),
      )
      .map(told);

  it('tells of the input whose values have few codes left under the scale of the other', () => {
    expect(said(4, 3)).toEqual(['error act.concat-shared-scale join b']);
  });

  it('warns where its channels are still told apart, and is a note where they are well', () => {
    expect(said(4, 20)).toEqual(['warning act.concat-shared-scale join b']);
    expect(said(4, 26)).toEqual(['note act.concat-shared-scale join b']);
  });

  it('goes by the input itself where there are no channels', () => {
    expect(said(4, undefined)).toEqual(['note act.concat-shared-scale join b']);
  });

  it('is silent where the smaller input has enough codes, or each channel a scale of its own', () => {
    expect(said(17, 3)).toEqual([]);
    expect(said(4, 3, perAxis('uint8', 1, [1, 1, 1, 1]))).toEqual([]);
  });
});

describe('io.preproc', () => {
  const said = (name: string, quant: QuantParams | undefined, self: number | 'exact') =>
    preproc.check(
      comparison(NET, {
        edges: [
          edgeMeasurement(NET, name, { self: errorOf(self) }, { quant, range: { min: -2.1, max: 2.6 } }),
        ],
      }),
    );

  it('tells of an input whose quantizer was made for other data, with both ranges', () => {
    const [finding] = said('x', perTensor('uint8', 1 / 255), 4);
    expect(told(finding!)).toBe('error io.preproc first x');
    expect(finding!.message).toMatch(
      /made for 0 to 1 .*; the data that the reference takes are -2\.1 to 2\.6 \(\(pixel \/ 255 - mean\) \/ std/,
    );
  });

  it('tells pixels that are taken for values', () => {
    const [finding] = said('x', perTensor('uint8', 1), 4);
    expect(finding!.message).toContain('raw pixels');
  });

  it('warns from 10 dB up and is silent from 15, and where nothing is lost', () => {
    const quant = perTensor('int8', 0.02);
    expect(said('x', quant, 12).map(({ severity }) => severity)).toEqual(['warning']);
    expect(said('x', quant, 15)).toEqual([]);
    expect(said('x', quant, 'exact')).toEqual([]);
  });

  it('is about inputs only, and those with a quantizer', () => {
    expect(said('a', perTensor('uint8', 1), 4)).toEqual([]);
    expect(said('x', undefined, 4)).toEqual([]);
  });
});

describe('io.output-order', () => {
  const outputs = (...names: readonly string[]): Graph => {
    let builder = graph().input('x', 'float32', [1, 4]);
    for (const name of names)
      builder = builder.node('Relu', { name: `to ${name}`, inputs: ['x'], outputs: [name] });
    for (const name of names) builder = builder.output(name);
    return inferShapes(builder.build());
  };
  /** `places`: position in the reference of each output of the candidate. */
  const said = (candidate: readonly string[], places: readonly (number | undefined)[]) => {
    const g = outputs(...candidate);
    return outputOrder.check(
      comparison(g, {
        reference: { graph: outputs('scores', 'boxes', 'count'), lane: FLOAT_LANE },
        alignment: alignmentOf({
          outputs: places.map((reference, at) => ({ reference, candidate: at })),
        }),
      }),
    );
  };

  it('tells of outputs that come in another order, which is which', () => {
    const [finding, ...more] = said(['b', 's', 'n'], [1, 0, 2]);
    expect(told(finding!)).toBe('warning io.output-order to b b');
    expect(finding!.message).toContain(
      "output 0 (b) is the reference's output 1 (boxes); output 1 (s) is the reference's output 0 (scores)",
    );
    expect(more).toEqual([]);
  });

  it('is silent on the same order under other names', () => {
    expect(said(['s', 'b', 'n'], [0, 1, 2])).toEqual([]);
  });

  it('warns of an output that is gone, without taking those behind it for moved', () => {
    const findings = said(['s', 'n'], [0, 2]);
    expect(findings.map(({ severity }) => severity)).toEqual(['warning']);
    expect(findings[0]!.message).toContain("no output that is the reference's output 1 (boxes)");
  });

  it('notes an output that ends elsewhere', () => {
    const findings = said(['s', 'raw', 'n'], [0, undefined, 2]);
    expect(findings.map(told)).toEqual(['note io.output-order to raw raw']);
    expect(findings[0]!.message).toMatch(/output 1 \(boxes\); raw is something else$/);
  });
});

describe('base.graph-changed', () => {
  const chain = (...ops: readonly string[]): Graph => {
    let builder = graph().input('x', 'float32', [1, 4]);
    let last = 'x';
    for (const op of ops) {
      const name = op === 'Tanh' ? 'y' : op.toLowerCase();
      builder = builder.node(op, { name: `the ${op}`, inputs: [last], outputs: [name] });
      last = name;
    }
    return inferShapes(builder.output(last).build());
  };
  const whole = chain('Sigmoid', 'Relu', 'Tanh');
  const short = chain('Sigmoid', 'Tanh');
  const said = (
    reference: Graph,
    candidate: Graph,
    db: number,
    kind: 'operator' | 'quantizer' = 'operator',
  ) => {
    const own = (g: Graph) => (g === whole ? [producerOf(g, 'relu').id] : []);
    return graphChanged.check(
      comparison(candidate, {
        reference: { graph: reference, lane: FLOAT_LANE },
        alignment: alignmentOf({
          edges: edgesByName(reference, candidate),
          unmatched: { reference: own(reference), candidate: own(candidate) },
        }),
        suspects: [suspect(candidate, 'y', kind, db)],
      }),
    );
  };

  it('names the first common tensor behind an operator that the candidate has not', () => {
    const [finding, ...more] = said(whole, short, 3);
    expect(told(finding!)).toBe('error base.graph-changed the Tanh y');
    expect(finding!.message).toMatch(
      /^the reference has Relu the Relu before it, which the candidate has not; .*3 dB/,
    );
    expect(more).toEqual([]);
  });

  it('names an operator that only the candidate has', () => {
    const [finding] = said(short, whole, 15);
    expect(told(finding!)).toBe('warning base.graph-changed the Tanh y');
    expect(finding!.message).toContain(
      'the candidate has Relu the Relu before it, which the reference has not',
    );
  });

  it('is silent where what is behind agrees, or is the fault of a quantizer', () => {
    expect(said(whole, short, 20)).toEqual([]);
    expect(said(whole, short, 3, 'quantizer')).toEqual([]);
  });

  it('says so where nothing of the signal is left', () => {
    expect(said(whole, short, -Infinity)[0]!.message).toContain('nothing of the signal is left');
  });
});

describe('base.op-differs', () => {
  const said = (suspects: ComparisonEvidence['suspects'], ...others: readonly Finding[]) =>
    opDiffers
      .check(
        comparison(NET, {
          suspects,
          edges: ['x', 'a', 'y'].map((name) => edgeMeasurement(NET, name)),
        }),
        others,
      )
      .map(told);
  const finding = (subject: Finding['subject'], severity: Finding['severity'] = 'error'): Finding => ({
    rule: 'act.clipped',
    severity,
    subject,
    message: '',
    args: {},
  });
  const broken = suspect(NET, 'a', 'operator', 5);

  it('is the last word on a broken operator of which nothing else is said', () => {
    expect(said([broken])).toEqual(['error base.op-differs first a']);
    expect(said([broken], finding({ tensor: 'y' }))).toEqual(['error base.op-differs first a']);
    expect(said([broken], finding({ tensor: 'a' }, 'note'))).toEqual(['error base.op-differs first a']);
  });

  it('is silent where another rule told of the tensor, of what writes it or of what that reads', () => {
    expect(said([broken], finding({ tensor: 'a' }))).toEqual([]);
    expect(said([broken], finding({ node: 'first' }))).toEqual([]);
    expect(said([broken], finding({ tensor: 'x' }))).toEqual([]);
  });

  it('is silent where the layer is not broken', () => {
    expect(said([suspect(NET, 'a', 'operator', 10)])).toEqual([]);
  });

  it('is silent where the two are other checkpoints, which differ everywhere', () => {
    expect(said([broken], { ...finding({}), rule: 'w.not-same-model' })).toEqual([]);
  });

  it('tells channels that are lost under one scale, though the tensor keeps its energy', () => {
    const channels = [30, 1, 35, 4].map((db) => ({
      min: 0,
      max: 1,
      sqnrDb: new Map([['self' as const, db]]),
    }));
    const [lost] = outlierChannel.check(
      comparison(NET, {
        suspects: [
          { ...suspect(NET, 'y', 'operator', 6), lostIn: { tensor: tensorNamed(NET, 'a').id, db: 1 } },
        ],
        edges: [
          edgeMeasurement(NET, 'a', { self: errorOf(40) }, { channels }),
          edgeMeasurement(NET, 'y', { local: errorOf(6) }),
        ],
      }),
      [],
    );
    expect(told(lost!)).toBe('error act.outlier-channel first a');
    expect(lost!.message).toMatch(
      /^2 of 4 channels are lost .* 1 dB, though .* 40 dB \(self\); second, which reads/,
    );
  });
});

const tensorRun = (tensor: string, rest: Partial<OtherTensor>): OtherTensor => ({
  tensor,
  node: `node of ${tensor}`,
  op: 'Conv',
  values: 1000,
  differing: 0,
  beyondTwoCodes: 0,
  maxCodes: 0,
  simulated: { exact: true },
  ...rest,
});
const run = (...tensors: readonly OtherTensor[]): OtherRun => ({
  source: 'test',
  samples: 1,
  tensors,
  skipped: [],
});
const FAR = { differing: 400, beyondTwoCodes: 300, maxCodes: 90, simulated: { sqnrDb: 5 } };

describe('rt.mismatch', () => {
  const said = (rest: Pick<Partial<ComparisonEvidence>, 'runtime' | 'actual'>) =>
    mismatch.check(comparison(NET, rest));

  it('names the first operator that differs though what it reads agrees', () => {
    const findings = said({
      runtime: run(
        tensorRun('one', { differing: 500, beyondTwoCodes: 0, maxCodes: 1 }),
        tensorRun('two', { ...FAR, inputsDiffer: true }),
        tensorRun('three', FAR),
        tensorRun('four', FAR),
      ),
    });
    expect(findings.map(told)).toEqual(['error rt.mismatch node of three three']);
    expect(findings[0]!.message).toMatch(
      /^ONNX Runtime computes something else .* 30 % of the values differ, by up to 90 codes/,
    );
  });

  it('is silent on codes that rounding moves, many as they are', () => {
    expect(said({ runtime: run(tensorRun('one', { differing: 990, maxCodes: 2 })) })).toEqual([]);
    expect(
      said({ runtime: run(tensorRun('one', { differing: 990, beyondTwoCodes: 10, maxCodes: 15 })) }),
    ).toEqual([]);
  });

  it('tells of a lost channel, however few values it has', () => {
    expect(
      said({ runtime: run(tensorRun('one', { differing: 8, beyondTwoCodes: 8, maxCodes: 16 })) }),
    ).toHaveLength(1);
  });

  it('is about operators, not about what a device was fed', () => {
    const other = tensorRun('x', { ...FAR, node: '', op: '' });
    expect(said({ actual: run(other, tensorRun('a', { ...FAR, inputsDiffer: true })) })).toEqual([]);
    expect(said({ actual: run(other, tensorRun('y', FAR)) }).map(told)).toEqual([
      'error rt.mismatch node of y y',
    ]);
    // A runtime is fed the same: what it makes of an input is its own work.
    expect(said({ runtime: run(other) }).map(told)).toEqual(['error rt.mismatch x']);
  });

  it('tells of a device, and how its tensor was read', () => {
    const { beyondTwoCodes, maxCodes, ...float } = tensorRun('one', FAR);
    expect([beyondTwoCodes, maxCodes]).toEqual([300, 90]);
    const [finding] = said({ actual: run({ ...float, read: 'dequantized values' }) });
    expect(finding!.message).toMatch(/^the device .* \(read as dequantized values\)$/);
    expect(said({ actual: run({ ...float, simulated: { sqnrDb: 100 } }) })).toEqual([]);
  });
});

describe('rt.u8s8-saturation', () => {
  const said = (plain: number, optimized: number, saturates: boolean | undefined) =>
    saturation.check(
      comparison(NET, {
        runtime: run(tensorRun('y', { beyondTwoCodes: plain })),
        optimized: run(tensorRun('y', { beyondTwoCodes: optimized, maxCodes: 60 })),
        processor: { text: 'this processor', saturates },
      }),
    );

  it('tells of codes that only the optimized kernels get wrong, on a processor that cuts sums off', () => {
    const [finding] = said(0, 11, true);
    expect(told(finding!)).toBe('error rt.u8s8-saturation node of y y');
    expect(finding!.fix?.edit).toContain('reduce_range');
  });

  it('blames the runtime on other processors', () => {
    expect(said(0, 11, false).map(({ rule }) => rule)).toEqual(['rt.mismatch']);
    expect(said(0, 11, undefined).map(({ rule }) => rule)).toEqual(['rt.mismatch']);
  });

  it('is silent on a few codes, and on what the plain run gets wrong as well', () => {
    expect(said(0, 10, true)).toEqual([]);
    expect(said(900, 905, true)).toEqual([]);
  });
});

describe('act.non-finite of a candidate', () => {
  const nan = (own: number, local: number, cumulative: number, name: string): EdgeMeasurement => {
    const error = (nonFinite: number): ErrorMeasurement => ({ ...NO_ERROR, nonFinite });
    return edgeMeasurement(
      NET,
      name,
      { local: error(local), cumulative: error(cumulative) },
      { nonFinite: own },
    );
  };
  const said = (...edges: readonly EdgeMeasurement[]): string[] =>
    nonFinite.check(comparison(NET, { edges })).map((one) => `${told(one)} ${one.args['nonFinite']}`);

  it('names the first operator that makes them by itself, not those that hand them on', () => {
    expect(said(nan(0, 0, 5, 'a'), nan(0, 3, 5, 'y'))).toEqual(['error act.non-finite second y 5']);
    expect(said(nan(0, 0, 0, 'a'), nan(0, 0, 4, 'y'))).toEqual(['error act.non-finite second y 4']);
  });

  it('is silent on those that the reference has too', () => {
    expect(said(nan(7, 7, 7, 'a'), nan(0, 0, 0, 'y'))).toEqual([]);
  });
});

describe('act.non-finite of a divisor', () => {
  const QUOTIENT = inferShapes(
    graph()
      .input('x', 'float32', [1, 4])
      .input('total', 'float32', [1, 1])
      .node('Div', { name: 'divide', inputs: ['x', 'total'], outputs: ['shares'] })
      .output('shares')
      .build(),
  );
  const said = (
    range: readonly [number, number],
    localDb: number | 'exact',
    quant = perTensor('uint8', 0.1),
  ) =>
    nonFinite
      .check(
        comparison(QUOTIENT, {
          edges: [
            edgeMeasurement(QUOTIENT, 'total', {}, { quant, range: { min: range[0], max: range[1] } }),
            edgeMeasurement(QUOTIENT, 'shares', { local: errorOf(localDb) }),
          ],
        }),
      )
      .map(told);

  it('tells of values that are 0 only as integers', () => {
    expect(said([0.04, 20], 5)).toEqual(['error act.non-finite divide shares']);
    expect(said([-20, -0.04], 5)).toEqual(['error act.non-finite divide shares']);
  });

  it('is silent where none becomes 0, where float has zeros, and where nothing is lost', () => {
    expect(said([0.06, 20], 5)).toEqual([]);
    expect(said([0, 20], 5)).toEqual([]);
    expect(said([-1, 20], 5)).toEqual([]);
    expect(said([0.04, 20], 25)).toEqual([]);
    expect(said([0.04, 20], 'exact')).toEqual([]);
  });
});

describe('all rules together', () => {
  const quant = perTensor('uint8', 0.13);
  const alignment = alignmentOf({ outputs: [{ reference: 0, candidate: 0 }] });
  const lane = laneOf(NET, { a: quant, y: perTensor('uint8', 4 / 255) });

  /** Of `a` a range too wide, of `y` a zero point that is off and costs more. */
  const both = (g: Graph): string[] => {
    const shifted = perTensor('uint8', 4 / 255, 60);
    const seen = (name: string, params: QuantParams, db: number, noise: ErrorMeasurement['noise']) =>
      edgeMeasurement(
        g,
        name,
        { self: errorOf(db, { noise }) },
        { quant: params, range: { min: 0, max: 4 } },
      );
    return diagnose(
      comparison(g, {
        alignment,
        lane: laneOf(g, { a: quant, y: shifted }),
        edges: [seen('a', quant, 9, { clip: 0, round: 1 }), seen('y', shifted, 5, { clip: 1, round: 0 })],
        suspects: [suspect(g, 'y', 'quantizer', 5), suspect(g, 'a', 'quantizer', 9)],
      }),
    ).findings.map(told);
  };

  it('tell what is said of the worst suspect first, and make a warning on a broken tensor an error', () => {
    const fork = inferShapes(
      graph()
        .input('x', 'float32', [1, 4])
        .node('Sigmoid', { name: 'first', inputs: ['x'], outputs: ['a'] })
        .node('Tanh', { name: 'second', inputs: ['x'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    expect(both(fork)).toEqual(['error act.shifted-range second y', 'error act.wide-range first a']);
  });

  it('tell an error on what a broken layer reads before that of the layer', () => {
    expect(both(NET)).toEqual(['error act.wide-range first a', 'error act.shifted-range second y']);
  });

  it('say nothing of a healthy export', () => {
    const edges = [
      edge('a', perTensor('uint8', 4 / 255), [0, 4], 45),
      edge('y', lane.tensors.get(tensorNamed(NET, 'y').id)!, [0, 4], 45),
    ];
    expect(
      diagnose(comparison(NET, { alignment, lane, edges, suspects: [suspect(NET, 'a', 'operator', 40)] }))
        .findings,
    ).toEqual([]);
  });
});
