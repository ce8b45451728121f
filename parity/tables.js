/** Results of a comparison as lines of text. */
import { count, labelled, plural, printable, shape, shortened } from '../dist/report/format.js';
import { table } from '../dist/report/table.js';
import { mergeDifference, noDifference } from './compare.js';
import { distance, isWithin, INTEGER_LIMITS, OPERATOR_LIMITS } from './limits.js';
import { equalText, limitsText, limitText, measuredNumbers, numbers } from './wording.js';

/**
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./operators.js').OperatorResult} OperatorResult
 * @typedef {import('./end-to-end.js').EndToEndResult} EndToEndResult
 * @typedef {import('./limits.js').Measured} Measured
 * @typedef {import('../src/loader/tflite/model.js').TfliteOperator} TfliteOperator
 *
 * @typedef {object} TypeRow
 * @property {string} title
 * @property {number} operators
 * @property {number} tensors
 * @property {number} values
 * @property {import('./compare.js').Difference | undefined} integers of those tensors that are not float
 * @property {number | undefined} lsb largest
 * @property {number | undefined} relative largest
 * @property {number} notCompared tensors
 */

const WIDTH = 110;
const LONGEST_NAME = 40;
const CHAINED = '*';

const NUMBER_COLUMNS = ['equal', 'max LSB', 'max rel. error'].map(numeric);

/**
 * One row per operator type.
 *
 * @param {readonly OperatorResult[]} results
 * @returns {string[]}
 */
export function operatorTypes(results) {
  /** @type {Map<string, TypeRow>} */
  const rows = new Map();
  for (const result of results) {
    const { operator, measured, failure, notCompared } = result;
    const title = printable(operator.op) + chainMark(result);
    const row = rows.get(title) ?? emptyRow(title);
    rows.set(title, row);
    row.operators++;
    row.tensors += measured.length;
    row.notCompared += failure === undefined ? notCompared.length : operator.outputs.length;
    for (const one of measured) addTo(row, one);
  }
  const columns = [
    { title: 'operator' },
    ...['operators', 'tensors', 'values'].map(numeric),
    ...NUMBER_COLUMNS,
    numeric('not compared'),
  ];
  const lines = table(
    columns,
    [...rows.values()].map((row) => [
      row.title,
      count(row.operators),
      count(row.tensors),
      count(row.values),
      ...numbers(row.integers, row.lsb, row.relative),
      count(row.notCompared),
    ]),
  );
  return [
    ...labelled(
      'EACH OPERATOR  ',
      `on the interpreter's own inputs; held to ${limitsText(OPERATOR_LIMITS)}`,
      WIDTH,
    ),
    ...lines,
    ...notes(results),
  ];
}

/** @param {OperatorResult} result */
function chainMark({ chained }) {
  return chained ? ` ${CHAINED}` : '';
}

/**
 * What the mark means.
 *
 * @param {readonly OperatorResult[]} results
 * @returns {string[]}
 */
function notes(results) {
  if (!results.some(({ chained }) => chained)) return [];
  const from =
    "an input that the archive leaves out was computed here from the interpreter's tensors before it";
  return labelled(`${CHAINED} `, `${from}; held to ${limitsText(INTEGER_LIMITS)}`, WIDTH);
}

/**
 * One row per compared tensor.
 *
 * @param {Network} network
 * @param {readonly OperatorResult[]} results
 * @returns {string[]}
 */
export function operatorTensors(network, results) {
  const columns = [
    { title: 'operator' },
    { title: 'tensor' },
    { title: 'shape' },
    ...NUMBER_COLUMNS,
    { title: '' },
  ];
  const rows = results.flatMap((result) =>
    result.measured.map((one) => [
      labelOf(result.operator) + chainMark(result),
      shortened(network.nameOf(one.tensor), LONGEST_NAME),
      shapeOf(network, one.tensor),
      ...measuredNumbers(one),
      mark(one),
    ]),
  );
  return ['EACH TENSOR', ...table(columns, rows)];
}

/**
 * What was not compared, one line per reason and operator type.
 *
 * @param {Network} network
 * @param {readonly OperatorResult[]} results
 * @param {EndToEndResult} outputs
 * @returns {string[]} empty when everything was
 */
