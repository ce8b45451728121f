/** What another implementation computes for the same file and samples, beside the simulation: a runtime, a device. Plain data. */
import type { ReferenceNetwork } from '../compile/reference.js';
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { Watch } from './samples.js';

/** SQNR of a tensor beside what it should be, in dB; `exact` when not one value differs; neither without signal or finite values that differ. */
export interface Agreement {
  readonly sqnrDb?: number;
  readonly exact?: true;
}

/** How a device's, or the runtime's own, tensor differs from the simulation of the same file. */
export interface OtherTensor {
  readonly tensor: string;
  readonly node: string;
  readonly op: string;
  readonly values: number;
  /** Values whose codes differ; of float tensors, values that differ by more than a millionth of the sample's largest. */
  readonly differing: number;
  /** Values more than two codes apart; absent for float tensors. */
  readonly beyondTwoCodes?: number;
  /** Largest difference in codes; absent for float tensors. */
  readonly maxCodes?: number;
  /** Values that are NaN or infinite on one side only; they count as differing and are in no SQNR. */
  readonly nonFinite?: number;
  /** Beside the simulation. */
  readonly simulated: Agreement;
  /** Beside the float reference, where the tensor is aligned. */
  readonly reference?: Agreement;
  /** Something that the operator reads differs too: the difference need not be its own. Only where `differing` is not 0. */
  readonly inputsDiffer?: boolean;
  /** "raw codes", "dequantized values", with what was assumed of order and type. */
  readonly read?: string;
}

export interface OtherRun {
  /** "onnxruntime-node 1.30.0, optimizations off", or the folder of dumped tensors. */
  readonly source: string;
  readonly samples: number;
  /** In graph order. */
  readonly tensors: readonly OtherTensor[];
  /** First tensor that differs although nothing that its operator reads does. */
  readonly firstDeparture?: string;
  /** Files that fit no tensor, tensors that could not be fetched. */
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[];
}

/** Why there is no such run, in one line. */
export interface NotRun {
  readonly notRun: string;
}

/** The network of the file under triage: extents bound, shapes inferred. */
export interface Candidate {
  readonly graph: Graph;
  /** Of the file; the empty lane for a float model. */
  readonly lane: Lane;
}

export interface OtherRunOptions {
  /** Threads inside an operator. */
  readonly threads: number;
  /** What the candidate's tensors should be, whose inputs the samples then feed. */
  readonly other?: ReferenceNetwork;
  readonly watch: Watch;
}
