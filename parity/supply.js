/** Inputs of operators: the interpreter's own tensors, and in place of those that the archive leaves out, what they were computed to be here. */
import { codesOf, toIr } from './arrange.js';

/**
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 * @typedef {import('../src/run/data/dataset.js').Feed} Feed
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 */

export class Supply {
  /** @type {Map<number, Feed[]>} */
  #computed = new Map();
  /** Tensor -> index of the last operator that needs it computed here. */
  #lastUse = new Map();
  /** @type {Network} */
  #network;
  /** @type {Golden} */
  #golden;

  /**
   * @param {Network} network
   * @param {Golden} golden
   */
  constructor(network, golden) {
    this.#network = network;
    this.#golden = golden;
    // Backwards: an absent tensor is worth computing only if it leads to one that can be compared.
    for (const operator of network.operators.toReversed()) {
      if (network.uncomputedReason(operator.outputs[0] ?? -1) !== undefined) continue;
      if (!operator.outputs.some((tensor) => this.recorded(tensor) || this.#lastUse.has(tensor))) continue;
      for (const tensor of network.activationInputs(operator)) {
        if (this.recorded(tensor) || this.#lastUse.has(tensor)) continue;
        // What comes out of the runtime says nothing of its extents.
        if (network.dims(tensor) !== undefined) this.#lastUse.set(tensor, operator.index);
      }
    }
  }

  /** @param {number} tensor */
  recorded(tensor) {
    return this.#golden.has(0, tensor);
  }

  /**
   * True when a later operator needs the tensor and the archive leaves it out.
   *
   * @param {number} tensor
   */
  wants(tensor) {
    return this.#lastUse.has(tensor);
  }

  /**
   * True when the operator reads or writes a tensor that the archive leaves out and that is computed here.
   *
   * @param {TfliteOperator} operator
   */
  isLinked({ inputs, outputs }) {
    return [...inputs, ...outputs].some((tensor) => this.wants(tensor));
  }

  /** @param {number} tensor */
  has(tensor) {
    return this.recorded(tensor) || this.#computed.has(tensor);
  }

  /**
   * @param {number} sample
   * @param {number} tensor one that `has` is true of
   * @returns {Promise<Feed>} codes as float32 where the tensor has codes; axes in the IR's order
   */
  async feed(sample, tensor) {
    const computed = this.#computed.get(tensor)?.[sample];
    if (computed !== undefined) return computed;
    const network = this.#network;
    const array = await this.#golden.read(sample, tensor, network.expected(tensor));
    return toIr(codesOf(array, network.tensor(tensor), network.params(tensor)), network.tensor(tensor));
  }

  /**
   * @param {number} sample
   * @param {number} tensor one that `wants` is true of
   * @param {Elements} data axes in the IR's order
   */
  keep(sample, tensor, data) {
    const { dtype, shape } = this.#network.tensor(tensor);
    const feeds = this.#computed.get(tensor) ?? [];
    this.#computed.set(tensor, feeds);
    feeds[sample] = { dtype: dtype ?? 'float32', dims: /** @type {number[]} */ (shape), data };
  }

  /**
   * Lets go of what no operator behind this one needs.
   *
   * @param {TfliteOperator} operator
   */
  release(operator) {
    for (const tensor of this.#computed.keys()) {
      if ((this.#lastUse.get(tensor) ?? -1) <= operator.index) this.#computed.delete(tensor);
    }
  }
}