export function notCompared(network, results, outputs) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const { operator, notCompared: reasons } of results) {
    for (const reason of new Set(reasons)) {
      const key = printable(`${operator.op}: ${reason}`);
      groups.set(key, [...(groups.get(key) ?? []), `#${operator.index}`]);
    }
  }
  const lines = [...groups].flatMap(([key, places]) =>
    labelled('  ', `${key} (${places.join(', ')})`, WIDTH),
  );
  for (const { tensor, reason } of outputs.notCompared) {
    lines.push(
      ...labelled('  ', printable(`end to end, output ${network.nameOf(tensor)}: ${reason}`), WIDTH),
    );
  }
  return lines.length === 0 ? [] : ['NOT COMPARED', ...lines];
}

/**
 * @param {Network} network
 * @param {string} title
 * @param {EndToEndResult} result
 * @returns {string[]}
 */
export function endToEnd(network, title, { measured }) {
  if (measured.length === 0) return [];
  const columns = [
    { title: 'tensor' },
    { title: 'shape' },
    numeric('values'),
    ...NUMBER_COLUMNS,
    numeric('same argmax'),
    { title: 'held to' },
    { title: '' },
  ];
  const rows = measured.map((one) => [
    shortened(network.nameOf(one.tensor), LONGEST_NAME),
    shapeOf(network, one.tensor),
    count(one.difference.values),
    ...measuredNumbers(one),
    one.argmax === undefined ? '-' : `${count(one.argmax.agreeing)} of ${count(one.argmax.places)}`,
    limitText(one),
    mark(one),
  ]);
  return [title, ...table(columns, rows)];
}

/**
 * Everything beyond the limits, one line each.
 *
 * @param {Network} network
 * @param {readonly OperatorResult[]} results
 * @param {EndToEndResult} outputs
 * @returns {string[]}
 */
export function deviations(network, results, outputs) {
  const lines = [];
  for (const { operator, measured, failure } of results) {
    if (failure !== undefined) lines.push(`${labelOf(operator)} cannot be computed: ${printable(failure)}`);
    for (const one of measured) {
      if (!isWithin(one)) lines.push(`${labelOf(operator)}, ${deviation(network, one)}`);
    }
  }
  if (outputs.failure !== undefined) lines.push(`end to end: ${printable(outputs.failure)}`);
  for (const one of outputs.measured) {
    if (!isWithin(one)) lines.push(`end to end, ${deviation(network, one)}`);
  }
  return lines;
}

/**
 * @param {Network} network
 * @param {Measured} measured
 */
function deviation(network, measured) {
  const { tensor, unit, argmax } = measured;
  const values = [equalText(measured.difference)];
  if (unit === 'lsb') values.unshift(`up to ${distance(measured)} LSB`);
  if (unit === 'relative')
    values.unshift(`up to ${distance(measured).toExponential(1)} of its largest value`);
  if (argmax !== undefined)
    values.push(`same argmax in ${argmax.agreeing} of ${plural(argmax.places, 'place')}`);
  return `tensor ${shortened(network.nameOf(tensor), LONGEST_NAME)}: ${values.join(', ')}; held to ${limitText(measured)}`;
}

/**
 * @param {Network} network
 * @param {number} tensor
 */
function shapeOf(network, tensor) {
  return shape(network.expected(tensor).dims === undefined ? undefined : network.dims(tensor));
}

/** @param {TfliteOperator} operator */
function labelOf({ op, index }) {
  return `${printable(op)}#${index}`;
}

/**
 * @param {string} title
 * @returns {import('../src/report/table.js').Column}
 */
function numeric(title) {
  return { title, align: 'right' };
}

/**
 * @param {string} title
 * @returns {TypeRow}
 */
function emptyRow(title) {
  return {
    title,
    operators: 0,
    tensors: 0,
    values: 0,
    integers: undefined,
    lsb: undefined,
    relative: undefined,
    notCompared: 0,
  };
}

/**
 * @param {TypeRow} row changed in place
 * @param {Measured} measured
 */
function addTo(row, measured) {
  const { unit, difference } = measured;
  row.values += difference.values;
  if (unit !== 'relative') mergeDifference((row.integers ??= noDifference()), difference);
  if (unit !== 'exact') row[unit] = Math.max(row[unit] ?? 0, distance(measured));
}

/** @param {Measured} measured */
function mark(measured) {
  return isWithin(measured) ? '' : 'BEYOND';
}
