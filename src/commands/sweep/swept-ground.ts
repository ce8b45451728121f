/** What all trials of a sweep are run on, here and in processes of their own. */
import { withExtents, type Samples } from '../../run/samples.js';
import type { EvaluatedData } from '../accuracy/evaluated.js';
import { openedData } from '../opened-data.js';
import type { DescribedData, GroundDescription, TrialGround } from './trials/ground.js';
import type { Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';

/** Samples on which noise is summed where the user does not say: rankings by it settle with few. */
const NOISE_SAMPLES = 32;
/** Mean errors and second moments settle with few, too. */
const FITTED_SAMPLES = 64;

export interface SweptGround {
  readonly trials: TrialGround;
  readonly description: GroundDescription;
  /** Calibration samples, for fixes that are fitted to data: those that are measured on must not be known to them. */
  readonly fitted: Samples;
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
  const fewer = { ...data, samples: Math.min(FITTED_SAMPLES, calib.count) };
  const fitted = await openedData(loaded, '--calib', sources, fewer);
  const { graph } = simulated.simulation;
  return {
    fitted: withExtents(fitted, extents),
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
