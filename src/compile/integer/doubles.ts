/** Arithmetic in float64 on whole tensors: integers are exact up to 2^53 there, as they are in no other type of Clip and Floor. */
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';

/** One number for all elements, or several that broadcast over them with these dims. */
export interface Spread {
  readonly values: readonly number[];
  readonly dims: readonly number[];
}

export function scalar(value: number): Spread {
  return { values: [value], dims: [] };
}

/** A single number where all are the same: the runtime is faster with it. */
export function mapSpread({ values, dims }: Spread, to: (value: number, i: number) => number): Spread {
  const mapped = values.map(to);
  const [first = 0] = mapped;
  return mapped.every((value) => value === first) ? scalar(first) : { values: mapped, dims };
}

/** Element by element; one of the two is a scalar or both have the same dims. */
export function productOf(a: Spread, b: Spread): Spread {
  const [many, few] = a.values.length >= b.values.length ? [a, b] : [b, a];
  if (few.values.length !== 1 && few.values.length !== many.values.length) {
    throw new RangeError(`${few.values.length} factors do not fit ${many.values.length}`);
  }
  return mapSpread(many, (value, i) => value * (few.values[few.values.length === 1 ? 0 : i] ?? 0));
}

export class Doubles {
  readonly #writer: ModelWriter;

  constructor(writer: ModelWriter) {
    this.#writer = writer;
  }

  of(value: Value): Value {
    return this.#writer.op('Cast', [value], { to: ONNX_DATA_TYPE.float64 });
  }

  times(x: Value, { values, dims }: Spread): Value {
    if (values.every((value) => value === 1)) return x;
    return this.#writer.op('Mul', [x, this.#writer.literal('float64', values, dims)]);
  }

  plus(x: Value, { values, dims }: Spread): Value {
    if (values.every((value) => value === 0)) return x;
    return this.#writer.op('Add', [x, this.#writer.literal('float64', values, dims)]);
  }

  sum(a: Value, b: Value): Value {
    return this.#writer.op('Add', [a, b]);
  }

  floor(x: Value): Value {
    return this.#writer.op('Floor', [x]);
  }

  clip(x: Value, lowest: number, highest: number): Value {
    const bound = (value: number): Value => this.#writer.literal('float64', [value], []);
    return this.#writer.op('Clip', [x, bound(lowest), bound(highest)]);
  }

  /** Nearest integers, ties away from zero. */
  round(x: Value): Value {
    const size = this.floor(this.plus(this.#writer.op('Abs', [x]), scalar(0.5)));
    return this.#writer.op('Mul', [this.#writer.op('Sign', [x]), size]);
  }

  /** What is left of integers in 32 bits. */
  wrapped(x: Value): Value {
    const turns = this.floor(this.times(this.plus(x, scalar(2 ** 31)), scalar(2 ** -32)));
    return this.sum(x, this.times(turns, scalar(-(2 ** 32))));
  }

  /** `x` where its magnitude is below `limit`, else `otherwise`. */
  within(x: Value, limit: number, otherwise: number): Value {
    const literal = (value: number): Value => this.#writer.literal('float64', [value], []);
    const isInside = this.#writer.op('Less', [this.#writer.op('Abs', [x]), literal(limit)]);
    return this.#writer.op('Where', [isInside, x, literal(otherwise)]);
  }
}
