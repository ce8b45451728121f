/** A metric of the user's own to start from; it works as it stands. */
export const METRIC_TEMPLATE = `// A metric for qdbg: --metric ./my-metric.js
//
// measure() is called for every sample and every network (float, int8, ...). What it returns is summed over the samples;
// value() makes the metric of the sums. qdbg calls value() with the sums of resampled data sets too, which gives the
// intervals and the comparison between the networks. So keep nothing yourself: all that counts must be in the sums.

export default {
  name: 'top3',

  // '%': value() gives a share of 1, which is shown times 100. Also 'dB' and ''.
  unit: '%',

  // 'higher' or 'lower'.
  better: 'higher',

  // sample.id          file of the sample
  // sample.prediction  what the network says, as --decode reads it, one of
  //                    { kind: 'scores', scores }                 a score per class
  //                    { kind: 'class', label }                   the class alone
  //                    { kind: 'mask', width, height, data }      class of every cell, row by row
  //                    { kind: 'boxes', boxes }                   [{ x0, y0, x1, y1, label, score }], shares of the image
  //                    { kind: 'values', data }                   the outputs, one behind the other
  // sample.outputs     the outputs themselves: [{ name, dims, data }]
  // sample.truth       the label; absent without labels; one of
  //                    { kind: 'class', label }
  //                    { kind: 'mask', width, height, data }      65535: does not count
  //                    { kind: 'boxes', boxes }                   [{ x0, y0, x1, y1, label, crowd }]
  //                    { kind: 'values', data }
  // sample.reference   what the reference network predicts
  //
  // Returns a number, or an array of numbers that is always as long, or a promise of either; [] leaves the sample out.
  measure(sample) {
    const { prediction, truth } = sample;
    if (prediction.kind !== 'scores' || truth?.kind !== 'class') {
      throw new Error('wanted are a score per class and a class label');
    }
    const { scores } = prediction;
    const own = scores[truth.label];
    let better = 0;
    scores.forEach((score, label) => {
      if (score > own || (score === own && label < truth.label)) better++;
    });
    // Number.isFinite: NaN is never right.
    return [Number.isFinite(own) && better < 3 ? 1 : 0, 1];
  },

  // sums: the sums of what measure() returned. Without value() the metric is the mean of the first number.
  value(sums, samples) {
    return sums[0] / sums[1];
  },
};
`;
