/** Which samples a shard measures: neighbours, so that what comes first among all comes first among the shards. */
import { UsageError } from '../../errors.js';
import type { Dataset, SampleWindow } from '../../run/data/dataset.js';
import type { Samples } from '../../run/samples.js';

/** The `index`-th of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface ShardWindow extends Shard, SampleWindow {
  /** Samples of all shards. */
  readonly all: number;
  readonly samples: Samples;
  /** Samples before those of this shard that are scored: all but those without a label. */
  readonly scoredBefore: (unlabelled: ReadonlySet<string>) => number;
}

/**
 * @param dataset one pass has gone through, so that the samples that can be read are known
 * @throws UsageError when there are fewer samples than shards
 */
export function shardWindow({ index, count }: Shard, dataset: Dataset): ShardWindow {
  const all = dataset.count;
  if (all < count) {
    throw new UsageError(
      `--shard ${index}/${count}: there are ${all} samples to measure, fewer than shards`,
      {
        hint: `--shard 1/${all} at most`,
      },
    );
  }
  const [from, to] = [index - 1, index].map((i) => Math.floor((i * all) / count)) as [number, number];
  const left = new Set(dataset.excluded.map(({ id }) => id));
  const before = dataset.ids.filter((id) => !left.has(id)).slice(0, from);
  return {
    index,
    count,
    from,
    to,
    all,
    samples: { count: to - from, samples: () => dataset.samples({ from, to }) },
    scoredBefore: (unlabelled) => before.filter((id) => !unlabelled.has(id)).length,
  };
}
