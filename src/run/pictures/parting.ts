/** How far a candidate parts from the reference on a sample, and in what. */
import type { Picture } from '../data/dataset.js';
import { leading } from '../metrics/leading.js';
import { sharedBoxes, shownBoxes, type SharedBoxes } from '../metrics/shared-boxes.js';
import type { Placement, PredictedBox, Prediction } from '../predictions/prediction.js';
import { bestShares, sharesOf, totalVariation, type ClassShare } from './shares.js';
import { maskOver, type MaskComparer, type SmallMask } from './small-mask.js';

/** Classes of a sample that are told, and boxes that are drawn. */
const MOST_CLASSES = 3;
export const MOST_BOXES = 100;

/** What is held of a prediction until it is shown. */
export type Answer =
  | { readonly kind: 'class'; readonly label: number }
  /** Empty where the scores are not finite. */
  | { readonly kind: 'scores'; readonly best: readonly ClassShare[] }
  | { readonly kind: 'boxes'; readonly boxes: readonly PredictedBox[]; readonly all?: number }
  | { readonly kind: 'mask'; readonly mask: SmallMask };

export type Reason =
  /** First classes, undefined where there is none. Shares are of the reference's class in both, where there are scores. */
  | {
      readonly kind: 'class';
      readonly from: number | undefined;
      readonly to: number | undefined;
      readonly shares?: readonly [reference: number, candidate: number];
    }
  | ({ readonly kind: 'boxes' } & SharedBoxes)
  | { readonly kind: 'mask'; readonly iou: number };

export interface Parting {
  /** 0 (the same) .. 1, in steps of 0.0001: what is closer is no difference. */
  readonly distance: number;
  readonly reason: Reason;
  /** Made only of samples that are kept. */
  readonly answers: () => readonly [reference: Answer, candidate: Answer];
}

export interface Ground {
  readonly comparer: MaskComparer;
  readonly placement: Placement;
  /** Of the small picture. */
  readonly size: Picture;
}

/**
 * Classes: half the total variation of their shares, and 0.5 more where another class leads. Masks: 1 - mean IoU over the picture.
 * Boxes: 1 - F1 of those that are shown, as if one half of a box more were shared: to lose six is worse than to lose the only one.
 *
 * @returns undefined for predictions that are no pictures' matter, or of different kinds
 */
export function partingOf(reference: Prediction, candidate: Prediction, ground: Ground): Parting | undefined {
  if (reference.kind === 'boxes' && candidate.kind === 'boxes') {
    const counts = sharedBoxes(reference, candidate);
    const { shared, reference: wanted, candidate: met } = counts;
    return {
      distance: rounded(1 - (2 * shared + 1) / (wanted + met + 1)),
      reason: { kind: 'boxes', ...counts },
      answers: () => [boxesOf(shownBoxes(reference)), boxesOf(shownBoxes(candidate))],
    };
  }
  if (reference.kind === 'mask' && candidate.kind === 'mask') {
    const [was, is] = [reference, candidate].map((mask) => maskOver(mask, ground.size, ground.placement));
    const iou = ground.comparer.iou(was!, is!);
    return {
      distance: rounded(1 - iou),
      reason: { kind: 'mask', iou },
      answers: () => [
        { kind: 'mask', mask: was! },
        { kind: 'mask', mask: is! },
      ],
    };
  }
  return isOfClasses(reference) && isOfClasses(candidate) ? classParting(reference, candidate) : undefined;
}

type OfClasses = Extract<Prediction, { kind: 'class' | 'scores' }>;

function isOfClasses(prediction: Prediction): prediction is OfClasses {
  return prediction.kind === 'class' || prediction.kind === 'scores';
}

function classParting(reference: OfClasses, candidate: OfClasses): Parting {
  const [from, to] = [reference, candidate].map((prediction) => leading(prediction, 1).classes[0]);
  const isChanged = from !== to;
  const scores = scoresOfBoth(reference, candidate);
  if (scores === undefined || from === undefined || to === undefined) {
    return {
      distance: isChanged ? 1 : 0,
      reason: { kind: 'class', from, to },
      answers: () => [alone(reference, from), alone(candidate, to)],
    };
  }
  const [was, is] = sharesOf(scores) as [ArrayLike<number>, ArrayLike<number>];
  const variation = totalVariation(was, is);
  const isSingle = scores[0].length === 1;
  // Of a single score nobody knows from where on it is a yes.
  const label = isSingle ? 1 : from;
  return {
    distance: rounded(isSingle ? variation : (variation + (isChanged ? 1 : 0)) / 2),
    reason: { kind: 'class', from: label, to: isSingle ? label : to, shares: [was[label]!, is[label]!] },
    answers: () => [scoresAnswer(was), scoresAnswer(is)],
  };
}

/** @returns undefined where they cannot be compared one by one */
function scoresOfBoth(
  reference: OfClasses,
  candidate: OfClasses,
): readonly [ArrayLike<number>, ArrayLike<number>] | undefined {
  if (reference.kind !== 'scores' || candidate.kind !== 'scores') return undefined;
  if (reference.scores.length !== candidate.scores.length) return undefined;
  return [reference.scores, candidate.scores];
}

function alone(prediction: OfClasses, first: number | undefined): Answer {
  if (first === undefined) return { kind: 'scores', best: [] };
  if (prediction.kind === 'class') return { kind: 'class', label: first };
  return scoresAnswer(sharesOf([prediction.scores])[0]!);
}

function scoresAnswer(shares: ArrayLike<number>): Answer {
  return { kind: 'scores', best: bestShares(shares, MOST_CLASSES) };
}

function boxesOf(boxes: readonly PredictedBox[]): Answer {
  return {
    kind: 'boxes',
    boxes: boxes.slice(0, MOST_BOXES),
    ...(boxes.length > MOST_BOXES ? { all: boxes.length } : {}),
  };
}

function rounded(distance: number): number {
  return Math.round(distance * 1e4) / 1e4;
}
