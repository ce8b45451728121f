/** Measurements written by hand, for what is computed from them. */
import { edgesOf } from '../../src/compile/edges.js';
import type { ConstantMeasurement } from '../../src/diff/weight-measurements.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import type { ErrorMeasurement } from '../../src/diff/measurement.js';
import type { With } from '../../src/doctor/evidence.js';
import type { ErrorKind } from '../../src/compile/measurement-program.js';
import type { Graph } from '../../src/ir/graph.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { SCHEMES } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { tensorNamed } from './graph-builder.js';

export const NO_ERROR: ErrorMeasurement = {
  mse: 0,
  maxAbsError: 0,
  bias: 0,
  clippedShare: 0,
  noise: { clip: 0, round: 0 },
  biasShare: 0,
  nonFinite: 0,
};

export function errorOf(db: number | 'exact', rest: Partial<ErrorMeasurement> = {}): ErrorMeasurement {
  return { ...NO_ERROR, ...(db === 'exact' ? { exact: true } : { sqnrDb: db }), ...rest };
}

/** The measurement of one tensor of a graph whose shapes are known. */
export function edgeMeasurement(
  g: Graph,
  name: string,
  errors: Partial<Record<ErrorKind, ErrorMeasurement>> = {},
  rest: Partial<EdgeMeasurement> = {},
): EdgeMeasurement {
  const { id } = tensorNamed(g, name);
  const edge = edgesOf(g, new Set()).edges.find(({ tensor }) => tensor === id);
  if (edge === undefined) throw new Error(`${name} has no fixed shape`);
  return {
    edge,
    quant: undefined,
    range: { min: -1, max: 1 },
    levels: undefined,
    lost: undefined,
    nonFinite: 0,
    nonFiniteIn: undefined,
    errors: new Map(Object.entries(errors) as [ErrorKind, ErrorMeasurement][]),
    channels: [],
    ...rest,
  };
}

export function evidence(
  g: Graph,
  edges: readonly EdgeMeasurement[],
  constants: readonly ConstantMeasurement[] = [],
): With<'lane' | 'scheme' | 'edges' | 'constants'> {
  return { graph: g, lane: FLOAT_LANE, scheme: SCHEMES.ort as Scheme, edges, constants, jumps: [] };
}
