/** A TFLite file as parity needs it: the IR with the file's lane, and beside it the file's own list of operators. */
import { readFile } from 'node:fs/promises';
import { uncomputed } from '../dist/compile/evaluation-order.js';
import { DataError, UsageError } from '../dist/errors.js';
import { isFloat, stringAttr, tensorOf } from '../dist/ir/graph.js';
import { FLOAT_LANE } from '../dist/ir/lane.js';
import { operatorsOf } from '../dist/ir/operators.js';
import { loadModel } from '../dist/loader/index.js';
import { readTflite } from '../dist/loader/tflite/read-file.js';
import { isFeedable } from '../dist/run/data/convert.js';

/**
 * @typedef {import('../src/ir/graph.js').DType} DType
 * @typedef {import('../src/ir/graph.js').Graph} Graph
 * @typedef {import('../src/ir/graph.js').TensorId} TensorId
 * @typedef {import('../src/ir/lane.js').Lane} Lane
 * @typedef {import('../src/ir/operators.js').Operator} Operator
 * @typedef {import('../src/ir/lane.js').QuantParams} QuantParams
 * @typedef {import('../src/loader/tflite/model.js').TfliteSubgraph} TfliteSubgraph
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 */

/** Places that an error lists. */
const MOST_PLACES = 20;

/** What the interpreter calls the operators that a delegate put behind those of the file. */
const DELEGATE = 'DELEGATE';

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

  /**
   * Whether the archive was recorded from this network, and whole.
   *
   * @param {import('./golden.js').Golden} golden
   * @throws {DataError} with the first few things that are not so
   */
  checkRecorded(golden) {
    const foreign = [...firstOf(this.#foreignOperators(golden)), ...firstOf(this.#foreignTensors(golden))];
    if (foreign.length > 0) {
      throw new DataError(
        `${golden.path} was recorded from another model (${golden.model || 'without a name'})`,
        {
          places: foreign,
        },
      );
    }
    const missing = [...firstOf(this.#missing(golden))];
    if (missing.length > 0) {
      throw new DataError(`${golden.path} is incomplete`, { places: missing });
    }
  }

  /** @param {import('./golden.js').Golden} golden */
  *#foreignOperators({ operators, delegated }) {
    const recorded = delegated ? operators.filter(({ op }) => op !== DELEGATE) : operators;
    if (recorded.length !== this.operators.length) {
      yield `it has ${recorded.length} operators, the model has ${this.operators.length}`;
    }
    for (const [i, { op, inputs, outputs }] of this.operators.entries()) {
      const other = recorded[i];
      if (other === undefined) return;
      const wanted = describe(op, inputs, outputs);
      const found = describe(other.op, other.inputs, other.outputs);
      if (found !== wanted) yield `operator ${i} is ${found}, the model has ${wanted}`;
    }
  }

  /** @param {import('./golden.js').Golden} golden */
  *#foreignTensors({ tensorNames }) {
    for (const { index, name } of this.subgraph.tensors) {
      const other = tensorNames.get(index);
      // The interpreter does not list all: scratch tensors of its own come behind those of the file.
      if (other !== undefined && other !== name)
        yield `tensor ${index} is '${other}', the model has '${name}'`;
    }
  }

  /**
   * Arrays that every archive of this network holds.
   *
   * @param {import('./golden.js').Golden} golden
   */
  *#missing(golden) {
    for (let sample = 0; sample < golden.samples; sample++) {
      for (const tensor of this.subgraph.inputs) {
        if (!golden.has(sample, tensor)) yield `in${sample}/${this.nameOf(tensor)} is missing, an input`;
      }
      for (const { op, outputs } of this.operators) {
        for (const tensor of outputs) {
          if (golden.has(sample, tensor)) continue;
          const mayLack = golden.leftOut.has(tensor) || !this.#isAlwaysRecorded(tensor);
          if (mayLack && !golden.has(0, tensor)) continue;
          yield `t${sample}/${this.nameOf(tensor)} is missing, written by ${op} and not listed as left out`;
        }
      }
    }
  }

  /**
   * Resources and strings have no array, tensors without elements may lack one.
   *
   * @param {number} tensor
   */
  #isAlwaysRecorded(tensor) {
    const { dtype, dims } = this.expected(tensor);
    return (
      dtype !== undefined &&
      isFeedable(/** @type {DType} */ (dtype)) &&
      dims !== undefined &&
      !dims.includes(undefined)
    );
  }
}

/**
 * @param {string} op
 * @param {readonly number[]} inputs
 * @param {readonly number[]} outputs
 */
function describe(op, inputs, outputs) {
  return `${op} ${inputs.join(' ')} -> ${outputs.join(' ')}`;
}

/**
 * @param {Iterable<string>} places of an archive that may be wrong everywhere
 * @returns {Generator<string>} the first few
 */
function* firstOf(places) {
  let room = MOST_PLACES;
  for (const place of places) {
    if (room-- === 0) return;
    yield place;
  }
}
