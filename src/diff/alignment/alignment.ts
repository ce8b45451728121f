/** Which tensor of a candidate network is which of the reference network. */
import type { NodeId, TensorId } from '../../ir/graph.js';
import type { View } from '../../ir/view.js';

/** What told that two belong together. Behaviour: their activations correlate on a few samples. */
export type Ground = 'input' | 'name' | 'weights' | 'structure' | 'behaviour';

/** An activation of both networks. */
export interface AlignedEdge {
  readonly reference: TensorId;
  readonly candidate: TensorId;
  /** Order of the reference's elements in the candidate; absent where it is the same. */
  readonly view?: View;
  readonly ground: Ground;
}

/** A constant of both networks: the kernel of a convolution, a bias. */
export interface AlignedConstant {
  readonly reference: TensorId;
  readonly candidate: TensorId;
  readonly role: 'weight' | 'bias';
  readonly view?: View;
  /**
   * Of the two sets of values, in that order, each with what its network has folded into it or has behind it; 1 when equal up to a
   * positive factor. Absent when one of them is constant.
   */
  readonly correlation?: number;
  /**
   * What the reference has in the place of the candidate's constant: as many values, in its order, without what the candidate's
   * network multiplies or adds elsewhere. Undefined where that cannot be told. Computed when asked for.
   */
  values(): Float32Array | undefined;
}

/** Operators of both networks that do the same work: a convolution with the BatchNorm and the activation function behind it. */
export interface AlignedOperator {
  /** In graph order, of either network: the first is the one that computes, what was merged with it follows. */
  readonly reference: readonly NodeId[];
  readonly candidate: readonly NodeId[];
  readonly constants: readonly AlignedConstant[];
  readonly ground: Ground;
}

export interface Alignment {
  readonly inputs: readonly AlignedEdge[];
  /** In the order of the candidate; no two with the same candidate tensor. Inputs are among them. */
  readonly edges: readonly AlignedEdge[];
  readonly operators: readonly AlignedOperator[];
  /** Outputs of the candidate, by position: which output of the reference each is. */
  readonly outputs: readonly { readonly reference: number | undefined; readonly candidate: number }[];
  /** Nodes of operators that exist in one network only; without those that only move elements or change types. */
  readonly unmatched: { readonly reference: readonly NodeId[]; readonly candidate: readonly NodeId[] };
  /** Compute operators (with weights, or with MACs) of the candidate that are aligned, and all of them. */
  readonly coverage: { readonly matched: number; readonly total: number };
}
