/**
 * QuantizeLinear and DequantizeLinear as nodes of a file, named as ONNX Runtime's quantizer names them.
 *
 * Of ai.onnx where the model's opset has the form that is wanted, of com.microsoft else: only that one knows 16 and 4 bits below
 * opset 21, and one scale per channel below 13. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
 */
import { UnsupportedError } from '../../errors.js';
import { isFloat, type ConstantData, type DType } from '../../ir/graph.js';
import { QRANGE, type QuantParams } from '../../ir/lane.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import { MICROSOFT } from '../model-writer.js';
import { codeBytes, constantCodes, floatBytes, storedType, type StoredType } from './constant-codes.js';
import { nodeProto, type NewNode } from './new-nodes.js';
import type { UnusedNames } from './unused-names.js';

/** A value that a quantizer stands behind. */
export interface QuantizedValue {
  readonly name: string;
  readonly dtype: DType;
  readonly rank: number;
}

/** Takes an initializer; gives back its name. */
export type AddInitializer = (base: string, dtype: DType, dims: readonly number[], raw: Uint8Array) => string;

export class LinearNodes {
  readonly #opset: number;
  readonly #names: UnusedNames;
  readonly #add: AddInitializer;
  /** Whether a node is of ONNX Runtime's own operator set. */
  usesMicrosoft = false;

  /** @param opset of ai.onnx; 0 where the model does not import it */
  constructor(opset: number, names: UnusedNames, add: AddInitializer) {
    this.#opset = opset;
    this.#names = names;
    this.#add = add;
  }

  /**
   * Nodes that bring a value to integers and back.
   *
   * @param base what the new names begin with
   * @param output name of the value behind
   * @throws UnsupportedError where the model's opset has no operators for it
   */
  pair(base: string, value: QuantizedValue, params: QuantParams, output: string): Uint8Array[] {
    const type = this.#typeOf(params, base);
    const nodes: NewNode[] = [];
    const whole = this.#cast(nodes, base, value.name, value.dtype, 'float32');
    const [lowest, highest] = QRANGE[type];
    const isNarrow = params.qmin !== lowest || params.qmax !== highest;
    // Behind QuantizeLinear the runtime still sees an integer operator; not every opset and type has Clip for integers.
    const clipsCodes = isNarrow && this.#opset >= 12 && (type === 'int8' || type === 'uint8');
    const limited = isNarrow && !clipsCodes ? this.#limited(nodes, base, whole, value.rank, params) : whole;
    const codes = this.#linear(nodes, 'QuantizeLinear', base, limited, type, params);
    const cut = clipsCodes ? this.#clipped(nodes, base, codes, type, params) : codes;
    this.#dequantized(nodes, base, cut, type, params, value.dtype, output);
    return nodes.map(nodeProto);
  }

  /**
   * Nodes that give a constant from its codes, which become an initializer.
   *
   * @param stored its codes where it came as codes
   * @returns undefined where no codes stand for it
   * @throws UnsupportedError as `pair`
   */
  constant(
    base: string,
    data: ConstantData,
    params: QuantParams,
    stored: ConstantData | undefined,
    output: string,
  ): Uint8Array[] | undefined {
    const codes = constantCodes(data, params, stored);
    if (codes === undefined) return undefined;
    const type = this.#typeOf(params, base);
    const nodes: NewNode[] = [];
    const name = this.#add(`${base}_quantized`, type, data.dims, codeBytes(type, codes));
    this.#dequantized(nodes, base, name, type, params, data.dtype, output);
    return nodes.map(nodeProto);
  }

