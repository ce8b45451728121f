/** Schemes by name, and schemes changed by flags. */
import { UsageError } from '../errors.js';
import type { QDType } from '../ir/lane.js';
import type { ObserverSpec, PlacementName, Scheme, TensorScheme } from './scheme.js';

const MINMAX: ObserverSpec = { kind: 'minmax' };

/** Integers from -127 to 127, zero in the middle. */
export const INT8_WEIGHTS: TensorScheme = {
  dtype: 'int8',
  symmetric: true,
  narrowRange: true,
  granularity: 'per-tensor',
  observer: MINMAX,
};

const INT8_WEIGHTS_PER_AXIS: TensorScheme = { ...INT8_WEIGHTS, granularity: 'per-axis' };

const ASYMMETRIC = {
  symmetric: false,
  narrowRange: false,
  granularity: 'per-tensor',
  observer: MINMAX,
} as const;
const SYMMETRIC = {
  symmetric: true,
  narrowRange: true,
  granularity: 'per-tensor',
  observer: MINMAX,
} as const;

/** Name on the command line -> scheme. */
export const SCHEMES: Readonly<Record<string, Scheme>> = {
  /** quantize_static with the types ONNX Runtime recommends for x86: uint8 activations, int8 weights, per-tensor. */
  ort: {
    name: 'ort',
    placement: 'ort',
    weights: INT8_WEIGHTS,
    activations: { dtype: 'uint8', ...ASYMMETRIC },
    bias: 'int32',
  },
  /** Full integer quantization of the TensorFlow Lite converter. */
  tflite: {
    name: 'tflite',
    placement: 'tflite',
    weights: INT8_WEIGHTS_PER_AXIS,
    activations: { dtype: 'int8', ...ASYMMETRIC, zeroPointTies: 'away' },
    bias: 'int32',
  },
  /**
   * The same with int16 activations. Its int64 biases are never clamped and have steps below float32's own, so float
   * stands for them; int32 would clamp.
   */
  'tflite-16x8': {
    name: 'tflite-16x8',
    placement: 'tflite',
    weights: INT8_WEIGHTS_PER_AXIS,
    activations: { dtype: 'int16', ...SYMMETRIC, zeroPointTies: 'away' },
    bias: 'float',
  },
  /** TensorRT explicit quantization, with the entropy calibration its tools use for int8. */
  tensorrt: {
    name: 'tensorrt',
    placement: 'tensorrt',
    weights: INT8_WEIGHTS_PER_AXIS,
    activations: { dtype: 'int8', ...SYMMETRIC, observer: { kind: 'entropy' } },
    bias: 'float',
  },
};

/** Flags that change a scheme. Symmetry and observer are those of activations; granularity that of weights. */
export interface SchemeOverrides {
  readonly weights?: QDType | 'float';
  readonly activations?: QDType | 'float';
  readonly granularity?: TensorScheme['granularity'];
  readonly symmetric?: boolean;
  readonly observer?: ObserverSpec['kind'];
  /** In per cent; of the percentile observer, which it implies. */
  readonly percentile?: number;
  /** Of the moving-average observer, which it implies. */
  readonly momentum?: number;
}

const DEFAULT_PERCENTILE = 99.99;
const DEFAULT_MOMENTUM = 0.99;

/** What the integer kernels of a target take. */
interface TargetLimits {
  readonly weights: readonly QDType[];
  readonly activations: readonly QDType[];
  /** Types whose activations must be symmetric, and must not be. */
  readonly symmetricOnly: readonly QDType[];
}

const LIMITS: Readonly<Record<PlacementName, TargetLimits>> = {
  ort: {
    weights: ['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16'],
    activations: ['int8', 'uint8', 'int16', 'uint16'],
    symmetricOnly: [],
  },
  tflite: { weights: ['int4', 'int8'], activations: ['int8', 'int16'], symmetricOnly: ['int16'] },
  tensorrt: { weights: ['int4', 'int8'], activations: ['int8'], symmetricOnly: ['int8'] },
};

/**
 * The scheme with some of its properties replaced. Another type brings the symmetry that the targets use with it:
 * weights of signed types and int16 activations are symmetric, other types are not, unless told otherwise.
 *
 * @throws UsageError with everything that makes no sense together or that the target does not have
 */
export function overrideScheme(scheme: Scheme, overrides: SchemeOverrides): Scheme {
  const problems: string[] = [];
  const weights = overriddenWeights(scheme, overrides, problems);
  const activations = overriddenActivations(scheme, overrides, problems);
  // int64 biases of 16x8 kernels: see the preset.
  const isWide = scheme.placement === 'tflite' && activations !== 'float' && activations.dtype === 'int16';
  const overridden: Scheme = { ...scheme, weights, activations, bias: isWide ? 'float' : scheme.bias };
  problems.push(...schemeProblems(overridden));
  if (problems.length > 0) {
    throw new UsageError(`these settings do not fit scheme ${scheme.name}`, {
      places: problems,
      hint:
        scheme.placement === 'ort'
          ? `--scheme ${scheme.name} without these settings`
          : '--scheme ort takes the most combinations',
    });
  }
  return overridden;
}

