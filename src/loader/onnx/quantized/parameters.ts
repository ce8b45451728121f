/** Scales and zero points of a file as parameters of a quantizer: kept as they are, what is wrong with them is noted. */
import { elementCount, toFloat32, toInts } from '../../../ir/elements.js';
import { isFloat, type ConstantData, type DType, type FloatDType } from '../../../ir/graph.js';
import { QRANGE, type QDType, type QuantParams } from '../../../ir/lane.js';
import {
  arrangementOf,
  granularityOf,
  plural,
  sameGranularity,
  spread,
  type Fault,
  type ParameterRequest,
} from './arrangement.js';
import { Unfoldable } from './folding.js';

export class Parameters {
  /** Faults of parameters. Parameters of equal values are one object, so these are those of all tensors that have them. */
  readonly faults = new Map<QuantParams, Fault[]>();
  readonly #constantOf: (name: string) => ConstantData | undefined;
  readonly #constants = new Map<string, ConstantData | undefined>();
  readonly #scales = new Map<string, Float32Array>();
  readonly #points = new Map<string, Int32Array>();
  readonly #hashes = new WeakMap<Float32Array | Int32Array, number>();
  readonly #known = new Map<string, QuantParams[]>();
  readonly #floats = new Map<QuantParams, FloatDType>();
  readonly #writers = new Map<QuantParams, QuantParams>();
  readonly #combined = new Map<QuantParams, Map<QuantParams, QuantParams>>();

  /** `constantOf`: the constant that a value of the file is. */
  constructor(constantOf: (name: string) => ConstantData | undefined) {
    this.#constantOf = constantOf;
  }

  constant(name: string): ConstantData | undefined {
    if (!this.#constants.has(name)) this.#constants.set(name, this.#constantOf(name));
    return this.#constants.get(name);
  }

  /** Type of the values that codes with these parameters stand for: that of the scale. */
  floatOf(params: QuantParams): FloatDType {
    return this.#floats.get(params) ?? 'float32';
  }

  /** @throws Unfoldable when they are not constants, or of a type that has no annotation */
  read(request: ParameterRequest): QuantParams {
    const { of } = request;
    const { values: scale, dtype: float } = this.#scale(request.scale);
    const point = request.zeroPoint === '' ? undefined : this.#required(request.zeroPoint, 'zero point');
    const faults: Fault[] = [];
    const note = (kind: Fault['kind'], message: string): void => void faults.push({ kind, message });
    const dtype = codeType(of.dtype ?? point?.dtype ?? 'uint8');
    if (point !== undefined && point.dtype !== dtype) {
      codeType(point.dtype);
      note(
        'zero-point-type',
        `'${of.name}' holds ${dtype} and its zero point is ${point.dtype}; ${dtype} is wanted`,
      );
    }
    const points = point === undefined ? scale.length : elementCount(point.dims);
    if (points !== scale.length && points !== 1) {
      note(
        'zero-point-count',
        `'${of.name}' has ${plural(scale.length, 'scale')} and ${plural(points, 'zero point')}; as many are wanted`,
      );
    }
    const granularity = granularityOf(scale.length, request, note);
    const count = granularity.kind === 'per-tensor' ? 1 : scale.length;
    const params = this.shared(
      {
        ...limitsOf(dtype),
        granularity,
        scale: this.#first(request.scale, scale, count),
        zeroPoint: this.#zeroPoints(request.zeroPoint, point, count),
        source: 'file',
      },
      float,
    );
    if (faults.length > 0) {
      const noted = this.faults.get(params) ?? [];
      this.faults.set(params, noted);
      for (const fault of faults)
        if (!noted.some(({ message }) => message === fault.message)) noted.push(fault);
    }
    return params;
  }

  /**
   * Codes that were written with one set of parameters and are read with another.
   *
   * @throws Unfoldable when no parameters of one tensor say both
   */
  combined(writer: QuantParams, reader: QuantParams): QuantParams {
    if (writer === reader) return writer;
    const ofWriter = this.#combined.get(writer) ?? new Map<QuantParams, QuantParams>();
    this.#combined.set(writer, ofWriter);
    const known = ofWriter.get(reader);
    if (known !== undefined) return known;
    if (writer.dtype !== reader.dtype) {
      throw new Unfoldable(`codes that are written as ${writer.dtype} are read as ${reader.dtype}`);
    }
    // Limits are the writer's: a reader takes what comes.
    if (sameGranularity(writer.granularity, reader.granularity) && sameScales(writer, reader)) {
      ofWriter.set(reader, writer);
      return writer;
    }
    const granularity = writer.granularity.kind === 'per-tensor' ? reader.granularity : writer.granularity;
    const [written, read] = [spread(writer, reader), spread(reader, writer)];
    if (
      written === undefined ||
      read === undefined ||
      (reader.granularity.kind !== 'per-tensor' && !sameGranularity(granularity, reader.granularity))
    ) {
      throw new Unfoldable(
        `codes that are written with ${counted(writer)} are read with ${counted(reader)} of another arrangement`,
      );
    }
    const params = this.shared({ ...writer, ...written, granularity, read }, this.floatOf(writer));
    ofWriter.set(reader, params);
    this.#writers.set(params, writer);
    const faults = [...(this.faults.get(writer) ?? []), ...(this.faults.get(reader) ?? [])];
    if (faults.length > 0) this.faults.set(params, faults);
    return params;
  }

  /** The one object for parameters of these values. */
  shared(params: QuantParams, float: FloatDType = 'float32'): QuantParams {
    const { granularity, read } = params;
    const arrays = [params.scale, params.zeroPoint, read?.scale, read?.zeroPoint];
    const key = [
      params.dtype,
      params.qmin,
      params.qmax,
      float,
      arrangementOf(granularity),
      ...arrays.map((array) => (array === undefined ? '' : this.#hash(array))),
    ].join();
    const alike = this.#known.get(key) ?? [];
    this.#known.set(key, alike);
    const found = alike.find((other) => sameValues(params, other));
    if (found !== undefined) return found;
    alike.push(params);
    this.#floats.set(params, float);
    return params;
  }

  /** The parameters that codes are written with. */
  writerOf(params: QuantParams): QuantParams {
    return this.#writers.get(params) ?? params;
  }

  #required(name: string, what: string): ConstantData {
    const data = this.constant(name);
    if (data === undefined) throw new Unfoldable(`its ${what} '${name}' is not a constant`);
    return data;
  }

  #scale(name: string): { readonly values: Float32Array; readonly dtype: FloatDType } {
    const data = this.#required(name, 'scale');
    const { dtype } = data;
    if (!isFloat(dtype)) throw new Unfoldable(`its scale '${name}' is ${dtype}`);
    const values = this.#scales.get(name) ?? toFloat32(data);
    this.#scales.set(name, values);
    if (values.length === 0) throw new Unfoldable(`its scale '${name}' has no elements`);
    return { values, dtype };
  }

  /** Views and copies are kept: parameters are compared array by array. */
  #first(name: string, scale: Float32Array, count: number): Float32Array {
    if (count === scale.length) return scale;
    const key = `${name}\0first`;
    const known = this.#scales.get(key) ?? scale.slice(0, count);
    this.#scales.set(key, known);
    return known;
  }

