/** Builds a TFLite model operator by operator: float32, one subgraph. Slots and numbers are those of the TFLite schema. */
import flatbuffers from 'flatbuffers';

const FLOAT32 = 0;
const INT32 = 2;
const OPS = { ADD: 0, CONV_2D: 3, DEPTHWISE_CONV_2D: 4, FULLY_CONNECTED: 9, MEAN: 40 };
/** Type of the options table, and how its fields are written. */
const OPTIONS = {
  ADD: [11, ['fused']],
  CONV_2D: [1, ['padding', 'stride', 'stride', 'fused', 'dilation', 'dilation']],
  DEPTHWISE_CONV_2D: [2, ['padding', 'stride', 'stride', 'multiplier', 'fused', 'dilation', 'dilation']],
  FULLY_CONNECTED: [8, ['fused']],
  MEAN: [27, ['keepDims']],
};
const BYTES = new Set(['padding', 'fused', 'keepDims']);

export class TfliteModel {
  #builder = new flatbuffers.Builder(1 << 20);
  #tensors = [];
  #buffers = [];
  #operators = [];
  #codes = [];

  constructor() {
    this.#buffers.push(this.#table(1, () => undefined));
  }

  /**
   * @param {string} name
   * @param {readonly number[]} dims
   * @returns {number} index
   */
  tensor(name, dims) {
    return this.#add(name, dims, FLOAT32, 0);
  }

  /**
   * @param {string} name
   * @param {readonly number[]} dims
   * @param {Float32Array | Int32Array} values
   * @returns {number} index
   */
  constant(name, dims, values) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#builder.startVector(1, bytes.length, 16);
    for (let i = bytes.length - 1; i >= 0; i--) this.#builder.addInt8(bytes[i]);
    const data = this.#builder.endVector();
    this.#buffers.push(this.#table(1, (builder) => builder.addFieldOffset(0, data, 0)));
    return this.#add(name, dims, values instanceof Int32Array ? INT32 : FLOAT32, this.#buffers.length - 1);
  }

  /**
   * @param {keyof typeof OPS} op
   * @param {readonly number[]} inputs
   * @param {number} output
   * @param {Record<string, number>} [options] by the names in OPTIONS; 0 where absent
   */
  operator(op, inputs, output, options = {}) {
    const [type, fields] = OPTIONS[op];
    const table = this.#table(fields.length, (builder) => {
      fields.forEach((field, slot) => {
        const value = options[field] ?? 0;
        // -1: written whatever the schema's default is.
        if (BYTES.has(field)) builder.addFieldInt8(slot, value, -1);
        else builder.addFieldInt32(slot, value, -1);
      });
    });
    if (!this.#codes.includes(op)) this.#codes.push(op);
    const [reads, writes] = [this.#ints(inputs), this.#ints([output])];
    this.#operators.push(
      this.#table(5, (builder) => {
        builder.addFieldInt32(0, this.#codes.indexOf(op), -1);
        builder.addFieldOffset(1, reads, 0);
        builder.addFieldOffset(2, writes, 0);
        builder.addFieldInt8(3, type, 0);
        builder.addFieldOffset(4, table, 0);
      }),
    );
  }

  /**
   * @param {number} input
   * @param {number} output
   * @returns {Uint8Array} the model file
   */
  encode(input, output) {
    const builder = this.#builder;
    const codes = this.#offsets(
      this.#codes.map((op) =>
        this.#table(4, () => [builder.addFieldInt8(0, OPS[op], -1), builder.addFieldInt32(3, OPS[op], -1)]),
      ),
    );
    const parts = [
      this.#offsets(this.#tensors),
      this.#ints([input]),
      this.#ints([output]),
      this.#offsets(this.#operators),
    ];
    const subgraph = this.#table(4, () =>
      parts.forEach((part, slot) => builder.addFieldOffset(slot, part, 0)),
    );
    const subgraphs = this.#offsets([subgraph]);
    const buffers = this.#offsets(this.#buffers);
    const root = this.#table(5, () => {
      builder.addFieldInt32(0, 3, 0);
      builder.addFieldOffset(1, codes, 0);
      builder.addFieldOffset(2, subgraphs, 0);
      builder.addFieldOffset(4, buffers, 0);
    });
    builder.finish(root, 'TFL3');
    return builder.asUint8Array();
  }

  #add(name, dims, type, buffer) {
    const text = this.#builder.createString(name);
    const shape = this.#ints(dims);
    this.#tensors.push(
      this.#table(4, (builder) => {
        builder.addFieldOffset(0, shape, 0);
        builder.addFieldInt8(1, type, -1);
        builder.addFieldInt32(2, buffer, -1);
        builder.addFieldOffset(3, text, 0);
      }),
    );
    return this.#tensors.length - 1;
  }

  #table(slots, write) {
    this.#builder.startObject(slots);
    write(this.#builder);
    return this.#builder.endObject();
  }

  #ints(values) {
    this.#builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) this.#builder.addInt32(value);
    return this.#builder.endVector();
  }

  #offsets(values) {
    this.#builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) this.#builder.addOffset(value);
    return this.#builder.endVector();
  }
}
