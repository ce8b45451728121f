/** Every operator of a network alone, on the inputs that the interpreter gave its own. */
import { operatorProgram } from '../dist/compile/operator-program.js';
import { openSession } from '../dist/run/runtime.js';
import { codesOf, constantNumbers, numbersOf, toFile } from './arrange.js';
import { addDifference, noDifference } from './compare.js';
import { reasonOf } from './failure.js';
import { HYBRID_LIMITS, INTEGER_LIMITS, OPERATOR_LIMITS } from './limits.js';
import { Supply } from './supply.js';

/**
 * @typedef {import('./compare.js').Difference} Difference
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 * @typedef {import('../src/run/data/dataset.js').Feed} Feed
 * @typedef {import('../src/run/runtime.js').SessionOptions} SessionOptions
 *
 * @typedef {object} OperatorResult
 * @property {TfliteOperator} operator
 * @property {boolean} chained an input that the archive leaves out was computed here from the interpreter's tensors before it
 * @property {boolean} hybrid the interpreter quantizes its float inputs on the fly
 * @property {readonly Measured[]} measured one per compared output
 * @property {string | undefined} failure why it could not be run
 * @property {readonly string[]} notCompared reasons, one per output
 */

/**
 * Results in the order of the file. Arrays of one operator are in memory at a time, and beside them what the archive leaves out
 * and a later operator reads.
 *
 * @param {Network} network
 * @param {Golden} golden of this network
 * @param {SessionOptions} options
 * @returns {AsyncGenerator<OperatorResult>}
 * @throws {DataError} when the archive cannot be read
 */
export async function* compareOperators(network, golden, options) {
  const supply = new Supply(network, golden);
  for (const operator of network.operators) {
    yield await compareOperator(network, golden, operator, supply, options);
    supply.release(operator);
  }
}

/**
 * @param {Network} network
 * @param {Golden} golden
 * @param {TfliteOperator} operator
 * @param {Supply} supply
 * @param {SessionOptions} options
 * @returns {Promise<OperatorResult>}
 */
async function compareOperator(network, golden, operator, supply, options) {
  const inputs = network.activationInputs(operator);
  const { outputs } = operator;
  /** @type {OperatorResult} */
  const nothing = {
    operator,
    chained: inputs.some((tensor) => !supply.recorded(tensor)),
    hybrid: network.isHybrid(operator),
    measured: [],
    failure: undefined,
    notCompared: [],
  };
  const uncomputed = network.uncomputedReason(outputs[0] ?? -1);
  if (uncomputed !== undefined) return { ...nothing, notCompared: outputs.map(() => uncomputed) };
  const unknown = inputs.filter((tensor) => !supply.has(tensor));
  if (unknown.length > 0) {
    const names = unknown.map((tensor) => network.nameOf(tensor)).join(', ');
    return { ...nothing, notCompared: outputs.map(() => `the archive leaves out its input ${names}`) };
  }
  const unrecorded = outputs.filter((tensor) => !supply.recorded(tensor));
  const result = { ...nothing, notCompared: unrecorded.map(() => 'the archive leaves out its output') };
  if (!outputs.some((tensor) => supply.recorded(tensor) || supply.wants(tensor))) return result;
  const limits = result.hybrid ? HYBRID_LIMITS : result.chained ? INTEGER_LIMITS : OPERATOR_LIMITS;
  try {
    const measure = network.isConstant(operator) ? measureConstants : measureComputed;
    const measured = await measure(network, golden, operator, supply, options);
    return { ...result, measured: measured.map((one) => ({ ...one, limits })) };
  } catch (error) {
    return { ...result, failure: reasonOf(error) };
  }
}

/**
 * @param {Network} network
 * @param {Golden} golden
 * @param {TfliteOperator} operator
 * @param {Supply} supply
 * @param {SessionOptions} options
 * @returns {Promise<Omit<Measured, 'limits'>[]>}
 */
async function measureComputed(network, golden, operator, supply, options) {
  const program = operatorProgram(network.graph, network.lane, network.nodesOf(operator));
  const session = await openSession(program.model, options);
  const differences = new Map(program.outputs.map(({ tensor }) => [tensor, noDifference()]));
  try {
    for (let sample = 0; sample < golden.samples; sample++) {
      /** @type {Map<string, Feed>} */
      const feeds = new Map();
      for (const { name, tensor } of program.inputs) feeds.set(name, await supply.feed(sample, tensor));
      const fetched = await session.run(feeds);
      for (const { tensor, position } of program.outputs) {
        const computed = /** @type {Elements} */ (fetched[position]);
        if (supply.wants(tensor)) supply.keep(sample, tensor, computed);
        if (!supply.recorded(tensor)) continue;
        const reference = codesOf(
          await golden.read(sample, tensor, network.expected(tensor)),
          network.tensor(tensor),
          network.params(tensor),
        );
        const inFileOrder = toFile(computed, network.tensor(tensor), reference);
        addDifference(
          /** @type {Difference} */ (differences.get(tensor)),
          numbersOf(inFileOrder, reference.dtype),
          numbersOf(reference.data, reference.dtype),
        );
      }
    }
  } finally {
    await session.close();
  }
  return [...differences]
    .filter(([tensor]) => supply.recorded(tensor))
    .map(([tensor, difference]) => ({ tensor, unit: network.unit(tensor), difference }));
}

/**
 * What the loader has computed, for all samples alike.
 *
 * @param {Network} network
 * @param {Golden} golden
 * @param {TfliteOperator} operator
 * @returns {Promise<Omit<Measured, 'limits'>[]>}
 */
async function measureConstants(network, golden, { outputs }) {
  /** @type {Omit<Measured, 'limits'>[]} */
  const measured = [];
  for (const tensor of outputs.filter((output) => golden.has(0, output))) {
    const difference = noDifference();
    for (let sample = 0; sample < golden.samples; sample++) {
      const reference = await golden.read(sample, tensor, network.expected(tensor));
      const values = constantNumbers(network.tensor(tensor), reference);
      addDifference(difference, values, numbersOf(reference.data, reference.dtype));
    }
    measured.push({ tensor, unit: 'relative', difference });
  }
  return measured;
}
