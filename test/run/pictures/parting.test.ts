import { describe, expect, it } from 'vitest';
import { partingOf, type Parting } from '../../../src/run/pictures/parting.js';
import { MaskComparer } from '../../../src/run/pictures/small-mask.js';
import { FILLING, type Prediction } from '../../../src/run/predictions/prediction.js';
import { boxes, maskOf, scores, values } from '../metrics/scored.js';

const GROUND = { comparer: new MaskComparer(), placement: FILLING, size: { width: 4, height: 4 } };

function parted(reference: Prediction, candidate: Prediction): Parting {
  return partingOf(reference, candidate, GROUND)!;
}

describe('partingOf classes', () => {
  it('is half the total variation of probabilities', () => {
    const { distance, reason } = parted(scores(0.7, 0.2, 0.1), scores(0.5, 0.3, 0.2));
    expect(distance).toBeCloseTo(0.1, 10);
    expect(reason).toEqual({ kind: 'class', from: 0, to: 0, shares: [0.7, 0.5] });
  });

  it('puts a changed class ahead of any that stays', () => {
    const stays = parted(scores(1, 0, 0), scores(0.4, 0.3, 0.3));
    const changes = parted(scores(0.34, 0.33, 0.33), scores(0.33, 0.34, 0.33));
    expect(changes.distance).toBeGreaterThan(stays.distance);
    expect(changes.distance).toBeCloseTo(0.505, 10);
    expect(changes.reason).toMatchObject({ from: 0, to: 1 });
  });

  it('makes probabilities of logits, and tells the three best', () => {
    const { distance, answers } = parted(scores(0, Math.log(3), 0, 0), scores(0, Math.log(6), 0, 0));
    // 1/6 3/6 1/6 1/6 against 1/9 6/9 1/9 1/9.
    expect(distance).toBeCloseTo(1 / 12, 4);
    const [reference, candidate] = answers();
    expect(reference).toMatchObject({ kind: 'scores', best: [{ label: 1 }, { label: 0 }, { label: 2 }] });
    expect(candidate.kind === 'scores' && candidate.best.map(({ share }) => share.toFixed(4))).toEqual([
      '0.6667',
      '0.1111',
      '0.1111',
    ]);
  });

  it('takes the codes of an integer softmax for what they are, though they do not add up to 1', () => {
    const { reason } = parted(scores(0.9, 0.1), scores(0.8, 0));
    expect(reason).toMatchObject({ shares: [0.9, 0.8] });
  });

  it('reads logarithms of probabilities, 0 among them', () => {
    const { distance } = parted(scores(0, -Infinity), scores(Math.log(0.5), Math.log(0.4999)));
    expect(distance).toBeCloseTo(0.25, 3);
  });

  it('has no distance below a ten-thousandth', () => {
    expect(parted(scores(0.5, 0.3, 0.2), scores(0.50001, 0.29999, 0.2)).distance).toBe(0);
  });

  it('compares classes alone where there are no scores to compare', () => {
    const seven: Prediction = { kind: 'class', label: 7 };
    expect(parted(seven, seven).distance).toBe(0);
    const changed = parted(seven, { kind: 'class', label: 1 });
    expect(changed).toMatchObject({ distance: 1, reason: { kind: 'class', from: 7, to: 1 } });
    expect(changed.reason).not.toHaveProperty('shares');
    expect(changed.answers()).toEqual([seven, { kind: 'class', label: 1 }]);
    expect(parted(scores(0, 1, 0), { kind: 'class', label: 1 }).distance).toBe(0);
    expect(parted(scores(0, 1, 0), scores(0, 1)).distance).toBe(0);
  });

  it('parts wholly where one of the two is not finite, and tells no share of it', () => {
    const { distance, reason, answers } = parted(scores(0, 1), scores(NaN, 1));
    expect(distance).toBe(1);
    expect(reason).toEqual({ kind: 'class', from: 1, to: undefined });
    expect(answers()[1]).toEqual({ kind: 'scores', best: [] });
    expect(parted(scores(NaN, 1), scores(Infinity, 1)).distance).toBe(0);
  });

  it('reads a single score as that of class 1, which changes for nobody knows what threshold', () => {
    const shares = parted(scores(0.6), scores(0.4));
    expect(shares.distance).toBeCloseTo(0.2, 10);
    expect(shares.reason).toEqual({ kind: 'class', from: 1, to: 1, shares: [0.6, 0.4] });
    const logits = parted(scores(2), scores(-2));
    expect(logits.distance).toBeCloseTo(0.7616, 4);
    expect(logits.answers()[1]).toMatchObject({ best: [{ label: 0 }, { label: 1 }] });
  });
});

