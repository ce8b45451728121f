import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../../src/doctor/finding.js';
import { outlierRange } from '../../../../src/doctor/rules/act/outlier-range.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { binGrid, Histogram } from '../../../../src/quant/histogram.js';
import type { EdgeStatistics } from '../../../../src/run/calibrate.js';
import { edgeMeasurement, errorOf, evidence } from '../../../support/evidence.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';
import { perTensor } from '../../../support/lanes.js';

const NET = inferShapes(
  graph()
    .input('x', 'float32', [1, 4])
    .node('Relu', { name: 'first', inputs: ['x'], outputs: ['y'] })
    .node('Relu', { name: 'second', inputs: ['y'], outputs: ['z'] })
    .output('z')
    .build(),
);

interface Seen {
  readonly levels: number;
  readonly lostShare: number;
  /** Lowest cumulative SQNR, dB. */
  readonly db: number;
  readonly values?: readonly number[];
}

function found({ levels, lostShare, db, values }: Seen): readonly Finding[] {
  const measured = edgeMeasurement(
    NET,
    'y',
    { self: errorOf(30), cumulative: errorOf(45) },
    { quant: perTensor('uint8', 0.5), levels, lost: { lost: 1000 * lostShare, values: 1000 } },
  );
  const output = edgeMeasurement(NET, 'z', { cumulative: errorOf(db) });
  const statistics =
    values === undefined ? {} : { statistics: new Map([[tensorNamed(NET, 'y').id, seen(values)]]) };
  return outlierRange.check({ ...evidence(NET, [measured, output]), ...statistics });
}

function seen(values: readonly number[]): EdgeStatistics {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const histogram = new Histogram(binGrid(min, max));
  const { scale, zeroPoint } = histogram.grid;
  histogram.add(Uint16Array.from(values, (value) => Math.round(value / scale) + zeroPoint));
  return {
    min,
    max,
    count: values.length,
    histogram,
    channels: { min: Float64Array.of(min), max: Float64Array.of(max), sumXX: Float64Array.of(1) },
    nonFinite: 0,
    nonFiniteIn: undefined,
  };
}

const severities = (given: Seen): string[] => found(given).map(({ severity }) => severity);

describe('act.outlier-range', () => {
  it('takes few levels for harmless while the whole network stays close to float', () => {
    expect(severities({ levels: 7, lostShare: 0.1, db: 20 })).toEqual(['warning']);
    expect(severities({ levels: 7, lostShare: 0.1, db: 19.9 })).toEqual(['error']);
    expect(severities({ levels: 31, lostShare: 0.1, db: 20 })).toEqual(['note']);
    expect(severities({ levels: 31, lostShare: 0.1, db: 19.9 })).toEqual(['warning']);
  });

  it('does not take a bulk that is gone for harmless: SQNR does not show it', () => {
    expect(severities({ levels: 200, lostShare: 0.8, db: 45 })).toEqual(['error']);
    expect(severities({ levels: 200, lostShare: 0.5, db: 45 })).toEqual(['warning']);
    expect(severities({ levels: 31, lostShare: 0.5, db: 45 })).toEqual(['warning']);
  });

  it('says how far the largest value stands out, from 20 times the rms on', () => {
    const one = (largest: number, of: number): readonly number[] => [
      ...Array.from({ length: of - 1 }, () => 0),
      largest,
    ];
    // One value of n that is not 0: its crest is the root of n.
    const [high] = found({ levels: 7, lostShare: 0.9, db: 5, values: one(50, 441) });
    expect(high?.args['crest']).toBeCloseTo(21, 6);
    expect(high?.message).toMatch(/; the largest value is 21 times their rms$/);
    const [low] = found({ levels: 7, lostShare: 0.9, db: 5, values: one(50, 361) });
    expect(low?.args['crest']).toBeCloseTo(19, 6);
    expect(low?.message).not.toContain('rms');
    expect(found({ levels: 7, lostShare: 0.9, db: 5 })[0]?.args).not.toHaveProperty('crest');
  });

  it('proposes to cut where values are crowded, and 16 bits where they are not', () => {
    expect(found({ levels: 7, lostShare: 0.9, db: 5 })[0]?.fix?.edit).toBe('--observer mse');
    expect(found({ levels: 200, lostShare: 0.9, db: 5 })[0]?.fix?.edit).toBe('--activations int16');
  });

  it('says nothing beside a reference, whose ranges tell more', () => {
    const alone = {
      ...evidence(NET, [
        edgeMeasurement(
          NET,
          'y',
          { self: errorOf(30) },
          { quant: perTensor('uint8', 0.5), levels: 7, lost: { lost: 900, values: 1000 } },
        ),
      ]),
    };
    expect(outlierRange.check(alone)).toHaveLength(1);
    expect(outlierRange.check({ ...alone, reference: { graph: NET, lane: alone.lane } })).toEqual([]);
  });
});
