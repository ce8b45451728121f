/** Pools, and normalization over neighbouring channels. */
import type { Lowering, Rule } from './lowering.js';
import { Unlowerable } from './lowering.js';
import { dims4, windowAttrs, writeInRange } from './window.js';

function poolAttrs(lowering: Lowering): ReturnType<typeof windowAttrs> {
  const [, height, width] = dims4(lowering, 0);
  const along = (
    [
      ['H', 'Height', height],
      ['W', 'Width', width],
    ] as const
  ).map(([axis, side, extent]) => ({
    extent,
    kernel: lowering.intOption(`filter${side}`),
    stride: lowering.intOption(`stride${axis}`),
    dilation: 1,
  }));
  return windowAttrs(String(lowering.option('padding')), along);
}

/** The mean is over the elements of the window that exist. */
const averagePool: Rule = (lowering) => {
  const attrs = { ...poolAttrs(lowering), count_include_pad: 0 };
  writeInRange(lowering, 'channels-first', 'AveragePool', [lowering.input(0, 'channels-first')], attrs);
};

const maxPool: Rule = (lowering) => {
  const input = lowering.input(0, 'channels-first');
  writeInRange(lowering, 'channels-first', 'MaxPool', [input], poolAttrs(lowering));
};

/** The root of the mean square over the elements that exist; ONNX LpPool takes the sum. */
const l2Pool: Rule = (lowering) => {
  const input = lowering.input(0, 'channels-first');
  const squares = lowering.step('Mul', [input, input]);
  const mean = lowering.main('AveragePool', [squares], { ...poolAttrs(lowering), count_include_pad: 0 });
  writeInRange(lowering, 'channels-first', 'Sqrt', [mean]);
};

/** x / (bias + alpha · Σ x²)^beta over `radius` channels to each side; ONNX divides alpha by the number of channels. */
const localResponseNormalization: Rule = (lowering) => {
  const channels = dims4(lowering, 0)[3];
  const radius = lowering.intOption('radius');
  if (radius < 0) throw new Unlowerable(`a radius of ${radius}`);
  // More than all channels is all channels, which a runtime must not loop over.
  const size = 2 * Math.min(radius, channels) + 1;
  lowering.write(0, 'channels-first', 'LRN', [lowering.input(0, 'channels-first')], {
    size,
    alpha: { float: lowering.floatOption('alpha') * size },
    beta: { float: lowering.floatOption('beta') },
    bias: { float: lowering.floatOption('bias') },
  });
};

export const POOL_RULES: Readonly<Record<string, Rule>> = {
  AVERAGE_POOL_2D: averagePool,
  MAX_POOL_2D: maxPool,
  L2_POOL_2D: l2Pool,
  LOCAL_RESPONSE_NORMALIZATION: localResponseNormalization,
};
