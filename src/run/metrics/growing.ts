/** Numbers that grow with the samples, as densely as they can be kept. */

type Store = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

const FIRST = 1024;

export class Growing<T extends Store> {
  readonly #create: (length: number) => T;
  #store: T;
  #length = 0;

  constructor(create: (length: number) => T) {
    this.#create = create;
    this.#store = create(FIRST);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#store.length) {
      const grown = this.#create(2 * this.#length);
      grown.set(this.#store);
      this.#store = grown;
    }
    this.#store[this.#length++] = value;
  }

  append(values: Iterable<number>): void {
    for (const value of values) this.push(value);
  }

  /** What is there, uncopied. */
  get values(): T {
    return this.#store.subarray(0, this.#length) as T;
  }
}

export function growingFloats(): Growing<Float64Array<ArrayBuffer>> {
  return new Growing((length) => new Float64Array(length));
}

export function growingIntegers(): Growing<Int32Array<ArrayBuffer>> {
  return new Growing((length) => new Int32Array(length));
}
