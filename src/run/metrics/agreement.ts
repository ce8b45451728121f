/** How often a network says what the reference says: the answer when there are no labels. */
import type { BoxesPrediction, MaskPrediction, PredictionKind } from '../predictions/prediction.js';
import { Hits } from './hits.js';
import { leading } from './leading.js';
import { byLabel, isFiniteBox, matchBoxes } from './matching.js';
import type { Metric, MetricResult, ScoredSample, Scorer, ScorerOptions } from './metric.js';
import { summedScorer, type SummedMetric } from './summed.js';

/** What a demonstration would draw, and where two boxes are of the same thing. */
const LEAST_SCORE = 0.3;
const LEAST_IOU = 0.5;
/** Per image; outputs that were never thinned out have many thousands. */
const MOST_BOXES = 1000;

export const agreement: Metric = {
  name: 'agreement',
  truths: [],
  predictions: ['scores', 'class', 'mask', 'boxes'],
  scorer: (options) => new AgreementScorer(options),
};

/** Takes the form that the first sample's predictions ask for. */
class AgreementScorer implements Scorer {
  readonly #options: ScorerOptions;
  #scorer: Scorer | undefined;

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  add(sample: ScoredSample): void | Promise<void> {
    this.#scorer ??= scorerOf(sample.predictions[0]!.kind, this.#options);
    return this.#scorer.add(sample);
  }

  result(): MetricResult {
    return (this.#scorer ?? scorerOf('scores', this.#options)).result();
  }
}

function scorerOf(kind: PredictionKind, options: ScorerOptions): Scorer {
  if (kind === 'mask') return summedScorer(pixelAgreement, options);
  if (kind === 'boxes') return summedScorer(boxAgreement, options);
  return new ClassAgreement(options);
}

class ClassAgreement implements Scorer {
  readonly #hits: Hits;
  readonly #networks: number;

  constructor({ networks }: ScorerOptions) {
    this.#networks = networks;
    this.#hits = new Hits(networks);
  }

  add({ id, predictions }: ScoredSample): void {
    const leads = predictions.map((prediction) => leading(prediction, 1));
    this.#hits.add(id, leads[0]!.classes[0], undefined, leads);
  }

  result(): MetricResult {
    return {
      metric: 'agreement',
      unit: '%',
      better: 'higher',
      description:
        'agreement: samples in which the network gives the largest score to the same class as the reference; of equal ones the first. ' +
        'NaN agrees with nothing',
      samples: this.#hits.samples,
      networks: Array.from({ length: this.#networks }, (_, network) => this.#hits.score(network)),
      disagreements: this.#hits.disagreements,
      leftOut: 0,
    };
  }
}

const SHARE = {
  name: 'agreement',
  unit: '%',
  better: 'higher',
  value: (sum) => (100 * sum(0)) / sum(1),
} as const satisfies Partial<SummedMetric>;

const pixelAgreement: SummedMetric = {
  ...SHARE,
  measure: ({ predictions }, network) => {
    const reference = predictions[0] as MaskPrediction;
    const candidate = predictions[network] as MaskPrediction;
    const cells = reference.data.length;
    if (reference.width !== candidate.width || reference.height !== candidate.height) return [0, cells];
    let equal = 0;
    for (let i = 0; i < cells; i++) if (reference.data[i] === candidate.data[i]) equal++;
    return [equal, cells];
  },
  ties: ({ predictions }, network) => (predictions[network] as MaskPrediction).ties,
  isNonFinite,
  description: () =>
    'agreement: pixels of the output to which the network gives the same class as the reference',
};

const boxAgreement: SummedMetric = {
  ...SHARE,
  measure: ({ predictions }, network) => {
    const reference = shown(predictions[0] as BoxesPrediction);
    const candidate = shown(predictions[network] as BoxesPrediction);
    const candidates = byLabel(candidate);
    let found = 0;
    for (const [label, boxes] of byLabel(reference)) {
      const truths = boxes.map((box) => ({ ...box, crowd: false }));
      const match = matchBoxes(truths, candidates.get(label) ?? [], [LEAST_IOU], MOST_BOXES);
      found += match.found.reduce((sum, bit) => sum + bit, 0);
    }
    return [2 * found, reference.length + candidate.length];
  },
  isNonFinite,
  description: () =>
    `agreement: boxes with score >= ${LEAST_SCORE} that reference and network share (same class, IoU >= ${LEAST_IOU}), ` +
    'as F1: twice the shared ones over the boxes of both',
};

function isNonFinite({ predictions }: ScoredSample, network: number): boolean {
  const prediction = predictions[network] as MaskPrediction | BoxesPrediction;
  return prediction.nonFinite > 0 || (prediction.kind === 'boxes' && !prediction.boxes.every(isFiniteBox));
}

function shown({ boxes }: BoxesPrediction): BoxesPrediction['boxes'] {
  return boxes
    .filter((box) => isFiniteBox(box) && box.score >= LEAST_SCORE)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_BOXES);
}
