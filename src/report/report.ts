/**
 * The one document that every reporter renders. JSON is it. Units are in the names; a metric with no value is absent.
 * Everything in it is plain data.
 */
import type { ErrorMeasurement } from '../diff/measurement.js';
import type { Finding, Fix } from '../doctor/finding.js';
import type { ChannelStats } from '../quant/weights.js';
import type { Evaluated } from './evaluated.js';
import type { ReportedGraph } from './report-graph.js';
import type { ReportedShard } from './report-shard.js';

export const SCHEMA_VERSION = 1;

export type TensorRole = 'activation' | 'weight' | 'bias' | 'input' | 'output';

export interface ReportedModel {
  readonly role: 'reference' | 'candidate' | 'model';
  readonly path: string;
  readonly sha256: string;
  readonly format: 'onnx' | 'tflite';
  readonly opset?: number;
  readonly ops: number;
  readonly parameters: number;
  readonly bytes: number;
  /** Activation functions that the file leaves to the ranges of its integers, and that are computed here as if it had them. */
  readonly impliedActivations?: number;
}

export interface ReportedData {
  readonly path: string;
  readonly kind: string;
  readonly samples: number;
  readonly sha256: string;
  readonly preprocessing?: Readonly<Record<string, unknown>>;
  readonly assumed: readonly { readonly what: string; readonly value: string; readonly from: string }[];
  /** The one assumption that decides all values and that nothing but a default stands behind. */
  readonly guessed?: { readonly what: string; readonly value: string };
  readonly excluded: readonly { readonly sample: string; readonly reason: string }[];
}

export interface ReportedQuant {
  readonly dtype: string;
  /** What a file has instead of a number is text in JSON: 'NaN', 'Infinity'. */
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  /** As the file counts its axes. */
  readonly axis?: number;
  readonly blockSize?: number;
  readonly qmin: number;
  readonly qmax: number;
  readonly source: string;
}

export interface ReportedTensor {
  readonly tensor: string;
  /** Node that writes it, or reads it (constants); '' for graph inputs that several nodes read. */
  readonly node: string;
  readonly op: string;
  readonly role: TensorRole;
  /** Position in graph order. */
  readonly order: number;
  readonly shape: readonly (number | string | null)[];
  readonly quant?: ReportedQuant;
  readonly range?: {
    readonly min: number;
    readonly max: number;
    readonly p01?: number;
    readonly p99?: number;
  };
  /** Effective levels: (P99 - P1) / scale. */
  readonly levels?: number;
  /** Share of the values other than 0 that their quantizer moves by more than a quarter of themselves. */
  readonly lostShare?: number;
  readonly self?: ErrorMeasurement;
  readonly local?: ErrorMeasurement;
  readonly cumulative?: ErrorMeasurement;
  /** Self SQNR that each other observer would give here, from the histogram: no new pass. */
  readonly forecast?: Readonly<Record<string, number>>;
  /** Ranges that they would choose, where they differ from what is there. */
  readonly alternatives?: readonly ReportedAlternative[];
  /** Values of the float network on the samples that were measured; of activations. */
  readonly histogram?: ReportedHistogram;
  /** The same between the 1st and the 99th percentile, where outliers leave that part but few bins. */
  readonly bulk?: ReportedHistogram;
  /** Per channel, where asked for, for the worst tensors, and for others as far as there is room. */
  readonly channels?: {
    readonly axis: number;
    /** The user asked for them. */
    readonly asked?: true;
    readonly values: readonly ReportedChannel[];
  };
}

/** Counts of values in bins of one width. */
export interface ReportedHistogram {
  /** Lower edge of the first bin and upper edge of the last. */
  readonly lo: number;
  readonly hi: number;
  readonly counts: readonly number[];
}

export interface ReportedAlternative {
  readonly observer: string;
  readonly min: number;
  readonly max: number;
  readonly selfSqnrDb: number;
}

/** SQNR is absent where a channel is exact or has no signal. */
export interface ReportedChannel {
  readonly min: number;
  readonly max: number;
  readonly selfSqnrDb?: number;
  readonly localSqnrDb?: number;
  readonly cumulativeSqnrDb?: number;
}

export interface ReportedWeight {
  readonly tensor: string;
  readonly node: string;
  readonly axis: number;
  /** Empty objects for channels without a finite value. */
  readonly channels: readonly Partial<ChannelStats>[];
  /** Channels whose absmax lies beyond the fence. */
  readonly outlierChannels: readonly number[];
  readonly fence: number;
  readonly perTensorSqnrDb?: number;
  readonly perAxisSqnrDb?: number;
  /** Channels that a per-tensor scale rounds to 0 altogether. */
  readonly deadChannels: readonly number[];
  /** Quantizer steps that each channel has left under a per-tensor scale. */
  readonly perTensorLevels: readonly number[];
}

export interface ReportedJump {
  readonly tensor: string;
  readonly node: string;
  readonly op: string;
  /** Absent where the input is exact. */
  readonly fromDb?: number;
  readonly toDb: number;
  readonly from: string;
}

export interface ReportedRules {
  /** Ids of the rules that had what they need. */
  readonly checked: readonly string[];
  /** Those that could not speak, and what they lacked. */
  readonly skipped: readonly { readonly rule: string; readonly missing: string }[];
}

export interface Report extends Evaluated {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'qdbg'; readonly version: string; readonly runtime?: string };
  readonly command: 'analyze';
  readonly createdAt?: string;
  readonly models: readonly ReportedModel[];
  readonly data: {
    readonly calib?: ReportedData;
    readonly eval?: ReportedData;
    readonly data?: ReportedData;
  };
  readonly scheme: Readonly<Record<string, unknown>>;
  readonly coverage: {
    readonly ops: { readonly quantized: number; readonly total: number };
    readonly macs: { readonly quantized: number; readonly total: number };
    readonly islands: readonly { readonly nodes: readonly string[]; readonly reason: string }[];
  };
  /** Of a run on a part of the samples. */
  readonly shard?: ReportedShard;
  /** For those who draw it. */
  readonly graph?: ReportedGraph;
  /**
   * Samples that histograms of tensors are of, and with them percentiles, levels, forecasts and alternatives, where they are not all that
   * layers were measured on; some of these.
   */
  readonly histogramSamples?: number;
  readonly tensors: readonly ReportedTensor[];
  readonly weights: readonly ReportedWeight[];
  readonly findings: readonly Finding[];
  readonly rules: ReportedRules;
  readonly verdict: {
    readonly cause?: string;
    readonly where?: string;
    readonly summary: string;
    /** Of the cause. */
    readonly fix?: Fix;
  };
  /** Largest falls of cumulative SQNR from the inputs of an operator to its output, largest first. */
  readonly jumps: readonly ReportedJump[];
  readonly notMeasured: readonly { readonly subject: string; readonly reason: string }[];
}
