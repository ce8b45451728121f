/** Every operator of a network alone, on the inputs that the interpreter gave its own. */
import { operatorProgram } from '../dist/compile/operator-program.js';
import { DataError } from '../dist/errors.js';
import { openSession } from '../dist/run/runtime.js';
import { codesOf, toFile } from './arrange.js';
import { addDifference, noDifference } from './compare.js';
import { INTEGER_LIMITS, OPERATOR_LIMITS } from './limits.js';
import { Supply } from './supply.js';

/**
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 *
 * @typedef {object} OperatorResult
 * @property {TfliteOperator} operator
 * @property {boolean} chained an input that the archive leaves out was computed here from the interpreter's tensors before it
 * @property {readonly Measured[]} measured one per compared output
 * @property {string | undefined} failure why it could not be run or gave something else than numbers of that shape
 * @property {readonly string[]} notCompared reasons, one per output
 */

/**
 * Results in the order of the file. Arrays of one operator are in memory at a time, and beside them what the archive leaves out
 * and a later operator reads.
 *
 * @param {Network} network
 * @param {Golden} golden of this network
 * @param {{ readonly threads: number }} options
 * @returns {AsyncGenerator<OperatorResult>}
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
 * @param {{ readonly threads: number }} options
 * @returns {Promise<OperatorResult>}
 */
async function compareOperator(network, golden, operator, supply, options) {
  const inputs = network.activationInputs(operator);
  const outputs = operator.outputs.filter((tensor) => tensor >= 0);
  const unrecorded = outputs.filter((tensor) => !supply.recorded(tensor));
  const unknown = inputs.filter((tensor) => !supply.has(tensor));
  /** @type {OperatorResult} */
  const nothing = {
    operator,
    chained: inputs.some((tensor) => !supply.recorded(tensor)),
    measured: [],
    failure: undefined,
    notCompared: [],
  };
  if (network.opaque.has(operator.index)) {
    return { ...nothing, notCompared: outputs.map(() => 'the operator is opaque: nothing here computes it') };
  }
  if (unknown.length > 0) {
    const names = unknown.map((tensor) => network.nameOf(tensor)).join(', ');
    return { ...nothing, notCompared: outputs.map(() => `the archive leaves out its input ${names}`) };
  }
  const result = { ...nothing, notCompared: unrecorded.map(() => 'the archive leaves out its output') };
  const wanted = outputs.filter((tensor) => supply.recorded(tensor) || supply.wants(tensor));
  if (wanted.length === 0) return result;
  try {
    return {
      ...result,
      measured: await measure(network, golden, operator, { inputs, wanted }, supply, options),
    };
  } catch (error) {
    // A bad archive is nothing of the operator's.
    if (error instanceof DataError || !(error instanceof Error)) throw error;
    return { ...result, failure: error.message };
  }
}
