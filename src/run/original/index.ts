/** The candidate's own file in ONNX Runtime beside its simulation, and as users run it beside the reference. */
import { simulate } from '../other/simulation.js';
import { targetsOf, type Target } from '../other/targets.js';
import type { Candidate, NotRun, OtherRun, OtherRunOptions } from '../other-run.js';
import type { Samples } from '../samples.js';
import { processor, type Processor } from './cpu.js';
import type { OutputBesideReference } from './outputs.js';
import { isFetchable } from './process.js';
import { Side, type Fetch } from './side.js';
import { fileTensors, outputInFile, type FileTensors } from './taps.js';

/** The file under triage, with the folder against which its external data is resolved; a loaded model is one. */
export interface OriginalFile {
  readonly path: string;
  readonly directory: string;
  readonly format: 'onnx' | 'tflite';
}

export interface OriginalRunOptions extends OtherRunOptions {
  /** Milliseconds for opening the file, and for one run of it, before it counts as hung. */
  readonly patienceMs?: number;
}

export interface OriginalRuns {
  /** Every tensor that the file has, optimizations off: node by node as the file says. */
  readonly unfused: OtherRun | NotRun;
  /** The outputs alone, all optimizations on, as users run it: other outputs would keep operators from being fused. */
  readonly optimized: OtherRun | NotRun;
  /** Those beside the reference, in the order of the file. Empty when that was not run. */
  readonly outputs: readonly OutputBesideReference[];
  readonly processor: Processor;
}

/**
 * Runs the file over all samples, optimizations off and on, each in a process of its own, beside the simulation.
 *
 * @param candidate what the file was loaded as
 * @param samples feeds of the reference's inputs, of the candidate's where there is no reference
 * @returns `notRun` where the runtime refuses the file, crashes or hangs: the reason, in one line
 */
export async function runOriginal(
  { path, directory, format }: OriginalFile,
  candidate: Candidate,
  samples: Samples,
  options: OriginalRunOptions,
): Promise<OriginalRuns | NotRun> {
  if (format === 'tflite') return { notRun: 'ONNX Runtime does not run TFLite files' };
  const names = await fileTensors(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return `the file has changed since it was loaded: ${reason}`;
  });
  if (typeof names === 'string') return { notRun: names };
  const { targets, skipped } = targetsOf(candidate);
  const outputs = outputFetches(candidate, targets, names);
  const all = targets.flatMap((target) => {
    const name =
      outputs.find((output) => output.target === target)?.name ?? nameInFile(candidate, target, names);
    return name === undefined ? [] : [{ target, name }];
  });
  const added = all.map(({ name }) => name).filter((name) => !names.outputs.includes(name));
  const { threads, patienceMs } = options;
  const common = { path, directory, threads, ...(patienceMs === undefined ? {} : { patienceMs }) };
  const unfused = await Side.open(candidate, all, { ...common, added, optimization: 'none' });
  const optimized = await Side.open(candidate, outputs, { ...common, added: [], optimization: 'all' });
  try {
    const wanted = new Set([...unfused.targets, ...optimized.targets]);
    const compared = targets.filter((target) => wanted.has(target));
    for await (const sample of simulate(candidate, compared, samples, options, 'runtime')) {
      await unfused.add(sample);
      await optimized.add(sample);
      if (unfused.targets.length + optimized.targets.length === 0) break;
    }
  } finally {
    await unfused.close();
    await optimized.close();
  }
  return {
    unfused: withSkipped(unfused.result, skipped),
    optimized: optimized.result,
    outputs: optimized.outputs,
    processor: await processor(),
  };
}

function outputFetches({ graph }: Candidate, targets: readonly Target[], names: FileTensors): Fetch[] {
  const byTensor = new Map(targets.map((target) => [target.tensor, target]));
  return [...new Set(graph.outputs)].flatMap((id) => {
    const target = byTensor.get(id);
    const name = outputInFile(graph, id, names);
    return target === undefined || name === undefined ? [] : [{ target, name }];
  });
}

/** Where the file has codes of the tensor, or values read back from them; of a tensor without codes, the tensor itself. */
function nameInFile(
  { graph, lane }: Candidate,
  { tensor, name, coding }: Target,
  { written }: FileTensors,
): string | undefined {
  // What is fed is no result of the runtime.
  if (graph.inputs.includes(tensor)) return undefined;
  if (coding === undefined) return written.has(name) ? name : undefined;
  const { codes = [], values = [] } = lane.stored?.get(tensor) ?? {};
  // 4-bit codes abort the process; their values do not.
  const candidates = isFetchable(coding.decode.dtype) ? [...codes, ...values] : values;
  return candidates.find((candidate) => written.has(candidate));
}

function withSkipped(result: OtherRun | NotRun, skipped: OtherRun['skipped']): OtherRun | NotRun {
  return 'notRun' in result ? result : { ...result, skipped: [...skipped, ...result.skipped] };
}
