/** Faults in quantized ONNX files, QDQ and QOperator: what one place of the file says is changed, the rest stays as it is. */
import { toFloat64 } from '../../../src/ir/elements.js';
import { tensorData } from '../../../src/onnx/tensor.js';
import {
  decodeModel,
  encodeModel,
  onnx,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../../../src/onnx/proto.js';
import type { ConstantChange, Edge, IntegerFile, Layer, Limits, StoredConstant } from './integer-file.js';

const { INT8, UINT8, INT32, FLOAT } = onnx.TensorProto.DataType;

type TypedValues = Int8Array | Uint8Array | Int32Array | Float32Array;
const ARRAYS = new Map<number, { from(values: readonly number[]): TypedValues }>([
  [INT8, Int8Array],
  [UINT8, Uint8Array],
  [INT32, Int32Array],
  [FLOAT, Float32Array],
]);

/** Where an operator on codes has the scale of what it writes; its zero point follows. */
const OUTPUT_SCALE: Readonly<Record<string, number>> = {
  QuantizeLinear: 1,
  QLinearConv: 6,
  QLinearMatMul: 6,
  QGemm: 7,
  QLinearAdd: 6,
  QLinearMul: 6,
  QLinearConcat: 0,
  QLinearAveragePool: 3,
  QLinearGlobalAveragePool: 3,
};
const QOPERATOR_LAYER: Readonly<Record<string, { readonly bias?: number }>> = {
  QLinearConv: { bias: 8 },
  QGemm: { bias: 6 },
  QLinearMatMul: {},
};
const ACTIVATIONS = ['Relu', 'Clip'];

/** Names of initializers that together make a constant. */
interface Parts {
  readonly codes: string;
  readonly scale?: string;
  readonly zeroPoint?: string;
  /** Node that has the axis as its attribute. */
  readonly dequantizer?: NodeProto;
}

export class OnnxFile implements IntegerFile {
  readonly #model: ModelProto;
  readonly #graph: GraphProto;

  constructor(bytes: Uint8Array) {
    this.#model = decodeModel(bytes);
    this.#graph = this.#model.graph!;
  }

  layer(where: string): Layer {
    const node = this.#named(where);
    const weights = this.#constant(this.#weightParts(node));
    const biasParts = this.#biasParts(node);
    const biasFollows = node.opType! in QOPERATOR_LAYER;
    const accumulator = weights.scale.map((scale) => scale * this.#inputScale(node));
    const bias = biasParts && this.#constant(biasParts, biasFollows ? accumulator : undefined);
    return { weights, ...(bias === undefined ? {} : { bias }), biasFollows, ...axesOf(node) };
  }

  changeWeights(where: string, change: ConstantChange): void {
    this.#change(this.#weightParts(this.#named(where)), change);
  }

  changeBias(where: string, change: ConstantChange): void {
    this.#change(this.#biasParts(this.#named(where))!, change);
  }

  edge(tensor: string): Edge {
    const [scale, zeroPoint] = this.#writer(tensor);
    return {
      scale: this.#values(scale)[0]!,
      zeroPoint: this.#values(zeroPoint)[0]!,
      limits: this.#limits(zeroPoint),
    };
  }

  changeEdge(tensor: string, change: Partial<Edge>): void {
    const [scale, zeroPoint] = this.#writer(tensor);
    if (change.scale !== undefined) this.#store(scale, [change.scale]);
    if (change.zeroPoint !== undefined) this.#store(zeroPoint, [change.zeroPoint]);
  }

  readers(tensor: string): string[] {
    const codes = this.#codesOf(tensor);
    const read = new Set([tensor, codes, ...this.#dequantized(codes)]);
    return this.#nodes
      .filter((node) => read.has(node.input![0] ?? '') && (node.input!.length > 4 || isFloatLayer(node)))
      .filter(({ opType }) => isFloatLayer({ opType: opType! }) || opType! in QOPERATOR_LAYER)
      .map(({ name }) => name!);
  }

  changeReaders(tensor: string, change: Partial<Edge>): void {
    const codes = this.#codesOf(tensor);
    for (const node of this.#nodes) {
      node.input!.forEach((input, slot) => {
        if (input !== codes) return;
        if (change.scale !== undefined) this.#replace(node, slot + 1, change.scale);
        if (change.zeroPoint !== undefined) this.#replace(node, slot + 2, change.zeroPoint);
      });
    }
  }

  bypass(tensor: string, instead: string): void {
    for (const node of this.#nodes) {
      node.input = node.input!.map((input) => (input === tensor ? instead : input));
    }
    const outputs = new Set(this.#graph.output!.map(({ name }) => name));
    for (let dead = true; dead;) {
      const read = new Set(this.#nodes.flatMap(({ input }) => input!));
      const kept = this.#nodes.filter(({ output }) =>
        output!.some((name) => read.has(name) || outputs.has(name)),
      );
      dead = kept.length < this.#nodes.length;
      this.#graph.node = kept;
    }
  }

  removeActivation(tensor: string): void {
    const node = this.#producer(tensor);
    // The usual quantizer leaves the activation function to the range alone.
    if (!ACTIVATIONS.includes(node.opType!)) return;
    this.#producer(node.input![0]!).output = [tensor];
    this.#graph.node = this.#nodes.filter((other) => other !== node);
  }

  swapOutputs(): void {
    this.#graph.output!.reverse();
  }

  namesOf(where: string): string[] {
    const node = this.#nodes.find(({ name }) => name === where) ?? this.#producerOrUndefined(where);
    const [weight, bias] = node === undefined ? [] : [this.#weightNames(node), this.#biasNames(node)];
    const written = node === undefined ? [where] : [...node.output!, where];
    const codes = written.map((name) => this.#codesOf(name));
    const all = [
      ...(node === undefined ? [] : [node.name!]),
      ...(weight ?? []),
      ...(bias ?? []),
      ...written,
      ...codes,
      ...codes.flatMap((name) => this.#dequantized(name)),
    ];
    return [...new Set(all.flatMap((name) => [name, name.replace(/_quantized$/, '')]))];
  }

  bytes(): Uint8Array {
    return encodeModel(this.#model);
  }

  /** Values of an initializer. */
  values(name: string): number[] {
    return this.#values(name);
  }

  get #nodes(): NodeProto[] {
    return this.#graph.node!;
  }

  #named(where: string): NodeProto {
    const node = this.#nodes.find(({ name }) => name === where);
    if (node === undefined) throw new Error(`no node ${where}`);
    return node;
  }

  #producerOrUndefined(tensor: string): NodeProto | undefined {
    return this.#nodes.find(({ output }) => output!.includes(tensor));
  }

  #producer(tensor: string): NodeProto {
    const node = this.#producerOrUndefined(tensor);
    if (node === undefined) throw new Error(`nothing writes ${tensor}`);
    return node;
  }

  /** What QuantizeLinear makes of a float tensor; codes are their own. */
  #codesOf(tensor: string): string {
    const quantizer = this.#nodes.find(
      ({ opType, input }) => opType === 'QuantizeLinear' && input![0] === tensor,
    );
    return quantizer?.output![0] ?? tensor;
  }

  #dequantized(codes: string): string[] {
    return this.#nodes
      .filter(({ opType, input }) => opType === 'DequantizeLinear' && input![0] === codes)
      .map(({ output }) => output![0]!);
  }

  /** Initializers with the scale and the zero point with which the tensor's codes are written. */
  #writer(tensor: string): [string, string] {
    const { opType, input } = this.#producer(this.#codesOf(tensor));
    const slot = OUTPUT_SCALE[opType!];
    if (slot === undefined) throw new Error(`${opType} writes ${tensor}, without parameters`);
    return [input![slot]!, input![slot + 1]!];
  }

  #inputScale(node: NodeProto): number {
    const [first, scale] = node.input!;
    if (node.opType! in QOPERATOR_LAYER) return this.#values(scale!)[0]!;
    return this.#values(this.#producer(first!).input![1]!)[0]!;
  }

  #weightParts(node: NodeProto): Parts {
    const input = node.input!;
    if (node.opType! in QOPERATOR_LAYER) return { codes: input[3]!, scale: input[4]!, zeroPoint: input[5]! };
    return this.#dequantizedParts(input[1]!);
  }

  #biasParts(node: NodeProto): Parts | undefined {
    const input = node.input!;
    if (node.opType! in QOPERATOR_LAYER) {
      const slot = QOPERATOR_LAYER[node.opType!]?.bias;
      return slot === undefined || !input[slot] ? undefined : { codes: input[slot] };
    }
    return input[2] ? this.#dequantizedParts(input[2]) : undefined;
  }

  #dequantizedParts(value: string): Parts {
    const dequantizer = this.#producer(value);
    const [codes, scale, zeroPoint] = dequantizer.input!;
    return { codes: codes!, scale: scale!, ...(zeroPoint ? { zeroPoint } : {}), dequantizer };
  }

  #weightNames(node: NodeProto): string[] {
    if (node.opType! in QOPERATOR_LAYER) return [node.input![3]!];
    return isFloatLayer(node) ? [node.input![1]!, this.#weightParts(node).codes] : [];
  }

  #biasNames(node: NodeProto): string[] {
    if (!isFloatLayer(node) && !(node.opType! in QOPERATOR_LAYER)) return [];
    const parts = this.#biasParts(node);
    return parts === undefined ? [] : [parts.codes, ...this.#dequantized(parts.codes)];
  }

  #constant(parts: Parts, impliedScale?: readonly number[]): StoredConstant {
    const { dims } = this.#initializer(parts.codes);
    const scale = impliedScale ?? this.#values(parts.scale!);
    const zeroPoint = parts.zeroPoint === undefined ? [] : this.#values(parts.zeroPoint);
    const axis = parts.dequantizer?.attribute?.find(({ name }) => name === 'axis')?.i;
    return {
      name: parts.codes,
      dims: dims!.map(Number),
      // QLinearConv has its scales along the outputs.
      axis: axis == null ? (parts.dequantizer === undefined ? 0 : 1) : Number(axis),
      scale,
      zeroPoint: scale.map((_, i) => zeroPoint[i] ?? zeroPoint[0] ?? 0),
      codes: this.#values(parts.codes),
      limits: this.#limits(parts.codes),
    };
  }

  #change(parts: Parts, change: ConstantChange): void {
    if (change.codes !== undefined) this.#store(parts.codes, change.codes);
    if (change.scale !== undefined && parts.scale !== undefined) this.#store(parts.scale, change.scale);
    if (change.zeroPoint !== undefined && parts.zeroPoint !== undefined) {
      this.#store(parts.zeroPoint, change.zeroPoint);
    }
    if (change.axis === undefined) return;
    if (parts.dequantizer === undefined) throw new Error(`${parts.codes} has its axis from the operator`);
    const others = parts.dequantizer.attribute!.filter(({ name }) => name !== 'axis');
    const axis = onnx.AttributeProto.create({
      name: 'axis',
      type: onnx.AttributeProto.AttributeType.INT,
      i: change.axis,
    });
    parts.dequantizer.attribute = [...others, axis];
  }

  #initializer(name: string): TensorProto {
    const found = this.#graph.initializer!.find((initializer) => initializer.name === name);
    if (found === undefined) throw new Error(`no initializer ${name}`);
    return found;
  }

  #values(name: string): number[] {
    return Array.from(toFloat64(tensorData(this.#initializer(name), name)));
  }

  #limits(name: string): Limits {
    const { dataType } = this.#initializer(name);
    if (dataType === UINT8) return [0, 255];
    return dataType === INT8 ? [-128, 127] : [-(2 ** 31), 2 ** 31 - 1];
  }

  #store(name: string, values: readonly number[]): void {
    const tensor = this.#initializer(name);
    const array = typed(tensor.dataType!, values);
    tensor.rawData = new Uint8Array(array.buffer);
    tensor.int32Data = [];
    tensor.floatData = [];
  }

  /** An initializer of its own for one input of one node. */
  #replace(node: NodeProto, slot: number, value: number): void {
    const before = this.#initializer(node.input![slot]!);
    const name = `${before.name}/${node.name}/${slot}`;
    const rawData = new Uint8Array(typed(before.dataType!, [value]).buffer);
    const { dataType, dims } = before;
    this.#graph.initializer!.push(
      onnx.TensorProto.create({ name, dataType: dataType!, dims: dims!, rawData }),
    );
    node.input![slot] = name;
  }
}

function isFloatLayer({ opType }: Pick<NodeProto, 'opType'>): boolean {
  return opType === 'Conv' || opType === 'Gemm' || opType === 'MatMul';
}

function axesOf({ opType, attribute }: NodeProto): Pick<Layer, 'outputs' | 'inputs' | 'spatial'> {
  if (opType === 'Conv' || opType === 'QLinearConv') return { outputs: 0, inputs: 1, spatial: [2, 3] };
  const isTransposed = Number(attribute?.find(({ name }) => name === 'transB')?.i ?? 0) === 1;
  return isTransposed ? { outputs: 0, inputs: 1, spatial: [] } : { outputs: 1, inputs: 0, spatial: [] };
}

function typed(dataType: number, values: readonly number[]): TypedValues {
  const ArrayType = ARRAYS.get(dataType);
  if (ArrayType === undefined) throw new Error(`no fault is written for data type ${dataType}`);
  return ArrayType.from(values);
}
