/**
 * ONNX's own operator tests for quantization, through the loader and the compiler.
 *
 * In these files scales and zero points are graph inputs: the operator stays a node, with that as the reason, and must give the
 * right answer. Each runs once more with everything but the first input bound as initializers, as quantizers write files: it is
 * then folded where it can be. What cannot run says so, and is listed here with what it says.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { elementCount, toFloat64 } from '../../../src/ir/elements.js';
import { isFloat, type ConstantData, type DType } from '../../../src/ir/graph.js';
import { FLOAT_LANE, type QuantParams } from '../../../src/ir/lane.js';
import { loadModel, type LoadedModel } from '../../../src/loader/index.js';
import { decodeModel, encodeModel, onnx, withFields } from '../../../src/onnx/proto.js';
import { tensorData } from '../../../src/onnx/tensor.js';
import { toFloat16Bits } from '../../../src/run/data/float16.js';
import type { Elements, Feed } from '../../../src/run/data/dataset.js';
import { openSession } from '../../../src/run/runtime.js';
import { workspace } from '../../support/workspace.js';

const FOLDER = join(import.meta.dirname, '../../../../shared/conformance/onnx');

/** `ops`: all operators of the graph. `reason`: why one of them was not folded. `error`: what running it ends with. */
interface Outcome {
  readonly ops?: string;
  readonly reason?: RegExp;
  readonly error?: RegExp;
}

const SCALE_IS_INPUT = /^its scale '\w+' is not a constant$/;
/** What onnxruntime-node knows no tensors of. */
const NO_TENSOR = /Unsupported data type: \d+|Tensor\.type is not supported: u?int4/;
const NO_KERNEL = /Could not find an implementation for \w+\(25\)/;
const CODES_ARE_INPUT = /codes that no quantizer of the file writes/;

/** By folder, the first that fits: with scales as inputs, with scales as initializers. */
const OUTCOMES: readonly (readonly [RegExp, Outcome, Outcome])[] = [
  [
    /e4m3fn|e5m2/,
    { reason: SCALE_IS_INPUT, error: NO_TENSOR },
    { reason: /codes of type float8e\w+ are not simulated/, error: NO_TENSOR },
  ],
  [
    /float4e2m1/,
    { reason: SCALE_IS_INPUT, error: NO_KERNEL },
    { reason: /codes of type float4e2m1 are not simulated/, error: NO_KERNEL },
  ],
  [
    /uint2$/,
    { reason: SCALE_IS_INPUT, error: NO_TENSOR },
    { reason: /codes of type uint2 are not simulated/, error: NO_TENSOR },
  ],
  [/int[24]$/, { reason: SCALE_IS_INPUT, error: NO_TENSOR }, { ops: 'Identity' }],
  [
    /^test_quantizelinear_blocked/,
    { ops: 'QuantizeLinear', reason: SCALE_IS_INPUT },
    { ops: 'QuantizeLinear', reason: /block/ },
  ],
  [
    /^test_dequantizelinear_blocked/,
    { ops: 'DequantizeLinear', reason: SCALE_IS_INPUT },
    { ops: 'DequantizeLinear', reason: /codes of no known tensor|block/ },
  ],
  [/^test_quantizelinear/, { ops: 'QuantizeLinear', reason: SCALE_IS_INPUT }, { ops: 'Identity' }],
  [/^test_dequantizelinear/, { ops: 'DequantizeLinear', reason: SCALE_IS_INPUT }, { ops: 'Identity' }],
  [
    /^test_convinteger_with_padding/,
    { reason: CODES_ARE_INPUT, error: /Non per-tensor quantization is not supported/ },
    { reason: CODES_ARE_INPUT, error: /Non per-tensor quantization is not supported/ },
  ],
  [
    /^test_convinteger/,
    { ops: 'ConvInteger', reason: CODES_ARE_INPUT },
    { ops: 'ConvInteger', reason: CODES_ARE_INPUT },
  ],
  [
    /^test_matmulinteger/,
    { ops: 'MatMulInteger', reason: CODES_ARE_INPUT },
    { ops: 'MatMulInteger', reason: CODES_ARE_INPUT },
  ],
  [/^test_qlinearconv/, { ops: 'QLinearConv', reason: SCALE_IS_INPUT }, { ops: 'Conv' }],
  [/^test_qlinearmatmul/, { ops: 'QLinearMatMul', reason: SCALE_IS_INPUT }, { ops: 'MatMul' }],
  [/^test_dynamicquantizelinear.*_expanded/, { reason: SCALE_IS_INPUT }, { reason: SCALE_IS_INPUT }],
  [
    /^test_dynamicquantizelinear/,
    { ops: 'DynamicQuantizeLinear', reason: /what reads its codes/ },
    { ops: 'DynamicQuantizeLinear', reason: /what reads its codes/ },
  ],
];

const files = workspace();

interface Case {
  readonly model: Uint8Array;
  readonly inputs: readonly ConstantData[];
  readonly outputs: readonly ConstantData[];
}

function caseOf(folder: string, isBound: boolean): Case {
  const at = join(FOLDER, folder);
  const protos = (kind: string): ReturnType<typeof onnx.TensorProto.decode>[] =>
    readdirSync(join(at, 'test_data_set_0'))
      .filter((name) => name.startsWith(kind))
      .map((_, i) => onnx.TensorProto.decode(readFileSync(join(at, 'test_data_set_0', `${kind}_${i}.pb`))));
  const bytes = readFileSync(join(at, 'model.onnx'));
  const names = decodeModel(bytes).graph?.input?.map(({ name }) => name ?? '') ?? [];
  const inputs = protos('input');
  const initializer = inputs.slice(1).map((proto, i) => withFields(proto, { name: names[i + 1] ?? '' }));
  return {
    // Concatenated messages merge: an initializer that is listed as an input too is no input.
    model: isBound ? Buffer.concat([bytes, encodeModel({ graph: { initializer } })]) : bytes,
    inputs: inputs.map((proto) => tensorData(proto, 'input')),
    outputs: protos('output').map((proto) => tensorData(proto, 'output')),
  };
}