  /** Nodes that bring a value to 8 bits and back with parameters from the value itself. */
  dynamicPair(base: string, { name, dtype }: QuantizedValue, output: string): Uint8Array[] {
    const nodes: NewNode[] = [];
    const whole = this.#cast(nodes, base, name, dtype, 'float32');
    const outputs = ['_QuantizeLinear_Output', '_scale', '_zero_point'].map((end) =>
      this.#names.next(base + end),
    );
    const label = this.#names.next(`${base}_DynamicQuantizeLinear`);
    const dynamic = { op: 'DynamicQuantizeLinear', domain: '', name: label, inputs: [whole] };
    const back = isFloat(dtype) && dtype !== 'float32' ? this.#names.next(`${base}_float32`) : output;
    const read = { op: 'DequantizeLinear', domain: '', name: this.#names.next(`${base}_DequantizeLinear`) };
    const made = nodes.map(nodeProto);
    made.push(
      nodeProto({ ...dynamic, output: outputs }),
      nodeProto({ ...read, inputs: outputs, output: back }),
    );
    if (back === output) return made;
    const cast = { op: 'Cast', domain: '', name: this.#names.next(`${base}_Cast`), inputs: [back], output };
    return [...made, nodeProto({ ...cast, attrs: { to: ONNX_DATA_TYPE[dtype] } })];
  }

  #typeOf({ dtype, granularity }: QuantParams, base: string): StoredType {
    const type = storedType(dtype);
    if (type === undefined || granularity.kind === 'per-block')
      throw new UnsupportedError(
        `no operator quantizes '${base}' to ${dtype} with parameters ${granularity.kind}`,
      );
    return type;
  }

  #dequantized(
    nodes: NewNode[],
    base: string,
    codes: string,
    type: StoredType,
    params: QuantParams,
    dtype: DType,
    output: string,
  ): void {
    const isWhole = dtype === 'float32';
    const read = { ...params, ...params.read };
    const value = this.#linear(
      nodes,
      'DequantizeLinear',
      base,
      codes,
      type,
      read,
      isWhole ? output : undefined,
    );
    if (!isWhole) this.#cast(nodes, base, value, 'float32', dtype, output);
  }

  #linear(
    nodes: NewNode[],
    op: 'QuantizeLinear' | 'DequantizeLinear',
    base: string,
    input: string,
    type: StoredType,
    params: QuantParams,
    output = this.#names.next(`${base}_${op}_Output`),
  ): string {
    const { granularity } = params;
    const domain = this.#domainOf(type, granularity.kind === 'per-axis');
    if (domain === MICROSOFT) this.usesMicrosoft = true;
    const attrs = granularity.kind === 'per-axis' ? { axis: granularity.axis } : {};
    const inputs = [input, ...this.#parameters(base, type, params)];
    nodes.push({ op, domain, name: this.#names.next(`${base}_${op}`), inputs, output, attrs });
    return output;
  }

  #domainOf(type: StoredType, isPerAxis: boolean): string {
    if (this.#opset >= 21) return '';
    const isByte = type === 'int8' || type === 'uint8' || type === 'int32';
    return isByte && this.#opset >= (isPerAxis ? 13 : 10) ? '' : MICROSOFT;
  }

  readonly #written = new Map<string, readonly [scale: string, zeroPoint: string]>();

  /** Scale and zero point: of one quantizer, the same initializers for both of its nodes. */
  #parameters(
    base: string,
    type: StoredType,
    { scale, zeroPoint, granularity }: QuantParams,
  ): readonly string[] {
    const key = JSON.stringify([base, type, [...scale], [...zeroPoint]]);
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const dims = granularity.kind === 'per-tensor' ? [] : [scale.length];
    const made = [
      this.#add(`${base}_scale`, 'float32', dims, floatBytes(scale)),
      this.#add(`${base}_zero_point`, type, dims, codeBytes(type, zeroPoint)),
    ] as const;
    this.#written.set(key, made);
    return made;
  }

  /** The value in another float type. */
  #cast(nodes: NewNode[], base: string, input: string, from: DType, to: DType, output?: string): string {
    if (from === to) return input;
    const name = output ?? this.#names.next(`${base}_${to}`);
    const label = this.#names.next(`${base}_Cast`);
    nodes.push({
      op: 'Cast',
      domain: '',
      name: label,
      inputs: [input],
      output: name,
      attrs: { to: ONNX_DATA_TYPE[to] },
    });
    return name;
  }

  #clipped(nodes: NewNode[], base: string, codes: string, type: StoredType, params: QuantParams): string {
    const bounds = [params.qmin, params.qmax].map((bound, at) =>
      this.#add(`${base}_${at === 0 ? 'qmin' : 'qmax'}`, type, [], codeBytes(type, [bound])),
    );
    const output = this.#names.next(`${base}_Clip_Output`);
    nodes.push({
      op: 'Clip',
      domain: '',
      name: this.#names.next(`${base}_Clip`),
      inputs: [codes, ...bounds],
      output,
    });
    return output;
  }

  /** The float value cut to what the limits stand for: QuantizeLinear saturates at the limits of the type only. */
  #limited(nodes: NewNode[], base: string, value: string, rank: number, params: QuantParams): string {
    if (this.#opset < 8) {
      throw new UnsupportedError(
        `'${base}' is quantized to ${params.qmin} to ${params.qmax}, which ai.onnx opset ${this.#opset} has no operators for; opset 8 is wanted`,
        { hint: 'onnx.version_converter.convert_version(model, 13)' },
      );
    }
    const { granularity, scale, zeroPoint } = params;
    const dims =
      granularity.kind === 'per-axis'
        ? Array.from({ length: rank }, (_, axis) => (axis === granularity.axis ? scale.length : 1))
        : [];
    let cut = value;
    for (const [op, bound] of [
      ['Max', params.qmin],
      ['Min', params.qmax],
    ] as const) {
      const values = scale.map((step, i) => step * (bound - (zeroPoint[i] ?? 0)));
      const limit = this.#add(
        `${base}_${op === 'Max' ? 'lowest' : 'highest'}`,
        'float32',
        dims,
        floatBytes(values),
      );
      const output = this.#names.next(`${base}_${op}_Output`);
      nodes.push({ op, domain: '', name: this.#names.next(`${base}_${op}`), inputs: [cut, limit], output });
      cut = output;
    }
    return cut;
  }
}
