/** A run on a part of the samples. Plain data. */
export interface ReportedShard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Of those that are measured: the place of the first, of the one behind the last, and how many there are in all shards. */
  readonly samples: { readonly from: number; readonly to: number; readonly all: number };
  /** What `qdbg report` puts together with that of the other shards; for no other reader. */
  readonly state: string;
}
