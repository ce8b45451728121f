/** Whether an archive was recorded from a network, and whole. */
import { DataError } from '../dist/errors.js';
import { isFeedable } from '../dist/run/data/convert.js';

/**
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 */

/** What the interpreter calls the operators that a delegate put behind those of the file. */
const DELEGATE = 'DELEGATE';

/** Places that an error lists. */
const MOST_PLACES = 20;

/**
 * @param {Network} network
 * @param {Golden} golden
 * @throws {DataError} with the first few things that are not so
 */
export function checkRecorded(network, golden) {
  const foreign = [
    ...firstOf(foreignOperators(network, golden)),
    ...firstOf(foreignTensors(network, golden)),
  ];
  if (foreign.length > 0) {
    const model = golden.model || 'without a name';
    throw new DataError(`${golden.path} was recorded from another model (${model})`, { places: foreign });
  }
  const missing = [...firstOf(missingArrays(network, golden))];
  if (missing.length > 0) throw new DataError(`${golden.path} is incomplete`, { places: missing });
}

/**
 * @param {Network} network
 * @param {Golden} golden
 */
function* foreignOperators(network, { operators, delegated }) {
  const recorded = delegated ? operators.filter(({ op }) => op !== DELEGATE) : operators;
  if (recorded.length !== network.operators.length) {
    yield `it has ${recorded.length} operators, the model has ${network.operators.length}`;
  }
  for (const [i, operator] of network.operators.entries()) {
    const other = recorded[i];
    if (other === undefined) return;
    const wanted = describe(operator);
    const found = describe(other);
    if (found !== wanted) yield `operator ${i} is ${found}, the model has ${wanted}`;
  }
}

/**
 * @param {Network} network
 * @param {Golden} golden
 */
function* foreignTensors(network, { tensorNames }) {
  for (const { index, name } of network.subgraph.tensors) {
    const other = tensorNames.get(index);
    // Not all need be listed.
    if (other === undefined || other === name) continue;
    yield `tensor ${index} is '${other}', the model has '${name}'`;
  }
}

/**
 * Arrays that every archive of the network holds, and this one does not.
 *
 * @param {Network} network
 * @param {Golden} golden
 */
function* missingArrays(network, golden) {
  for (let sample = 0; sample < golden.samples; sample++) {
    for (const tensor of network.subgraph.inputs) {
      if (!golden.has(sample, tensor)) yield `in${sample}/${network.nameOf(tensor)} is missing, an input`;
    }
    for (const { op, outputs } of network.operators) {
      for (const tensor of outputs) {
        if (golden.has(sample, tensor)) continue;
        const mayLack = golden.leftOut.has(tensor) || !isAlwaysRecorded(network, tensor);
        if (mayLack && !golden.has(0, tensor)) continue;
        yield `t${sample}/${network.nameOf(tensor)} is missing, written by ${op} and not listed as left out`;
      }
    }
  }
}

/**
 * Resources and strings have no array, tensors without elements may lack one.
 *
 * @param {Network} network
 * @param {number} tensor
 */
function isAlwaysRecorded(network, tensor) {
  const { dtype, dims } = network.expected(tensor);
  const isNumeric =
    dtype !== undefined && isFeedable(/** @type {import('../src/ir/graph.js').DType} */ (dtype));
  return isNumeric && dims !== undefined && !dims.includes(undefined);
}

/** @param {import('./golden.js').GoldenOperator} operator */
function describe({ op, inputs, outputs }) {
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
