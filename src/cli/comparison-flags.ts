/** Flags of what a candidate is held against beside its reference. */
import type { Command } from '@commander-js/extra-typings';
import { numberBetween, plain, wholeNumber } from './flags.js';

// A type alias: interfaces are not assignable to the records that commander takes.
export type ComparisonOptions = {
  readonly minAligned?: number | undefined;
  readonly detail?: number | undefined;
  readonly runtime?: true | undefined;
  readonly actual?: string | undefined;
};

export function comparisonFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & ComparisonOptions> {
  plain(command)
    .optionsGroup('Comparison:')
    .option(
      '--min-aligned <PERCENT>',
      'compute operators of the candidate that must be found in the reference; 50 when not given',
      numberBetween(0, 100),
    )
    .option(
      '--detail <N>',
      'samples that layers and the ladder are measured on; one in 8 when not given (in 16 of TFLite integers), more of small networks',
      wholeNumber(1),
    )
    .option('--runtime', "also run the candidate's own file in ONNX Runtime, beside the simulation")
    .option('--actual <DIR>', 'also compare tensors dumped from a device: DIR/<tensor>.npy, values or codes');
  return command;
}
