/** Every operator of a network alone, on the inputs that the interpreter gave its own. */
import { elementCount } from '../dist/ir/elements.js';
import { reasonOf } from './failure.js';
import { INTEGER_LIMITS, OPERATOR_LIMITS } from './limits.js';
import { measureComputed, measureConstants } from './measure.js';
import { Supply } from './supply.js';

/**
 * @typedef {import('./compare.js').Difference} Difference
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 * @typedef {import('../src/run/runtime.js').SessionOptions} SessionOptions
 *
 * @typedef {object} OperatorResult
 * @property {TfliteOperator} operator
 * @property {boolean} chained an input that the archive leaves out was computed here from the interpreter's tensors before it
 * @property {readonly Measured[]} measured one per compared output
 * @property {string | undefined} failure why it could not be run
 * @property {readonly string[]} notCompared reasons, one per output
 *
 * @typedef {object} Context
 * @property {Network} network
 * @property {Golden} golden of this network
 * @property {Supply} supply
 * @property {SessionOptions} options
 */

/** Elements that operators of one session read and write; a single one may have more. */
const ELEMENTS_AT_ONCE = 1 << 20;

/**
 * Results in the order of the file. In memory at a time are the arrays of one large operator or several small ones, and beside them
 * what the archive leaves out and a later operator reads.
 *
 * @param {Network} network
 * @param {Golden} golden of this network
 * @param {SessionOptions} options
 * @returns {AsyncGenerator<OperatorResult>}
 * @throws {import('../src/errors.js').DataError} when the archive cannot be read
 */
export async function* compareOperators(network, golden, options) {
  const supply = new Supply(network, golden);
  const context = { network, golden, supply, options };
  /** @type {TfliteOperator[]} */
  let group = [];
  let room = ELEMENTS_AT_ONCE;
  for (const operator of network.operators) {
    const size = supply.isLinked(operator) ? Infinity : sizeOf(network, operator);
    if (size > room) {
      yield* compareGroup(context, group);
      group = [];
      room = ELEMENTS_AT_ONCE;
    }
    group.push(operator);
    room -= size;
  }
  yield* compareGroup(context, group);
}

/**
 * Elements of all activations that the operator reads and writes; Infinity where extents are not known.
 *
 * @param {Network} network
 * @param {TfliteOperator} operator
 */
function sizeOf(network, operator) {
  return [...network.activationInputs(operator), ...operator.outputs]
    .map((tensor) => network.dims(tensor))
    .reduce((sum, dims) => sum + (dims === undefined ? Infinity : elementCount(dims)), 0);
}

/**
 * @param {Context} context
 * @param {readonly TfliteOperator[]} operators
 * @returns {AsyncGenerator<OperatorResult>}
 */
async function* compareGroup(context, operators) {
  const prepared = operators.map((operator) => prepare(context, operator));
  const outcomes = await computed(
    context,
    prepared.filter(({ way }) => way === 'computed').map(({ result }) => result.operator),
  );
  for (const { result, way } of prepared) {
    const { operator, chained } = result;
    if (way === 'constant') {
      yield { ...result, measured: await measureConstants(context, operator) };
    } else {
      const { differences, failure } = outcomes.get(operator) ?? {};
      const limits = chained ? INTEGER_LIMITS : OPERATOR_LIMITS;
      const measured = operator.outputs.flatMap((tensor) => {
        const difference = differences?.get(tensor);
        return difference === undefined
          ? []
          : [{ tensor, unit: context.network.unit(tensor), difference, limits }];
      });
      yield { ...result, measured, failure };
    }
    context.supply.release(operator);
  }
}

/**
 * What can be compared of the operator, and how.
 *
 * @param {Context} context
 * @param {TfliteOperator} operator
 * @returns {{ readonly result: OperatorResult, readonly way: 'not' | 'constant' | 'computed' }}
 */
function prepare({ network, supply }, operator) {
  const inputs = network.activationInputs(operator);
  const { outputs } = operator;
  /** @type {OperatorResult} */
  const nothing = {
    operator,
    chained: inputs.some((tensor) => !supply.recorded(tensor)),
    measured: [],
    failure: undefined,
    notCompared: [],
  };
  const uncomputed = network.uncomputedReason(outputs[0] ?? -1);
  if (uncomputed !== undefined) {
    return { result: { ...nothing, notCompared: outputs.map(() => uncomputed) }, way: 'not' };
  }
  const unknown = inputs.filter((tensor) => !supply.has(tensor));
  if (unknown.length > 0) {
    const reason = `the archive leaves out its input ${unknown.map((tensor) => network.nameOf(tensor)).join(', ')}`;
    return { result: { ...nothing, notCompared: outputs.map(() => reason) }, way: 'not' };
  }
  const absent = outputs.filter((tensor) => !supply.recorded(tensor));
  const result = { ...nothing, notCompared: absent.map(() => 'the archive leaves out its output') };
  if (absent.length === outputs.length && !absent.some((tensor) => supply.wants(tensor))) {
    return { result, way: 'not' };
  }
  return { result, way: network.isConstant(operator) ? 'constant' : 'computed' };
}

/**
 * Differences of the outputs that the archive has, or why an operator cannot be run.
 *
 * @param {Context} context
 * @param {readonly TfliteOperator[]} operators
 * @returns {Promise<Map<TfliteOperator, { differences?: ReadonlyMap<number, Difference>, failure?: string }>>}
 */
async function computed(context, operators) {
  if (operators.length === 0) return new Map();
  try {
    const differences = await measureComputed(context, operators);
    return new Map(operators.map((operator) => [operator, { differences }]));
  } catch (error) {
    const failure = reasonOf(error);
    const [first, ...others] = operators;
    if (first !== undefined && others.length === 0) return new Map([[first, { failure }]]);
    // Each alone tells which.
    const outcomes = new Map();
    for (const operator of operators) {
      for (const [key, outcome] of await computed(context, [operator])) outcomes.set(key, outcome);
    }
    return outcomes;
  }
}
