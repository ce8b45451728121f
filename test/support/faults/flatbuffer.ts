/** Tables and vectors of a FlatBuffer where they lie, to be written over. https://flatbuffers.dev/internals/ */

/** The bytes of a file that tests change in place; what has no room where it was is added at the end. */
export class Patched {
  bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes.slice();
  }

  get view(): DataView {
    return new DataView(this.bytes.buffer);
  }

  root(): PatchedTable {
    return new PatchedTable(this, this.view.getUint32(0, true));
  }

  /** Where the appended bytes begin: a multiple of 8. */
  append(added: Uint8Array): number {
    const at = 8 * Math.ceil(this.bytes.length / 8);
    const longer = new Uint8Array(at + added.length);
    longer.set(this.bytes);
    longer.set(added, at);
    this.bytes = longer;
    return at;
  }
}

export interface Vector {
  readonly at: number;
  readonly count: number;
}

export class PatchedTable {
  readonly #file: Patched;
  readonly #at: number;

  constructor(file: Patched, at: number) {
    this.#file = file;
    this.#at = at;
  }

  /** Where the field lies; undefined when the file leaves it out. */
  position(slot: number): number | undefined {
    const { view } = this.#file;
    const vtable = this.#at - view.getInt32(this.#at, true);
    const entry = 4 + 2 * slot;
    if (entry >= view.getUint16(vtable, true)) return undefined;
    const offset = view.getUint16(vtable + entry, true);
    return offset === 0 ? undefined : this.#at + offset;
  }

  target(slot: number): number | undefined {
    const at = this.position(slot);
    return at === undefined ? undefined : at + this.#file.view.getUint32(at, true);
  }

  table(slot: number): PatchedTable | undefined {
    const at = this.target(slot);
    return at === undefined ? undefined : new PatchedTable(this.#file, at);
  }

  vector(slot: number): Vector {
    const at = this.target(slot);
    return at === undefined
      ? { at: 0, count: 0 }
      : { at: at + 4, count: this.#file.view.getUint32(at, true) };
  }

  tables(slot: number): PatchedTable[] {
    const { at, count } = this.vector(slot);
    return Array.from({ length: count }, (_, i) => {
      const entry = at + 4 * i;
      return new PatchedTable(this.#file, entry + this.#file.view.getUint32(entry, true));
    });
  }

  text(slot: number): string {
    const { at, count } = this.vector(slot);
    return new TextDecoder().decode(this.#file.bytes.subarray(at, at + count));
  }

  int32s(slot: number): number[] {
    const { at, count } = this.vector(slot);
    return Array.from({ length: count }, (_, i) => this.#file.view.getInt32(at + 4 * i, true));
  }

  /** Keeps some elements of a vector of tables. */
  keep(slot: number, wanted: (index: number) => boolean): void {
    const { view } = this.#file;
    const { at, count } = this.vector(slot);
    const targets = Array.from({ length: count }, (_, i) => at + 4 * i + view.getUint32(at + 4 * i, true));
    const kept = targets.filter((_, i) => wanted(i));
    // References point forward: one that moves to the front reaches further.
    kept.forEach((target, i) => view.setUint32(at + 4 * i, target - (at + 4 * i), true));
    view.setUint32(at - 4, kept.length, true);
  }

  /** Lets the reference in `slot`, which the file has, point to where something was appended. */
  refer(slot: number, target: number): void {
    const at = this.position(slot)!;
    this.#file.view.setUint32(at, target - at, true);
  }
}