describe('partingOf boxes', () => {
  const a = [0, 0, 0.4, 0.4, 1, 0.9];
  const b = [0.5, 0.5, 0.9, 0.9, 2, 0.8];
  const faint = [0, 0, 1, 1, 3, 0.29];

  it('is 0 where both show the same, whatever is too faint to be shown', () => {
    expect(parted(boxes(a, b, faint), boxes(b, a)).distance).toBe(0);
    expect(parted(boxes(), boxes(faint)).distance).toBe(0);
  });

  it('counts boxes of another class as lost and new', () => {
    const { distance, reason } = parted(boxes(a, b), boxes(a, [...b.slice(0, 4), 1, 0.8]));
    expect(reason).toEqual({ kind: 'boxes', shared: 1, reference: 2, candidate: 2 });
    expect(distance).toBeCloseTo(1 - 3 / 5, 4);
  });

  it('takes the loss of many for more than that of the only one', () => {
    expect(parted(boxes(a, b), boxes()).distance).toBeGreaterThan(parted(boxes(a), boxes()).distance);
  });

  it('keeps the hundred best boxes, and none that is not finite', () => {
    const many = Array.from({ length: 300 }, (_, i) => [0, 0, 0.5, 0.5, 0, 0.3 + i / 1000]);
    const [, candidate] = parted(boxes(a), boxes([NaN, 0, 1, 1, 0, 0.99], ...many)).answers();
    expect(candidate.kind === 'boxes' && candidate.boxes).toHaveLength(100);
    expect(candidate.kind === 'boxes' && candidate.boxes[0]!.score).toBeCloseTo(0.599, 10);
  });
});

describe('partingOf masks', () => {
  it('is 1 - mean IoU over the classes of either', () => {
    const was = maskOf([
      [0, 0, 1, 1],
      [0, 0, 1, 1],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const is = maskOf([
      [0, 0, 1, 2],
      [0, 0, 1, 2],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const { distance, reason } = parted(was, is);
    // 12 of 12, 2 of 4, 0 of 2.
    expect(distance).toBe(0.5);
    expect(reason).toEqual({ kind: 'mask', iou: 0.5 });
    expect(parted(was, was).distance).toBe(0);
  });

  it('compares grids of different sizes where they lie on the picture', () => {
    const coarse = maskOf([
      [0, 1],
      [2, 3],
    ]);
    const fine = maskOf([
      [0, 0, 1, 1],
      [0, 0, 1, 1],
      [2, 2, 3, 3],
      [2, 2, 3, 3],
    ]);
    expect(parted(coarse, fine).distance).toBe(0);
  });

  it('passes over what lies beside the picture in the input', () => {
    const placement = { scaleX: 1, offsetX: 0, scaleY: 0.5, offsetY: 0 };
    const was = maskOf([[1], [1]]);
    const is = maskOf([[1], [0]]);
    expect(partingOf(was, is, { ...GROUND, placement })!.distance).toBe(0);
    expect(parted(was, is).distance).toBe(0.75);
  });
});

it('has nothing to say of values, and of predictions of different kinds', () => {
  expect(partingOf(values(1), values(2), GROUND)).toBeUndefined();
  expect(partingOf(boxes(), scores(1, 0), GROUND)).toBeUndefined();
});
