/** What all trials of a sweep are run on, here and in processes of their own. */
import { withExtents } from '../../run/samples.js';
import type { EvaluatedData } from '../accuracy/evaluated.js';
import { openedData } from '../opened-data.js';
import type { DescribedData, GroundDescription, TrialGround } from './ground.js';
import type { Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';

/** Samples on which noise is summed where the user does not say: rankings by it settle with few. */
const NOISE_SAMPLES = 32;

export interface SweptGround {
  readonly trials: TrialGround;
  readonly description: GroundDescription;
  /** Samples that the metric is evaluated on. */
  readonly evaluated: EvaluatedData;
}

export async function sweptGround(
  { model, calib: sources, eval: labelled, data, accuracy, threads }: SweepRequest,
  { loaded, calib, evaluation, extents, simulated, ends, isScored }: Prepared,
): Promise<SweptGround> {
  const measured: DescribedData =
    evaluation === undefined
      ? { flag: '--calib', sources, request: data }
      : { flag: '--eval', sources: labelled, request: data };
  const dataset = evaluation ?? calib;
  const few: DescribedData = {
    ...measured,
    request: { ...data, samples: data.samples ?? Math.min(NOISE_SAMPLES, dataset.count) },
  };
  const noise = await openedData(loaded, few.flag, few.sources, few.request);
  const { graph } = simulated.simulation;
  return {
    trials: {
      graph,
      ends,
      samples: withExtents(noise, extents),
      ...(isScored
        ? { evaluation: { dataset, samples: withExtents(dataset, extents), request: accuracy } }
        : {}),
      threads,
    },
    description: {
      model,
      sha256: await loaded.sha256(),
      extents,
      ends,
      noise: few,
      ...(isScored ? { evaluation: { ...measured, accuracy } } : {}),
      threads,
    },
    evaluated: {
      dataset,
      extents,
      flags: data.preprocessing,
      open: (preprocessing, count) =>
        openedData(loaded, measured.flag, measured.sources, { ...data, preprocessing, samples: count }),
    },
  };
}
