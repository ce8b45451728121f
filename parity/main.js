/**
 * How close qdbg's simulation of a TFLite file comes to what the TFLite interpreter computed, operator by operator and from end to
 * end. The archive is made by fixtures/tflite/build.py.
 */
import { parseArgs } from 'node:util';
import { failure } from '../dist/cli/failure.js';
import { DataError, UsageError } from '../dist/errors.js';
import { plural, printable } from '../dist/report/format.js';
import { compareActivations, compareOutputs } from './end-to-end.js';
import { openGolden } from './golden.js';
import { openNetwork } from './network.js';
import { compareOperators } from './operators.js';
import { checkRecorded } from './recorded.js';
import { deviations, endToEnd, notCompared, operatorTensors, operatorTypes } from './tables.js';

/**
 * @typedef {object} Streams
 * @property {(text: string) => void} print
 * @property {(text: string) => void} complain
 */

/** One: sums of floats must not depend on the machine. */
const OPTIONS = { threads: 1 };

const HINT = 'npm run parity -- MODEL.tflite GOLDEN.npz [--verbose]';

/**
 * @param {readonly string[]} args of the command line
 * @param {Streams} streams
 * @returns {Promise<number>} exit code: 0 within the limits, 1 beyond, 2 when a file cannot be used or nothing could be compared,
 *   70 for a bug
 */
export async function main(args, { print, complain }) {
  try {
    return (await compare(parsed(args), (lines) => print(lines.map((line) => `${line}\n`).join('')))) ? 0 : 1;
  } catch (error) {
    const { text, exitCode } = failure(error);
    complain(text);
    return exitCode;
  }
}

/** @param {readonly string[]} args */
function parsed(args) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { verbose: { type: 'boolean', default: false } },
    });
    const [model, archive, ...more] = positionals;
    if (model !== undefined && archive !== undefined && more.length === 0) {
      return { model, archive, verbose: values.verbose };
    }
    throw new UsageError(`${plural(positionals.length, 'file')} given; a model and an archive are wanted`, {
      hint: HINT,
    });
  } catch (cause) {
    if (cause instanceof UsageError || !(cause instanceof TypeError)) throw cause;
    throw new UsageError(cause.message, { hint: HINT, cause });
  }
}

/**
 * @param {{ readonly model: string, readonly archive: string, readonly verbose: boolean }} request
 * @param {(lines: readonly string[]) => void} say
 * @returns {Promise<boolean>} whether everything is within the limits
 * @throws {import('../src/errors.js').QdbgError} when a file cannot be used or nothing could be compared
 */
async function compare({ model, archive, verbose }, say) {
  const network = await openNetwork(model);
  const golden = await openGolden(archive);
  checkRecorded(network, golden);
  const what = `${plural(network.operators.length, 'operator')}, ${plural(golden.samples, 'sample')}`;
  say([`${printable(model)} beside ${printable(archive)}: ${what}`]);
  if (golden.delegated) {
    say([
      'recorded with the XNNPACK delegate, whose codes differ from those of the builtin kernels by design',
    ]);
  }
  const paragraph = (/** @type {readonly string[]} */ lines) => {
    if (lines.length > 0) say(['', ...lines]);
  };
  const results = [];
  for await (const result of compareOperators(network, golden, OPTIONS)) results.push(result);
  paragraph(operatorTypes(results));
  if (verbose) paragraph(operatorTensors(network, results));
  const outputs = await compareOutputs(network, golden, OPTIONS);
  if (verbose) {
    const drift = await compareActivations(network, golden, OPTIONS);
    paragraph(endToEnd(network, 'DRIFT from end to end, tensor by tensor', drift));
  }
  paragraph(endToEnd(network, 'END TO END', outputs));
  paragraph(notCompared(network, results, outputs));
  const beyond = deviations(network, results, outputs);
  const compared = results.reduce((sum, { measured }) => sum + measured.length, outputs.measured.length);
  if (beyond.length === 0 && compared === 0) throw new DataError('nothing could be compared');
  paragraph(
    beyond.length === 0
      ? ['PASS']
      : [`FAIL: ${plural(beyond.length, 'deviation')}`, ...beyond.map((line) => `  ${line}`)],
  );
  return beyond.length === 0;
}
