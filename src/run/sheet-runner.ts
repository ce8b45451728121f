/** Runs a program of probes sample by sample, falling back to its guarded form where values are not finite. */
import type { SheetProgram } from '../compile/calibration-program.js';
import type { Slot } from '../compile/probe-sheet.js';
import { RunError } from '../errors.js';
import type { Sample } from './data/dataset.js';
import { openSession, type Session, type SessionOptions } from './runtime.js';

export interface Sheet<Name extends string> {
  readonly values: Float32Array;
  readonly slots: readonly Slot<Name>[];
}

/** First opset with Where, which the guarded programs need. */
const GUARD_OPSET = 9;

export class SheetRunner<Name extends string> {
  readonly #build: (guarded: boolean) => SheetProgram<Name>;
  readonly #options: SessionOptions;
  readonly #opset: number;
  readonly #open = new Map<boolean, { program: SheetProgram<Name>; session: Session }>();

  constructor(build: (guarded: boolean) => SheetProgram<Name>, opset: number, options: SessionOptions) {
    this.#build = build;
    this.#opset = opset;
    this.#options = options;
  }

  async run(sample: Sample): Promise<Sheet<Name>> {
    const fast = await this.#read(sample, false);
    if (fast.values.every(Number.isFinite)) return fast;
    if (this.#opset < GUARD_OPSET) {
      throw new RunError(`the network computes NaN or infinite values for ${sample.id}`, {
        hint: `models of opset ${this.#opset} cannot be measured around them; export with opset ${GUARD_OPSET} or later`,
      });
    }
    return this.#read(sample, true);
  }

  async close(): Promise<void> {
    for (const { session } of this.#open.values()) await session.close();
    this.#open.clear();
  }

  async #read(sample: Sample, guarded: boolean): Promise<Sheet<Name>> {
    let open = this.#open.get(guarded);
    if (open === undefined) {
      const program = this.#build(guarded);
      open = { program, session: await openSession(program.model, this.#options) };
      this.#open.set(guarded, open);
    }
    const [values] = await open.session.run(sample.feeds, sample.id);
    if (!(values instanceof Float32Array) || values.length !== open.program.length) {
      throw new RangeError(`the probes gave ${values?.length} values instead of ${open.program.length}`);
    }
    return { values, slots: open.program.slots };
  }
}
