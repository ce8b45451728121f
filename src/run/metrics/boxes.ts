/** mAP of detectors, agreeing with pycocotools (COCOeval, bbox, area `all`, 100 detections per class and image). */
import { IGNORED, type TruthBox } from '../labels/truth.js';
import { averagePrecision, emptyCurve, ranked, type RankedDetections } from './average-precision.js';
import { affordableReplicates, weightsOfReplicate } from './bootstrap.js';
import { growingFloats, growingIntegers } from './growing.js';
import { byLabel, isFiniteBox, matchBoxes } from './matching.js';
import {
  eachOf,
  requireLength,
  requirePositions,
  stateOf,
  type BoxState,
  type ScorerState,
} from './scorer-state.js';
import type {
  ClassScore,
  Metric,
  MetricResult,
  NetworkScore,
  ScoredSample,
  Scorer,
  ScorerOptions,
} from './metric.js';

type BoxMetricName = 'map' | 'map50' | 'map75';

/** numpy.linspace(0.5, 0.95, 10), as pycocotools. */
const COCO_THRESHOLDS = Array.from({ length: 10 }, (_, i) => (i === 9 ? 0.95 : i * ((0.95 - 0.5) / 9) + 0.5));

const THRESHOLDS: Readonly<Record<BoxMetricName, readonly number[]>> = {
  map: COCO_THRESHOLDS,
  map50: COCO_THRESHOLDS.slice(0, 1),
  map75: COCO_THRESHOLDS.slice(5, 6),
};

/** Thresholds of `map` that stand beside it. */
const BESIDE = [
  { metric: 'map50', bit: 0 },
  { metric: 'map75', bit: 5 },
] as const;

const DESCRIPTIONS: Readonly<Record<BoxMetricName, string>> = {
  map: 'mAP@[.5:.95] as COCO: mean over 10 IoU thresholds and the classes that have boxes in the labels',
  map50: 'mAP@.5 as COCO: boxes count from IoU 0.5, mean over the classes that have boxes in the labels',
  map75: 'mAP@.75 as COCO: boxes count from IoU 0.75, mean over the classes that have boxes in the labels',
};

export function boxMetric(name: BoxMetricName): Metric {
  return {
    name,
    truths: ['boxes'],
    predictions: ['boxes'],
    scorer: (options) => new BoxScorer(name, options),
  };
}

/**
 * Precision depends on the order of all detections by score, so they must be kept: 24 bytes each, at most 100 per class and image.
 * Which box each of them finds is decided image by image.
 */
class Detections {
  readonly #classes = growingIntegers();
  readonly #images = growingIntegers();
  readonly #scores = growingFloats();
  readonly #found = growingIntegers();
  readonly #excused = growingIntegers();
  nonFinite = 0;

  push(label: number, image: number, score: number, found: number, excused: number): void {
    this.#classes.push(label);
    this.#images.push(image);
    this.#scores.push(score);
    this.#found.push(found);
    this.#excused.push(excused);
  }

  get state(): BoxState['detections'][number] {
    return {
      classes: this.#classes.values,
      images: this.#images.values,
      scores: this.#scores.values,
      found: this.#found.values,
      excused: this.#excused.values,
      nonFinite: this.nonFinite,
    };
  }

  /** @param before images that are there already, @param count images of `state` */
  merge(state: BoxState['detections'][number], before: number, count: number): void {
    const { classes, images, scores, found, excused, nonFinite } = state;
    requirePositions(images, count);
    for (const column of [images, scores, found, excused]) requireLength(column, classes.length);
    for (const [i, label] of classes.entries())
      this.push(label, before + images[i]!, scores[i]!, found[i]!, excused[i]!);
    this.nonFinite += nonFinite;
  }

  byClass(labels: Iterable<number>, thresholds: number): Map<number, RankedDetections> {
    const members = new Map<number, number[]>(Array.from(labels, (label) => [label, []]));
    for (const [i, label] of this.#classes.values.entries()) members.get(label)?.push(i);
    const columns = { images: this.#images.values, found: this.#found.values, excused: this.#excused.values };
    const scores = this.#scores.values;
    return new Map(
      [...members].map(([label, indices]) => [label, ranked(indices, scores, columns, thresholds)]),
    );
  }
}

/** Boxes of the labels of one class: images and how many each has, crowds not counted. */
interface ClassBoxes {
  readonly images: number[];
  readonly counts: number[];
}

interface Precisions {
  /** Sum over classes by threshold; every class of the labels counts. */
  readonly byThreshold: Float64Array;
  readonly classes: number;
}

class BoxScorer implements Scorer {
  readonly #name: BoxMetricName;
  readonly #options: ScorerOptions;
  readonly #thresholds: readonly number[];
  readonly #detections: readonly Detections[];
  readonly #boxes = new Map<number, ClassBoxes>();
  readonly #indices = growingIntegers();
  readonly #curve = emptyCurve();
  #leftOut = 0;

  constructor(name: BoxMetricName, options: ScorerOptions) {
    this.#name = name;
    this.#options = options;
    this.#thresholds = THRESHOLDS[name];
    this.#detections = Array.from({ length: options.networks }, () => new Detections());
  }

  add({ index, truth, predictions }: ScoredSample): void {
    if (truth?.kind !== 'boxes') {
      this.#leftOut++;
      return;
    }
    const image = this.#indices.length;
    this.#indices.push(index);
    const truths = byLabel(truth.boxes.filter(({ label }) => label !== IGNORED));
    for (const [label, boxes] of truths) this.#addTruths(label, image, boxes);
    for (const [i, prediction] of predictions.entries()) {
      if (prediction.kind !== 'boxes') throw new TypeError(`a ${prediction.kind} is no list of boxes`);
      const detections = this.#detections[i]!;
      const finite = prediction.boxes.filter(isFiniteBox);
      if (prediction.nonFinite > 0 || finite.length < prediction.boxes.length) detections.nonFinite++;
      for (const [label, boxes] of byLabel(finite)) {
        const match = matchBoxes(truths.get(label) ?? [], boxes, this.#thresholds);
        for (const [d, score] of match.scores.entries())
          detections.push(label, image, score, match.found[d]!, match.excused[d]!);
      }
    }
  }

  #addTruths(label: number, image: number, boxes: readonly TruthBox[]): void {
    const count = boxes.filter(({ crowd }) => !crowd).length;
    if (count === 0) return;
    const known = this.#boxes.get(label) ?? { images: [], counts: [] };
    known.images.push(image);
    known.counts.push(count);
    this.#boxes.set(label, known);
  }

  state(): BoxState {
    return {
      kind: 'boxes',
      indices: this.#indices.values,
      leftOut: this.#leftOut,
      boxes: [...this.#boxes].map(([label, { images, counts }]) => ({
        label,
        images: Int32Array.from(images),
        counts: Int32Array.from(counts),
      })),
      detections: this.#detections.map((detections) => detections.state),
    };
  }

