/**
 * Samples out of stored arrays (.npy files, entries of .npz, headerless files): each read alone, by its place in the
 * file.
 */
import { DataError } from '../../errors.js';
import type { DType } from '../../ir/graph.js';
import { arrange } from './arrange.js';
import type { Arrangement } from './arrange.js';
import type { ByteReader } from './byte-reader.js';
import { codeConversion } from './codes.js';
import type { CodeConversion } from './codes.js';
import {
  asElements,
  checkFinite,
  conversionProblem,
  convertElements,
  elementBytes,
  isFeedable,
  swapBytes,
  transpose,
} from './convert.js';
import type { FeedDType } from './convert.js';
import type { Assumption, Elements, Exclusion, Feed, InputSpec } from './dataset.js';
import { fortranRows } from './fortran.js';
import type { ElementReader } from './fortran.js';
import { feedType } from './input-spec.js';
import type { ArrayHeader } from './npy-header.js';
import { isFloatInput, normalizes } from './preprocessing.js';
import { Problems } from './problems.js';
import type { Source, SourceContext, SourceReader } from './source.js';

/** One array in a file. */
export interface StoredArray {
  /** Relative to the path that was given. */
  readonly id: string;
  readonly path: string;
  readonly header: ArrayHeader;
  open(): ByteReader;
}

/** Beyond this it is a mistake about the shape rather than data. */
const MAX_SAMPLE_BYTES = 2 ** 31;

interface Member {
  readonly array: StoredArray;
  readonly dtype: FeedDType;
  readonly arrangement: Arrangement;
  /** Index of its first sample. */
  readonly first: number;
}

interface ArrayOptions {
  readonly kind: Source['kind'];
  /** Refuse arrays of several samples: the lines of a list file pair whole files. */
  readonly onePerFile?: boolean;
  /** Files that could not be opened. */
  readonly excluded?: readonly Exclusion[];
}

/** @throws DataError naming every array that does not fit the input. */
export function arraySource(
  input: InputSpec,
  arrays: readonly StoredArray[],
  context: SourceContext,
  { kind, onePerFile = false, excluded = [] }: ArrayOptions,
): Source {
  const to = feedType(input);
  const members = membersOf(arrays, input, to, context, onePerFile);
  const last = members.at(-1);
  const codes = members.some(({ dtype }) => areCodes(dtype, to)) ? codeConversion(input, context) : undefined;
  const memberAt = (index: number): Member => members[lastAtOrBefore(members, index)]!;
  return {
    kind,
    input,
    count: last === undefined ? 0 : last.first + last.arrangement.samples,
    ...(codes === undefined ? {} : { preprocessing: codes.preprocessing }),
    assumed: [...(codes?.assumed ?? unprocessed(input, context)), ...notes(members, input)],
    excluded,
    id(index) {
      const { array, arrangement, first } = memberAt(index);
      return arrangement.samples === 1 ? array.id : `${array.id}#${index - first}`;
    },
    origin: (index) => ({ kind: 'file', path: memberAt(index).array.path }),
    open: () => new ArrayReader(memberAt, to, codes),
  };
}

function membersOf(
  arrays: readonly StoredArray[],
  input: InputSpec,
  to: FeedDType,
  context: SourceContext,
  onePerFile: boolean,
): Member[] {
  const problems = new Problems();
  const members: Member[] = [];
  let count = 0;
  for (const array of arrays) {
    const { dtype, dims } = array.header;
    try {
      const arrangement = arrange(dims, input, context.preprocessing.layout);
      if (onePerFile && arrangement.samples > 1) {
        throw new DataError(`it holds ${arrangement.samples} samples; every file of a list holds one`);
      }
      const stored = checkedType(dtype, to, context);
      const bytes = arrangement.elements * elementBytes(stored);
      if (bytes > MAX_SAMPLE_BYTES) {
        throw new DataError(`one sample of it takes ${bytes} bytes; up to ${MAX_SAMPLE_BYTES} are read`);
      }
      members.push({ array, dtype: stored, arrangement, first: count });
      count += arrangement.samples;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.add(array.id, error);
    }
  }
  problems.throwIfAny(arrays.length);
  return members;
}

/** Position of the member that holds a sample; members are in the order of their first sample. */
function lastAtOrBefore(members: readonly Member[], index: number): number {
  let low = 0;
  let high = members.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (members[middle]!.first <= index) low = middle;
    else high = middle;
  }
  return low;
}

