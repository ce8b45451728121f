import { LoadError, UnsupportedError } from '../../errors.js';
import type { Attr } from '../../ir/graph.js';
import { encodeAttribute, onnx, toBigInt } from '../../onnx/proto.js';
import type { AttributeProto } from '../../onnx/proto.js';
import type { ExternalFiles } from './external.js';
import { freeNames } from './rewrite.js';
import { denseData } from './sparse.js';
import { tensorData } from '../../onnx/tensor.js';

/** Every attribute but a nested graph, which cannot be made before the tensors around it have ids. */
export type PlainAttr = Exclude<Attr, { readonly type: 'graph' }>;

const { AttributeType } = onnx.AttributeProto;

/** Whether an attribute is a nested graph. */
export function isGraph(attribute: AttributeProto): boolean {
  return attribute.type ? attribute.type === AttributeType.GRAPH : Boolean(attribute.g);
}

/**
 * An attribute of the file in the terms of the IR.
 *
 * @throws LoadError for a reference to a function's attribute outside a function, and for a broken tensor.
 * @throws UnsupportedError for lists of graphs that read values around them.
 */
export function plainAttr(attribute: AttributeProto, label: string, files: ExternalFiles): PlainAttr {
  if (attribute.refAttrName) {
    throw new LoadError(
      `${label} refers to attribute ${JSON.stringify(attribute.refAttrName)} of no function`,
    );
  }
  switch (attribute.type || impliedType(attribute)) {
    case AttributeType.INT:
      return { type: 'int', value: toBigInt(attribute.i ?? 0) };
    case AttributeType.FLOAT:
      return { type: 'float', value: attribute.f ?? 0 };
    case AttributeType.STRING:
      return stringsAttr(
        [attribute.s ?? new Uint8Array(0)],
        ([value = '']) => ({ type: 'string', value }),
        attribute,
      );
    case AttributeType.INTS:
      return { type: 'ints', value: (attribute.ints ?? []).map(toBigInt) };
    case AttributeType.FLOATS:
      return { type: 'floats', value: attribute.floats ?? [] };
    case AttributeType.STRINGS:
      return stringsAttr(attribute.strings ?? [], (value) => ({ type: 'strings', value }), attribute);
    case AttributeType.TENSOR:
      return { type: 'tensor', value: tensorData(attribute.t ?? {}, label, files) };
    default:
      if ((attribute.graphs ?? []).some((graph) => freeNames(graph).size > 0)) {
        throw new UnsupportedError(`${label} is a list of graphs that read values from outside themselves`);
      }
      // Passed on unread; that the tensors are there, and inside the model's folder, is checked all the same.
      for (const tensor of attribute.tensors ?? []) tensorData(tensor, label, files);
      for (const sparse of attribute.sparseTensors ?? []) denseData(sparse, label, files);
      if (attribute.sparseTensor) denseData(attribute.sparseTensor, label, files);
      return { type: 'raw', value: encodeAttribute(attribute) };
  }
}

/** Files of IR version 1 do not write the type. */
function impliedType(attribute: AttributeProto): number | undefined {
  if (Object.hasOwn(attribute, 'f')) return AttributeType.FLOAT;
  if (Object.hasOwn(attribute, 'i')) return AttributeType.INT;
  if (Object.hasOwn(attribute, 's')) return AttributeType.STRING;
  if (attribute.t) return AttributeType.TENSOR;
  if (attribute.floats?.length) return AttributeType.FLOATS;
  if (attribute.ints?.length) return AttributeType.INTS;
  if (attribute.strings?.length) return AttributeType.STRINGS;
  return undefined;
}

/** Bytes that are not text (custom operators keep blobs in string attributes) stay bytes. */
function stringsAttr(
  values: readonly Uint8Array[],
  make: (texts: readonly string[]) => PlainAttr,
  attribute: AttributeProto,
): PlainAttr {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return make(values.map((value) => decoder.decode(value)));
  } catch {
    return { type: 'raw', value: encodeAttribute(attribute) };
  }
}
