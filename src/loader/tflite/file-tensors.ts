/** The tensors of a subgraph as the IR knows them: float values with parameters instead of codes. */
import type { ConstantData, DType } from '../../ir/graph.js';
import type { LaneFault, QuantParams } from '../../ir/lane.js';
import { dequantized, widened } from './constants.js';
import type { TfliteSubgraph, TfliteTensor } from './model.js';
import { quantizationOf } from './quantization.js';
import { STORAGE_DTYPES } from './stored-constant.js';

/** Axes in the file's order throughout. */
export interface FileTensor {
  readonly name: string;
  /** 'float32' for codes and for half precision; undefined for resources and variants. */
  readonly dtype: DType | undefined;
  readonly dims: readonly number[];
  /** Values of a constant. */
  readonly data: ConstantData | undefined;
  /** Elements of a constant as stored. */
  readonly stored: ConstantData | undefined;
  readonly params: QuantParams | undefined;
  /** Codes of a quantized constant. */
  readonly codes: ConstantData | undefined;
  /** Keeps its value from one run to the next. */
  readonly isVariable: boolean;
}

export function fileTensorsOf(subgraph: TfliteSubgraph): {
  tensors: FileTensor[];
  faults: readonly LaneFault[];
} {
  const { params, faults } = quantizationOf(subgraph);
  const tensors = subgraph.tensors.map((tensor) => fileTensor(tensor, params.get(tensor.index)));
  // DEQUANTIZE of a constant is a constant: its output takes the input's elements and parameters.
  for (const { op, custom, inputs, outputs } of subgraph.operators) {
    const [input = -1] = inputs;
    const [output = -1] = outputs;
    const source = tensors[input];
    const target = tensors[output];
    if (custom || op !== 'DEQUANTIZE' || source?.data === undefined || target === undefined) continue;
    // Its extents too, whatever the file says: the interpreter takes them from the input.
    const { dims, data, stored, params: own, codes } = source;
    tensors[output] = { ...target, dims, data: asFloat32(data), stored, params: own, codes };
  }
  return { tensors, faults };
}

function fileTensor(tensor: TfliteTensor, params: QuantParams | undefined): FileTensor {
  const { name, index, type, shape, isVariable } = tensor;
  const data = storedCodes(tensor, params);
  return {
    name: name === '' ? `tensor#${index}` : name,
    dtype: params === undefined ? STORAGE_DTYPES[type] : 'float32',
    dims: shape,
    data: data === undefined || params === undefined ? data : dequantized(data, params),
    stored: data,
    params,
    codes: params === undefined ? undefined : data,
    isVariable,
  };
}

/** Bytes of type UINT8 that kernels take for signed codes are signed here. */
function storedCodes(
  { type, data }: TfliteTensor,
  params: QuantParams | undefined,
): ConstantData | undefined {
  return data !== undefined && type === 'UINT8' && params?.dtype === 'int8'
    ? { ...data, dtype: 'int8' }
    : data;
}

function asFloat32(data: ConstantData): ConstantData {
  return data.dtype === 'float16' || data.dtype === 'bfloat16' ? widened(data) : data;
}
