/** Schemes written down in a file. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { INT8_WEIGHTS, SCHEMES, schemeProblems } from './presets.js';
import type { Scheme, TensorScheme } from './scheme.js';

const observer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('minmax') }),
  z.strictObject({ kind: z.literal('moving-average'), momentum: z.number().min(0).lt(1) }),
  z.strictObject({ kind: z.literal('percentile'), percentile: z.number().gt(50).max(100) }),
  z.strictObject({ kind: z.literal('entropy') }),
  z.strictObject({ kind: z.literal('mse') }),
]);

const tensor = z.strictObject({
  dtype: z.enum(['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16']),
  symmetric: z.boolean(),
  narrowRange: z.boolean(),
  granularity: z.enum(['per-tensor', 'per-axis']),
  observer,
});

const tensorOrFloat = z.union([z.literal('float'), tensor.partial()]);

const schemeFile = z.strictObject({
  name: z.string().min(1),
  extends: z.enum(Object.keys(SCHEMES)),
  placement: z.enum(['ort', 'tflite', 'tensorrt']).optional(),
  weights: tensorOrFloat.optional(),
  activations: tensorOrFloat.optional(),
  bias: z.enum(['int32', 'float']).optional(),
});

/**
 * A scheme from the contents of a scheme file: the name of a preset to start from, and what differs from it.
 *
 *   { "name": "mine", "extends": "tflite", "weights": { "granularity": "per-tensor", "observer": { "kind": "mse" } } }
 *
 * @param json parsed JSON
 * @param source the file, for messages
 * @throws UsageError with everything that is wrong
 */
export function parseScheme(json: unknown, source: string): Scheme {
  const parsed = schemeFile.safeParse(json);
  if (!parsed.success) {
    throw new UsageError(`${source} is not a scheme`, {
      places: parsed.error.issues.flatMap((issue) => placesOf(issue, [])),
      hint: `--scheme ${Object.keys(SCHEMES).join(' | ')} | FILE`,
    });
  }
  const { name, extends: baseName, placement, weights, activations, bias } = parsed.data;
  const base = SCHEMES[baseName]!;
  const scheme: Scheme = {
    name,
    placement: placement ?? base.placement,
    weights: merged(base.weights, weights),
    activations: merged(base.activations, activations),
    bias: bias ?? base.bias,
  };
  const problems = schemeProblems(scheme);
  if (problems.length > 0)
    throw new UsageError(`${source} is a scheme that no target has`, { places: problems });
  return scheme;
}

/** One line per fault. Of the alternatives of a union, those of the one that came furthest. */
function placesOf(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): string[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_union') {
    const depth = (issues: readonly z.core.$ZodIssue[]): number =>
      Math.max(...issues.map((inner) => inner.path.length + (inner.code === 'unrecognized_keys' ? 1 : 0)));
    const [best] = [...issue.errors].sort((a, b) => depth(b) - depth(a));
    if (best !== undefined) return best.flatMap((inner) => placesOf(inner, path));
  }
  return [`${path.length > 0 ? path.join('.') : 'scheme'}: ${issue.message}`];
}

type TensorChange = z.infer<typeof tensorOrFloat>;

function merged(base: TensorScheme | 'float', change: TensorChange | undefined): TensorScheme | 'float' {
  if (change === undefined || change === 'float') return change ?? base;
  const from = base === 'float' ? INT8_WEIGHTS : base;
  return {
    dtype: change.dtype ?? from.dtype,
    symmetric: change.symmetric ?? from.symmetric,
    narrowRange: change.narrowRange ?? from.narrowRange,
    granularity: change.granularity ?? from.granularity,
    ...(from.zeroPointTies === undefined ? {} : { zeroPointTies: from.zeroPointTies }),
    observer: change.observer ?? from.observer,
  };
}
