/**
 * Samples out of stored arrays (.npy files, entries of .npz, headerless files): each read alone, by its place in the
 * file.
 */
import { DataError } from '../../errors.js';
import { arrange } from './arrange.js';
import type { Arrangement } from './arrange.js';
import type { ByteReader } from './byte-reader.js';
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
import { codeType, formulaOfCodes, valuesOfCodes } from './input-codes.js';
import { feedType } from './input-spec.js';
import type { ArrayHeader } from './npy-header.js';
import { pixelConversion } from './pixel-arrays.js';
import type { PixelConversion } from './pixel-arrays.js';
import { isFloatInput, saysNormalization } from './preprocessing.js';
import { Problems } from './problems.js';
import type { Source, SourceContext, SourceReader } from './source.js';

/** One array in a file. */
export interface StoredArray {
  /** Relative to the path that was given. */
  readonly id: string;
  readonly path: string;
  readonly header: ArrayHeader;
  /** How its type was found where the file does not say it. */
  readonly typeNote?: string;
  open(): ByteReader;
}

/** What elements are to an input: numbers to be fed, pixels to be normalized, or the codes that a quantized one takes. */
type Meaning = 'numbers' | 'pixels' | 'codes';

/** Beyond this it is a mistake about the shape rather than data. */
const MAX_SAMPLE_BYTES = 2 ** 31;

interface Member {
  readonly array: StoredArray;
  readonly dtype: FeedDType;
  readonly meaning: Meaning;
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
  const members = membersOf(arrays, input, context, onePerFile);
  const last = members.at(-1);
  const arePixels = members.some(({ meaning }) => meaning === 'pixels');
  const pixels = arePixels ? pixelConversion(input, context) : undefined;
  const memberAt = (index: number): Member => members[lastAtOrBefore(members, index)]!;
  return {
    kind,
    input,
    count: last === undefined ? 0 : last.first + last.arrangement.samples,
    ...(pixels === undefined ? {} : { preprocessing: pixels.preprocessing }),
    assumed: [...(pixels?.assumed ?? unprocessed(input, members, context)), ...notes(members, input)],
    excluded,
    id(index) {
      const { array, arrangement, first } = memberAt(index);
      return arrangement.samples === 1 ? array.id : `${array.id}#${index - first}`;
    },
    origin: (index) => ({ kind: 'file', path: memberAt(index).array.path }),
    open: () => new ArrayReader(memberAt, input, to, pixels),
  };
}

