/** Faults in quantized .tflite files: scales, codes and references are written over where they lie. */
import { toFloat64 } from '../../../src/ir/elements.js';
import { QRANGE, type QDType } from '../../../src/ir/lane.js';
import { BUILTIN_OPERATORS } from '../../../src/loader/tflite/flatbuffer/operators.js';
import {
  BUFFER,
  MODEL,
  OPERATOR,
  QUANTIZATION,
  SUBGRAPH,
  TENSOR,
} from '../../../src/loader/tflite/flatbuffer/schema.js';
import type { TfliteOperator, TfliteSubgraph, TfliteTensor } from '../../../src/loader/tflite/model.js';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { Patched, type PatchedTable } from './flatbuffer.js';
import type { ConstantChange, Edge, IntegerFile, Layer, StoredConstant } from './integer-file.js';

type Axes = Pick<Layer, 'outputs' | 'inputs' | 'spatial'>;
const AXES: Readonly<Record<string, Axes>> = {
  CONV_2D: { outputs: 0, inputs: 3, spatial: [1, 2] },
  DEPTHWISE_CONV_2D: { outputs: 3, inputs: 0, spatial: [1, 2] },
  FULLY_CONNECTED: { outputs: 0, inputs: 1, spatial: [] },
};

export class TfliteFile implements IntegerFile {
  readonly #file: Patched;

  constructor(bytes: Uint8Array) {
    this.#file = new Patched(bytes);
  }

