/** Flags that say how a float network is quantized. */
import type { Command } from '@commander-js/extra-typings';
import { Option } from 'commander';
import { numberBetween, plain, repeat } from './flags.js';

const DTYPES = ['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'float'] as const;
const OBSERVERS = ['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const;

// A type alias: interfaces are not assignable to the records that commander takes.
export type SchemeOptions = {
  readonly scheme?: string | undefined;
  readonly weights?: (typeof DTYPES)[number] | undefined;
  readonly activations?: (typeof DTYPES)[number] | undefined;
  readonly perAxis?: true | undefined;
  readonly perTensor?: true | undefined;
  readonly symmetric?: true | undefined;
  readonly asymmetric?: true | undefined;
  readonly observer?: (typeof OBSERVERS)[number] | undefined;
  readonly percentile?: number | undefined;
  readonly momentum?: number | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
};

export function schemeFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & SchemeOptions> {
  plain(command)
    .optionsGroup('Scheme:')
    .option(
      '--scheme <NAME|FILE>',
      'what the target quantizes and how: ort, tflite, tflite-16x8, tensorrt, or a JSON file; when not given, ort for .onnx and tflite for .tflite',
    )
    .addOption(
      new Option('--weights <TYPE>', 'type of weights; what the scheme says when not given').choices(DTYPES),
    )
    .addOption(
      new Option('--activations <TYPE>', 'type of activations; what the scheme says when not given').choices(
        DTYPES,
      ),
    )
    .addOption(new Option('--per-axis', 'one scale per output channel of weights').conflicts('perTensor'))
    .addOption(new Option('--per-tensor', 'one scale per weight tensor'))
    .addOption(new Option('--symmetric', 'activations around zero').conflicts('asymmetric'))
    .addOption(new Option('--asymmetric', 'activations with a zero point of their own'))
    .addOption(
      new Option(
        '--observer <NAME>',
        'how statistics become a range; what the scheme says when not given',
      ).choices(OBSERVERS),
    )
    .option('--percentile <P>', 'of the percentile observer, such as 99.99', numberBetween(50, 100))
    .option(
      '--momentum <M>',
      'of the moving-average observer: weight of the past, such as 0.99',
      numberBetween(0, 0.999999),
    )
    .option('--only <PATTERN>', 'quantize only these: glob over node and tensor names, or op:TYPE', repeat)
    .option('--skip <PATTERN>', 'keep these in float: glob over node and tensor names, or op:TYPE', repeat);
  return command;
}
