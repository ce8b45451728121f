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
    word: 'fall',
    also: ['falls', 'jump', 'jumps', 'largest falls'],
    text: 'Where cumulative SQNR drops from the worst input of an operator to its output: what the network still had in front of it, and no longer has behind it. The largest are numbered, 1 most of all. A low local SQNR there says that this operator does it.',
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
    word: 'histogram',
    also: ['values', 'counts'],
    text: 'Counts of the float values of an activation in bins of one width, over the samples that were measured, or a few of them where the network is large. Brackets, or the shaded range, show what the quantizer has codes for: values outside are clipped, empty room inside is wasted.',
  },
  {
    word: 'bulk',
    also: ['middle 98 %', '98 % of them', 'percentile', 'percentiles'],
    text: 'The values between their 1st and 99th percentile. Outliers can leave this part of a histogram but a few bins: it is then counted a second time, by itself.',
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
    word: 'alternatives',
    also: ['alternative', 'forecast', 'forecasts', 'thresholds'],
    text: 'Ranges that other observers would have chosen for this tensor, with the self SQNR that each would have: computed from the histogram, without running the network again. What they do to the layers behind is not in it: qdbg sweep measures that.',
  },
  {
    word: 'box plot',
    also: [
      'box plots',
      'boxplot',
      'outlier channel',
      'outlier channels',
      'fence',
      'quartile',
      'quartiles',
      'dead channel',
      'dead channels',
    ],
    text:
      'The values of one channel of a weight: smallest, first quartile, median, third quartile, largest. A channel is an outlier where its largest |w| lies beyond the fence, Q3 + 3 IQR of the largest |w| of all channels (Tukey): ' +
      'with one scale for all channels it takes the steps from the others. A channel is dead where that scale rounds all its values to 0.',
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
    word: 'transitions',
    also: ['transition', 'confusion', 'confusion matrix', 'answers'],
    text: 'How often the integer network answers one class where float answers another: rows are the answers of float, columns those of int8, the diagonal is what stays. Of masks it counts cells of the output, else samples. It needs no labels, and does not say which answer is right.',
  },
  {
    word: 'worst samples',
    also: ['worst sample'],
    text: 'Samples on which a tensor has the lowest SQNR, lowest first, each with its own. SQNR of all samples together is pooled: a loud sample can hide one that is lost.',
  },
  {
    word: 'pictures',
    also: ['picture', 'samples that changed most', 'distance'],
    text: 'Evaluated images on which float and integers part most, with what each answers: small copies of your images, in json and html reports. --pictures N says how many, --pictures 0 leaves them out.',
  },
  {
    word: 'ladder',
    text: 'The network quantized in steps: weights only, activations only, everything, 16 bits. The step where the loss appears says what to look at.',
  },
  {
    word: 'sweep',
    also: ['sensitivity', 'sensitivity analysis'],
    text:
      'qdbg sweep asks of every layer, operator type and group what it costs the result (alone) and what is gained by keeping it in float (restored), runs the experiments ' +
      'that a user would run by hand, looks for the fewest layers to keep in higher precision, and measures fixes.',
  },
  {
    word: 'alone',
    also: ['only', 'quantize one', 'e4'],
    text:
      'Only this layer is quantized (its inputs, weights and output, as qdbg analyze --only NAME does), everything else is float. Measured at the outputs of the network: their SQNR ' +
      'in dB, or with labels the metric, whose change is against float. It is what the layer costs by itself, however much is lost elsewhere. Higher dB is better. ' +
      'A layer that looks harmless alone can still matter: see restored.',
  },
  {
    word: 'restored',
    also: ['skip', 'keep one float', 'leave one out', 'e5'],
    text:
      'Everything but this layer is quantized (as qdbg analyze --skip NAME does; a tensor keeps its quantizer where a neighbour still wants one). Measured at the outputs of the network: ' +
      'what is gained beside everything quantized, in dB of SQNR, or with labels in points of the metric. It is what keeping this layer in float buys. Gains of several layers do not add up: the search measures them together.',
  },
  {
    word: 'noise gone',
    also: ['share of the noise', 'noise share'],
    text: 'Share of the energy of the error at the output, which is gone when this is restored: 50 % is 3 dB, 90 % is 10 dB; of several outputs the shares of all, each against its own signal. Negative where the error grows, since errors of two layers can cancel.',
  },
  {
    word: 'changed',
    also: ['changed share', 'argmax'],
    text: 'Share of the rows of an output (samples, pixels, boxes) whose largest element is elsewhere than in float: answers that would differ. Needs no labels, and does not say which answer is right.',
  },
  {
    word: 'MACs',
    also: ['mac', 'multiply-accumulate', 'multiply-accumulates', 'flops'],
    text: 'Multiply-accumulates: products that convolutions and matrix products add up. Their share stands for what a layer costs to compute, whatever the device; layers without any, such as pooling, count as 0.',
  },
  {
    word: 'point',
    also: ['pt', 'points', 'drop', 'max-drop', 'target-drop', 'target'],
    text: 'A difference of two percentages: from 84.5 % to 71.9 % it drops by 12.6 pt. --target-drop 1pt allows one point under float, --target-drop 1% one percent of what float has.',
  },
  {
    word: 'experiment',
    also: ['experiments', 'ablation', 'what-if'],
    text:
      'The network under another scheme, or quantized in part: weights or activations only, other numbers of bits, one operator type, the first or last layer in float, other observers, one scale or one per channel, symmetric or not, ' +
      'and what the configuration names. Each shows what it loses against float and its share of what everything quantized loses. Shares do not add up to 100 %: errors amplify and cancel each other.',
  },
  {
    word: 'group',
    also: ['groups', 'named group'],
    text: 'Layers that are swept as one: all of an operator type, or those that --group NAME=PATTERN names.',
  },
  {
    word: 'fix',
    also: ['fixes', 'together', 'cost'],
    text: 'A change to the quantized network that may give back what is lost: a better range, a scale per channel, 16 bits for some activations, other values of weights and biases that compute the same. Each is measured by itself and, where several help, together. Its cost is what it takes where the network runs: multiply-accumulates in higher precision, and bytes; most have none.',
  },
  {
    word: 'decision',
    also: ['decided', 'export', 'exports'],
    text: 'The network that --export writes down: the fixes without cost where they reach the target, else the layers that the search found, with fixes where these help on top; without a target all fixes that help together. Its numbers were measured on that very network.',
  },
  {
    word: 'mixed precision',
    also: ['search', '16 bit', 'int16'],
    text: 'Some layers in float or in 16 bit, the others in 8. The search looks for the fewest within the target: ranked by restored, operator types first, then layer by layer, and back to spare what is not needed. Every set that it shows was evaluated, none is predicted.',
  },
  {
    word: 'Pareto',
    also: ['pareto front', 'frontier', 'trade-off'],
    text: 'Of all sets of layers that were evaluated, those that no other betters: none costs less and keeps more. They are the choices worth making; accuracies whose intervals overlap may be equal.',
  },
  {
    word: 'equalization',
    also: ['cle', 'cross-layer equalization'],
    text: 'Cross-layer equalization: channels of a layer are scaled up or down and the next layer undoes it, so that channels of one weight have ranges alike and fit one scale. Changes nothing in float (across ReLU, PReLU and the like) and costs nothing at run time. Nagel et al. 2019, arXiv:1906.04721.',
  },
  {
    word: 'bias correction',
    also: ['bias-correction'],
    text: 'Rounding weights and activations shifts the mean of a layer’s output. What it is shifted by on the calibration samples is taken off the bias, per channel. Costs nothing at run time. Nagel et al. 2019, arXiv:1906.04721.',
  },
  {
    word: 'rounding',
    also: ['weight rounding', 'adaround'],
    text: 'To which neighbour each weight is rounded. The nearest is best for the weight, and not always for the output of the layer: choosing up or down by the error that the output has can save what nearest loses, most of all at 4 bits. Nagel et al. 2020, arXiv:2004.10568.',
  },
  {
    word: 'split-concat',
    also: ['concat', 'shared scale'],
    text: 'Inputs of a Concat that share one scale, as some targets want, are as coarse as the widest of them. Split: each keeps its own scale, and is rescaled where they are joined.',
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
  {
    word: 'shard',
    also: ['shards'],
    text: 'A part of the samples: qdbg analyze --shard 2/4 measures the second quarter, and decides nothing. qdbg report with the documents of all four adds up their sums; the result is that of one run.',
  },
  {
    word: 'model explorer',
    also: ['model-explorer', 'node data'],
    text: 'A program of Google that draws networks. --report model-explorer=FILE writes the local SQNR of each node for it, to be opened over its drawing of the same file.',
  },
];
