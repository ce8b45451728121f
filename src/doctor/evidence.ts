/** What rules look at: a network, and whatever else is known of it. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { Alignment } from '../diff/alignment/alignment.js';
import type { TriedPreprocessings } from '../diff/accuracy/preprocessing-search.js';
import type { ConstantComparison } from '../diff/compared-constants.js';
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Jump } from '../diff/jumps.js';
import type { Suspect } from '../diff/suspects.js';
import type { ConstantMeasurement } from '../diff/weight-measurements.js';
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { Scheme } from '../quant/scheme.js';
import type { EdgeStatistics } from '../run/calibrate.js';
import type { DataStudy } from '../run/data/study.js';
import type { OtherRun } from '../run/other-run.js';
import type { OutputStudy } from '../run/output-study.js';
import type { SaturationStudy } from '../run/saturation.js';
import type { EvaluationEvidence } from './evaluation-evidence.js';

export interface NetworkFile {
  /** Of the file and of what it keeps outside. */
  readonly bytes: number;
  /** Of an ONNX file, as it is written there: networks that are compared are brought to one. */
  readonly opset?: number;
}

/**
 * Everything but the graph may be missing. Of a model alone the network is what the file has; of a comparison it is the candidate,
 * and `reference` stands beside it.
 */
export interface Evidence {
  readonly graph: Graph;
  readonly file?: NetworkFile;
  /** How the network is quantized: what came with the file, or what `scheme` makes of it. Absent for a float model that nothing quantizes. */
  readonly lane?: Lane;
  /** Of a simulated lane; absent for one that came with a file. */
  readonly scheme?: Scheme;
  /** Of the quantized constants; nothing is run for them. */
  readonly constants?: readonly ConstantMeasurement[];
  /** Of every activation: in float, or in the reference, beside the lane. */
  readonly edges?: readonly EdgeMeasurement[];
  /** Largest first. */
  readonly jumps?: readonly Jump[];
  /** What the samples that were measured look like on each edge of the float network, with histograms. */
  readonly statistics?: ReadonlyMap<TensorId, EdgeStatistics>;
  /** The samples that set the ranges; and those that were measured, where they are others. */
  readonly calib?: DataStudy;
  readonly data?: DataStudy;
  /** What comes out over several samples: of the network in float, or of the reference, and of the lane. */
  readonly outputs?: OutputStudy;
  readonly reference?: ReferenceEvidence;
  readonly alignment?: Alignment;
  readonly compared?: readonly ConstantComparison[];
  /** Worst first. */
  readonly suspects?: readonly Suspect[];
  /** Lowest SQNR of an output, dB. */
  readonly outputDb?: number;
  /** The file in ONNX Runtime, operator by operator, and with all optimizations. */
  readonly runtime?: OtherRun;
  readonly optimized?: OtherRun;
  readonly processor?: { readonly text: string; readonly saturates?: boolean | undefined };
  readonly saturation?: SaturationStudy;
  /** Tensors dumped from a device. */
  readonly actual?: OtherRun;
  /** Against labels, or where there are none against the reference. */
  readonly accuracy?: Accuracy;
  /** What the network in float scores with the common preprocessings, where that was tried. */
  readonly preprocessings?: TriedPreprocessings;
  /** What else evaluating showed, and what was expected of it. */
  readonly evaluation?: EvaluationEvidence;
}

export interface ReferenceEvidence {
  readonly graph: Graph;
  readonly lane: Lane;
  readonly file?: NetworkFile;
}

/** A part of the evidence that a rule may need. */
export type Part = Exclude<keyof Evidence, 'graph'>;

/** Evidence in which these parts are there. */
export type With<P extends Part> = Evidence & { readonly [K in P]-?: NonNullable<Evidence[K]> };

export type LaneEvidence = With<'lane'>;

/** Of a candidate beside its reference, both run. */
export type ComparisonEvidence = With<
  'lane' | 'edges' | 'constants' | 'jumps' | 'reference' | 'alignment' | 'compared' | 'suspects'
>;

/** What the user gives so that a part is known. */
export type Source =
  'a quantized model' | 'a float model' | 'a reference' | 'data' | 'labels' | '--runtime' | '--actual';

const SOURCES: Readonly<Record<Part, readonly Source[]>> = {
  file: [],
  lane: ['a quantized model'],
  scheme: ['a float model', 'data'],
  constants: ['a quantized model'],
  edges: ['data'],
  jumps: ['data'],
  statistics: ['data'],
  calib: ['data'],
  data: ['data'],
  outputs: ['data'],
  reference: ['a reference'],
  alignment: ['a reference'],
  compared: ['a reference'],
  suspects: ['a reference', 'data'],
  outputDb: ['a reference', 'data'],
  runtime: ['--runtime'],
  optimized: ['--runtime'],
  processor: ['--runtime'],
  saturation: ['data'],
  actual: ['--actual'],
  accuracy: ['labels'],
  preprocessings: ['labels'],
  evaluation: ['labels'],
};

/** In the order in which they are told. */
const ORDER: readonly Source[] = [
  ...([
    'a quantized model',
    'a float model',
    'a reference',
    'data',
    'labels',
    '--runtime',
    '--actual',
  ] as const),
];

/** All that these parts need, once each. */
export function sourcesOf(parts: readonly Part[]): Source[] {
  const needed = new Set(parts.flatMap((part) => SOURCES[part]));
  return ORDER.filter((source) => needed.has(source));
}
