/**
 * Test data as ONNX ships it beside models: folders test_data_set_N with input_0.pb, input_1.pb, ..., each a TensorProto.
 * https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
 */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError, LoadError, UnsupportedError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import { onnx } from '../../onnx/proto.js';
import { tensorData } from '../../onnx/tensor.js';
import { asElements, checkFinite, conversionProblem, convertElements, isFeedable } from './convert.js';
import type { FeedDType } from './convert.js';
import type { Feed, InputSpec } from './dataset.js';
import { reasonOf, statOf } from './files.js';
import { codeType, valuesOfCodes } from './input-codes.js';
import { feedType } from './input-spec.js';
import { openAll } from './problems.js';
import type { DataFile, Source, SourceContext } from './source.js';

/** Protobuf messages end at 2 GiB. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

const INPUT_FILE = /^(?:.*\/)?input_(\d+)\.pb$/;

/** One folder with the files of a sample, in the order of their numbers. */
export interface TestDataSet {
  readonly id: string;
  readonly files: readonly DataFile[];
}

/** The test data sets among the files of a folder, in their order; `label` is the name of a set that has no folder of its own. */
export function testDataSets(files: readonly DataFile[], label: string): TestDataSet[] {
  const sets = new Map<string, DataFile[]>();
  for (const file of files) {
    if (!INPUT_FILE.test(file.id)) continue;
    const folder = dirname(file.id);
    const id = folder === '.' ? label : folder;
    sets.set(id, [...(sets.get(id) ?? []), file]);
  }
  return [...sets].map(([id, members]) => ({ id, files: members }));
}

/**
 * One source per input.
 *
 * @throws DataError when a folder does not hold one file per input.
 */
export async function openTestData(
  sets: readonly TestDataSet[],
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  const { opened, excluded } = await openAll(sets, context.skipUnreadable, (set) => checkedSet(set, inputs));
  const order = await fileOrder(opened[0]!, inputs);
  return inputs.map((input, i): Source => {
    const to = feedType(input);
    const fileOf = (index: number): DataFile => opened[index]!.files[order.positions[i]!]!;
    return {
      kind: 'onnx-test-data',
      input,
      count: opened.length,
      assumed: [
        {
          what: `file of ${input.name}`,
          value: `input_${order.positions[i]}.pb, by ${order.by}`,
          from: 'data',
        },
      ],
      excluded,
      id: (index) => opened[index]!.id,
      origin: (index) => ({ kind: 'file', path: fileOf(index).path }),
      open: () => ({
        async read(index): Promise<Feed> {
          const { data } = await readTensor(fileOf(index));
          return toFeed(data, input, to);
        },
        close: () => Promise.resolve(),
      }),
    };
  });
}

async function checkedSet(set: TestDataSet, inputs: readonly InputSpec[]): Promise<TestDataSet> {
  const names = set.files.map(({ id }) => `input_${INPUT_FILE.exec(id)![1]}.pb`);
  const wanted = inputs.map((_, i) => `input_${i}.pb`);
  if (wanted.some((name) => !names.includes(name)) || names.length !== wanted.length) {
    throw new DataError(`it holds ${names.join(', ')}; ${wanted.join(', ')} are wanted`);
  }
  for (const { path, id } of set.files) {
    const { size } = await statOf(path);
    if (size > MAX_FILE_BYTES)
      throw new DataError(`${id} has ${size} bytes; up to ${MAX_FILE_BYTES} are read`);
  }
  return set;
}

/** For each input, which file: by the names in the files if they are the inputs', else by number. */
async function fileOrder(
  set: TestDataSet,
  inputs: readonly InputSpec[],
): Promise<{ readonly positions: readonly number[]; readonly by: 'name' | 'number' }> {
  const names: string[] = [];
  for (const file of set.files) names.push((await readTensor(file)).name);
  const positions = inputs.map(({ name }) => names.indexOf(name));
  if (!positions.includes(-1)) return { positions, by: 'name' };
  return { positions: inputs.map((_, i) => i), by: 'number' };
}

async function readTensor({
  path,
  id,
}: DataFile): Promise<{ readonly name: string; readonly data: ConstantData }> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new DataError(`${id}: ${reasonOf(cause)}`, { cause });
  }
  try {
    const tensor = onnx.TensorProto.decode(bytes);
    return { name: tensor.name ?? '', data: tensorData(tensor, id) };
  } catch (cause) {
    // The decoder throws its own errors for malformed messages.
    if (cause instanceof LoadError || cause instanceof UnsupportedError)
      throw new DataError(cause.message, { cause });
    throw new DataError(`${id} is not a TensorProto`, { cause });
  }
}

function toFeed(data: ConstantData, { name, shape, quant }: InputSpec, to: FeedDType): Feed {
  const { dims, dtype } = data;
  if (
    dims.length !== shape.length ||
    !dims.every((dim, i) => typeof shape[i] !== 'number' || shape[i] === dim)
  ) {
    throw new DataError(`its shape is ${formatDims(dims)}; input ${name} takes ${formatDims(shape)}`);
  }
  if (!isFeedable(dtype)) throw new DataError(`it holds ${dtype}, which cannot be fed`);
  const stored = asElements(data.bytes(), dtype);
  const codes = quant !== undefined && dtype === codeType(quant);
  const problem = codes ? undefined : conversionProblem(dtype, to, quant);
  if (problem !== undefined) throw new DataError(problem);
  const values = codes
    ? convertElements(valuesOfCodes(stored, quant), 'float32', to)
    : convertElements(stored, dtype, to);
  checkFinite(values, to);
  return { dtype: to, dims, data: values };
}
