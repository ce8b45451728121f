/** Subgraphs of TFLite files written by hand, where no converter makes them or a file would hide what matters. */
import type { ConstantData, DType } from '../../src/ir/graph.js';
import type {
  OptionValue,
  TfliteOperator,
  TfliteQuantization,
  TfliteSubgraph,
  TfliteTensor,
  TfliteType,
} from '../../src/loader/tflite/model.js';
import { constantData } from './graph-builder.js';

export interface TensorSpec {
  readonly name?: string;
  /** FLOAT32 when not given. */
  readonly type?: TfliteType;
  readonly scale?: number | readonly number[];
  /** One number stands for as many as there are scales. */
  readonly zeroPoint?: number | readonly number[];
  readonly axis?: number;
  readonly blockwise?: TfliteQuantization['blockwise'];
  /** Elements of a constant; as many as the shape has. */
  readonly values?: readonly number[];
  readonly isVariable?: boolean;
}

const DTYPES: Partial<Record<TfliteType, DType>> = {
  FLOAT32: 'float32',
  INT32: 'int32',
  INT64: 'int64',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  INT4: 'int4',
};

export class HandmadeSubgraph {
  readonly #tensors: TfliteTensor[] = [];
  readonly #operators: TfliteOperator[] = [];
  readonly #inputs: number[] = [];

  /** Returns the index of the tensor. */
  tensor(shape: readonly number[], spec: TensorSpec = {}): number {
    const index = this.#tensors.length;
    const { name = `t${index}`, type = 'FLOAT32', values, isVariable = false } = spec;
    const data = values === undefined ? undefined : dataOf(type, shape, values);
    const quantization = quantizationOf(spec);
    this.#tensors.push({
      index,
      name,
      type,
      shape,
      isVariable,
      ...(data === undefined ? {} : { data }),
      ...(quantization === undefined ? {} : { quantization }),
    });
    return index;
  }

  input(shape: readonly number[], spec: TensorSpec = {}): number {
    const index = this.tensor(shape, spec);
    this.#inputs.push(index);
    return index;
  }

  /** A constant of `values`, or of one value everywhere. */
  constant(shape: readonly number[], values: readonly number[] | number, spec: TensorSpec = {}): number {
    const count = shape.reduce((product, dim) => product * dim, 1);
    const all = typeof values === 'number' ? Array<number>(count).fill(values) : values;
    return this.tensor(shape, { ...spec, values: all });
  }

  integers(values: readonly number[]): number {
    return this.tensor([values.length], { type: 'INT32', values });
  }

  op(
    op: string,
    inputs: readonly number[],
    outputs: readonly number[],
    options: Readonly<Record<string, OptionValue>> = {},
    custom = false,
  ): void {
    const index = this.#operators.length;
    const customOptions = new Uint8Array();
    this.#operators.push({ index, op, custom, version: 1, inputs, outputs, options, customOptions });
  }

  build(...outputs: readonly number[]): TfliteSubgraph {
    return {
      name: 'main',
      tensors: this.#tensors,
      inputs: this.#inputs,
      outputs,
      operators: this.#operators,
    };
  }
}

function dataOf(type: TfliteType, shape: readonly number[], values: readonly number[]): ConstantData {
  const dtype = DTYPES[type];
  if (dtype === undefined) throw new Error(`no elements of ${type} are made here`);
  return constantData(dtype, shape, values);
}

function quantizationOf({
  scale,
  zeroPoint = 0,
  axis = 0,
  blockwise,
}: TensorSpec): TfliteQuantization | undefined {
  if (scale === undefined && blockwise === undefined) return undefined;
  const scales = scale === undefined ? [] : [scale].flat();
  return {
    scale: Float32Array.from(scales),
    zeroPoint: typeof zeroPoint === 'number' ? scales.map(() => zeroPoint) : zeroPoint,
    quantizedDimension: axis,
    min: [],
    max: [],
    ...(blockwise === undefined ? {} : { blockwise }),
  };
}

export const CONV = {
  padding: 'SAME',
  strideW: 1,
  strideH: 1,
  dilationWFactor: 1,
  dilationHFactor: 1,
  fusedActivationFunction: 'NONE',
} as const;
export const DEPTHWISE = { ...CONV, depthMultiplier: 1 } as const;
export const POOL = {
  padding: 'VALID',
  strideW: 2,
  strideH: 2,
  filterWidth: 2,
  filterHeight: 2,
  fusedActivationFunction: 'NONE',
} as const;
export const DENSE = {
  fusedActivationFunction: 'NONE',
  weightsFormat: 'DEFAULT',
  keepNumDims: false,
  asymmetricQuantizeInputs: false,
} as const;
