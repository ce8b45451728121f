/** Along which axis the scales of a tensor lie: https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html */
import { formatDims } from '../../../ir/elements.js';
import type { DType, Shape } from '../../../ir/graph.js';
import type { Granularity, LaneFault, QuantParams } from '../../../ir/lane.js';
import { Unfoldable } from './folding.js';

export interface ParameterRequest {
  /** Names of constants; '' where the zero point is omitted. */
  readonly scale: string;
  readonly zeroPoint: string;
  /** The codes: their name for messages, their type and shape where they are known. */
  readonly of: {
    readonly name: string;
    readonly dtype: DType | undefined;
    readonly shape: Shape | undefined;
  };
  /** Of per-axis scales, may be negative; undefined where only one scale is allowed. */
  readonly axis: number | undefined;
  /** 0 = not blocked. */
  readonly blockSize: number;
}

export type Fault = Pick<LaneFault, 'kind' | 'message'>;

/** Blocks of more elements than any tensor has are one block; JavaScript counts no further. */
const LARGEST_BLOCK = Number.MAX_SAFE_INTEGER;

/** As QuantizeLinear arranges its scales: https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html */
export function granularityOf(
  count: number,
  { of: { name, shape }, axis, blockSize }: ParameterRequest,
  note: (kind: Fault['kind'], message: string) => void,
): Granularity {
  if (count === 1 && blockSize === 0) return { kind: 'per-tensor' };
  const rank = shape?.length;
  if (axis === undefined) {
    note(
      'scale-count',
      `'${name}' has ${plural(count, 'scale')}; one is wanted, and the first is taken for all`,
    );
    return { kind: 'per-tensor' };
  }
  if (rank === undefined && axis < 0) {
    throw new Unfoldable(`its scales lie along axis ${axis} of a tensor of unknown rank`);
  }
  const counted = axis < 0 ? axis + (rank ?? 0) : axis;
  const dims = formatDims(shape ?? []);
  const isOutside = rank !== undefined && (counted < 0 || counted >= rank);
  if (blockSize > 0) {
    if (isOutside) throw new Unfoldable(`its blocks lie along axis ${axis} of ${dims}`);
    const granularity = {
      kind: 'per-block',
      axis: counted,
      blockSize: Math.min(blockSize, LARGEST_BLOCK),
    } as const;
    const blocks = shape === undefined ? undefined : blockCount(shape, granularity);
    if (blocks !== undefined && blocks !== count) {
      throw new Unfoldable(
        `it has ${plural(count, 'scale')}; ${dims} in blocks of ${blockSize} along axis ${counted} has ${blocks}`,
      );
    }
    return granularity;
  }
  const said = `'${name}' says that its ${plural(count, 'scale')} lie along axis ${axis} of ${dims}`;
  const extent = shape?.[counted];
  if (!isOutside && (typeof extent !== 'number' || extent === count))
    return { kind: 'per-axis', axis: counted };
  const other = shape?.indexOf(count) ?? -1;
  if (other < 0) {
    note(
      'scale-count',
      `${said}; no axis has that extent, runtimes refuse it, and the first scale is taken for all`,
    );
    return { kind: 'per-tensor' };
  }
  note(
    isOutside ? 'axis' : 'axis-extent',
    `${said}; runtimes refuse it, and axis ${other} is taken, which has that extent`,
  );
  return { kind: 'per-axis', axis: other };
}

/** Scales that a tensor has in blocks; undefined while an extent is open. */
function blockCount(
  shape: Shape,
  { axis, blockSize }: { axis: number; blockSize: number },
): number | undefined {
  let blocks = 1;
  for (const [i, dim] of shape.entries()) {
    if (typeof dim !== 'number') return undefined;
    blocks *= i === axis ? Math.ceil(dim / blockSize) : dim;
  }
  return blocks;
}

/** Scales and zero points of `params`, one for all repeated for each that `like` has; undefined when they do not pair up. */
export function spread(
  params: QuantParams,
  like: QuantParams,
): Pick<QuantParams, 'scale' | 'zeroPoint'> | undefined {
  const { scale, zeroPoint } = params;
  if (params.granularity.kind !== 'per-tensor' || like.granularity.kind === 'per-tensor')
    return { scale, zeroPoint };
  const count = like.scale.length;
  return {
    scale: new Float32Array(count).fill(scale[0] ?? 0),
    zeroPoint: new Int32Array(count).fill(zeroPoint[0] ?? 0),
  };
}

export function sameGranularity(a: Granularity, b: Granularity): boolean {
  return arrangementOf(a) === arrangementOf(b);
}

export function arrangementOf(granularity: Granularity): string {
  if (granularity.kind === 'per-tensor') return granularity.kind;
  const { kind, axis } = granularity;
  return kind === 'per-axis' ? `${kind} ${axis}` : `${kind} ${axis} ${granularity.blockSize}`;
}

export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
