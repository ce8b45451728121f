/** A TFLite file as parity needs it: the IR with the file's lane, and beside it the file's own list of operators. */
import { readFile } from 'node:fs/promises';
import { uncomputed } from '../dist/compile/evaluation-order.js';
import { UsageError } from '../dist/errors.js';
import { isFloat, stringAttr, tensorOf } from '../dist/ir/graph.js';
import { FLOAT_LANE } from '../dist/ir/lane.js';
import { operatorsOf } from '../dist/ir/operators.js';
import { loadModel } from '../dist/loader/index.js';
import { readTflite } from '../dist/loader/tflite/read-file.js';

/**
 * @typedef {import('../src/ir/graph.js').Graph} Graph
 * @typedef {import('../src/ir/graph.js').TensorId} TensorId
 * @typedef {import('../src/ir/lane.js').Lane} Lane
 * @typedef {import('../src/ir/operators.js').Operator} Operator
 * @typedef {import('../src/ir/lane.js').QuantParams} QuantParams
 * @typedef {import('../src/loader/tflite/model.js').TfliteSubgraph} TfliteSubgraph
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 */

/**
 * @param {string} path
 * @returns {Promise<Network>}
 * @throws {import('../src/errors.js').QdbgError} when it is not a TFLite file, or a broken one
 */
export async function openNetwork(path) {
  const { graph, lane, format } = await loadModel(path);
  if (format !== 'tflite') throw new UsageError(`${path} is an ${format} model; a .tflite file is wanted`);
  const [subgraph] = readTflite(await readFile(path)).subgraphs;
  if (subgraph === undefined) throw new RangeError(`${path} has no subgraph`);
  return new Network(graph, lane ?? FLOAT_LANE, subgraph);
}

/** Tensor indices are the file's, which are those of the IR. */
export class Network {
  #operators;

  /**
   * @param {Graph} graph
   * @param {Lane} lane of the file
   * @param {TfliteSubgraph} subgraph the main one
   */
  constructor(graph, lane, subgraph) {
    this.graph = graph;
    this.lane = lane;
    this.subgraph = subgraph;
    /** @type {ReadonlyMap<number, Operator>} */
    this.#operators = new Map(operatorsOf(graph).map((operator) => [operator.main.origin.index, operator]));
  }

  /** In execution order. */
  get operators() {
    return this.subgraph.operators;
  }

  /** @param {number} tensor */
  tensor(tensor) {
    return tensorOf(this.graph, /** @type {TensorId} */ (tensor));
  }

  /**
   * Undefined for tensors without codes.
   *
   * @param {number} tensor
   * @returns {QuantParams | undefined}
   */
  params(tensor) {
    return this.lane.tensors.get(/** @type {TensorId} */ (tensor));
  }

  /**
   * What the operator reads and the file does not hold, each once.
   *
   * @param {TfliteOperator} operator
   */
  activationInputs({ inputs }) {
    return [...new Set(inputs)].filter((tensor) => tensor >= 0 && this.tensor(tensor).data === undefined);
  }

  /**
   * Extents in the file's order; undefined where one is not fixed.
   *
   * @param {number} tensor
   * @returns {readonly number[] | undefined}
   */
  dims(tensor) {
    const { shape, fileAxes } = this.tensor(tensor);
    const fixed = shape?.filter((dim) => typeof dim === 'number');
    if (fixed === undefined || fixed.length !== shape?.length) return undefined;
    return fileAxes === undefined ? fixed : fileAxes.map((axis) => fixed[axis] ?? 1);
  }

  /**
   * What the file promises of the tensor. Where it has no extents at all, it may be a scalar or not say; an extent of 0 stands for
   * one that depends on the data, and so does one that the signature leaves open.
   *
   * @param {number} tensor
   * @returns {import('./golden.js').Expected}
   */
  expected(tensor) {
    const { type, shapeSignature } = this.subgraph.tensors[tensor] ?? {};
    const dims = this.dims(tensor);
    return {
      dtype: type?.toLowerCase(),
      dims:
        dims === undefined || dims.length === 0
          ? undefined
          : dims.map((dim, axis) => (dim === 0 || (shapeSignature?.[axis] ?? 0) < 0 ? undefined : dim)),
    };
  }

  /**
   * How differences of the tensor are measured: in steps of its scale, relative to its largest value, or not at all, as any
   * difference between indices is one too many.
   *
   * @param {number} tensor
   * @returns {import('./limits.js').Unit}
   */
  unit(tensor) {
    if (this.params(tensor) !== undefined) return 'lsb';
    return isFloat(this.tensor(tensor).dtype) ? 'relative' : 'exact';
  }

  /**
   * Quantizer of the codes that the tensor's values are: its own, or that of the codes which a DEQUANTIZE made it of.
   *
   * @param {number} tensor
   * @returns {QuantParams | undefined}
   */
  codesParams(tensor) {
    const producer = this.operators.find(({ op, outputs }) => op === 'DEQUANTIZE' && outputs[0] === tensor);
    const params = this.params(producer?.inputs[0] ?? tensor);
    return params?.granularity.kind === 'per-tensor' ? params : undefined;
  }

  /**
   * Nodes of the IR.
   *
   * @param {TfliteOperator} operator
   * @throws {RangeError} for an operator that has none
   */
  nodesOf({ op, index }) {
    const operator = this.#operators.get(index);
    if (operator === undefined) throw new RangeError(`${op}#${index} has become no node`);
    return operator;
  }

  /**
   * Whether the loader has computed all that the operator writes.
   *
   * @param {TfliteOperator} operator
   */
  isConstant({ outputs }) {
    return outputs.every((tensor) => this.tensor(tensor).data !== undefined);
  }

  /**
   * Why nothing here computes the tensor; undefined when something does.
   *
   * @param {number} tensor
   */
  uncomputedReason(tensor) {
    const cause = uncomputed(this.graph).get(/** @type {TensorId} */ (tensor));
    if (cause === undefined) return undefined;
    const { op, index } = cause.origin;
    const behind = cause.outputs.includes(/** @type {TensorId} */ (tensor))
      ? ''
      : `it depends on ${op}#${index}: `;
    return `${behind}${stringAttr(cause, 'reason') ?? 'nothing here computes it'}`;
  }

  /** Tensors that depend on codes, those that hybrid kernels make of floats among them, and the codes themselves. */
  behindCodes() {
    const isCodes = (/** @type {number} */ tensor) =>
      this.params(tensor) !== undefined && this.tensor(tensor).data === undefined;
    const behind = new Set(this.subgraph.inputs.filter(isCodes));
    for (const operator of this.operators) {
      const begins = operator.outputs.some(isCodes) || this.#isHybrid(operator);
      if (!begins && !operator.inputs.some((tensor) => behind.has(tensor))) continue;
      for (const tensor of operator.outputs) behind.add(tensor);
    }
    return behind;
  }

  /** @param {TfliteOperator} operator */
  #isHybrid({ index }) {
    const main = this.#operators.get(index)?.main;
    return main !== undefined && this.lane.hybrid?.has(main.id) === true;
  }

  /** @param {number} tensor */
  nameOf(tensor) {
    return `${tensor} '${this.subgraph.tensors[tensor]?.name ?? ''}'`;
  }
}
