import { describe, expect, it } from 'vitest';
import type { Accuracy } from '../../../src/diff/accuracy/accuracy.js';
import { accuracyOf } from '../../../src/diff/accuracy/of-metric.js';
import { dropCheck } from '../../../src/diff/gate/drop.js';
import type { GateCheck } from '../../../src/diff/gate/gate.js';
import { parseThresholds } from '../../../src/diff/gate/thresholds.js';
import { UsageError } from '../../../src/errors.js';
import { agreementResult, countedResult, type Counts } from '../accuracy/results.js';
import { accuracy, changed, without } from './accuracies.js';

function check(text: string, of: Accuracy | undefined, isMetricChosen = false): GateCheck {
  const { maxDrop } = parseThresholds({ maxDrop: { text, source: 'command line' } });
  return dropCheck(maxDrop!, of, isMetricChosen);
}

function refusal(text: string, of: Accuracy | undefined, isMetricChosen = false): UsageError {
  try {
    check(text, of, isMetricChosen);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was gated');
}

const COUNTED = {
  labels: { source: 'class folders', kind: 'class' },
  decoder: 'scores',
  classNames: new Map<number, string>(),
};
const NETWORKS = [
  { network: 'reference', title: 'float' },
  { network: 'candidate', title: 'int8' },
];
const counted = (counts: Counts): Accuracy => accuracyOf(countedResult(counts), NETWORKS, COUNTED);

describe('the drop of a metric', () => {
  it('passes with its margin when the whole interval is within the threshold', () => {
    expect(check('1pt', accuracy())).toEqual({
      name: 'max-drop',
      source: 'command line',
      threshold: 1,
      observed: 0.36,
      margin: 0.64,
      unit: 'pt',
      verdict: 'pass',
      where: 'top1',
      note: '95 % interval -0.2 to +0.9 pt',
    });
  });

  it('fails when the whole interval is beyond', () => {
    expect(check('1pt', changed(91, 88, 1.5))).toMatchObject({ observed: 3, margin: -2, verdict: 'fail' });
  });

  it('is inconclusive when the interval spans the threshold, with the samples that would decide', () => {
    // Half the width must fall from 0.9 to the distance 1 - 0.7: nine times the 250 samples.
    expect(check('1pt', changed(90, 89.3, 0.9, { samples: 250 }))).toMatchObject({
      verdict: 'inconclusive',
      observed: 0.7,
      margin: 0.3,
      note: 'the interval -0.2 to +1.6 pt spans the threshold; about 2,300 samples would decide',
    });
  });

  it('asks for no number of samples where the drop is the threshold', () => {
    const { verdict, note } = check('1pt', changed(91.2, 90.2, 0.5));
    expect(verdict).toBe('inconclusive');
    expect(note).toBe(
      'the interval +0.5 to +1.5 pt spans the threshold; it is too close to it for any number of samples',
    );
  });

  it('passes exactly at the threshold, whatever the digits of the difference are', () => {
    expect(91.2 - 90.8).toBeGreaterThan(0.4);
    expect(check('0.4pt', changed(91.2, 90.8, 0))).toMatchObject({
      verdict: 'pass',
      observed: 0.4,
      margin: 0,
    });
    expect(check('0.1pt', changed(0.3, 0.2, 0))).toMatchObject({ verdict: 'pass', observed: 0.1, margin: 0 });
    expect(check('0.30pt', changed(0.1 + 0.2, 0, 0))).toMatchObject({ verdict: 'pass', margin: 0 });
    expect(check('1pt', changed(91.2, 90.1999, 0))).toMatchObject({ verdict: 'fail', margin: -0.0001 });
    expect(check('1pt', accuracy({ interval: [-1, 0.2] })).verdict).toBe('pass');
    expect(check('1pt', accuracy({ interval: [-1.001, 0.2] })).verdict).toBe('inconclusive');
    expect(check('0pt', changed(90, 90, 0)).verdict).toBe('pass');
  });

  it('always passes what is better', () => {
    expect(check('0pt', changed(90, 95, 1))).toMatchObject({ verdict: 'pass', observed: -5, margin: 5 });
    const rmse = { metric: 'rmse', unit: '', better: 'lower', deltaUnit: '' } as const;
    expect(check('1%', changed(0.5, 0.4, 0.01, rmse))).toMatchObject({ verdict: 'pass', observed: -20 });
  });

  it('is a rise where lower is better, as a share of the reference', () => {
    const rmse = { metric: 'rmse', unit: '', better: 'lower', deltaUnit: '' } as const;
    expect(check('10%', changed(0.5, 0.54, 0.005, rmse))).toMatchObject({
      verdict: 'pass',
      observed: 8,
      margin: 2,
      unit: '%',
      note: '95 % interval +7 to +9 %',
    });
    expect(check('5%', changed(0.5, 0.54, 0.005, rmse)).verdict).toBe('fail');
    expect(check('8.5%', changed(0.5, 0.54, 0.005, rmse)).verdict).toBe('inconclusive');
  });

  it('in percent is relative to the reference, in points it is not', () => {
    const half = changed(50, 49.4, 0);
    expect(check('1pt', half)).toMatchObject({ verdict: 'pass', observed: 0.6 });
    expect(check('1%', half)).toMatchObject({ verdict: 'fail', observed: 1.2, margin: -0.2, unit: '%' });
  });

  it('in dB is of metrics in dB only', () => {
    const psnr = { metric: 'psnr', unit: 'dB', deltaUnit: 'dB' } as const;
    expect(check('1dB', changed(40, 39.5, 0.2, psnr))).toMatchObject({ verdict: 'pass', unit: 'dB' });
    expect(refusal('1pt', changed(40, 39.5, 0.2, psnr))).toMatchObject({
      message: '--max-drop 1pt: psnr is in dB, it cannot drop by pt',
      hint: '--max-drop 1dB or --max-drop 1%',
    });
    expect(refusal('1dB', accuracy()).hint).toBe('--max-drop 1pt or --max-drop 1%');
    expect(refusal('1pt', accuracy({ metric: 'rmse', unit: '', deltaUnit: '' }))).toMatchObject({
      message: '--max-drop 1pt: rmse has no unit, it cannot drop by pt',
      hint: '--max-drop 1%',
    });
  });

  it('is decided by its value where there is no interval, from 30 samples on', () => {
    const bare = without(changed(90, 88, 0, { samples: 30 }), 'interval');
    expect(check('1pt', bare)).toMatchObject({
      verdict: 'fail',
      note: 'no interval is known: the value alone decides',
    });
    expect(check('2pt', bare).verdict).toBe('pass');
    expect(check('2pt', { ...bare, samples: 29 })).toMatchObject({
      verdict: 'inconclusive',
      note: 'no interval, and 29 samples: from 30 on, the value decides',
    });
  });
});

describe('counts of right samples', () => {
  it('decide with the number of samples that the score interval itself asks for', () => {
    const few = counted({ samples: 100, both: 90, lost: 1, won: 0 });
    const { verdict, note = '' } = check('2pt', few);
    expect(verdict).toBe('inconclusive');
    const wanted = Number(/about ([\d,]+) samples would decide/.exec(note)![1]!.replaceAll(',', ''));
    expect(wanted).toBeGreaterThan(100);
    const more = wanted / 100;
    const enough = counted({ samples: wanted, both: 90 * more, lost: more, won: 0 });
    expect(check('2pt', enough).verdict).toBe('pass');
    const half = counted({ samples: wanted / 2, both: 45 * more, lost: more / 2, won: 0 });
    expect(check('2pt', half).verdict).toBe('inconclusive');
  });

  it('of few samples pass nothing, not even when none is lost', () => {
    expect(check('1pt', counted({ samples: 20, both: 18, lost: 0, won: 0 })).verdict).toBe('inconclusive');
    expect(check('1pt', counted({ samples: 2000, both: 1800, lost: 0, won: 0 })).verdict).toBe('pass');
  });
});

describe('without an accuracy', () => {
  it('nothing is gated, and the hint is to give labels', () => {
    expect(refusal('1pt', undefined)).toMatchObject({
      message: '--max-drop 1pt: nothing to gate, no accuracy was measured',
      hint: '--labels FILE, or images in a folder for each class (two at least)',
    });
  });

  it('a metric without a value is not gated', () => {
    expect(refusal('1pt', without(accuracy(), 'candidate')).message).toBe(
      '--max-drop 1pt: nothing to gate, top1 of the candidate has no value on 1,000 samples',
    );
    expect(refusal('1pt', without(accuracy(), 'reference')).message).toContain('top1 has no value');
    expect(refusal('1pt', accuracy({ candidate: NaN })).message).toContain('has no value');
    expect(refusal('1pt', accuracy({ samples: 0 })).message).toContain('on 0 samples');
  });

  it('a reference of 0 has no share to lose', () => {
    expect(refusal('1%', changed(0, 0, 0))).toMatchObject({ hint: '--max-drop 1pt' });
    expect(check('1pt', changed(0, 0, 0)).verdict).toBe('pass');
  });
});

describe('agreement without labels', () => {
  const agreement = (samples: number, same: number): Accuracy =>
    accuracyOf(agreementResult({ samples, same }), NETWORKS, { decoder: 'scores', classNames: new Map() });

  it('is no accuracy, so that it is not gated unasked', () => {
    expect(refusal('1pt', agreement(1000, 999))).toMatchObject({
      message:
        '--max-drop 1pt: nothing to gate, there are no labels and agreement with the reference is no accuracy',
      hint: '--labels FILE, or --metric agreement to gate the agreement itself',
    });
  });

  it('is gated where the metric was chosen: the drop is what does not agree', () => {
    const observed = check('2pt', agreement(1000, 995), true);
    expect(observed).toMatchObject({ verdict: 'pass', observed: 0.5, margin: 1.5, where: 'agreement' });
    expect(check('2pt', agreement(1000, 900), true)).toMatchObject({ verdict: 'fail', observed: 10 });
    expect(check('2pt', agreement(100, 99), true)).toMatchObject({ verdict: 'inconclusive', observed: 1 });
    expect(check('2%', agreement(1000, 995), true)).toMatchObject({
      verdict: 'pass',
      observed: 0.5,
      unit: '%',
    });
  });

  it('is refused of metrics that are no share, chosen or not', () => {
    const kl = without(
      accuracy({ metric: 'kl', unit: '', better: 'lower', deltaUnit: '' }),
      'labels',
      'reference',
    );
    expect(refusal('1%', kl, true).message).toContain('kl with the reference is no accuracy');
  });
});
