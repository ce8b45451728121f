/** Runs operators on the interpreter's inputs, and subtracts the interpreter's outputs from theirs. */
import { operatorProgram } from '../dist/compile/operator-program.js';
import { openSession } from '../dist/run/runtime.js';
import { codesOf, constantNumbers, numbersOf, toFile } from './arrange.js';
import { addDifference, noDifference } from './compare.js';
import { OPERATOR_LIMITS } from './limits.js';

/**
 * @typedef {import('./compare.js').Difference} Difference
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('./operators.js').Context} Context
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 * @typedef {import('../src/run/data/dataset.js').Feed} Feed
 */

/**
 * In one session, which costs more to open than a small operator to run. Each operator reads the interpreter's tensors, not what
 * another one writes.
 *
 * @param {Context} context
 * @param {readonly TfliteOperator[]} operators
 * @returns {Promise<ReadonlyMap<number, Difference>>} by output, of those that the archive has
 */
export async function measureComputed({ network, golden, supply, options }, operators) {
  const nodes = operators.map((operator) => network.nodesOf(operator));
  const program = operatorProgram(network.graph, network.lane, ...nodes);
  /** @type {Map<number, Difference>} */
  const differences = new Map();
  const session = await openSession(program.model, options);
  try {
    for (let sample = 0; sample < golden.samples; sample++) {
      /** @type {Map<string, Feed>} */
      const feeds = new Map();
      for (const { name, tensor } of program.inputs) feeds.set(name, await supply.feed(sample, tensor));
      const fetched = await session.run(feeds);
      for (const { tensor, position } of program.outputs) {
        const values = /** @type {Elements} */ (fetched[position]);
        if (supply.wants(tensor)) supply.keep(sample, tensor, values);
        if (!supply.recorded(tensor)) continue;
        const difference = differences.get(tensor) ?? noDifference();
        differences.set(tensor, difference);
        const array = await golden.read(sample, tensor, network.expected(tensor));
        const reference = codesOf(array, network.tensor(tensor), network.params(tensor));
        const inFileOrder = toFile(values, network.tensor(tensor), reference);
        const { dtype } = reference;
        addDifference(difference, numbersOf(inFileOrder, dtype), numbersOf(reference.data, dtype));
      }
    }
  } finally {
    await session.close();
  }
  return differences;
}

/**
 * What the loader has computed instead of leaving it to the network, for all samples alike.
 *
 * @param {Context} context
 * @param {TfliteOperator} operator
 * @returns {Promise<Measured[]>}
 */
export async function measureConstants({ network, golden, supply }, { outputs }) {
  /** @type {Measured[]} */
  const measured = [];
  for (const tensor of outputs.filter((output) => supply.recorded(output))) {
    const difference = noDifference();
    for (let sample = 0; sample < golden.samples; sample++) {
      const reference = await golden.read(sample, tensor, network.expected(tensor));
      const values = constantNumbers(network.tensor(tensor), reference);
      addDifference(difference, values, numbersOf(reference.data, reference.dtype));
    }
    measured.push({ tensor, unit: 'relative', difference, limits: OPERATOR_LIMITS });
  }
  return measured;
}
