/** The document of `qdbg compare`: a reference network beside a candidate that should compute the same. Plain data, as every report. */
import type { Ground } from '../diff/alignment/alignment.js';
import type { ErrorMeasurement } from '../diff/measurement.js';
import type { NotRun, OtherRun } from '../run/other-run.js';
import type { Report, ReportedTensor } from './report.js';

export type { OtherRun, OtherTensor } from '../run/other-run.js';

/** A tensor of the candidate beside the one of the reference that it should equal. */
export interface ComparedTensor extends ReportedTensor {
  /** As the reference's file calls it. */
  readonly reference: string;
  /** How the reference's axes were brought into the candidate's order: "[N,C,H,W] as [N,H,W,C]". */
  readonly layout?: string;
}

/** A constant of the candidate, as its codes stand for it, beside that of the reference. */
export interface ComparedConstant {
  readonly tensor: string;
  readonly reference: string;
  readonly node: string;
  readonly role: 'weight' | 'bias';
  /** Of the two sets of values: 1 when they differ by a factor only. */
  readonly correlation?: number;
  readonly error?: ErrorMeasurement;
}

export interface UnmatchedNode {
  readonly node: string;
  readonly op: string;
  /** Tensor that it writes. */
  readonly tensor: string;
}

export interface ReportedAlignment {
  /** Compute operators of the candidate. */
  readonly operators: { readonly matched: number; readonly total: number };
  readonly tensors: { readonly matched: number; readonly total: number };
  /** How many tensors each ground has told. */
  readonly grounds: Readonly<Partial<Record<Ground, number>>>;
  readonly inputs: readonly {
    readonly candidate: string;
    readonly reference: string;
    readonly layout?: string;
    /** Type in the candidate's file, as of outputs; absent where both files have the same. */
    readonly type?: string;
  }[];
  readonly outputs: readonly {
    readonly candidate: string;
    readonly position: number;
    /** Type in the file, with the quantization that its codes have: "uint8, value = (code - 3) * 0.1". */
    readonly type: string;
    readonly reference?: string;
    readonly referencePosition?: number;
    /** As of tensors. */
    readonly layout?: string;
  }[];
  readonly unmatched: {
    readonly reference: readonly UnmatchedNode[];
    readonly candidate: readonly UnmatchedNode[];
  };
}

/**
 * One step of the ladder from float to the finished file, measured at the outputs:
 * - graph: the candidate's graph in float with the reference's weights: does the exported graph compute the same function?
 * - weights: the same with the candidate's own weights;
 * - activations: the reference's weights, the candidate's activations quantized;
 * - everything: the candidate as it is, simulated;
 * - runtime: ONNX Runtime running the candidate's file with all optimizations.
 */
export interface LadderRung {
  readonly rung: 'graph' | 'weights' | 'activations' | 'everything' | 'runtime';
  readonly samples: number;
  readonly outputs: readonly {
    readonly tensor: string;
    readonly sqnrDb?: number;
    readonly exact?: true;
    /** Values that are not finite in one of the two; there is no SQNR then. */
    readonly nonFinite?: number;
    /** Share of rows (samples, pixels) whose largest element is at the same index as in the reference; of 2 to 100,000 values. */
    readonly agreement?: number;
  }[];
  /** What could not be as described, such as weights without a counterpart. */
  readonly remark?: string;
}

export interface CompareReport extends Omit<Report, 'command' | 'tensors' | 'weights'> {
  readonly command: 'compare';
  readonly alignment: ReportedAlignment;
  /** Aligned activations of the candidate, in its order; on as many samples as the ladder. */
  readonly tensors: readonly ComparedTensor[];
  readonly constants: readonly ComparedConstant[];
  /** The candidate as it is, simulated, on all samples. */
  readonly outputs: LadderRung;
  /** On the samples that layers are measured on. */
  readonly ladder: readonly LadderRung[];
  /** Of `--runtime`. */
  readonly runtime?: OtherRun | NotRun;
  /** Of `--runtime`: the outputs with all optimizations, as users run it. */
  readonly optimized?: OtherRun | NotRun;
  /** Of `--runtime`: what runs it, with the instructions that decide whether sums of 8-bit products saturate. */
  readonly processor?: string;
  /** Of `--actual`. */
  readonly actual?: OtherRun;
}
