/** Kullback-Leibler divergence of a network's class probabilities from the reference's. */
import { DataError } from '../../errors.js';
import type { Metric, ScoredSample } from './metric.js';
import { areFinite, areProbabilities, logSoftmax } from './probabilities.js';
import { summedScorer, type Omission } from './summed.js';

/** Probabilities of 0, which 8 bits often give, would make it infinite: clipped as in Keras' KLDivergence. */
const SMALLEST = 1e-7;

export const kl: Metric = {
  name: 'kl',
  truths: [],
  predictions: ['scores'],
  scorer: (options) => {
    // One rule for all samples and networks: what the reference's first outputs are.
    let isGiven: boolean | undefined;
    const logProbabilities = (scores: Float32Array | Float64Array): Float64Array => {
      if (isGiven !== true) return logSoftmax(scores);
      const clipped = Float64Array.from(scores, (score) => Math.min(1, Math.max(SMALLEST, score)));
      const sum = clipped.reduce((total, score) => total + score, 0);
      return clipped.map((score) => Math.log(score / sum));
    };
    const measure = ({ id, predictions }: ScoredSample, network: number): readonly number[] | Omission => {
      const reference = predictions[0];
      const candidate = predictions[network];
      if (reference?.kind !== 'scores' || candidate?.kind !== 'scores') return 'nothing counts';
      if (reference.scores.length !== candidate.scores.length)
        throw new DataError(
          `kl: sample ${id} has ${reference.scores.length} scores in the reference, but ${candidate.scores.length} in another network`,
        );
      if (!areFinite(reference.scores) || !areFinite(candidate.scores)) return 'not finite';
      isGiven ??= areProbabilities(reference.scores);
      const p = logProbabilities(reference.scores);
      const q = logProbabilities(candidate.scores);
      let sum = 0;
      for (let i = 0; i < p.length; i++) sum += Math.exp(p[i]!) * (p[i]! - q[i]!);
      return [sum];
    };
    return summedScorer(
      {
        name: 'kl',
        unit: '',
        better: 'lower',
        measure,
        found: (): Readonly<Record<string, number>> =>
          isGiven === undefined ? {} : { isGiven: Number(isGiven) },
        find: (found) => {
          const given = found['isGiven'] === undefined ? isGiven : found['isGiven'] === 1;
          if (isGiven !== undefined && given !== isGiven)
            throw new DataError(
              'kl: scores of the first sample are probabilities in one part of the samples only',
            );
          isGiven = given;
        },
        value: (sum, samples) => sum(0) / samples,
        description: () =>
          `KL divergence of the network from the reference, in nats, mean over the samples; probabilities are ` +
          `${isGiven === true ? `the outputs, those below ${SMALLEST} counted as that` : 'the softmax of the outputs'}; ` +
          'samples with outputs that are not finite are left out of that network and counted',
      },
      options,
    );
  },
};
