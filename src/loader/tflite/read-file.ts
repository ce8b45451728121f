/** A TFLite file as plain data. https://ai.google.dev/edge/litert/conversion/tensorflow/overview */
import { UnsupportedError } from '../../errors.js';
import { Problems } from '../problems.js';
import { Buffers } from './buffers.js';
import { checkIndices, checkOrder } from './execution-order.js';
import { FlatFile } from './flatbuffer/flat-table.js';
import type { FlatTable } from './flatbuffer/flat-table.js';
import { METADATA, MODEL, SCHEMA_VERSION, SIGNATURE, SUBGRAPH, TENSOR_MAP } from './flatbuffer/schema.js';
import type { TfliteModel, TfliteSignature, TfliteSubgraph, TfliteTensor } from './model.js';
import { quoted, Unknowns } from './read-context.js';
import type { ReadContext } from './read-context.js';
import { readOperatorCode, readOperators } from './read-operators.js';
import type { OperatorCode } from './read-operators.js';
import { readTensors } from './read-tensors.js';
import { emptyConstant } from './stored-constant.js';

/**
 * Reads a model; elements of constants stay views of `bytes`, those of sparse ones are made when asked for.
 * In the main subgraph the operators are known to run in the order of the file.
 *
 * @param bytes the whole file; kept, and to be left unchanged.
 * @throws LoadError when the file is broken; all that is wrong is listed, unless offsets lead out of the file.
 * @throws UnsupportedError when it is beyond what is read of TFLite; all such places are listed.
 */
export function readTflite(bytes: Uint8Array): TfliteModel {
  const file = new FlatFile(bytes);
  const model = file.root();
  const version = model.get(MODEL.version);
  if (version !== SCHEMA_VERSION) {
    throw new UnsupportedError(`the file has TFLite schema version ${version}; ${SCHEMA_VERSION} is read`);
  }
  const context: ReadContext = {
    file,
    buffers: new Buffers(file, model.get(MODEL.buffers)),
    problems: new Problems(),
    unknowns: new Unknowns(),
    dense: { bytes: 0 },
  };
  const codes = model.get(MODEL.operatorCodes).map(readOperatorCode);
  const tables = model.get(MODEL.subgraphs);
  const subgraphs = tables.map((table, index) => readSubgraph(table, index, codes, context));
  if (subgraphs.length === 0) context.problems.add('the model has no subgraph');
  if (subgraphs[0]?.tensors.length === 0) context.problems.add('the model has no tensors');
  const signatures = model
    .get(MODEL.signatureDefs)
    .map((table) => readSignature(table, subgraphs, context.problems));
  const metadata = readMetadataBuffers(model.get(MODEL.metadata), context);
  context.problems.throwIfAny();
  context.unknowns.throwIfAny();
  return { version, description: model.get(MODEL.description) ?? '', subgraphs, signatures, metadata };
}

function readSubgraph(
  table: FlatTable,
  index: number,
  codes: readonly OperatorCode[],
  context: ReadContext,
): TfliteSubgraph {
  const { tensors: stored, constants } = readTensors(table.get(SUBGRAPH.tensors), index, context);
  const inputs = table.get(SUBGRAPH.inputs);
  const outputs = table.get(SUBGRAPH.outputs);
  const operators = readOperators(table.get(SUBGRAPH.operators), codes, index, context);
  const written = new Set([...inputs, ...operators.flatMap((operator) => operator.outputs)]);
  const tensors = stored.map((tensor) => (written.has(tensor.index) ? tensor : withoutElements(tensor)));
  const subgraph = { index, tensors, constants, inputs, outputs, operators };
  // Others are bodies of control flow, which is not looked into.
  if (checkIndices(subgraph, context.problems) && index === 0) checkOrder(subgraph, context.problems);
  return { name: table.get(SUBGRAPH.name) ?? '', tensors, inputs, outputs, operators };
}

/** A tensor that nothing writes and that has no elements is a constant, such as the shape of a scalar. */
function withoutElements(tensor: TfliteTensor): TfliteTensor {
  if (tensor.data !== undefined || tensor.isVariable || !tensor.shape.includes(0)) return tensor;
  if (tensor.shape.some((extent) => extent < 0)) return tensor;
  const data = emptyConstant(tensor.type, tensor.shape);
  return data === undefined ? tensor : { ...tensor, data };
}

function readSignature(
  table: FlatTable,
  subgraphs: readonly TfliteSubgraph[],
  problems: Problems,
): TfliteSignature {
  const key = table.get(SIGNATURE.signatureKey) ?? '';
  const subgraph = table.get(SIGNATURE.subgraphIndex);
  const count = subgraphs[subgraph]?.tensors.length;
  if (count === undefined) {
    problems.add(`signature ${quoted(key)} is of subgraph ${subgraph}; the file has ${subgraphs.length}`);
  }
  const tensorsOf = (maps: readonly FlatTable[]): ReadonlyMap<string, number> =>
    new Map(
      maps.map((map) => {
        const name = map.get(TENSOR_MAP.name) ?? '';
        const index = map.get(TENSOR_MAP.tensorIndex);
        if (count !== undefined && index >= count) {
          problems.add(
            `signature ${quoted(key)} calls tensor ${index} ${quoted(name)}; its subgraph has ${count} tensors`,
          );
        }
        return [name, index];
      }),
    );
  return {
    key,
    subgraph,
    inputs: tensorsOf(table.get(SIGNATURE.inputs)),
    outputs: tensorsOf(table.get(SIGNATURE.outputs)),
  };
}

/** Of several of one name the first counts. */
function readMetadataBuffers(
  tables: readonly FlatTable[],
  { buffers, problems }: ReadContext,
): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const table of tables) {
    const name = table.get(METADATA.name) ?? '';
    const index = table.get(METADATA.buffer);
    const contents = problems.attempt(() => buffers.contents(index, `metadata ${quoted(name)}`));
    if (contents !== undefined && !found.has(name)) found.set(name, contents);
  }
  return found;
}