/** Whether elements are pixels that still have to be normalized. */
function areCodes(from: FeedDType, to: FeedDType): boolean {
  return from === 'uint8' && isFloatInput(to);
}

/** @throws DataError when elements of this type must not be fed to the input. */
function checkedType(from: DType, to: FeedDType, { preprocessing }: SourceContext): FeedDType {
  if (!isFeedable(from)) throw new DataError(`it holds ${from}, which cannot be fed`);
  const normalized = areCodes(from, to) && normalizes(preprocessing);
  const problem = normalized ? undefined : conversionProblem(from, to);
  if (problem === undefined) return from;
  const hint = '--preset raw feeds the codes as they are, --preset unit divides them by 255';
  throw new DataError(problem, areCodes(from, to) ? { hint } : {});
}

/** Flags that are given, but do not touch arrays of numbers. */
function unprocessed({ name }: InputSpec, { preprocessing }: SourceContext): Assumption[] {
  const flags = Object.entries(preprocessing).filter(
    ([flag, value]) => flag !== 'layout' && value !== undefined,
  );
  if (flags.length === 0)
    return [{ what: 'preprocessing', value: `none: ${name} is fed as stored`, from: 'default' }];
  const names = flags.map(([flag]) => `--${flag}`).join(', ');
  return [
    {
      what: 'preprocessing',
      value: `none: ${name} is fed as stored, ${names} do not apply to arrays`,
      from: 'default',
    },
  ];
}

/** What was read into shapes and types, once each. */
function notes(members: readonly Member[], { name, dtype: to }: InputSpec): Assumption[] {
  const shapes = new Set(members.flatMap(({ arrangement: { note } }) => (note === undefined ? [] : [note])));
  const types = new Set(
    members.flatMap(({ dtype }) => (dtype === to ? [] : [`${dtype} converted to ${to}`])),
  );
  return [
    ...[...shapes].map((value): Assumption => ({ what: `shape of ${name}`, value, from: 'data' })),
    ...[...types].map((value): Assumption => ({ what: `type of ${name}`, value, from: 'model' })),
  ];
}

class ArrayReader implements SourceReader {
  readonly #memberAt: (index: number) => Member;
  readonly #to: FeedDType;
  readonly #codes: CodeConversion | undefined;
  #open: { readonly member: Member; readonly reader: ByteReader; readonly rows: ElementReader } | undefined;

  constructor(memberAt: (index: number) => Member, to: FeedDType, codes: CodeConversion | undefined) {
    this.#memberAt = memberAt;
    this.#to = to;
    this.#codes = codes;
  }

  async read(index: number): Promise<Feed> {
    const member = this.#memberAt(index);
    const { dtype, arrangement, array, first } = member;
    const rows = await this.#rowsOf(member);
    const perSample = (array.header.dims[0] ?? 1) / arrangement.samples;
    const stored = await rows((index - first) * perSample, perSample);
    const { permutation } = arrangement;
    const own =
      permutation === undefined ? stored : transpose(stored, dtype, arrangement.stored, permutation);
    const data = this.#converted(own, dtype, arrangement.dims);
    checkFinite(data, this.#to);
    return { dtype: this.#to, dims: arrangement.dims, data };
  }

  #converted(data: Elements, from: FeedDType, dims: readonly number[]): Elements {
    if (this.#codes !== undefined && data instanceof Uint8Array && areCodes(from, this.#to)) {
      return this.#codes.convert(data, dims);
    }
    return convertElements(data, from, this.#to);
  }

  async #rowsOf(member: Member): Promise<ElementReader> {
    if (this.#open?.member === member) return this.#open.rows;
    await this.close();
    const reader = member.array.open();
    this.#open = { member, reader, rows: rowReader(member, reader) };
    return this.#open.rows;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.reader.close();
  }
}

function rowReader({ array: { header }, dtype }: Member, reader: ByteReader): ElementReader {
  const width = elementBytes(dtype);
  const elements: ElementReader = async (first, count) => {
    const bytes = await reader.read(header.dataOffset + first * width, count * width);
    if (bytes.length < count * width) throw new DataError('it ends too early');
    if (header.bigEndian) swapBytes(bytes, dtype);
    return asElements(bytes, dtype);
  };
  if (header.fortran && header.dims.length > 1) return fortranRows(header.dims, dtype, elements);
  const perRow = header.dims.slice(1).reduce((product, dim) => product * dim, 1);
  return (first, count) => elements(first * perRow, count * perRow);
}