/** What of a scheme contradicts itself or its target; in the user's words. */
export function schemeProblems({ placement, weights, activations }: Scheme): string[] {
  const limits = LIMITS[placement];
  const problems: string[] = [];
  const allowed = (what: string, dtype: QDType, dtypes: readonly QDType[]): void => {
    if (!dtypes.includes(dtype))
      problems.push(`${placement} has no ${dtype} ${what}; it has ${dtypes.join(', ')}`);
  };
  if (weights !== 'float') {
    allowed('weights', weights.dtype, limits.weights);
    if (!weights.symmetric && (placement !== 'ort' || weights.granularity === 'per-axis')) {
      problems.push(
        `${placement} has no asymmetric ${weights.granularity} weights; its kernels want zero point 0`,
      );
    }
    if (weights.observer.kind === 'moving-average') {
      problems.push(
        'a moving average over samples has no meaning for weights; minmax, percentile, entropy and mse have',
      );
    }
  }
  if (activations !== 'float') {
    allowed('activations', activations.dtype, limits.activations);
    if (activations.granularity === 'per-axis') problems.push('activations are per-tensor in every target');
    if (!activations.symmetric && limits.symmetricOnly.includes(activations.dtype)) {
      problems.push(`${placement} has only symmetric ${activations.dtype} activations`);
    }
  }
  if (placement === 'ort' && weights !== 'float' && activations !== 'float') {
    if (activations.dtype === 'int8' && weights.dtype === 'uint8') {
      problems.push('ort has no int8 activations with uint8 weights');
    }
  }
  return problems;
}

function overriddenWeights(
  { weights, placement }: Scheme,
  { weights: dtype, granularity }: SchemeOverrides,
  problems: string[],
): Scheme['weights'] {
  const kept = dtype ?? (weights === 'float' ? 'float' : weights.dtype);
  if (kept === 'float') {
    if (granularity !== undefined) problems.push(`--${granularity} is about weights, which are float here`);
    return 'float';
  }
  const base = weights === 'float' ? INT8_WEIGHTS : weights;
  const chosen = granularity ?? base.granularity;
  if (dtype === undefined || dtype === base.dtype) return { ...base, granularity: chosen };
  const symmetric = !kept.startsWith('u') || chosen === 'per-axis';
  // ONNX Runtime's quantizer uses all 16 codes of int4; TensorFlow Lite leaves out -8.
  const narrowRange = symmetric && !kept.startsWith('u') && !(placement === 'ort' && kept === 'int4');
  return { ...base, dtype: kept, granularity: chosen, symmetric, narrowRange };
}

function overriddenActivations(
  { activations }: Scheme,
  overrides: SchemeOverrides,
  problems: string[],
): Scheme['activations'] {
  const dtype = overrides.activations ?? (activations === 'float' ? 'float' : activations.dtype);
  const observer = overriddenObserver(overrides, problems);
  if (dtype === 'float') {
    if (overrides.symmetric !== undefined) {
      problems.push(
        `--${overrides.symmetric ? 'symmetric' : 'asymmetric'} is about activations, which are float here`,
      );
    }
    if (observer !== undefined) problems.push(`--observer is about activations, which are float here`);
    return 'float';
  }
  const base = activations === 'float' ? { dtype, ...ASYMMETRIC } : activations;
  const changesType = activations === 'float' || dtype !== activations.dtype;
  const symmetric = overrides.symmetric ?? (changesType ? dtype === 'int16' : base.symmetric);
  return {
    ...base,
    dtype,
    symmetric,
    narrowRange: symmetric && !dtype.startsWith('u'),
    observer: observer ?? base.observer,
  };
}

function overriddenObserver(
  { observer, percentile, momentum }: SchemeOverrides,
  problems: string[],
): ObserverSpec | undefined {
  if (percentile !== undefined && momentum !== undefined) {
    problems.push('--percentile and --momentum belong to two different observers');
  }
  const kind =
    observer ??
    (percentile !== undefined ? 'percentile' : momentum !== undefined ? 'moving-average' : undefined);
  if (percentile !== undefined && kind !== 'percentile') {
    problems.push(`--percentile belongs to the percentile observer, not to ${kind}`);
  }
  if (momentum !== undefined && kind !== 'moving-average') {
    problems.push(`--momentum belongs to the moving-average observer, not to ${kind}`);
  }
  if (percentile !== undefined && !(percentile > 50 && percentile <= 100)) {
    problems.push(`--percentile is ${percentile}; more than 50 and at most 100 is wanted`);
  }
  if (momentum !== undefined && !(momentum >= 0 && momentum < 1)) {
    problems.push(`--momentum is ${momentum}; at least 0 and less than 1 is wanted`);
  }
  if (kind === undefined) return undefined;
  if (kind === 'percentile') return { kind, percentile: percentile ?? DEFAULT_PERCENTILE };
  if (kind === 'moving-average') return { kind, momentum: momentum ?? DEFAULT_MOMENTUM };
  return { kind };
}
