/**
 * Inference against real shapes: the operator tests of the onnx package, and small graphs (operators of older operator
 * sets and of com.microsoft, random windows, PyTorch exports with dynamic axes) as ONNX Runtime computes them.
 */
import { describe, expect, it } from 'vitest';
import type { Dim, DType, Shape } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { tensorNamed } from '../../support/graph-builder.js';
import { buildCase, shapeCases, symbol, type Mode, type ShapeCase } from './shape-cases.js';

/** Operators whose output extents depend on the data: null is right for any of them. */
const DATA_DEPENDENT = new Set(['Compress', 'NonMaxSuppression', 'NonZero', 'Unique']);

function print(dtype: DType | undefined, shape: Shape | undefined): string {
  return `${dtype} [${shape?.map((dim) => dim ?? '?').join(', ') ?? 'unknown rank'}]`;
}

/** Outputs of which dtype or any extent is not found. */
function gaps(test: ShapeCase): string[] {
  const inferred = inferShapes(buildCase(test, 'fixed'));
  const dependent = test.nodes.some((node) => DATA_DEPENDENT.has(node.op));
  return test.outputs.flatMap(([name, dtype, shape]) => {
    const found = tensorNamed(inferred, name);
    const expected: Shape = shape.map((dim, i) => (dependent && found.shape?.[i] === null ? null : dim));
    const got = print(found.dtype, found.shape);
    return got === print(dtype, expected)
      ? []
      : [`${test.name}/${name}: ${got}, really ${print(dtype, shape)}`];
  });
}

/** Outputs of which something stated is not so, once symbols are replaced by what they stand for. */
function contradictions(test: ShapeCase, mode: Mode): string[] {
  const inferred = inferShapes(buildCase(test, mode));
  const extents = new Map(
    test.inputs.flatMap(([name, , shape]) => shape.map((dim, axis) => [symbol(name, axis), dim])),
  );
  const standsFor = (dim: Dim): number | null => (typeof dim === 'string' ? (extents.get(dim) ?? NaN) : dim);
  return test.outputs.flatMap(([name, dtype, shape]) => {
    const found = tensorNamed(inferred, name);
    const numbers = found.shape?.map(standsFor);
    const shapeFits =
      numbers === undefined ||
      (numbers.length === shape.length && numbers.every((dim, i) => dim === null || dim === shape[i]));
    if (shapeFits && (found.dtype ?? dtype) === dtype) return [];
    return [`${test.name}/${name}: ${print(found.dtype, found.shape)}, really ${print(dtype, shape)}`];
  });
}

describe.each([
  ['operator tests of ONNX', 'node-tests.jsonl', 1000],
  ['graphs that ONNX Runtime ran', 'runtime.jsonl', 350],
])('inferShapes on %s', (_, file, least) => {
  const cases = shapeCases(file);

  it('has enough of them to answer to', () => {
    expect(cases.length).toBeGreaterThanOrEqual(least);
  });

  it('finds dtype and every extent of every output from fixed inputs', () => {
    expect(cases.flatMap(gaps)).toEqual([]);
  });

  it('states nothing false when every extent of the inputs is symbolic', () => {
    expect(cases.flatMap((test) => contradictions(test, 'symbols'))).toEqual([]);
  });

  it('states nothing false when shapes, axes and sizes are known only at run time', () => {
    expect(cases.flatMap((test) => contradictions(test, 'run time'))).toEqual([]);
  });
});