  merge(state: ScorerState): void {
    const { indices, leftOut, boxes, detections } = stateOf(state, 'boxes');
    const before = this.#indices.length;
    this.#leftOut += leftOut;
    this.#indices.append(indices);
    for (const { label, images, counts } of boxes) {
      requirePositions(images, indices.length);
      requireLength(counts, images.length);
      const known = this.#boxes.get(label) ?? { images: [], counts: [] };
      for (const [i, image] of images.entries()) {
        known.images.push(before + image);
        known.counts.push(counts[i]!);
      }
      this.#boxes.set(label, known);
    }
    eachOf(this.#detections, detections, (own, more) => own.merge(more, before, indices.length));
  }

  result(): MetricResult {
    const labels = [...this.#boxes.keys()].sort((a, b) => a - b);
    const networks = this.#detections.map((detections) =>
      detections.byClass(labels, this.#thresholds.length),
    );
    const replicates = this.#replicates(labels, networks);
    return {
      metric: this.#name,
      unit: '%',
      better: 'higher',
      description: `${DESCRIPTIONS[this.#name]}${replicates.note}`,
      samples: this.#indices.length,
      networks: networks.map((detections, i) => this.#score(i, labels, detections, replicates.values[i]!)),
      disagreements: [],
      leftOut: this.#leftOut,
    };
  }

  #replicates(
    labels: readonly number[],
    networks: readonly ReadonlyMap<number, RankedDetections>[],
  ): { readonly values: readonly Float64Array[]; readonly note: string } {
    const steps = networks
      .flatMap((detections) => [...detections.values()])
      .reduce((sum, { lengths }) => sum + lengths.reduce((total, length) => total + length + 100, 0), 0);
    const { count, note } = affordableReplicates(this.#options.replicates, steps);
    const values = networks.map(() => new Float64Array(count));
    const weights = new Uint8Array(this.#indices.length);
    for (let replicate = 0; replicate < count; replicate++) {
      weightsOfReplicate(this.#indices.values, replicate, weights);
      for (const [i, detections] of networks.entries())
        values[i]![replicate] = meanOf(this.#precisions(labels, detections, weights)) ?? NaN;
    }
    return { values, note };
  }

  #precisions(
    labels: readonly number[],
    detections: ReadonlyMap<number, RankedDetections>,
    weights: Uint8Array,
    onClass?: (label: number, boxes: number, precision: number, recall: number) => void,
  ): Precisions {
    const byThreshold = new Float64Array(this.#thresholds.length);
    let classes = 0;
    for (const label of labels) {
      const boxes = countOf(this.#boxes.get(label)!, weights);
      if (boxes === 0) continue;
      classes++;
      let sum = 0;
      let recall = 0;
      for (const bit of this.#thresholds.keys()) {
        const point = averagePrecision(detections.get(label)!, bit, weights, boxes, this.#curve);
        byThreshold[bit]! += point.precision;
        sum += point.precision;
        if (bit === 0) ({ recall } = point);
      }
      onClass?.(label, boxes, sum / this.#thresholds.length, recall);
    }
    return { byThreshold, classes };
  }

  #score(
    network: number,
    labels: readonly number[],
    detections: ReadonlyMap<number, RankedDetections>,
    replicates: Float64Array,
  ): NetworkScore {
    const perClass: ClassScore[] = [];
    const once = new Uint8Array(this.#indices.length).fill(1);
    const precisions = this.#precisions(labels, detections, once, (label, support, precision, recall) => {
      perClass.push({ label, value: 100 * precision, support, recall: 100 * recall });
    });
    const value = meanOf(precisions);
    return {
      ...(value === undefined ? {} : { value }),
      replicates,
      perClass,
      ties: 0,
      nonFinite: this.#detections[network]!.nonFinite,
      ...(value === undefined || this.#name !== 'map'
        ? {}
        : {
            also: BESIDE.map(({ metric, bit }) => ({
              metric,
              value: (100 * precisions.byThreshold[bit]!) / precisions.classes,
            })),
          }),
    };
  }
}

/** In percent; undefined when no class has a box. */
function meanOf({ byThreshold, classes }: Precisions): number | undefined {
  if (classes === 0) return undefined;
  return (100 * byThreshold.reduce((sum, precision) => sum + precision, 0)) / (classes * byThreshold.length);
}

function countOf({ images, counts }: ClassBoxes, weights: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < images.length; i++) sum += weights[images[i]!]! * counts[i]!;
  return sum;
}
