/** Metrics of numbers against numbers: RMSE, MAE, cosine similarity, PSNR. */
import { DataError } from '../../errors.js';
import type { Prediction } from '../predictions/prediction.js';
import type { Metric, ScoredSample } from './metric.js';
import { areFinite } from './probabilities.js';
import { leftOutBy, summedScorer, type Omission, type SummedMetric } from './summed.js';

type Numbers = Float32Array | Float64Array;

interface Pair {
  readonly truth: Numbers;
  readonly prediction: Numbers;
}

/** What a prediction is compared with: the labels, or the reference where there are none. NaN in labels: the value is not known. */
function pairOf(metric: string, { id, truth, predictions }: ScoredSample, network: number): Pair | Omission {
  if (truth !== undefined && truth.kind !== 'values') return 'nothing counts';
  const prediction = numbersOf(predictions[network]!);
  const wanted = truth?.data ?? numbersOf(predictions[0]!);
  if (wanted.length !== prediction.length)
    throw new DataError(
      `${metric}: sample ${id} has ${wanted.length} values in the ${truth === undefined ? 'reference' : 'labels'}, ` +
        `but the outputs have ${prediction.length}`,
      { hint: '--decode ./my-decode.js' },
    );
  if (truth === undefined)
    return areFinite(wanted) && areFinite(prediction) ? { truth: wanted, prediction } : 'not finite';
  const known =
    wanted.findIndex(Number.isNaN) < 0
      ? undefined
      : [...wanted.keys()].filter((i) => !Number.isNaN(wanted[i]));
  if (wanted.length === 0 || known?.length === 0) return 'nothing counts';
  const pair =
    known === undefined
      ? { truth: wanted, prediction }
      : {
          truth: Float64Array.from(known, (i) => wanted[i]!),
          prediction: Float64Array.from(known, (i) => prediction[i]!),
        };
  return areFinite(pair.prediction) ? pair : 'not finite';
}

function numbersOf(prediction: Prediction): Numbers {
  if (prediction.kind === 'values') return prediction.data;
  if (prediction.kind === 'scores') return prediction.scores;
  throw new TypeError(`a ${prediction.kind} is no list of numbers`);
}

function distance(
  name: string,
  measured: () => Omit<SummedMetric, 'name' | 'measure'> & {
    measure(pair: Pair, network: number): readonly number[] | Omission;
  },
): Metric {
  return {
    name,
    truths: ['values'],
    labelFree: true,
    predictions: ['values', 'scores'],
    scorer: (options) => {
      const metric = measured();
      return summedScorer(
        {
          ...metric,
          name,
          measure: (sample, network) => {
            const pair = pairOf(name, sample, network);
            return typeof pair === 'string' ? pair : metric.measure(pair, network);
          },
        },
        options,
      );
    },
  };
}

const NOT_FINITE = 'samples with outputs that are not finite are left out of that network and counted';

/** Over all values of all samples, as numpy's sqrt(mean((y - x) ** 2)). */
export const rmse: Metric = distance('rmse', () => ({
  unit: '',
  better: 'lower',
  measure: ({ truth, prediction }) => [squaredError(truth, prediction), truth.length],
  value: (sum) => Math.sqrt(sum(0) / sum(1)),
  description: () => `RMSE: root of the mean squared error over all values of all samples; ${NOT_FINITE}`,
}));

export const mae: Metric = distance('mae', () => ({
  unit: '',
  better: 'lower',
  measure: ({ truth, prediction }) => {
    let sum = 0;
    for (let i = 0; i < truth.length; i++) sum += Math.abs(prediction[i]! - truth[i]!);
    return [sum, truth.length];
  },
  value: (sum) => sum(0) / sum(1),
  description: () => `MAE: mean absolute error over all values of all samples; ${NOT_FINITE}`,
}));

export const cosine: Metric = distance('cosine', () => ({
  unit: '',
  better: 'higher',
  measure: ({ truth, prediction }) => {
    let product = 0;
    let truthEnergy = 0;
    let energy = 0;
    for (let i = 0; i < truth.length; i++) {
      product += truth[i]! * prediction[i]!;
      truthEnergy += truth[i]! ** 2;
      energy += prediction[i]! ** 2;
    }
    return truthEnergy === 0 || energy === 0
      ? 'undefined'
      : [product / (Math.sqrt(truthEnergy) * Math.sqrt(energy))];
  },
  value: (sum, samples) => sum(0) / samples,
  description: (zeros) =>
    `cosine similarity: mean over the samples; ${NOT_FINITE}${leftOutBy(zeros, 'with nothing but zeros')}`,
}));

/**
 * The peak is the range of the labels (of the reference without labels) over the whole data set, as torchmetrics' PeakSignalNoiseRatio
 * with data_range None, but without its 0. Since log(peak² / mse) = log(peak²) - log(mse), it may become known at the end.
 */
export const psnr: Metric = distance('psnr', () => {
  let low = Infinity;
  let high = -Infinity;
  return {
    unit: 'dB',
    better: 'higher',
    measure: ({ truth, prediction }) => {
      for (const value of truth) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      const squared = squaredError(truth, prediction);
      return squared === 0 ? 'undefined' : [10 * Math.log10(squared / truth.length)];
    },
    found: (): Readonly<Record<string, number>> => (high >= low ? { low, high } : {}),
    find: (found) => {
      low = Math.min(low, found['low'] ?? Infinity);
      high = Math.max(high, found['high'] ?? -Infinity);
    },
    value: (sum, samples) => (high > low ? 20 * Math.log10(high - low) - sum(0) / samples : undefined),
    description: (exact) =>
      `PSNR: mean over the samples; peak ${high > low ? `${Number((high - low).toPrecision(6))}, ` : ''}the range of what is compared with, over ` +
      `all samples; ${NOT_FINITE}${leftOutBy(exact, 'without any error')}`,
  };
});

function squaredError(truth: Numbers, prediction: Numbers): number {
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (prediction[i]! - truth[i]!) ** 2;
  return sum;
}
