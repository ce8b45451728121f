/** What `qdbg inspect` says, as plain data. JSON is it; a metric with no value is absent. */
import type { Dim } from '../ir/graph.js';
import type { Finding } from '../doctor/finding.js';
import type { IslandCause } from '../quant/placement/lane-islands.js';
import type { PortContract } from './port-contract.js';
import type { ReportedGraph } from './report-graph.js';
import type {
  Report,
  ReportedModel,
  ReportedQuant,
  ReportedWeight,
  SCHEMA_VERSION,
  TensorRole,
} from './report.js';

export interface InspectReport {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'qdbg'; readonly version: string };
  readonly command: 'inspect';
  readonly createdAt?: string;
  readonly models: readonly InspectedModel[];
  /** Of several models, side by side. */
  readonly weightRanges?: WeightRanges;
  /** The layer that --node names. */
  readonly node?: InspectedNode;
  /** The weight of that layer; without --node, all of a single model when a document was asked for. */
  readonly weights?: readonly ReportedWeight[];
}

export interface InspectedModel extends Omit<ReportedModel, 'sha256'> {
  /** When a document was asked for: hashing a large file takes longer than looking at it. */
  readonly sha256?: string;
  /** Of ONNX files. */
  readonly irVersion?: number;
  readonly producer?: string;
  readonly domains: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly macs: Macs;
  /** Nodes of the file that are merged into others here, such as a BatchNormalization into the convolution before it. */
  readonly absorbed: readonly string[];
  /** Number of nodes by operator, most frequent first. */
  readonly opCounts: readonly { readonly op: string; readonly count: number }[];
  /** In graph order. */
  readonly layers: readonly Layer[];
  /** When a document was asked for. */
  readonly graph?: ReportedGraph;
  readonly forecast: WeightForecast;
  /** Constants with NaN or infinite values, in order of first use. */
  readonly nonFinite: readonly NonFiniteConstant[];
  /** Operators that are shown but that no command can compute, with the reason. */
  readonly notComputed: readonly { readonly node: string; readonly reason: string }[];
  /** Of a file that is quantized already. */
  readonly quantization?: InspectedQuantization;
}

export interface InspectedQuantization {
  /** The kinds of quantizers that most activations, weights and biases have. */
  readonly scheme: Report['scheme'];
  readonly coverage: InspectedCoverage;
  /** What the file shows of how it was made. */
  readonly origin: QuantizationOrigin;
  /** Odd ones first, then in graph order. */
  readonly tensors: readonly InspectedTensor[];
  /** Activations that get their parameters from the values at hand, each time the network runs. */
  readonly dynamic: readonly { readonly tensor: string; readonly node: string }[];
  /** Quantizing that stays as the file has it, with the reason. */
  readonly unfolded: readonly { readonly node: string; readonly reason: string }[];
  /** What is wrong with the parameters, worst first. */
  readonly findings: readonly Finding[];
}

export interface InspectedCoverage extends Omit<Report['coverage'], 'islands'> {
  /** Operators in float that multiply integers all the same: of weights, with activations made integers while they run. */
  readonly hybrid: { readonly ops: number; readonly macs: number };
  readonly islands: readonly InspectedIsland[];
}

/** Operators in floating point that pass floats to each other. */
export interface InspectedIsland {
  readonly nodes: readonly string[];
  readonly reason: string;
  readonly cause: IslandCause;
  /** Tensors that it reads of the rest of the network, and those that the rest reads of it. */
  readonly entries: readonly string[];
  readonly exits: readonly string[];
  readonly macs: number;
}

export interface QuantizationOrigin {
  /** In sentences. */
  readonly evidence: readonly string[];
  /** Weights whose codes reach the end of their type in every channel, of those looked at: scales that are the extremes of the weights. */
  readonly weightScales?: { readonly minMax: number; readonly narrower: number; readonly total: number };
}

export interface InspectedTensor {
  readonly tensor: string;
  readonly role: TensorRole;
  readonly node: string;
  readonly op: string;
  readonly shape: readonly Dim[];
  readonly dtype: string;
  readonly granularity: 'per-tensor' | 'per-axis' | 'per-block';
  /** As the file counts its axes. */
  readonly axis?: number;
  readonly blockSize?: number;
  /** Extremes are absent where a scale is no finite number. */
  readonly scales: { readonly count: number } & Partial<Extremes>;
  readonly zeroPoints: Partial<Extremes>;
  /** Real values that the first and the last code stand for. */
  readonly represents?: Extremes;
  /** Input slot of the node, where only that use is quantized so. */
  readonly onlyInput?: number;
  /** What an ONNX file calls its codes, and the values read back from them. */
  readonly stored?: { readonly codes: readonly string[]; readonly values: readonly string[] };
  /** Parameters that the codes are read with, where they are not those they are written with. */
  readonly read?: { readonly scales: Partial<Extremes>; readonly zeroPoints: Partial<Extremes> };
  /** In a document: all parameters, up to 65 536 scales a tensor. */
  readonly quant?: ReportedQuant;
  readonly marks: readonly TensorMark[];
}

