/** Scales and zero points that exporters compute from a constant: cast to their type, reshaped. */
import { toFloat64 } from '../../../ir/elements.js';
import type { ConstantData, DType } from '../../../ir/graph.js';
import { dtypeName } from '../../../ir/onnx-data-type.js';
import { lazyData } from '../../../onnx/tensor.js';
import type { DraftNode } from '../draft.js';

/** Operators that only give other dims to a tensor; those of scales and zero points are not looked at. */
const RESHAPING: ReadonlySet<string> = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Nodes between a constant and its reader. */
const LENGTH_LIMIT = 8;

/** The constant that a value is, or is made of by such nodes; undefined when it is none. */
export function constantBehind(
  name: string,
  constants: ReadonlyMap<string, ConstantData>,
  producers: ReadonlyMap<string, DraftNode>,
): ConstantData | undefined {
  const casts: DType[] = [];
  let current = name;
  for (let length = 0; length <= LENGTH_LIMIT; length++) {
    const data = constants.get(current);
    if (data !== undefined) return casts.reduceRight<ConstantData | undefined>(castTo, data);
    const node = producers.get(current);
    if (node === undefined || node.domain !== '') return undefined;
    if (node.op === 'Cast') {
      const to = node.attrs.get('to');
      const dtype = to?.type === 'int' ? dtypeName(Number(to.value)) : undefined;
      if (dtype === undefined) return undefined;
      casts.push(dtype);
    } else if (!RESHAPING.has(node.op)) {
      return undefined;
    }
    current = node.inputs[0] ?? '';
  }
  return undefined;
}

const ARRAYS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
} as const;

/** Undefined for types that parameters do not have. */
function castTo(data: ConstantData | undefined, dtype: DType): ConstantData | undefined {
  if (data === undefined || data.dtype === dtype) return data;
  if (!(dtype in ARRAYS) || !/^(?:float(?:16|32|64)|bfloat16|u?int\d+|bool)$/.test(data.dtype))
    return undefined;
  const type = ARRAYS[dtype as keyof typeof ARRAYS];
  return lazyData(dtype, data.dims, () => {
    const { buffer } = type.from(toFloat64(data));
    return new Uint8Array(buffer);
  });
}
