/** Tensors dumped from a device or another runtime beside the simulation of the same file. */
import { DataError, UsageError } from '../../errors.js';
import type { TensorId } from '../../ir/graph.js';
import type { Sample } from '../data/dataset.js';
import { atMost } from '../data/files.js';
import { resultsOf } from '../other/departure.js';
import { simulate } from '../other/simulation.js';
import { OtherSums } from '../other/sums.js';
import { targetsOf } from '../other/targets.js';
import type { Candidate, OtherRun, OtherRunOptions } from '../other-run.js';
import type { Samples } from '../samples.js';
import { describeInventory, inventoryOf } from './inventory.js';
import { matchArrays, type ActualArray } from './match.js';
import { TensorReader } from './tensor-reader.js';

/** What a folder of dumped tensors holds of a network. */
export interface ActualTensors {
  /** As the user gave it. */
  readonly path: string;
  readonly matched: readonly ActualArray[];
  /** Files that fit no tensor, with the reason. */
  readonly skipped: OtherRun['skipped'];
  /** Names of the samples in order. */
  readonly ids: readonly string[];
}

/**
 * Finds the tensors of the candidate in a folder: files called as tensors are, or nearly so, with one sample, in a folder for each
 * sample, or with all samples one behind the other; archives count as folders.
 *
 * @param path folder, or one .npy or .npz file
 * @param ids names of the samples in order
 * @throws UsageError when there is nothing, or nothing fits: names what was found and what was wanted
 */
export async function readActual(
  path: string,
  candidate: Candidate,
  ids: readonly string[],
): Promise<ActualTensors> {
  const { targets } = targetsOf(candidate);
  const inventory = await inventoryOf(path);
  const { matched, skipped } = matchArrays(candidate, targets, ids, inventory.arrays);
  if (matched.length === 0) {
    const wanted = atMost(targets.map(({ name, dims }) => `${name} [${dims.join(', ')}]`));
    const reasons = atMost([...new Set(skipped.map(({ subject, reason }) => `${subject}: ${reason}`))]);
    throw new UsageError(`--actual ${path}: no array in it is a tensor of the network`, {
      places: [
        ...describeInventory(inventory).map((line) => `found ${line}`),
        ...reasons,
        ...wanted.map((line) => `wanted ${line}`),
      ],
      hint: '--actual DIR with one .npy file per tensor, called as the tensor is',
    });
  }
  return { path, matched, skipped: [...inventory.skipped, ...skipped], ids };
}

/**
 * Runs the simulation for the samples that were dumped and compares tensor by tensor.
 *
 * @param samples feeds of the reference's inputs, of the candidate's where there is no reference
 */
export async function runActual(
  { path, matched, skipped, ids }: ActualTensors,
  candidate: Candidate,
  samples: Samples,
  options: OtherRunOptions,
): Promise<OtherRun> {
  const { graph } = candidate;
  const readers = new Map<TensorId, TensorReader>();
  const wanted = new Set<number>();
  for (const match of matched) {
    const { tensor } = match.target;
    const reader = readers.get(tensor) ?? new TensorReader(graph, match.target);
    readers.set(tensor, reader);
    reader.add(match);
    for (let i = 0; i < match.samples; i++) wanted.add(match.sample + i);
  }
  const targets = targetsOf(candidate).targets.filter(({ tensor }) => readers.has(tensor));
  const sums = new Map(targets.map((target) => [target.tensor, new OtherSums(target)]));
  const failed: { subject: string; reason: string }[] = [];
  const seen = new Set<number>();
  const position = positions(ids);
  const selection = {
    count: wanted.size,
    has: (sample: Sample, index: number) => wanted.has(position(sample, index)),
  };
  try {
    for await (const run of simulate(candidate, targets, samples, options, 'actual', selection)) {
      const at = position(run.sample, run.index);
      for (const { target, values, reference } of run.targets) {
        try {
          const actual = await readers.get(target.tensor)?.read(at, values);
          if (actual === undefined) continue;
          sums.get(target.tensor)?.add(values, actual, reference);
          seen.add(at);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          failed.push({ subject: target.name, reason: error.message });
        }
      }
    }
  } finally {
    for (const reader of readers.values()) await reader.close();
  }
  return {
    source: path,
    samples: seen.size,
    ...resultsOf(
      graph,
      [...sums.values()].filter((sum) => sum.values > 0),
      (tensor) => readers.get(tensor)?.description,
    ),
    skipped: [...skipped, ...failed],
  };
}

/** Place of a sample among the names: some may have been left out while reading. */
function positions(ids: readonly string[]): (sample: Sample, index: number) => number {
  const byId = new Map(ids.map((id, at) => [id, at]));
  return ({ id }, index) => (byId.size === ids.length ? (byId.get(id) ?? index) : index);
}