export interface Extremes {
  readonly min: number;
  readonly max: number;
}

/** What is odd about the parameters of one tensor. */
export interface TensorMark {
  readonly kind: 'illegal' | 'read-back' | 'default-range' | 'scale-spread';
  readonly text: string;
}

export interface Port {
  readonly name: string;
  readonly dtype?: string;
  /** Names are symbolic extents, null is an unknown one; absent when not even the rank is known. */
  readonly shape?: readonly Dim[];
  /** How the file stores it: value = (code - zeroPoint) * scale. */
  readonly quant?: ReportedQuant;
  /** How values become what goes in, and what comes out becomes values. */
  readonly contract?: PortContract;
}

/** Multiply-accumulates of convolutions and matrix products. */
export interface Macs {
  /** Of the layers that it is known of; absent when it is known of none. */
  readonly total?: number;
  /** Layers whose shapes are not fixed. */
  readonly unknownLayers: number;
  /** Extents that inputs were given for counting, where only their first one (the batch) is open. */
  readonly counted: Readonly<Record<string, readonly number[]>>;
}

/** One node. */
export interface Layer {
  readonly order: number;
  readonly node: string;
  /** With its domain when that is not ai.onnx. */
  readonly op: string;
  /** It has a nested graph, which is not looked into: If, Loop, Scan. */
  readonly opaque?: true;
  readonly absorbed?: readonly string[];
  /** Of its first output. */
  readonly shape?: readonly Dim[];
  /** Elements of the float constants that no layer before it uses. */
  readonly parameters: number;
  /** Absent when a shape that it depends on is not fixed. */
  readonly macs?: number;
  readonly weight?: LayerWeight;
}

export interface LayerWeight {
  readonly tensor: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of the output channels. */
  readonly axis: number;
  /** It is listed in full with the layer of this name, which uses it too. */
  readonly sharedWith?: string;
  /** Finite extremes. */
  readonly min?: number;
  readonly max?: number;
  /** Largest over median absmax of its channels, those of zeros aside. */
  readonly spread?: number;
  readonly outlierChannels: readonly number[];
}

/** What one int8 scale for a whole weight (symmetric, min-max) would leave, known without data. */
export interface WeightForecast {
  /** Weights looked at. */
  readonly weights: number;
  /** A channel with fewer levels counts as lost. */
  readonly fewLevels: number;
  /** Weights with such channels: unusable ones first, then the largest share of such channels. */
  readonly layers: readonly ForecastLayer[];
}

export interface ForecastLayer {
  readonly node: string;
  readonly op: string;
  readonly depthwise: boolean;
  readonly tensor: string;
  readonly channels: number;
  readonly fewLevelChannels: readonly number[];
  readonly fewestLevels: number;
  /** A depthwise convolution in which more than a tenth of the channels keep fewer than 8 levels. */
  readonly unusable: boolean;
  /** Measured on the weight; of the worst layers, or of all when a document was asked for. */
  readonly perTensorSqnrDb?: number;
  readonly perAxisSqnrDb?: number;
}

export interface NonFiniteConstant {
  readonly tensor: string;
  readonly node: string;
  readonly role: 'weight' | 'constant';
  readonly count: number;
  /** Of a weight: its channels that hold them. */
  readonly channels?: readonly number[];
}

/** Distribution of max - min over the weights of each model, one count for each weight. */
export interface WeightRanges {
  /** Convolutions, or where no model has any, all weights. */
  readonly of: 'convolutions' | 'weights';
  /** Ascending; bin i holds edges[i] <= range < edges[i + 1]. */
  readonly edges: readonly number[];
  /** In the order of `models`. */
  readonly models: readonly ModelWeightRanges[];
}

export interface ModelWeightRanges {
  readonly counts: readonly number[];
  readonly layers: number;
  readonly median?: number;
  readonly p95?: number;
  readonly max?: number;
  /** The layer with the widest. */
  readonly widest?: string;
  /** Layers whose range is more than 20 times the median. */
  readonly farOut: readonly string[];
}

export interface InspectedNode {
  readonly node: string;
  readonly op: string;
  readonly depthwise: boolean;
  readonly weight: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly nonFinite: number;
  readonly nonFiniteChannels: readonly number[];
}