  layer(where: string): Layer {
    const { op, inputs } = this.#writer(where);
    const [input, weight, bias = -1] = inputs;
    const weights = this.#constant(weight!);
    const inputScale = this.#tensor(input!).quantization!.scale[0]!;
    const accumulator = weights.scale.map((scale) => scale * inputScale);
    const stored = bias < 0 ? undefined : { ...this.#constant(bias), scale: accumulator };
    return {
      weights,
      ...(stored === undefined ? {} : { bias: stored }),
      biasFollows: true,
      ...AXES[op]!,
    };
  }

  changeWeights(where: string, change: ConstantChange): void {
    this.#change(this.#writer(where).inputs[1]!, change);
  }

  changeBias(where: string, change: ConstantChange): void {
    this.#change(this.#writer(where).inputs[2]!, change);
  }

  edge(tensor: string): Edge {
    const { type, quantization } = this.#named(tensor);
    const { scale, zeroPoint } = quantization!;
    return {
      scale: scale[0]!,
      zeroPoint: zeroPoint[0] ?? 0,
      limits: QRANGE[type.toLowerCase() as QDType],
    };
  }

  changeEdge(tensor: string, { scale, zeroPoint }: Partial<Edge>): void {
    this.#change(this.#named(tensor).index, {
      ...(scale === undefined ? {} : { scale: [scale] }),
      ...(zeroPoint === undefined ? {} : { zeroPoint: [zeroPoint] }),
    });
  }

  readers(tensor: string): string[] {
    const { index } = this.#named(tensor);
    return this.#main.operators
      .filter(({ op, inputs }) => op in AXES && inputs[0] === index)
      .map(({ outputs }) => this.#tensor(outputs[0]!).name);
  }

  changeReaders(): void {
    throw new Error('a TFLite tensor has one scale, whoever reads it');
  }

  bypass(tensor: string, instead: string): void {
    const from = this.#named(tensor).index;
    const to = this.#named(instead).index;
    const { view } = this.#file;
    const tables = this.#subgraph.tables(SUBGRAPH.operators.slot);
    for (const table of tables) {
      const { at, count } = table.vector(OPERATOR.inputs.slot);
      for (let i = 0; i < count; i++) {
        if (view.getInt32(at + 4 * i, true) === from) view.setInt32(at + 4 * i, to, true);
      }
    }
    const { operators, outputs } = this.#main;
    const live = new Set<number>();
    const needed = new Set(outputs);
    for (const { index, inputs, outputs: written } of operators.toReversed()) {
      if (!written.some((id) => needed.has(id))) continue;
      live.add(index);
      for (const input of inputs) needed.add(input);
    }
    this.#subgraph.keep(SUBGRAPH.operators.slot, (index) => live.has(index));
  }

  removeActivation(tensor: string): void {
    const { op, index } = this.#writer(tensor);
    const fused = BUILTIN_OPERATORS.find(([name]) => name === op)?.[1]?.fields['fusedActivationFunction'];
    const options = this.#operator(index).table(OPERATOR.builtinOptions.slot);
    const at = fused === undefined ? undefined : options?.position(fused.slot);
    if (at !== undefined) this.#file.bytes[at] = 0;
  }

  swapOutputs(): void {
    const { at, count } = this.#subgraph.vector(SUBGRAPH.outputs.slot);
    const { view } = this.#file;
    const reversed = this.#subgraph.int32s(SUBGRAPH.outputs.slot).toReversed();
    for (let i = 0; i < count; i++) view.setInt32(at + 4 * i, reversed[i]!, true);
  }

  namesOf(where: string): string[] {
    const { operators, tensors } = this.#main;
    const written = this.#named(where).index;
    const writer = operators.find(({ outputs }) => outputs.includes(written));
    if (writer === undefined) return [where];
    const constants = writer.inputs.filter((id) => id >= 0 && tensors[id]!.data !== undefined);
    return [where, `${writer.op}#${writer.index}`, ...constants.map((id) => tensors[id]!.name)];
  }

  bytes(): Uint8Array {
    return this.#file.bytes;
  }

  get #main(): TfliteSubgraph {
    return readTflite(this.#file.bytes).subgraphs[0]!;
  }

  get #subgraph(): PatchedTable {
    return this.#file.root().tables(MODEL.subgraphs.slot)[0]!;
  }

  #tensor(index: number): TfliteTensor {
    return this.#main.tensors[index]!;
  }

  #named(name: string): TfliteTensor {
    const found = this.#main.tensors.find((tensor) => tensor.name === name);
    if (found === undefined) throw new Error(`no tensor ${name}`);
    return found;
  }

  #writer(tensor: string): TfliteOperator {
    const { index } = this.#named(tensor);
    const found = this.#main.operators.find(({ outputs }) => outputs.includes(index));
    if (found === undefined) throw new Error(`nothing writes ${tensor}`);
    return found;
  }

  #operator(index: number): PatchedTable {
    return this.#subgraph.tables(SUBGRAPH.operators.slot)[index]!;
  }

  #table(index: number): PatchedTable {
    return this.#subgraph.tables(SUBGRAPH.tensors.slot)[index]!;
  }

  #constant(index: number): StoredConstant {
    const { name, shape, type, quantization, data } = this.#tensor(index);
    const scale = Array.from(quantization?.scale ?? []);
    return {
      name,
      dims: shape,
      axis: quantization?.quantizedDimension ?? 0,
      scale,
      zeroPoint: scale.map((_, i) => quantization?.zeroPoint[i] ?? quantization?.zeroPoint[0] ?? 0),
      codes: Array.from(toFloat64(data!)),
      limits: QRANGE[type.toLowerCase() as QDType],
    };
  }

  #change(index: number, { codes, scale, zeroPoint, axis }: ConstantChange): void {
    const { type } = this.#tensor(index);
    if (axis !== undefined) this.#giveAxis(index, axis);
    const { view } = this.#file;
    const table = this.#table(index);
    const quantization = table.table(TENSOR.quantization.slot);
    const scales = quantization?.vector(QUANTIZATION.scale.slot);
    scale?.slice(0, scales?.count).forEach((value, i) => view.setFloat32(scales!.at + 4 * i, value, true));
    const zeroPoints = quantization?.vector(QUANTIZATION.zeroPoint.slot);
    zeroPoint?.forEach((value, i) => view.setBigInt64(zeroPoints!.at + 8 * i, BigInt(value), true));
    if (codes === undefined) return;
    const buffers = this.#file.root().tables(MODEL.buffers.slot);
    const { at } = buffers[view.getUint32(table.position(TENSOR.buffer.slot)!, true)]!.vector(
      BUFFER.data.slot,
    );
    codes.forEach((code, i) => {
      if (type === 'INT32') view.setInt32(at + 4 * i, code, true);
      else view.setInt8(at + i, code);
    });
  }

  /** A file leaves out the axis 0: another axis needs a table that has the field. */
  #giveAxis(index: number, axis: number): void {
    const { scale } = this.#constant(index);
    const zeroPoint = this.#constant(index).zeroPoint;
    const added = new DataView(new ArrayBuffer(48 + 16 + 4 * scale.length + 8 * scale.length));
    // vtable of 7 fields at 4, so that the table begins at a multiple of 4 and its vectors of 64-bit numbers at one of 8.
    const table = 24;
    [18, 16, 0, 0, 4, 8, 0, 0, 12].forEach((value, i) => added.setUint16(6 + 2 * i, value, true));
    added.setInt32(table, table - 6, true);
    const zeroPoints = 52;
    const scales = zeroPoints + 4 + 8 * scale.length;
    added.setUint32(table + 4, scales - (table + 4), true);
    added.setUint32(table + 8, zeroPoints - (table + 8), true);
    added.setInt32(table + 12, axis, true);
    added.setUint32(zeroPoints, scale.length, true);
    zeroPoint.forEach((value, i) => added.setBigInt64(zeroPoints + 4 + 8 * i, BigInt(value), true));
    added.setUint32(scales, scale.length, true);
    scale.forEach((value, i) => added.setFloat32(scales + 4 + 4 * i, value, true));
    const at = this.#file.append(new Uint8Array(added.buffer));
    this.#table(index).refer(TENSOR.quantization.slot, at + table);
  }
}
