/** Outputs with few levels, those of them that lose something, and ties. */
import { describe, expect, it } from 'vitest';
import type { Accuracy } from '../../../../src/diff/accuracy/accuracy.js';
import { fewLevels } from '../../../../src/doctor/rules/out/few-levels.js';
import type { Diagnosed } from '../../../../src/doctor/finding.js';
import { FLOAT_LANE } from '../../../../src/ir/lane.js';
import { countedAccuracy } from '../../../support/accuracies.js';
import { graph } from '../../../support/graph-builder.js';
import { answers, studiedOutput, studyOf } from '../../../support/studied-outputs.js';

const g = graph()
  .input('x', 'float32', [1, 10])
  .node('Neg', { name: 'head', inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();

function found(rest: Parameters<typeof studiedOutput>[2]): readonly Diagnosed[] {
  return fewLevels.check({ graph: g, lane: FLOAT_LANE, outputs: studyOf([studiedOutput(g, 'y', rest)]) });
}

/** Variance between samples in LSB², for an output whose noise is the rounding of its own LSB. */
const coarse = (levels: number): Parameters<typeof studiedOutput>[2] => ({
  levels,
  variance: { float: (levels / 4) ** 2 / 10, quantized: (levels / 4) ** 2 / 10 },
});

describe('out.few-levels', () => {
  it('is silent on many levels', () => {
    expect(found({ levels: 180 })).toEqual([]);
    expect(found({ levels: 64, variance: { float: 1, quantized: 1 } })).toEqual([]);
  });

  it('flags few levels, an error below 16', () => {
    expect(found(coarse(8))[0]).toMatchObject({ severity: 'error', subject: { node: 'head', tensor: 'y' } });
    expect(found(coarse(8))[0]?.message).toContain(
      'output y has 8 levels for its values (-10 to 10 in float, scale 0.1)',
    );
    expect(found({ ...coarse(8), levels: 20 })[0]?.severity).toBe('warning');
  });

  it('only notes them while the same class leads', () => {
    expect(found({ ...coarse(8), answers: answers() })[0]?.severity).toBe('note');
    expect(found({ ...coarse(8), answers: answers({ changed: 3 }) })[0]?.severity).toBe('error');
    // Where float always gives the same answer, the output is not one of classes.
    expect(
      found({ ...coarse(8), answers: answers({ entropy: { float: 0, quantized: 0 } }) })[0]?.severity,
    ).toBe('error');
  });

  it('is silent where what the rounding costs is small beside what differs between samples', () => {
    expect(found({ levels: 40, variance: { float: 100, quantized: 100 } })).toEqual([]);
  });

  it('is silent where the noise comes from before', () => {
    expect(found({ ...coarse(8), noise: 1 })).toEqual([]);
  });

  it('leaves probabilities alone, and outputs without an LSB', () => {
    expect(found({ ...coarse(8), sums: { rows: 0 } })).toEqual([]);
    const { lsb, ...without } = studiedOutput(g, 'y', coarse(8));
    expect(lsb).toBe(0.1);
    expect(fewLevels.check({ graph: g, lane: FLOAT_LANE, outputs: studyOf([without]) })).toEqual([]);
  });

  it('flags embeddings that turn, and only unit vectors are embeddings', () => {
    const cosine = { mean: 0.95, min: 0.9, isUnit: true, ranks: 0.8 };
    const rest = { levels: 100, variance: { float: 2, quantized: 2 } };
    expect(found({ ...rest, cosine })[0]?.message).toContain('cosine with float 0.95 on average');
    expect(found({ ...rest, cosine: { ...cosine, mean: 0.999 } })).toEqual([]);
    expect(found({ ...rest, cosine: { ...cosine, isUnit: false } })).toEqual([]);
  });
});

describe('out.few-levels, ties', () => {
  const tied = (ties: number, rest: Partial<Accuracy> = {}): readonly Diagnosed[] => {
    const accuracy = { ...countedAccuracy({ samples: 200, both: 150, lost: 2, won: 2 }), ...rest };
    const [reference, candidate] = accuracy.networks;
    const networks = [
      { ...reference!, ties: 1 },
      { ...candidate!, ties },
    ];
    return fewLevels.check({ graph: g, lane: FLOAT_LANE, accuracy: { ...accuracy, networks } });
  };

  it('are noted from 1 % of the samples on, beyond those of the reference', () => {
    expect(tied(3)).toEqual([]);
    expect(tied(6)[0]).toMatchObject({ severity: 'note', args: { ties: 6, samples: 200 } });
  });

  it('are a warning where there are many and accuracy is lost', () => {
    expect(tied(20)[0]?.severity).toBe('note');
    expect(tied(20, { standing: 'worse' })[0]?.severity).toBe('warning');
  });
});
