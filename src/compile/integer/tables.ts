/**
 * Functions of one code, or of two 8-bit codes, as tables: every value that a kernel can give is computed ahead of time on plain
 * numbers, just as the kernel computes it, and looked up in the graph.
 */
import type { ConstantData, Graph } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import type { Affine, Operand } from './affine.js';
import type { OperatorCall } from './kernel.js';

/**
 * A function of a code, made from numbers. Tables are kept by the formula and its `spec` as JSON: the function may depend on
 * nothing else.
 */
export type Formula<S> = (spec: S) => (code: number) => number;
/** The same for two codes. */
export type PairFormula<S> = (spec: S) => (a: number, b: number) => number;

/** A table for every pair of codes is this long, as is one for all codes of a 16-bit tensor. */
const LONGEST = 65536;

const codeCount = ({ lowest, highest }: Affine): number => highest - lowest + 1;

/** The function of every code of `input`, as float32 in its shape. Undefined when the type has too many codes. */
export function lookUp<S>(
  call: OperatorCall,
  input: Operand,
  formula: Formula<S>,
  spec: S,
): Value | undefined {
  const { lowest } = input;
  const count = codeCount(input);
  if (count > LONGEST) return undefined;
  const table = tableOf(call.graph, formula, [lowest, count, spec], () => {
    const f = formula(spec);
    return Array.from({ length: count }, (_, i) => f(lowest + i));
  });
  const offset = call.writer.literal('float32', [-lowest], []);
  return lookUpIndex(call, table, call.writer.op('Add', [call.codes(input.tensor), offset]));
}

/** The function of every pair of codes of `a` and `b`, broadcast, as float32. Undefined when the types have too many pairs. */
export function lookUpPair<S>(
  call: OperatorCall,
  a: Operand,
  b: Operand,
  formula: PairFormula<S>,
  spec: S,
): Value | undefined {
  const { writer } = call;
  const width = codeCount(b);
  const count = codeCount(a) * width;
  if (count > LONGEST) return undefined;
  const table = tableOf(call.graph, formula, [a.lowest, b.lowest, width, count, spec], () => {
    const f = formula(spec);
    return Array.from({ length: count }, (_, i) =>
      f(a.lowest + Math.floor(i / width), b.lowest + (i % width)),
    );
  });
  const row = writer.op('Mul', [call.codes(a.tensor), writer.literal('float32', [width], [])]);
  // On the side of the second operand, which is often a small constant.
  const origin = writer.literal('float32', [-a.lowest * width - b.lowest], []);
  return lookUpIndex(call, table, writer.op('Add', [row, writer.op('Add', [call.codes(b.tensor), origin])]));
}

/** `table[index]` as float32; `index` are float32 integers within the table. */
export function lookUpIndex({ writer }: OperatorCall, table: ConstantData, index: Value): Value {
  const at = writer.op('Cast', [index], { to: ONNX_DATA_TYPE.int32 });
  const found = writer.op('Gather', [writer.constant(table), at]);
  return table.dtype === 'float32' ? found : writer.op('Cast', [found], { to: ONNX_DATA_TYPE.float32 });
}

/** By graph, so that they go with it; lanes that compute the same operator share its table, and with it what is behind. */
const tables = new WeakMap<Graph, Map<unknown, Map<string, ConstantData>>>();

/** The table that `make` gives for this formula and spec, made once. */
export function tableOf(
  graph: Graph,
  formula: unknown,
  spec: unknown,
  make: () => readonly number[],
): ConstantData {
  const ofGraph = tables.get(graph) ?? new Map<unknown, Map<string, ConstantData>>();
  tables.set(graph, ofGraph);
  const ofFormula = ofGraph.get(formula) ?? new Map<string, ConstantData>();
  ofGraph.set(formula, ofFormula);
  const key = JSON.stringify(spec);
  const known = ofFormula.get(key);
  if (known !== undefined) return known;
  const made = packed(make());
  ofFormula.set(key, made);
  return made;
}

/** Long tables in the smallest type that holds them; short ones as float32, which saves a conversion of what is found. */
function packed(values: readonly number[]): ConstantData {
  let [least, most, isWhole] = [0, 0, values.length > 256];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    isWhole &&= Number.isInteger(value);
  }
  const within = (lowest: number, highest: number): boolean => isWhole && least >= lowest && most <= highest;
  const [dtype, data] = within(-128, 127)
    ? (['int8', Int8Array.from(values)] as const)
    : within(0, 255)
      ? (['uint8', Uint8Array.from(values)] as const)
      : within(-32768, 32767)
        ? (['int16', Int16Array.from(values)] as const)
        : (['float32', Float32Array.from(values)] as const);
  const bytes = new Uint8Array(data.buffer);
  return { dtype, dims: [values.length], byteLength: bytes.byteLength, bytes: () => bytes };
}
