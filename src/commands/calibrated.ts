/** The calibration of a simulation: its ranges and histograms, or in one error why there are none. */
import type { Edge } from '../compile/edges.js';
import { UnsupportedError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import type { Scheme } from '../quant/scheme.js';
import { calibrate, type Calibration, type CalibrationOptions } from '../run/calibrate.js';
import type { Samples, Watch } from '../run/samples.js';
import { requireSupported } from '../run/unsupported.js';
import { requireVaried } from './preconditions.js';

/** Of the moving average that is kept beside every range when the scheme asks for none. */
const DEFAULT_MOMENTUM = 0.99;

export function passesOf({ activations }: Scheme, threads: number): CalibrationOptions {
  const momentum =
    activations !== 'float' && activations.observer.kind === 'moving-average'
      ? activations.observer.momentum
      : DEFAULT_MOMENTUM;
  return { threads, histograms: true, momentum };
}

/**
 * @throws UnsupportedError with every operator that the runtime does not have
 * @throws DataError when all samples are the same one value
 */
export async function calibrated(
  graph: Graph,
  edges: readonly Edge[],
  samples: Samples,
  passes: CalibrationOptions,
  watch: Watch,
): Promise<Calibration> {
  try {
    const calibration = await calibrate(graph, edges, samples, passes, watch);
    requireVaried(graph, calibration);
    return calibration;
  } catch (error) {
    if (error instanceof UnsupportedError) await requireSupported(graph);
    throw error;
  }
}
