/** Graphs with the real shapes of their tensors, made by the recipes in fixtures/infer. */
import { readFileSync } from 'node:fs';
import type { Attr, DType, Graph } from '../../../src/ir/graph.js';
import { constantData, graph, type AttrValue } from '../../support/graph-builder.js';

export type Row = readonly [name: string, dtype: DType, shape: readonly number[], values?: readonly number[]];

type JsonAttr =
  | Readonly<{ type: 'int'; value: number }>
  | Readonly<{ type: 'ints'; value: readonly number[] }>
  | Readonly<{ type: 'tensor'; dtype: DType; dims: readonly number[]; values?: readonly number[] }>
  | Extract<Attr, { type: 'float' | 'floats' | 'string' | 'strings' }>;

export interface ShapeCase {
  readonly name: string;
  readonly opsets: Readonly<Record<string, number>>;
  readonly nodes: readonly {
    readonly op: string;
    readonly domain?: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attrs?: Readonly<Record<string, JsonAttr>>;
  }[];
  readonly constants?: readonly Row[];
  /** With values when they decide a shape. */
  readonly inputs: readonly Row[];
  readonly outputs: readonly Row[];
}

export function shapeCases(file: string): readonly ShapeCase[] {
  const url = new URL(`../../../fixtures/infer/${file}`, import.meta.url);
  const lines = readFileSync(url, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as ShapeCase);
}

/**
 * What inference is told of the inputs:
 * fixed = their shapes, and the values of those that have some (as initializers);
 * symbols = the same values, every extent of the other inputs symbolic; run time = shapes and no values.
 */
export type Mode = 'fixed' | 'symbols' | 'run time';

/** Name of one extent of one input, so that every symbol of a result can be put back. */
export function symbol(name: string, axis: number): string {
  return `${name}.${axis}`;
}

export function buildCase(test: ShapeCase, mode: Mode): Graph {
  const builder = graph({ opset: test.opsets[''] ?? 1, opsets: test.opsets });
  for (const row of test.constants ?? []) builder.constant(...row);
  for (const [name, dtype, shape, values] of test.inputs) {
    if (values !== undefined && mode !== 'run time') builder.constant(name, dtype, shape, values);
    else builder.input(name, dtype, mode === 'symbols' ? shape.map((_, axis) => symbol(name, axis)) : shape);
  }
  for (const { op, domain = '', inputs, outputs, attrs = {} } of test.nodes) {
    const entries = Object.entries(attrs).map(([name, attr]) => [name, attrOf(attr)] as const);
    builder.node(op, { domain, inputs, outputs, attrs: Object.fromEntries(entries) });
  }
  return builder.build();
}

function attrOf(attr: JsonAttr): AttrValue {
  switch (attr.type) {
    case 'int':
      return { type: 'int', value: BigInt(attr.value) };
    case 'ints':
      return { type: 'ints', value: attr.value.map(BigInt) };
    case 'tensor':
      return constantData(attr.dtype, attr.dims, attr.values);
    default:
      return attr;
  }
}
