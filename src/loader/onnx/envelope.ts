/**
 * Bytes -> ModelProto, with errors in the user's words: not a model, truncated, damaged, nested too deeply.
 */
import { LoadError } from '../../errors.js';
import { decodeGraph, decodeModel, withFields } from '../../onnx/proto.js';
import type { ModelProto } from '../../onnx/proto.js';

/** Wire types of the fields of ModelProto: 0 varint, 2 length-delimited. */
const MODEL_FIELDS: ReadonlyMap<number, { readonly name: string; readonly wireType: number }> = new Map([
  [1, { name: 'ir_version', wireType: 0 }],
  [2, { name: 'producer_name', wireType: 2 }],
  [3, { name: 'producer_version', wireType: 2 }],
  [4, { name: 'domain', wireType: 2 }],
  [5, { name: 'model_version', wireType: 0 }],
  [6, { name: 'doc_string', wireType: 2 }],
  [7, { name: 'graph', wireType: 2 }],
  [8, { name: 'opset_import', wireType: 2 }],
  [14, { name: 'metadata_props', wireType: 2 }],
  [20, { name: 'training_info', wireType: 2 }],
  [25, { name: 'functions', wireType: 2 }],
  [26, { name: 'configuration', wireType: 2 }],
]);

const GRAPH_FIELD = 7;

/**
 * Decodes a whole model file; weights stay views of `bytes`.
 *
 * @throws LoadError when the bytes are not a complete, well-formed ModelProto.
 */
export function decodeFile(bytes: Uint8Array): ModelProto {
  const graphs = checkEnvelope(bytes);
  try {
    const model = decodeModel(bytes);
    // Several occurrences of one message are to be merged (protobuf encoding specification); the decoder takes the last.
    return graphs.length > 1 ? withFields(model, { graph: decodeGraph(Buffer.concat(graphs)) }) : model;
  } catch (cause) {
    if (isStackOverflow(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LoadError(`the file is damaged: ${why}`, { cause });
  }
}

/** Whether the stack ran out: in this program that means a model nested beyond all measure. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message);
}

/** Walks the outermost fields, which protobuf puts in sequence without a header; returns the payloads of `graph`. */
function checkEnvelope(bytes: Uint8Array): Uint8Array[] {
  const graphs: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = varint(bytes, at);
    const field = Math.floor(tag.value / 8);
    const wireType = tag.value % 8;
    const known = MODEL_FIELDS.get(field);
    if (start === 0 && known?.wireType !== wireType)
      throw new LoadError('not an ONNX model, nor any other file that qdbg knows');
    if (field === 0 || (known !== undefined && known.wireType !== wireType)) {
      throw new LoadError(
        `not an ONNX model, or a damaged one: at byte ${start} there is field ${field} of wire type ${wireType}`,
      );
    }
    at = tag.end;
    if (wireType === 2) {
      const length = varint(bytes, at);
      at = length.end + length.value;
      if (at > bytes.length) {
        throw new LoadError(
          `the file is truncated: it has ${bytes.length} bytes, its ${known?.name ?? `field ${field}`} ends at byte ${at}`,
        );
      }
      if (field === GRAPH_FIELD) graphs.push(bytes.subarray(length.end, at));
    } else if (wireType === 0) at = varint(bytes, at).end;
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else throw new LoadError(`not an ONNX model, or a damaged one: wire type ${wireType} at byte ${start}`);
  }
  if (at > bytes.length) throw new LoadError(`the file is truncated at byte ${bytes.length}`);
  return graphs;
}

/** Base-128 number, exact up to 2^53. */
function varint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new LoadError(`the file is truncated at byte ${bytes.length}`);
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, end: start + i + 1 };
  }
  throw new LoadError(`not an ONNX model, or a damaged one: a number at byte ${start} does not end`);
}