/** Values of the outputs in the lane of the file. */
async function outputsOf(
  { graph, lane = FLOAT_LANE }: LoadedModel,
  inputs: Case['inputs'],
): Promise<number[][]> {
  const feeds = new Map(
    graph.inputs.map((id, i): [string, Feed] => {
      const { name, dtype = 'float32' } = graph.tensors[id]!;
      return [name, feedOf(inputs[i]!, dtype, lane.tensors.get(id))];
    }),
  );
  const { model, positions } = inferenceProgram(graph, lane, graph.outputs);
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds);
  await session.close();
  return graph.outputs.map((id, i) => {
    const found = results[positions[i]!] as unknown as ArrayLike<number | bigint>;
    return graph.tensors[id]!.dtype === 'float16' ? halves(found) : Array.from(found, Number);
  });
}

/** An input of codes that became one of floats is fed with what the codes stand for. */
function feedOf(data: ConstantData, dtype: DType, params: QuantParams | undefined): Feed {
  const { dims } = data;
  if (data.dtype === dtype) return { dtype, dims, data: stored(data) };
  if (params === undefined) throw new Error('codes without parameters');
  const at = scaleIndex(params, dims);
  const values = Array.from(
    toFloat64(data),
    (code, i) => (code - params.zeroPoint[at(i)]!) * params.scale[at(i)]!,
  );
  return { dtype, dims, data: dtype === 'float16' ? toFloat16Bits(values) : Float32Array.from(values) };
}

function stored(data: ConstantData): Elements {
  const { buffer } = new Uint8Array(data.bytes());
  const types: Partial<Record<DType, new (buffer: ArrayBuffer) => Elements>> = {
    float32: Float32Array,
    float16: Uint16Array,
    int8: Int8Array,
    int16: Int16Array,
    uint16: Uint16Array,
  };
  return new (types[data.dtype] ?? Uint8Array)(buffer);
}

function halves(bits: ArrayLike<number | bigint>): number[] {
  const words = Uint16Array.from(bits as ArrayLike<number>);
  return Array.from(
    toFloat64({
      dtype: 'float16',
      dims: [words.length],
      byteLength: words.byteLength,
      bytes: () => new Uint8Array(words.buffer),
    }),
  );
}

function scaleIndex({ granularity }: QuantParams, dims: readonly number[]): (element: number) => number {
  if (granularity.kind === 'per-tensor') return () => 0;
  const inner = elementCount(dims.slice(granularity.axis + 1));
  return (element) => Math.floor(element / inner) % dims[granularity.axis]!;
}

/** Values as the file's output has them: codes where it is codes. */
function asStored(
  values: readonly number[],
  output: ConstantData,
  params: QuantParams | undefined,
): number[] {
  if (isFloat(output.dtype) || params === undefined) return [...values];
  const at = scaleIndex(params, output.dims);
  return values.map((value, i) => Math.round(value / params.scale[at(i)]!) + params.zeroPoint[at(i)]!);
}

async function check(folder: string, isBound: boolean, { ops, reason, error }: Outcome): Promise<void> {
  const { model, inputs, outputs } = caseOf(folder, isBound);
  const loaded = await loadModel(files.file(`${folder}_${isBound}.onnx`, model));
  const { graph, lane = FLOAT_LANE } = loaded;
  const reasons = (lane.unfolded ?? []).map((unfolded) => unfolded.reason);
  if (reason === undefined) expect(reasons).toEqual([]);
  else expect(reasons).toContainEqual(expect.stringMatching(reason));
  if (error !== undefined) return expect(outputsOf(loaded, inputs)).rejects.toThrow(error);
  if (ops !== undefined) expect(graph.nodes.map(({ op }) => op).join()).toBe(ops);
  const found = await outputsOf(loaded, inputs);
  expect(found).toHaveLength(outputs.length);
  outputs.forEach((output, i) => {
    const params = lane.tensors.get(graph.outputs[i]!);
    const wanted = Array.from(toFloat64(output));
    const values = asStored(found[i]!, output, params);
    expect(values).toHaveLength(wanted.length);
    const tolerance = isFloat(output.dtype) ? 1e-6 : reason === undefined ? 1 : 0;
    const peak = isFloat(output.dtype) ? Math.max(1, ...wanted.map(Math.abs)) : 1;
    wanted.forEach((value, at) =>
      expect(Math.abs(values[at]! - value)).toBeLessThanOrEqual(tolerance * peak),
    );
  });
}

const folders = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];

function saying({ ops, error }: Outcome): string {
  if (error !== undefined) return 'says why it cannot run';
  return ops === undefined ? 'runs as nodes' : `is ${ops}`;
}

const cases = folders.map((folder) => {
  const [, asInputs, asConstants] = OUTCOMES.find(([pattern]) => pattern.test(folder)) ?? [];
  if (asInputs === undefined || asConstants === undefined) throw new Error(`${folder} is not listed`);
  return { folder, asInputs, asConstants };
});

describe.skipIf(cases.length === 0)(
  'operator tests of ONNX (45 folders of ../shared/conformance/onnx)',
  () => {
    it('are all here', () => {
      expect(cases).toHaveLength(45);
    });

    for (const { folder, asInputs, asConstants } of cases) {
      it(`${folder} with scales as inputs ${saying(asInputs)}`, () => check(folder, false, asInputs));
      it(`${folder} with scales as constants ${saying(asConstants)}`, () => check(folder, true, asConstants));
    }
  },
);
