/** How tensors are to be quantized, before any number is known. */
import type { QDType } from '../ir/lane.js';

export type ObserverSpec =
  /** Smallest and largest value seen. */
  | { readonly kind: 'minmax' }
  /**
   * Exponential moving average of the per-sample min and max, seeded by the first sample:
   * m <- momentum * m + (1 - momentum) * sample. TensorFlow's `momentum`/`ema_decay` means the same;
   * PyTorch's `averaging_constant` is 1 - momentum; ONNX Runtime's CalibMovingAverage is an arithmetic mean and is not this.
   */
  | { readonly kind: 'moving-average'; readonly momentum: number }
  /** Cuts (100 - percentile) % of the values: half of it on each side when asymmetric, of |x| when symmetric. */
  | { readonly kind: 'percentile'; readonly percentile: number }
  /** Range whose quantized distribution has the least Kullback-Leibler divergence from the observed one. */
  | { readonly kind: 'entropy' }
  /** Range with the least expected squared error over the observed distribution. */
  | { readonly kind: 'mse' };

export interface TensorScheme {
  readonly dtype: QDType;
  readonly symmetric: boolean;
  /** Leaves out the lowest code of a signed type: [-127, 127]. */
  readonly narrowRange: boolean;
  readonly granularity: 'per-tensor' | 'per-axis';
  /** Where a zero point halfway between two codes goes: away from zero in TensorFlow, to the even code when absent. */
  readonly zeroPointTies?: 'away';
  readonly observer: ObserverSpec;
}

export type PlacementName = 'ort' | 'tflite' | 'tensorrt';

export interface Scheme {
  readonly name: string;
  /** Which edges the target quantizes. */
  readonly placement: PlacementName;
  readonly weights: TensorScheme | 'float';
  readonly activations: TensorScheme | 'float';
  /** int32 at scale s_in * s_w, zero point 0; float where the input or the weight is float. */
  readonly bias: 'int32' | 'float';
}
