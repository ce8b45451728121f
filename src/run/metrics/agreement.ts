/** How often a network says what the reference says: the answer when there are no labels. */
import type { BoxesPrediction, MaskPrediction, PredictionKind } from '../predictions/prediction.js';
import { Hits } from './hits.js';
import { leading } from './leading.js';
import { isFiniteBox } from './matching.js';
import type { Metric, MetricResult, ScoredSample, Scorer, ScorerOptions } from './metric.js';
import { ClassPairs } from './pixels.js';
import { LEAST_IOU, LEAST_SCORE, sharedBoxes } from './shared-boxes.js';
import {
  stateOf,
  type ClassAgreementState,
  type PixelAgreementState,
  type ScorerState,
} from './scorer-state.js';
import { summedScorer, type SummedMetric } from './summed.js';
import { TransitionCounts } from './transitions.js';

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

  state(): ScorerState {
    return this.#scorer?.state() ?? { kind: 'empty' };
  }

  merge(state: ScorerState): void {
    if (state.kind === 'empty') return;
    this.#scorer ??= scorerOf(KINDS[state.kind] ?? 'scores', this.#options);
    this.#scorer.merge(state);
  }
}

/** Predictions that a state is of; of classes where nothing is said. */
const KINDS: Readonly<Partial<Record<ScorerState['kind'], PredictionKind>>> = {
  'agreement of pixels': 'mask',
  summed: 'boxes',
};

function scorerOf(kind: PredictionKind, options: ScorerOptions): Scorer {
  if (kind === 'mask') return new PixelAgreement(options);
  if (kind === 'boxes') return summedScorer(boxAgreement, options);
  return new ClassAgreement(options);
}

class ClassAgreement implements Scorer {
  readonly #hits: Hits;
  readonly #networks: number;
  readonly #transitions = new TransitionCounts();

  constructor({ networks }: ScorerOptions) {
    this.#networks = networks;
    this.#hits = new Hits(networks);
  }

  add({ id, predictions }: ScoredSample): void {
    const leads = predictions.map((prediction) => leading(prediction, 1));
    this.#hits.add(id, leads[0]!.classes[0], undefined, leads);
    this.#transitions.add(leads[0]!.classes[0], leads[1]?.classes[0]);
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
      ...(this.#networks < 2 ? {} : { transitions: this.#transitions.result }),
    };
  }

  state(): ClassAgreementState {
    return {
      kind: 'agreement of classes',
      hits: this.#hits.state,
      transitions: this.#transitions.state,
    };
  }

  merge(state: ScorerState): void {
    const { hits, transitions } = stateOf(state, 'agreement of classes');
    this.#hits.merge(hits);
    this.#transitions.merge(transitions);
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

class PixelAgreement implements Scorer {
  readonly #sums: Scorer;
  readonly #networks: number;
  readonly #pairs = new ClassPairs();

  constructor(options: ScorerOptions) {
    this.#sums = summedScorer(pixelAgreement, options);
    this.#networks = options.networks;
  }

  add(sample: ScoredSample): void | Promise<void> {
    const [reference, candidate] = sample.predictions;
    if (reference?.kind === 'mask' && candidate?.kind === 'mask') this.#pairs.add(reference, candidate);
    return this.#sums.add(sample);
  }

  result(): MetricResult {
    return {
      ...this.#sums.result(),
      ...(this.#networks < 2 ? {} : { transitions: this.#pairs.transitions }),
    };
  }

  state(): PixelAgreementState {
    const sums = stateOf(this.#sums.state(), 'summed');
    return { kind: 'agreement of pixels', sums, pairs: this.#pairs.state };
  }

  merge(state: ScorerState): void {
    const { sums, pairs } = stateOf(state, 'agreement of pixels');
    this.#sums.merge(sums);
    this.#pairs.merge(pairs);
  }
}

const boxAgreement: SummedMetric = {
  ...SHARE,
  measure: ({ predictions }, network) => {
    const { shared, reference, candidate } = sharedBoxes(
      predictions[0] as BoxesPrediction,
      predictions[network] as BoxesPrediction,
    );
    return [2 * shared, reference + candidate];
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
