/** The whole network in the file's own lane, from the interpreter's inputs to its outputs. */
import { declareInputs, LaneValues } from '../dist/compile/lane-values.js';
import { ModelWriter } from '../dist/compile/model-writer.js';
import { elementCount } from '../dist/ir/elements.js';
import { openSession } from '../dist/run/runtime.js';
import { codesOf, numbersOf, toCodes, toFile, valuesOf } from './arrange.js';
import { addDifference, argmaxAgreement, noDifference } from './compare.js';
import { reasonOf } from './failure.js';
import { FLOAT_LIMITS, INTEGER_LIMITS } from './limits.js';

/**
 * @typedef {import('./golden.js').Golden} Golden
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('../src/compile/model-writer.js').Value} Value
 * @typedef {import('../src/ir/graph.js').TensorId} TensorId
 * @typedef {import('../src/run/data/dataset.js').Elements} Elements
 *
 * @typedef {object} Place a tensor of the file, and the one of the IR where its values are
 * @property {number} tensor
 * @property {TensorId} at
 *
 * @typedef {object} EndToEndResult
 * @property {readonly Measured[]} measured in the order of the tensors asked for
 * @property {readonly { readonly tensor: number, readonly reason: string }[]} notCompared
 * @property {string | undefined} failure why the network could not be run
 */

/** Elements fetched in one run; more tensors than fit are fetched in several. */
const ELEMENTS_AT_ONCE = 1 << 24;

/**
 * The network's outputs.
 *
 * @param {Network} network
 * @param {Golden} golden of this network
 * @param {{ readonly threads: number }} options
 * @returns {Promise<EndToEndResult>}
 */
export function compareOutputs(network, golden, options) {
  // The IR may have an output once more, in the file's order of axes.
  const places = network.subgraph.outputs.map((tensor, i) => ({ tensor, at: network.graph.outputs[i] }));
  return compareTensors(network, golden, /** @type {Place[]} */ (places), options);
}

/**
 * Every tensor that the archive has, in the order of the file: how far the network has drifted there.
 *
 * @param {Network} network
 * @param {Golden} golden of this network
 * @param {{ readonly threads: number }} options
 * @returns {Promise<EndToEndResult>}
 */
export function compareActivations(network, golden, options) {
  const places = network.operators
    .flatMap(({ outputs }) => outputs)
    .filter((tensor) => tensor >= 0 && golden.has(0, tensor))
    .map((tensor) => ({ tensor, at: /** @type {TensorId} */ (tensor) }));
  return compareTensors(network, golden, places, options);
}

/**
 * @param {Network} network
 * @param {Golden} golden
 * @param {readonly Place[]} places
 * @param {{ readonly threads: number }} options
 * @returns {Promise<EndToEndResult>}
 */
async function compareTensors(network, golden, places, options) {
  const notCompared = [];
  const compared = [];
  for (const place of places) {
    const uncomputed = network.uncomputedReason(place.tensor);
    if (uncomputed !== undefined) {
      notCompared.push({ tensor: place.tensor, reason: uncomputed });
    } else if (!golden.has(0, place.tensor)) {
      notCompared.push({ tensor: place.tensor, reason: 'the archive leaves it out' });
    } else {
      compared.push(place);
    }
  }
  /** @type {Measured[]} */
  const measured = [];
  try {
    for (const group of groupsOf(network, compared)) {
      measured.push(...(await measureGroup(network, golden, group, options)));
    }
    return { measured, notCompared, failure: undefined };
  } catch (error) {
    return { measured: [], notCompared, failure: reasonOf(error) };
  }
}

/**
 * @param {Network} network
 * @param {readonly Place[]} places
 * @returns {Place[][]}
 */
function groupsOf(network, places) {
  /** @type {Place[][]} */
  const groups = [];
  let room = 0;
  for (const place of places) {
    const dims = network.dims(place.tensor);
    const size = dims === undefined ? ELEMENTS_AT_ONCE : elementCount(dims);
    if (size > room) {
      groups.push([]);
      room = ELEMENTS_AT_ONCE;
    }
    groups.at(-1)?.push(place);
    room -= size;
  }
  return groups;
}

/**
 * @param {Network} network
 * @param {Golden} golden
 * @param {readonly Place[]} places
 * @param {{ readonly threads: number }} options
 * @returns {Promise<Measured[]>}
 */
async function measureGroup(network, golden, places, { threads }) {
  const { graph, lane } = network;
  const writer = new ModelWriter(graph.opsets, graph.irVersion);
  const values = new LaneValues(writer, graph, lane, declareInputs(writer, graph));
  // Identity: an input or a constant may not be an output itself. Two places may have one value.
  const outputs = places.map(({ at }) => writer.op('Identity', [values.value(at)]));
  const model = writer.encode([...new Set(outputs)]);
  const session = await openSession(model, { threads });
  try {
    const compared = places.map((place, i) => ({
      place,
      position: model.outputs.indexOf(/** @type {Value} */ (outputs[i])),
      measured: startOf(network, place.tensor),
    }));
    for (let sample = 0; sample < golden.samples; sample++) {
      const fetched = await session.run(await inputsOf(network, golden, sample));
      for (const { place, position, measured } of compared) {
        await add(network, golden, sample, place, /** @type {Elements} */ (fetched[position]), measured);
      }
    }
    return compared.map(({ measured }) => measured);
  } finally {
    await session.close();
  }
}

/**
 * @param {Network} network
 * @param {number} tensor
 * @returns {Measured}
 */
function startOf(network, tensor) {
  const difference = noDifference();
  if (network.codesParams(tensor) !== undefined) {
    return { tensor, unit: 'lsb', difference, limits: INTEGER_LIMITS };
  }
  const limits = network.behindCodes().has(tensor) ? INTEGER_LIMITS : FLOAT_LIMITS;
  return { tensor, unit: network.unit(tensor), difference, limits };
}

/**
 * @param {Network} network
 * @param {Golden} golden
 * @param {number} sample
 * @param {Place} place
 * @param {Elements} fetched
 * @param {Measured} measured changed in place
 */
async function add(network, golden, sample, { tensor, at }, fetched, measured) {
  const array = await golden.read(sample, tensor, network.expected(tensor));
  const params = network.codesParams(tensor);
  const reference = codesOf(array, network.tensor(tensor), params);
  const inFileOrder = toFile(fetched, network.tensor(at), reference);
  const computed =
    params === undefined
      ? numbersOf(inFileOrder, reference.dtype)
      : toCodes(/** @type {Float32Array} */ (inFileOrder), params);
  const wanted = numbersOf(reference.data, reference.dtype);
  addDifference(measured.difference, computed, wanted);
  if (measured.unit !== 'lsb') return;
  const classes = reference.dims.findLast((dim) => dim > 1);
  if (classes === undefined) return;
  const { places, agreeing } = argmaxAgreement(computed, wanted, classes);
  const before = measured.argmax ?? { places: 0, agreeing: 0 };
  measured.argmax = { places: before.places + places, agreeing: before.agreeing + agreeing };
}

/**
 * Real values of the network's inputs, by name.
 *
 * @param {Network} network
 * @param {Golden} golden
 * @param {number} sample
 * @returns {Promise<Map<string, import('../src/run/data/dataset.js').Feed>>}
 */
async function inputsOf(network, golden, sample) {
  const feeds = new Map();
  for (const id of network.graph.inputs) {
    const tensor = network.tensor(id);
    const array = await golden.read(sample, id, network.expected(id));
    feeds.set(tensor.name, valuesOf(array, tensor, network.params(id)));
  }
  return feeds;
}
