/** What is to be quantized in one graph, before any range is known. */
import type { Graph, NodeId, TensorId, Use } from '../../ir/graph.js';
import { tensorOf } from '../../ir/graph.js';
import type { PlacementName, TensorScheme } from '../scheme.js';

/** Where the range of a quantizer, or its parameters, come from. */
export type RangeSource =
  /**
   * Range of the values of `tensor`: the elements of a constant, else what calibration observes there. Mostly the
   * quantized tensor itself; its output instead where a Relu clips it.
   */
  | { readonly kind: 'observed'; readonly tensor: TensorId }
  /** Range that the operator guarantees, such as [0, 1] behind Softmax. */
  | { readonly kind: 'limits'; readonly rmin: number; readonly rmax: number }
  /** Parameters that the target prescribes. */
  | { readonly kind: 'fixed'; readonly scale: number; readonly zeroPoint: number }
  /** Parameters of another quantized tensor, which has parameters of its own. */
  | { readonly kind: 'same-as'; readonly tensor: TensorId }
  /** scale = factor * scale(input) * scale(weight), zero point 0; both as `node`, which multiplies them, reads them. */
  | {
      readonly kind: 'bias';
      readonly node: NodeId;
      readonly input: TensorId;
      readonly weight: TensorId;
      readonly factor: number;
    };

export type QuantizerRole = 'activation' | 'input' | 'output' | 'weight' | 'bias';

export interface PlannedQuantizer {
  readonly tensor: TensorId;
  /** The one use that reads the quantized value; every use does when absent. */
  readonly use?: Use;
  /** 'weight' is any constant that is not a bias: also the constant operand of an Add, which has an activation's scheme. */
  readonly role: QuantizerRole;
  readonly scheme: TensorScheme;
  /** Dimension with one scale per index: of a constant, when the scheme is per-axis; of a bias, its channels. */
  readonly axis?: number;
  readonly range: RangeSource;
}

export interface FloatNode {
  readonly node: NodeId;
  /** Why the target computes it in floating point, for the user. */
  readonly reason: string;
}

export interface QuantPlan {
  /** 'file': what the file came with. */
  readonly placement: PlacementName | 'file';
  readonly quantizers: readonly PlannedQuantizer[];
  /** Nodes that the target computes with integers. Nodes without any floating-point tensor are in neither list. */
  readonly quantizedNodes: readonly NodeId[];
  readonly floatNodes: readonly FloatNode[];
  /** Edges inside a fused operator, such as a convolution's output before its Relu: the integer network has no such value. */
  readonly fusedAway: readonly TensorId[];
  /** Largest |code| a bias may have; weights get a larger scale where theirs would need more. */
  readonly biasLimit: number;
}

/** Activations whose range calibration must observe, each with the scheme that its observer serves. */
export function observedTensors(graph: Graph, plan: QuantPlan): ReadonlyMap<TensorId, TensorScheme> {
  const observed = new Map<TensorId, TensorScheme>();
  for (const { range, scheme } of plan.quantizers) {
    if (range.kind !== 'observed' || tensorOf(graph, range.tensor).data !== undefined) continue;
    observed.set(range.tensor, scheme);
  }
  return observed;
}
