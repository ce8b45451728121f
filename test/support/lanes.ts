/** Lanes and quantizers written by hand. */
import type { Graph } from '../../src/ir/graph.js';
import { QRANGE, type Lane, type QuantParams } from '../../src/ir/lane.js';
import { tensorNamed } from './graph-builder.js';

/** Over all codes of the type. */
export function perTensor(dtype: QuantParams['dtype'], scale: number, zeroPoint = 0): QuantParams {
  const [qmin, qmax] = QRANGE[dtype];
  return {
    dtype,
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    source: 'edit',
  };
}

export function perAxis(dtype: QuantParams['dtype'], axis: number, scales: readonly number[]): QuantParams {
  return {
    ...perTensor(dtype, 1),
    granularity: { kind: 'per-axis', axis },
    scale: Float32Array.from(scales),
    zeroPoint: new Int32Array(scales.length),
  };
}

/** Quantizers by tensor name. */
export function laneOf(
  g: Graph,
  tensors: Readonly<Record<string, QuantParams>>,
  uses: Lane['uses'] = new Map(),
): Lane {
  return {
    name: 'test',
    tensors: new Map(Object.entries(tensors).map(([name, params]) => [tensorNamed(g, name).id, params])),
    uses,
  };
}
