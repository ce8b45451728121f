/**
 * The language of placement: a preset is a table of operator rules, data that one planner interprets.
 *
 * Operators are named as in ONNX; those of other domains as `domain:Op`.
 */
import type { PlacementName } from '../scheme.js';

export interface Placement {
  readonly name: PlacementName;
  /** Whether a quantizer sits on the edge, for all its readers, or on one input of one operator. */
  readonly scope: 'edge' | 'use';
  readonly rules: Readonly<Record<string, OperatorRule>>;
  /** See QuantPlan. */
  readonly biasLimit: number;
}

export interface OperatorRule {
  /**
   * Floating-point inputs that are quantized as activations, by slot. `residual` is the operand of an Add whose other
   * operand comes straight from a weighted operator (the rule for `weights`) and goes nowhere else.
   */
  readonly inputs?: 'all' | 'residual' | readonly number[];
  /** Inputs that are weights where constant, activations where not. */
  readonly weights?: readonly WeightInput[];
  /** Slot of a constant that is added to the products: int32 at s_in * s_w. Input is slot 0, weight the first of `weights`. */
  readonly bias?: number;
  /** How outputs are quantized; not at all when absent. */
  readonly output?: OutputRule;
  /** The rule holds only where each of these inputs is quantized already (in node order), or constant if so said. */
  readonly requires?: { readonly slots: readonly number[]; readonly orConstant?: boolean };
  /** Rule for the node as an activation function that becomes part of the operator before it. */
  readonly fuses?: Fusion;
  /** Adding a constant vector to the product of one of these operators is that operator's bias. */
  readonly addsBiasTo?: readonly string[];
  /** Below this version of ai.onnx the target leaves the operator alone. */
  readonly minOpset?: number;
}

export interface WeightInput {
  readonly slot: number;
  /** Dimension of the output channels; `transB` is that of Gemm's B. Per-tensor where the constant has no such dimension. */
  readonly axis: number | 'transB';
  /** Per-tensor unless the constant has this rank. */
  readonly rank?: number;
}

export type OutputRule =
  /** Own range, from calibration. */
  | 'observed'
  /** Parameters of input 0. */
  | 'as-input'
  /** 'as-input' where a Pad puts in only zeros or values of its input, else 'observed'. */
  | 'as-input-if-padded-with-zero'
  /** All floating-point edges of the node must have the same parameters. */
  | 'same-scale'
  /** Range that the operator guarantees. */
  | { readonly limits: readonly [rmin: number, rmax: number] }
  /** Parameters that the target prescribes per type; 'observed' for other types. */
  | {
      readonly fixed: Readonly<
        Partial<Record<'int8' | 'int16', readonly [scale: number, zeroPoint: number]>>
      >;
    };

export interface Fusion {
  /** Operators that can absorb the function. */
  readonly into: 'any' | readonly string[];
  /** Only these clips are such functions: pairs of lower and upper limit (Infinity: none). */
  readonly limits?: readonly (readonly [low: number, high: number])[];
  /** The function is done by the clamp of an asymmetric quantizer, so it stays where activations are symmetric. */
  readonly asymmetricOnly?: boolean;
  /** Where it is not absorbed, its input gets the range of its output if nothing else reads the input. */
  readonly narrowsInput?: boolean;
}
