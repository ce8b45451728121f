/**
 * `npm run parity -- MODEL.tflite GOLDEN.npz [--verbose]`: how close qdbg's simulation of a TFLite file comes to what the TFLite
 * interpreter computed, operator by operator and from end to end. The archive is made by fixtures/tflite/build.py.
 *
 * Exits 1 beyond the limits, 2 when a file cannot be used or nothing could be compared, 70 for a bug.
 */
import { parseArgs } from 'node:util';
import { failure } from '../dist/cli/failure.js';
import { DataError, UsageError } from '../dist/errors.js';
import { plural, printable } from '../dist/report/format.js';
import { compareActivations, compareOutputs } from './end-to-end.js';
import { openGolden } from './golden.js';
import { openNetwork } from './network.js';
import { compareOperators } from './operators.js';
import { deviations, endToEnd, notCompared, operatorTensors, operatorTypes } from './tables.js';

/** One: sums of floats must not depend on the machine. */
const OPTIONS = { threads: 1 };

const HINT = 'npm run parity -- MODEL.tflite GOLDEN.npz [--verbose]';

function parsedArguments() {
  try {
    const { values, positionals } = parseArgs({
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

/** @param {readonly string[]} lines */
function say(lines) {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n\n`);
}

async function main() {
  const { model, archive, verbose } = parsedArguments();
  const network = await openNetwork(model);
  const golden = await openGolden(archive);
  network.checkRecorded(golden);
  const { length: total } = network.operators;
  const what = `${plural(total, 'operator')}, ${plural(golden.samples, 'sample')}`;
  say([
    `${printable(model)} beside ${printable(archive)}: ${what}`,
    ...(golden.delegated
      ? ['recorded with the XNNPACK delegate, whose codes differ from those of the builtin kernels by design']
      : []),
  ]);
  const results = [];
  for await (const result of compareOperators(network, golden, OPTIONS)) results.push(result);
  say(operatorTypes(results));
  if (verbose) say(operatorTensors(network, results));
  const outputs = await compareOutputs(network, golden, OPTIONS);
  if (verbose) {
    const drift = await compareActivations(network, golden, OPTIONS);
    say(endToEnd(network, 'DRIFT from end to end, tensor by tensor', drift));
  }
  say(endToEnd(network, 'END TO END', outputs));
  say(notCompared(network, results, outputs));
  const beyond = deviations(network, results, outputs);
  const compared = results.reduce((sum, { measured }) => sum + measured.length, outputs.measured.length);
  if (beyond.length > 0) {
    say([`FAIL: ${plural(beyond.length, 'deviation')}`, ...beyond.map((line) => `  ${line}`)]);
    process.exitCode = 1;
  } else if (compared === 0) {
    throw new DataError('nothing could be compared');
  } else {
    say(['PASS']);
  }
}

// A reader that goes away, such as head, wants no more.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
});

try {
  await main();
} catch (error) {
  const { text, exitCode } = failure(error);
  process.stderr.write(text);
  process.exitCode = exitCode;
}
