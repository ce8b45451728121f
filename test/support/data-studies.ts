/** Studies of data written by hand. */
import type { ChannelStudy, DataStudy, InputStudy } from '../../src/run/data/study.js';

/** An input of graph tensor `tensor`: what is not given is that of a smooth spread between `min` and `max`. */
export function inputStudy(
  tensor: string,
  min: number,
  max: number,
  rest: Partial<InputStudy> = {},
): InputStudy {
  return {
    tensor,
    ...spread(min, max),
    isWhole: false,
    distinct: 257,
    channels: [],
    ...rest,
  };
}

export function channelStudy(min: number, max: number, rest: Partial<ChannelStudy> = {}): ChannelStudy {
  return { ...spread(min, max), mode: (min + max) / 2, modeShare: 0.01, ...rest };
}

function spread(
  min: number,
  max: number,
): Pick<InputStudy, 'min' | 'max' | 'p001' | 'p999' | 'mean' | 'std'> {
  const [mean, width] = [(min + max) / 2, max - min];
  return { min, max, p001: min, p999: max, mean, std: width / Math.sqrt(12) };
}

export function dataStudy(inputs: readonly InputStudy[], rest: Partial<DataStudy> = {}): DataStudy {
  return {
    flag: '--data',
    kind: 'npy',
    samples: 8,
    inputs,
    duplicates: { count: 0, groups: [] },
    nearConstant: { count: 0, first: [] },
    noise: { count: 0, first: [] },
    excluded: { count: 0, first: [] },
    ...rest,
  };
}
