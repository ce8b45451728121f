/** What the numbers of a layer say for certain, in sentences. */
import type { ErrorMeasurement } from '../../diff/measurement.js';
import { percent } from '../frame/numbers.js';
import type { LayerTensor } from './layer.js';

/** Errors differ by this where one is twice the other, in amplitude. */
const TWICE_DB = 6;
const ALIKE_DB = 1;
/** What a channel is below its tensor to be worth a sentence. */
const APART_DB = 10;
const FEW_LEVELS = 16;
const MOST_OF_IT = 0.5;

/** Sentences, the most telling first; none where nothing is certain. */
export function readingsOf(tensor: LayerTensor, hasConstants: boolean): string[] {
  const { self, local, cumulative, levels } = tensor;
  const main = local ?? cumulative ?? self;
  return [
    ...nonFinite(main),
    ...(tensor.role === 'input' ? [] : ownShare(self, local, hasConstants)),
    ...inherited(local, cumulative),
    ...clipping(self),
    ...shift(local ?? cumulative),
    ...channel(main),
    ...(levels !== undefined && levels > 0 && levels < FEW_LEVELS
      ? [
          `The middle 98 % of the values have ${levels.toFixed(1)} steps of the quantizer: its range is far wider than they are.`,
        ]
      : []),
  ];
}

function nonFinite(error: ErrorMeasurement | undefined): string[] {
  if (error === undefined || error.nonFinite === 0) return [];
  const values = error.nonFinite === 1 ? '1 value is' : `${error.nonFinite} values are`;
  return [`${values} NaN or infinite in one of the two networks, and left out of these numbers.`];
}

/** Where the error of the operator comes from that is its own. */
function ownShare(
  self: ErrorMeasurement | undefined,
  local: ErrorMeasurement | undefined,
  hasConstants: boolean,
): string[] {
  const [own, added] = [decibelsOf(self), decibelsOf(local)];
  if (own === undefined || added === undefined) return [];
  if (added === Infinity) return ['This operator adds no error of its own.'];
  const below = own - added;
  const others = hasConstants
    ? 'its weights, its bias or the quantizers of its inputs'
    : 'the quantizers of its inputs';
  if (own === Infinity)
    return [`What this operator adds comes from ${others}: its output alone loses nothing.`];
  if (below >= TWICE_DB) {
    return [
      `Local is ${below.toFixed(1)} dB below self: most of what this operator adds comes from ${others}, not from the quantizer of its output.`,
    ];
  }
  return Math.abs(below) <= ALIKE_DB
    ? ['What this operator adds is as large as what the quantizer of its output costs alone.']
    : [];
}

/** Whether the error came in or is made here. */
function inherited(local: ErrorMeasurement | undefined, cumulative: ErrorMeasurement | undefined): string[] {
  const [added, all] = [decibelsOf(local), decibelsOf(cumulative)];
  if (added === undefined || all === undefined || all === Infinity) return [];
  const below = added - all;
  if (below >= TWICE_DB) {
    const gap = added === Infinity ? '' : `Cumulative is ${below.toFixed(1)} dB below local: `;
    return [`${gap}${gap === '' ? 'All' : 'most'} of the error here came in with the inputs.`];
  }
  if (Math.abs(below) <= ALIKE_DB)
    return ['The error here is as large as what this operator adds by itself.'];
  return [];
}

function clipping(self: ErrorMeasurement | undefined): string[] {
  if (self === undefined || self.noise.clip < MOST_OF_IT) return [];
  return [
    `Clipping makes ${percent(self.noise.clip)} of the noise of the quantizer, on ${percent(self.clippedShare)} of the values: the largest values lie outside of its range.`,
  ];
}

function shift(error: ErrorMeasurement | undefined): string[] {
  if (error === undefined) return [];
  if (error.biasShare >= MOST_OF_IT) {
    return [`A constant shift of all values explains ${percent(error.biasShare)} of the noise.`];
  }
  const { channelBiasShare = 0 } = error;
  return channelBiasShare >= MOST_OF_IT
    ? [`A constant shift of each channel explains ${percent(channelBiasShare)} of the noise.`]
    : [];
}

function channel(error: ErrorMeasurement | undefined): string[] {
  const { worstChannel, sqnrDb } = error ?? {};
  if (worstChannel === undefined || sqnrDb === undefined) return [];
  const below = sqnrDb - worstChannel.sqnrDb;
  return below >= APART_DB
    ? [
        `Channel ${worstChannel.channel} is ${below.toFixed(1)} dB below all channels together: ${worstChannel.sqnrDb.toFixed(1)} dB.`,
      ]
    : [];
}

/** Infinity where exact. */
function decibelsOf(error: ErrorMeasurement | undefined): number | undefined {
  if (error?.exact === true) return Infinity;
  return error?.sqnrDb;
}
