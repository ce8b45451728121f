import { describe, expect, it } from 'vitest';
import { constantMeasurements } from '../../src/diff/weight-measurements.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import { worstFirst, type Finding, type Severity } from '../../src/doctor/finding.js';
import { diagnose } from '../../src/doctor/index.js';
import { tensorOf, type Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, type Lane, type QuantParams } from '../../src/ir/lane.js';
import { buildLane } from '../../src/quant/lane.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import type { ObserverSpec, TensorScheme } from '../../src/quant/scheme.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { edgeMeasurement, errorOf, evidence } from '../support/evidence.js';
import { graph } from '../support/graph-builder.js';
import { perTensor } from '../support/lanes.js';

const CHAIN = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Relu', { name: 'first', inputs: ['x'], outputs: ['y'] })
    .node('Relu', { name: 'second', inputs: ['y'], outputs: ['z'] })
    .output('z')
    .build(),
);

function findingsOf(...edges: EdgeMeasurement[]): readonly Finding[] {
  return diagnose(evidence(CHAIN, edges)).findings;
}

describe('act.outlier-range', () => {
  const edge = (
    levels: number,
    lost: number,
    values: number,
    quant = perTensor('uint8', 0.5, 10),
  ): readonly Finding[] =>
    findingsOf(
      edgeMeasurement(CHAIN, 'y', { self: errorOf(45.9) }, { quant, levels, lost: { lost, values } }),
    );

  it('tells of the values that a good SQNR hides, with their number', () => {
    expect(edge(242, 4, 6)).toEqual([
      {
        rule: 'act.outlier-range',
        severity: 'warning',
        subject: { node: 'first', tensor: 'y' },
        message:
          '45.9 dB self SQNR hides 4 of 6 values other than 0 (66.7 %) that are off by more than a quarter of themselves: ' +
          'the quantized range -5 to 122.5 has steps of 0.5',
        args: { lost: 4, values: 6, lostShare: 4 / 6, levels: 242, min: -1, max: 1 },
        fix: { title: 'give the tensor 16 bits', edit: '--activations int16' },
        change: { kind: 'scheme', overrides: { activations: 'int16' } },
      },
    ]);
  });

  it('tells of values crowded on a few levels, and how many those are', () => {
    const [finding] = edge(5.25, 100, 1000);
    expect(finding).toMatchObject({ severity: 'error', fix: { edit: '--observer mse' } });
    expect(finding!.message).toMatch(/, and 98 % of the values share 5\.3 of 256 levels$/);
  });

  it.each<[number, number, Severity | undefined]>([
    [200, 0.49, undefined],
    [200, 0.5, 'warning'],
    [200, 0.79, 'warning'],
    [200, 0.8, 'error'],
    [32, 0.1, undefined],
    [31, 0.1, 'warning'],
    [8, 0.1, 'warning'],
    [7, 0.1, 'error'],
    [31, 0.05, 'warning'],
    [7, 0.04, undefined],
  ])('of %d levels and a share of %d lost is %s', (levels, share, severity) => {
    expect(edge(levels, 1000 * share, 1000).map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
  });

  it('does not blame a type of few bits for having few levels', () => {
    expect(edge(5, 900, 1000, perTensor('int4', 0.5))).toEqual([]);
  });

  it('needs a quantizer, a histogram and a SQNR', () => {
    const lost = { lost: 9, values: 10 };
    const quant = perTensor('uint8', 1);
    expect(findingsOf(edgeMeasurement(CHAIN, 'y', { self: errorOf(40) }, { levels: 3, lost }))).toEqual([]);
    expect(findingsOf(edgeMeasurement(CHAIN, 'y', { self: errorOf(40) }, { quant, levels: 3 }))).toEqual([]);
    expect(
      findingsOf(edgeMeasurement(CHAIN, 'y', { self: errorOf('exact') }, { quant, levels: 3, lost })),
    ).toEqual([]);
  });

  it('names a graph input by its tensor alone', () => {
    const [finding] = findingsOf(
      edgeMeasurement(
        CHAIN,
        'x',
        { self: errorOf(40) },
        { quant: perTensor('uint8', 1), levels: 3, lost: { lost: 1, values: 9 } },
      ),
    );
    expect(finding!.subject).toEqual({ tensor: 'x' });
  });
});

describe('act.clipped', () => {
  it.each<[number, number, number, Severity | undefined]>([
    [0.0009, 0.9, 14, undefined],
    [0.001, 0.9, 14, 'warning'],
    [0.0099, 0.9, -3, 'warning'],
    [0.01, 0.9, 14.9, 'error'],
    [0.01, 0.9, 15, 'warning'],
    [0.2, 0.4, 5, undefined],
    [0.2, 0.5, 5, 'error'],
    [0.2, 0.9, 29.9, 'warning'],
    [0.2, 0.9, 30, 'note'],
  ])(
    'of a share of %d values and %d of the noise, at %d dB self, is %s',
    (clippedShare, clip, db, severity) => {
      const self = errorOf(db, { clippedShare, noise: { clip, round: 1 - clip } });
      const findings = findingsOf(edgeMeasurement(CHAIN, 'y', { self }));
      expect(findings.map(({ rule, severity: found }) => [rule, found])).toEqual(
        severity === undefined ? [] : [['act.clipped', severity]],
      );
      if (severity !== undefined) {
        expect(findings[0]).toMatchObject({
          args: { clippedShare, clipNoise: clip },
          fix: { edit: 'calibrate on more data that reach as far' },
        });
      }
    },
  );

  it('advises the extremes only where the range is not made of them already', () => {
    const self = errorOf(5, { clippedShare: 0.2, noise: { clip: 0.9, round: 0.1 } });
    const measured = evidence(CHAIN, [edgeMeasurement(CHAIN, 'y', { self })]);
    const editOf = (observer: ObserverSpec): string | undefined => {
      const activations = { ...(SCHEMES.ort!.activations as TensorScheme), observer };
      const { findings } = diagnose({ ...measured, scheme: { ...SCHEMES.ort!, activations } });
      return findings[0]?.fix?.edit;
    };
    expect(editOf({ kind: 'minmax' })).toBe('calibrate on more data that reach as far');
    expect(editOf({ kind: 'percentile', percentile: 99 })).toBe('--observer minmax');
  });
});

describe('prescribed scales', () => {
  const network = (op: string): Graph =>
    inferShapes(
      graph()
        .input('x', 'float32', [1, 4])
        .node(op, { name: 'last', inputs: ['x'], outputs: ['y'] })
        .output('y')
        .build(),
    );
  const lost = { lost: 9, values: 10 };
  const ofOutput = (op: string, source: QuantParams['source'], lane: Partial<Lane> = {}): string[] => {
    const g = network(op);
    const quant = { ...perTensor('int8', 1 / 256, -128), source };
    const seen = edgeMeasurement(g, 'y', { self: errorOf(40) }, { quant, levels: 3, lost });
    return diagnose({ ...evidence(g, [seen]), lane: { ...FLOAT_LANE, ...lane } }).findings.map(
      ({ rule }) => rule,
    );
  };

  it('of probabilities leave little to the small ones, which decide nothing', () => {
    expect(ofOutput('Softmax', 'observer')).toEqual([]);
    expect(ofOutput('Relu', 'observer')).toEqual(['act.outlier-range']);
  });

  it('of a Sigmoid are not to be changed either, unlike those that were observed', () => {
    expect(ofOutput('Sigmoid', 'fixed')).toEqual([]);
    expect(ofOutput('Sigmoid', 'file', { arithmetic: 'tflite' })).toEqual([]);
    expect(ofOutput('Sigmoid', 'observer')).toEqual(['act.outlier-range']);
  });

  it('may leave out the end of a range by one step: 1 is no code of 256 steps of 1/256', () => {
    const g = network('Softmax');
    const self = errorOf(40, { clippedShare: 0.2, noise: { clip: 0.9, round: 0.1 } });
    const clipped = (max: number): string[] => {
      const quant = perTensor('int8', 1 / 256, -128);
      const seen = edgeMeasurement(g, 'y', { self }, { quant, range: { min: 0, max } });
      return diagnose(evidence(g, [seen])).findings.map(({ rule }) => rule);
    };
    expect(clipped(1)).toEqual([]);
    expect(clipped(1.01)).toEqual(['act.clipped']);
  });
});

describe('act.non-finite', () => {
  it('names the first edge only, with the sample: the rest follows from it', () => {
    const broken = { nonFinite: 7, nonFiniteIn: 'a.png' };
    const findings = findingsOf(
      edgeMeasurement(CHAIN, 'x'),
      edgeMeasurement(CHAIN, 'y', {}, broken),
      edgeMeasurement(CHAIN, 'z', {}, broken),
    );
    expect(findings).toEqual([
      {
        rule: 'act.non-finite',
        severity: 'error',
        subject: { node: 'first', tensor: 'y' },
        message: 'the float network computes 7 NaN or infinite values here, first for a.png',
        args: { nonFinite: 7, sample: 'a.png' },
      },
    ]);
  });
});

/** A depthwise convolution whose channels have these magnitudes. */
function depthwise(magnitudes: readonly number[]): Graph {
  const channels = magnitudes.length;
  const values = magnitudes.flatMap((magnitude) => [magnitude, -magnitude / 2, magnitude / 3]);
  return inferShapes(
    graph()
      .input('x', 'float32', [1, channels, 1, 5])
      .constant('w', 'float32', [channels, 1, 1, 3], values)
      .node('Conv', { name: 'dw', inputs: ['x', 'w'], outputs: ['y'], attrs: { group: channels } })
      .output('y')
      .build(),
  );
}

describe('w.per-tensor-spread', () => {
  const findings = (
    magnitudes: readonly number[],
    overrides: Parameters<typeof overrideScheme>[1] = {},
  ): readonly Finding[] => {
    const g = depthwise(magnitudes);
    const plan = planQuantization(g, overrideScheme(SCHEMES['ort']!, overrides), NO_SELECTION);
    const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
    return diagnose(evidence(g, [], constantMeasurements(g, lane, plan.quantizers))).findings;
  };
  const level = Array.from({ length: 20 }, () => 1);

  it('names the channels that take the range and counts those that are left with few levels', () => {
    const spread = level.with(3, 100).with(11, 80);
    const [finding, ...others] = findings(spread);
    expect(others).toEqual([]);
    // A step is 100/127: the other channels have 2.54 of them.
    expect(finding).toMatchObject({
      rule: 'w.per-tensor-spread',
      severity: 'error',
      subject: { node: 'dw', tensor: 'w' },
      args: { channels: 20, poorChannels: 18, wideChannels: '3 11' },
      fix: { edit: '--per-axis' },
    });
    expect(finding!.message).toBe(
      'one scale serves all 20 channels, but channels 3, 11 take the range: 18 channels keep fewer than 16 of 256 levels; ' +
        'one scale per channel gives the weights 11.0 dB',
    );
    expect(finding!.args['perAxisSqnrDb']).toBeGreaterThan(40);
  });

  it('is a note while every tensor keeps 20 dB, however many channels are lost', () => {
    const g = depthwise(level.with(3, 100));
    const plan = planQuantization(g, SCHEMES['ort']!, NO_SELECTION);
    const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
    const constants = constantMeasurements(g, lane, plan.quantizers);
    const output = tensorOf(g, g.outputs[0]!).name;
    const severityAt = (db: number): unknown =>
      diagnose(evidence(g, [edgeMeasurement(g, output, { cumulative: errorOf(db) })], constants)).findings[0]
        ?.severity;
    expect([severityAt(20), severityAt(19.9)]).toEqual(['note', 'error']);
  });

  it('is a warning where it is one channel of many', () => {
    const wide = Array.from({ length: 40 }, () => 1).with(7, 0.01);
    expect(findings(wide)).toMatchObject([{ severity: 'warning', args: { poorChannels: 1 } }]);
    expect(findings(wide)[0]!.message).toContain('1 channel keeps');
  });

  it('starts below 16 levels, and does not count channels of zeros', () => {
    // One step of the widest is 1/127: 8 * 2 steps across.
    expect(findings(level.with(2, 8.1 / 127))).toEqual([]);
    expect(findings(level.with(2, 7.9 / 127))).toHaveLength(1);
    expect(findings(level.with(2, 0))).toEqual([]);
  });

  it('is not about weights with a scale per channel, nor of 4 bits', () => {
    const spread = level.with(3, 100);
    expect(findings(spread, { granularity: 'per-axis' })).toEqual([]);
    expect(findings(spread, { weights: 'int4' })).toEqual([]);
    expect(findings(spread, { weights: 'float' })).toEqual([]);
  });
});

describe('findings', () => {
  it('are told worst first, otherwise in the order they came', () => {
    const finding = (severity: Severity, rule: string): Finding => ({
      rule,
      severity,
      subject: {},
      message: '',
      args: {},
    });
    const sorted = worstFirst([
      finding('note', 'a'),
      finding('warning', 'b'),
      finding('error', 'c'),
      finding('warning', 'd'),
      finding('error', 'e'),
    ]);
    expect(sorted.map(({ rule }) => rule)).toEqual(['c', 'e', 'b', 'd', 'a']);
  });

  it('are none for a healthy network', () => {
    const self = errorOf(45);
    const rest = { quant: perTensor('uint8', 0.01), levels: 200, lost: { lost: 2, values: 100 } };
    expect(
      findingsOf(edgeMeasurement(CHAIN, 'x', { self }, rest), edgeMeasurement(CHAIN, 'y', { self }, rest)),
    ).toEqual([]);
  });
});
