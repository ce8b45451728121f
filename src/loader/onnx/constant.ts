import { LoadError } from '../../errors.js';
import type { ConstantData, DType } from '../../ir/graph.js';
import { toBigInt } from '../../onnx/proto.js';
import type { AttributeProto } from '../../onnx/proto.js';
import type { ExternalFiles } from './external.js';
import { denseData } from './sparse.js';
import { lazyData, tensorData } from '../../onnx/tensor.js';

/**
 * Value of a Constant node. https://onnx.ai/onnx/operators/onnx__Constant.html
 *
 * @throws LoadError when the node has not exactly one of the attributes that give a value, or a broken one.
 */
export function constantValue(
  attributes: readonly AttributeProto[],
  label: string,
  files: ExternalFiles,
): ConstantData {
  const [attribute, ...others] = attributes;
  if (attribute === undefined || others.length > 0) {
    throw new LoadError(`${label} is a Constant with ${attributes.length} attributes; one is wanted`);
  }
  if (attribute.refAttrName) {
    throw new LoadError(
      `${label} refers to attribute ${JSON.stringify(attribute.refAttrName)} of no function`,
    );
  }
  switch (attribute.name) {
    case 'value':
      return tensorData(attribute.t ?? {}, label, files);
    case 'sparse_value':
      return denseData(attribute.sparseTensor ?? {}, label, files);
    case 'value_float':
      return packed('float32', [], Float32Array.of(attribute.f ?? 0));
    case 'value_floats':
      return packed('float32', [attribute.floats?.length ?? 0], Float32Array.from(attribute.floats ?? []));
    case 'value_int':
      return packed('int64', [], BigInt64Array.of(toBigInt(attribute.i ?? 0)));
    case 'value_ints':
      return packed(
        'int64',
        [attribute.ints?.length ?? 0],
        BigInt64Array.from((attribute.ints ?? []).map(toBigInt)),
      );
    case 'value_string':
      return strings([], [attribute.s ?? new Uint8Array(0)]);
    case 'value_strings':
      return strings([attribute.strings?.length ?? 0], attribute.strings ?? []);
    default:
      throw new LoadError(
        `${label} is a Constant with attribute ${JSON.stringify(attribute.name ?? '')}, which gives no value`,
      );
  }
}

function packed(dtype: DType, dims: readonly number[], values: ArrayBufferView): ConstantData {
  return lazyData(dtype, dims, () => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

function strings(dims: readonly number[], values: readonly Uint8Array[]): ConstantData {
  return { ...lazyData('string', dims, () => new Uint8Array(0)), strings: values };
}