function membersOf(
  arrays: readonly StoredArray[],
  input: InputSpec,
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
      if (!isFeedable(dtype)) throw new DataError(`it holds ${dtype}, which cannot be fed`);
      const meaning = meaningOf(dtype, input, context);
      const bytes = arrangement.elements * elementBytes(dtype);
      if (bytes > MAX_SAMPLE_BYTES) {
        throw new DataError(`one sample of it takes ${bytes} bytes; up to ${MAX_SAMPLE_BYTES} are read`);
      }
      members.push({ array, dtype, meaning, arrangement, first: count });
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

/** @throws DataError when it is not clear what elements of this type are to the input, or they cannot be fed to it. */
function meaningOf(from: FeedDType, input: InputSpec, context: SourceContext): Meaning {
  const { quant } = input;
  if (quant !== undefined && from === codeType(quant)) return 'codes';
  const to = feedType(input);
  const mayBePixels = from === 'uint8' && isFloatInput(to);
  const normalized =
    quant?.dtype === 'int8' || saysNormalization(input, context.preprocessing, context.metadata);
  if (mayBePixels && normalized) return 'pixels';
  const problem = conversionProblem(from, to, quant);
  if (problem === undefined) return 'numbers';
  if (mayBePixels) {
    throw new DataError(problem, {
      hint: '--preset raw feeds the codes as they are, --preset unit divides them by 255',
    });
  }
  throw new DataError(
    problem,
    quant === undefined
      ? {}
      : { hint: `${context.flag} ${input.name}=FILE.npy of ${codeType(quant)} codes or float32 values` },
  );
}

/** Flags that are given, but do not touch arrays of numbers and codes. */
function unprocessed(
  { name }: InputSpec,
  members: readonly Member[],
  { preprocessing }: SourceContext,
): Assumption[] {
  const fed = members.every(({ meaning }) => meaning === 'codes') ? 'given as codes' : 'fed as stored';
  const flags = Object.entries(preprocessing)
    .filter(([flag, value]) => flag !== 'layout' && value !== undefined)
    .map(([flag]) => `--${flag}`);
  const without = flags.length === 0 ? '' : `, ${flags.join(', ')} do not apply to arrays`;
  return [{ what: 'preprocessing', value: `none: ${name} is ${fed}${without}`, from: 'default' }];
}

/** What was read into shapes and types, once each. */
function notes(members: readonly Member[], input: InputSpec): Assumption[] {
  const { name } = input;
  const once = (of: (member: Member) => string | undefined): string[] => [
    ...new Set(members.map(of).filter((text) => text !== undefined)),
  ];
  const shapes = once(({ arrangement }) => arrangement.note);
  const found = once(({ array }) => array.typeNote);
  const types = once((member) => typeText(member, input));
  return [
    ...shapes.map((value): Assumption => ({ what: `shape of ${name}`, value, from: 'data' })),
    ...found.map((value): Assumption => ({ what: `type of ${name}`, value, from: 'data' })),
    ...types.map((value): Assumption => ({ what: `type of ${name}`, value, from: 'model' })),
  ];
}

/** How elements become what is fed; undefined when they are just that. */
function typeText({ dtype, meaning }: Member, { dtype: to, quant }: InputSpec): string | undefined {
  if (quant === undefined || meaning === 'pixels') {
    return dtype === to ? undefined : `${dtype} converted to ${to}`;
  }
  return meaning === 'codes'
    ? `codes of ${quant.dtype}, fed as ${formulaOfCodes(quant)}`
    : `${dtype}: values, not codes of ${quant.dtype}`;
}

class ArrayReader implements SourceReader {
  readonly #memberAt: (index: number) => Member;
  readonly #input: InputSpec;
  readonly #to: FeedDType;
  readonly #pixels: PixelConversion | undefined;
  #open: { readonly member: Member; readonly reader: ByteReader; readonly rows: ElementReader } | undefined;

  constructor(
    memberAt: (index: number) => Member,
    input: InputSpec,
    to: FeedDType,
    pixels: PixelConversion | undefined,
  ) {
    this.#memberAt = memberAt;
    this.#input = input;
    this.#to = to;
    this.#pixels = pixels;
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
    const data = this.#converted(own, member);
    checkFinite(data, this.#to);
    return { dtype: this.#to, dims: arrangement.dims, data };
  }

  #converted(data: Elements, { dtype, meaning, arrangement }: Member): Elements {
    if (meaning === 'pixels' && this.#pixels !== undefined && data instanceof Uint8Array) {
      return this.#pixels.convert(data, arrangement.dims);
    }
    const { quant } = this.#input;
    if (meaning === 'codes' && quant !== undefined) {
      return convertElements(valuesOfCodes(data, quant), 'float32', this.#to);
    }
    return convertElements(data, dtype, this.#to);
  }

  async #rowsOf(member: Member): Promise<ElementReader> {
    if (this.#open?.member === member) return this.#open.rows;
    await this.close();
    const reader = member.array.open();
    this.#open = { member, reader, rows: rowReader(member.array.header, member.dtype, reader) };
    return this.#open.rows;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.reader.close();
  }
}

/** Reads elements [first, first + count) along the first axis of an array, in row-major order. */
export function rowReader(header: ArrayHeader, dtype: FeedDType, reader: ByteReader): ElementReader {
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
