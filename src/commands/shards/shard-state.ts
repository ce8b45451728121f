/** What a shard hands on, so that all shards together give the numbers of one run. Plain data with typed arrays. */
import type { OutputStudy } from '../../run/output-study.js';
import type { SaturationStudy } from '../../run/saturation.js';
import type { CalibrationState, HistogramState } from '../../run/calibration-state.js';
import type { DataStudy } from '../../run/data/study.js';
import type { EdgeSumsState } from '../../run/measure-state.js';
import type { Report, ReportedData } from '../../report/report.js';
import type { EvaluationState } from '../accuracy/evaluation-state.js';
import type { AnalyzeRequest } from '../analyze.js';

export interface ShardState {
  readonly request: StoredRequest;
  /** Of the inputs in the first sample. */
  readonly extents: readonly { readonly input: string; readonly dims: readonly number[] }[];
  readonly data: { readonly calib: ReportedData; readonly eval?: ReportedData };
  readonly isSmoke: boolean;
  /** Of what was calibrated. */
  readonly laneDigest: string;
  /** Of the ranges that histograms of the measured samples are over. */
  readonly rangesDigest: string;
  /** Whose arithmetic the ranges come from. */
  readonly processor: string;
  readonly sums: readonly EdgeSumsState[];
  /** Values of the measured samples, where those are not calibrated on. */
  readonly counts: readonly HistogramState[];
  readonly accuracy?: EvaluationState;
  /** Why there is none. */
  readonly noAccuracy: Report['notMeasured'];
  /** Of all samples, the same in every shard; the first hands it on. */
  readonly once?: OfAllSamples;
}

export interface OfAllSamples {
  readonly calibration: CalibrationState;
  /** Without histograms; absent where the calibration data are measured. */
  readonly seen?: CalibrationState;
  readonly calib?: DataStudy;
  readonly eval?: DataStudy;
  readonly outputs?: OutputStudy;
  readonly saturation?: SaturationStudy;
}

/** The request as lists: maps are no plain data. */
export interface StoredRequest extends Omit<AnalyzeRequest, 'data' | 'shard'> {
  readonly data: Omit<AnalyzeRequest['data'], 'shapes'> & {
    readonly shapes: readonly { readonly input: string; readonly dims: readonly number[] }[];
  };
}

export function storedRequest(asked: AnalyzeRequest): StoredRequest {
  const { shard, data, ...request } = asked;
  if (shard === undefined) throw new RangeError('the request of no shard');
  const shapes = [...data.shapes].map(([input, dims]) => ({ input, dims }));
  return { ...request, data: { ...data, shapes } };
}

export function requestOf({ data, ...request }: StoredRequest): AnalyzeRequest {
  const shapes = new Map(data.shapes.map(({ input, dims }) => [input, dims]));
  return { ...request, data: { ...data, shapes } };
}
