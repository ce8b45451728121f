/** Words of the reports, for `qdbg explain`. */

export interface Term {
  readonly word: string;
  /** Other ways to ask for it. */
  readonly also?: readonly string[];
  readonly text: string;
}

export const GLOSSARY: readonly Term[] = [
  {
    word: 'SQNR',
    also: ['snr', 'db', 'decibel'],
    text:
      'Signal to quantization noise ratio: 10 log10(sum of x^2 / sum of e^2), in dB, energies pooled over all samples. Higher is better: ' +
      '40 dB is an error of 1 %, 20 dB of 10 %, 10 dB of a third, 0 dB is noise as large as the signal. `exact` where not one value differs. ' +
      'It is about energy: a few large values can hide that all small ones are lost, so effective levels, lost values and the worst channel stand beside it.',
  },
  {
    word: 'self',
    text: 'Error that the tensor gets from its own quantizer alone: the float values, rounded and clipped. Tells whether the range and the number of bits fit the tensor.',
  },
  {
    word: 'local',
    also: ['layerwise'],
    text:
      "Error of one operator that is given the float run's inputs (through their quantizers): what this layer does by itself. Damage done before it does not count. " +
      'Other tools call it layerwise, single-layer or on-layer error.',
  },
  {
    word: 'cumulative',
    also: ['graphwise', 'entire'],
    text: 'Error of the tensor in the quantized network beside the float network, with everything that happened before it. Other tools call it graphwise, entire or xmodel error.',
  },
  {
    word: 'levels',
    also: ['effective levels'],
    text: 'Effective levels: (99th percentile - 1st percentile) / scale: how many steps the bulk of the values really has, of 256 that 8 bits could give.',
  },
  {
    word: 'lost',
    also: ['lost values'],
    text: 'Share of the values other than 0 that their quantizer moves by more than a quarter of themselves.',
  },
  {
    word: 'clipped',
    also: ['clipping', 'clip'],
    text: 'Share of the values that lie outside what the codes can stand for, and are moved to the end of the range. `noise` says how much of the error that is.',
  },
  {
    word: 'scale',
    also: ['zero point', 'zeropoint', 'affine'],
    text: 'q = clamp(round(x / scale) + zero point): a real value as a code. (q - zero point) * scale gives it back. The range is that of the smallest and the largest code.',
  },
  {
    word: 'per-axis',
    also: ['per-tensor', 'per-channel', 'granularity'],
    text: 'One scale for each output channel of a weight (per-channel in other tools), instead of one for the whole tensor. It costs nothing at run time where the target has it.',
  },
  {
    word: 'lane',
    text: 'One way to run the network: which edges are quantized, and how. The float lane quantizes nothing.',
  },
  {
    word: 'observer',
    also: ['calibration', 'calibrator'],
    text: 'How the values seen on the calibration samples become a range: their extremes (minmax), a percentile, least squared error (mse), least divergence (entropy).',
  },
  {
    word: 'scheme',
    text: 'How tensors are to be quantized: types, symmetry, granularity, observers. Presets are those of real targets: ort, tflite, tflite-16x8, tensorrt.',
  },
  {
    word: 'coverage',
    also: ['island', 'islands'],
    text: 'Operators, and multiply-accumulates, that compute with integers. A float island is what lies between: it has a quantizer at each border.',
  },
  {
    word: 'agreement',
    text: 'Share of the samples (or rows) for which the two networks answer the same. Needs no labels, and does not say which of them is right.',
  },
  {
    word: 'interval',
    also: ['confidence interval', 'p', 'p-value', 'mcnemar'],
    text:
      'What the difference could be, given so few samples: 95 % of such intervals hold the true one. Both networks see the same samples, so samples on which both are right or both wrong ' +
      'say nothing; p is McNemar’s exact test on the others. Within noise: the interval holds 0.',
  },
  {
    word: 'ladder',
    text: 'The network quantized in steps: weights only, activations only, everything, 16 bits. The step where the loss appears says what to look at.',
  },
  {
    word: 'verdict',
    also: ['severity', 'error', 'warning', 'note'],
    text:
      'The one-sentence answer. Findings are errors where damage is measured or the file cannot be right, warnings where it is likely, notes where it is worth knowing. ' +
      'A rule that lacks what it needs is skipped, and said to be: that is not the same as passed.',
  },
  {
    word: 'gate',
    also: ['baseline', 'exit code'],
    text: 'What has to hold: exit code 0 passed or nothing asked for, 1 failed, 2 could not run or nothing was compared, 3 too few samples to decide.',
  },
];
