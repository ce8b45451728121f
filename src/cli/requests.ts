/** Flags as typed -> requests of the commands. */
import { availableParallelism } from 'node:os';
import type { AnalyzeRequest } from '../commands/analyze.js';
import type { CompareRequest } from '../commands/compare.js';
import type { DataRequest } from '../commands/data-request.js';
import { UsageError } from '../errors.js';
import type { AnalyzeOptions, CompareOptions, SampleOptions } from './program.js';

const RANDOM_SAMPLES = 8;

export async function analyzeRequest(model: string, options: AnalyzeOptions): Promise<AnalyzeRequest> {
  const { schemeFrom } = await import('../commands/scheme-request.js');
  const calib = options.calib ?? [];
  if (calib.length === 0) {
    throw new UsageError('analyze needs calibration data: nothing says which values the activations take', {
      hint: '--calib FOLDER_OF_IMAGES, or --calib random for a smoke test',
    });
  }
  const schemeOverrides = {
    ...(options.weights === undefined ? {} : { weights: options.weights }),
    ...(options.activations === undefined ? {} : { activations: options.activations }),
    ...(options.perAxis === true ? { granularity: 'per-axis' as const } : {}),
    ...(options.perTensor === true ? { granularity: 'per-tensor' as const } : {}),
    ...(options.symmetric === true ? { symmetric: true } : {}),
    ...(options.asymmetric === true ? { symmetric: false } : {}),
    ...(options.observer === undefined ? {} : { observer: options.observer }),
    ...(options.percentile === undefined ? {} : { percentile: options.percentile }),
    ...(options.momentum === undefined ? {} : { momentum: options.momentum }),
  };
  return {
    model,
    calib,
    eval: options.eval ?? [],
    data: dataRequest(options, calib),
    ...(options.scheme === undefined
      ? { schemeOverrides }
      : { scheme: schemeFrom(options.scheme, schemeOverrides) }),
    selection: { only: options.only ?? [], skip: options.skip ?? [] },
    channels: options.channels ?? [],
    threads: options.threads ?? availableParallelism(),
    timestamp: options.timestamp === true,
  };
}

/** Share of compute operators that two exports of one network have in common at least. */
const MIN_ALIGNED = 50;

export function compareRequest(
  [reference = '', candidate = '']: readonly string[],
  options: CompareOptions,
): CompareRequest {
  const sources = options.data ?? [];
  if (sources.length === 0) {
    throw new UsageError('compare needs data to run both models on', {
      hint: '--data FOLDER_OF_IMAGES, or --data random for a smoke test',
    });
  }
  return {
    reference,
    candidate,
    sources,
    data: dataRequest(options, sources),
    minAligned: (options.minAligned ?? MIN_ALIGNED) / 100,
    channels: options.channels ?? [],
    ...(options.detail === undefined ? {} : { detail: options.detail }),
    runtime: options.runtime === true,
    ...(options.actual === undefined ? {} : { actual: options.actual }),
    threads: options.threads ?? availableParallelism(),
    timestamp: options.timestamp === true,
  };
}

function dataRequest(options: SampleOptions, sources: readonly string[]): DataRequest {
  const samples = options.samples ?? (sources.includes('random') ? RANDOM_SAMPLES : undefined);
  return {
    preprocessing: {
      preset: options.preset,
      resize: options.resize,
      interpolation: options.interpolation,
      mean: options.mean,
      std: options.std,
      color: options.color,
      layout: options.layout,
    },
    shapes: shapesOf(options.shape ?? []),
    ...(samples === undefined ? {} : { samples }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    skipUnreadable: options.skipUnreadable === true,
  };
}

/** `image=1x3x224x224`; a name may hold `=`, so the last one counts. */
export function shapesOf(values: readonly string[]): ReadonlyMap<string, readonly number[]> {
  return new Map(
    values.map((value) => {
      const split = value.lastIndexOf('=');
      const dims = value.slice(split + 1);
      if (split < 1 || !/^\d+(x\d+)*$/.test(dims)) {
        throw new UsageError(`--shape ${value} is not NAME=DIMS`, { hint: '--shape image=1x3x224x224' });
      }
      return [value.slice(0, split), dims.split('x').map(Number)];
    }),
  );
}
