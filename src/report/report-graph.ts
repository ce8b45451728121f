/**
 * The network that the rows of a report are about, for those who draw it. Plain data. Every tensor that is read is an input of the
 * graph or written by one node. Files may call several nodes or tensors the same: all but the first then have ` (2)`, ` (3)` behind
 * their name.
 */

/** An operator of the file, with what is fused into it. */
export interface ReportedNode {
  /** As rows of tensors call it. */
  readonly node: string;
  /** Operator types, such as Conv+Relu. */
  readonly op: string;
  /** Activations that it reads and writes, constants left out; names as rows of tensors have them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Multiply-accumulates of one sample. */
  readonly macs?: number;
  /** Why it is computed in floating point; absent where it is quantized, and where it has no floating-point values. */
  readonly float?: string;
  /** Position of the operator in the file, of its first node where several are fused. */
  readonly index: number;
  /** Names of the file's nodes in it, those that are merged into them included; absent where that is `node` alone. */
  readonly members?: readonly string[];
}

export interface ReportedGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** In the order of computation. */
  readonly nodes: readonly ReportedNode[];
}