  /** One for each scale; where the file has too few, the first stands in. */
  #zeroPoints(name: string, data: ConstantData | undefined, count: number): Int32Array {
    const key = `${data === undefined ? '' : name}\0${count}`;
    const known = this.#points.get(key);
    if (known !== undefined) return known;
    const values = data === undefined ? [] : toInts(data);
    const points = Int32Array.from({ length: count }, (_, i) => values[i] ?? values[0] ?? 0);
    this.#points.set(key, points);
    return points;
  }

  /** FNV-1a over the bits. */
  #hash(array: Float32Array | Int32Array): number {
    const known = this.#hashes.get(array);
    if (known !== undefined) return known;
    const bits =
      array instanceof Int32Array ? array : new Int32Array(array.buffer, array.byteOffset, array.length);
    let hash = bits.length | 0;
    for (const word of bits) hash = Math.imul(hash ^ word, 16777619);
    this.#hashes.set(array, hash);
    return hash;
  }
}

function codeType(dtype: DType): QDType {
  if (dtype === 'int64' || !(dtype in QRANGE)) {
    throw new Unfoldable(`codes of type ${dtype} are not simulated`);
  }
  return dtype as QDType;
}

export function limitsOf(dtype: QDType): Pick<QuantParams, 'dtype' | 'qmin' | 'qmax'> {
  const [qmin, qmax] = QRANGE[dtype];
  return { dtype, qmin, qmax };
}

/** Whether the codes may be all of their type. */
export function isWholeRange({ dtype, qmin, qmax }: QuantParams): boolean {
  const limits = limitsOf(dtype);
  return qmin === limits.qmin && qmax === limits.qmax;
}

/** Of parameters that have the same key, hashes included. */
function sameValues(a: QuantParams, b: QuantParams): boolean {
  return (
    sameScales(a, b) &&
    (a.read === undefined) === (b.read === undefined) &&
    sameArray(a.read?.scale, b.read?.scale) &&
    sameArray(a.read?.zeroPoint, b.read?.zeroPoint)
  );
}

function sameScales(a: QuantParams, b: QuantParams): boolean {
  return sameArray(a.scale, b.scale) && sameArray(a.zeroPoint, b.zeroPoint);
}

/** Bit by bit is not needed, but NaN must equal NaN. */
function sameArray(a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): boolean {
  if (a === b) return true;
  if (a?.length !== b?.length) return false;
  for (let i = 0; i < (a?.length ?? 0); i++) if (!Object.is(a?.[i], b?.[i])) return false;
  return true;
}

function counted({ scale }: QuantParams): string {
  return plural(scale.length, 'scale');
}
