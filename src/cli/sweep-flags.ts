/** Flags of `qdbg sweep` alone. */
import type { Command } from '@commander-js/extra-typings';
import { InvalidArgumentError, Option } from 'commander';
import type { ExportKind, SweepPart } from '../commands/sweep/request.js';
import { plain, repeat, wholeNumber } from './flags.js';

/** Each takes a network into memory. */
const MOST_PROCESSES = 256;

// Written out, since help must not load the commands; `satisfies` keeps them in step.
const PARTS = ['alone', 'restored', 'experiments', 'fixes', 'search'] as const satisfies readonly SweepPart[];
const EXPORTS = ['qdq', 'ort', 'tflite', 'ai-edge', 'aimet', 'qnn'] as const satisfies readonly ExportKind[];
const PRECISIONS = ['float', 'int16'] as const;

export interface ExportTarget {
  readonly kind: ExportKind;
  readonly file: string;
}

// A type alias: interfaces are not assignable to the records that commander takes.
export type SweepFlags = {
  readonly run?: readonly SweepPart[] | undefined;
  readonly targetDrop?: string | undefined;
  readonly to?: (typeof PRECISIONS)[number] | undefined;
  readonly group?: readonly string[] | undefined;
  readonly export?: readonly ExportTarget[] | undefined;
  readonly processes?: number | undefined;
  readonly resume?: string | undefined;
};

function parts(text: string): readonly SweepPart[] {
  return text.split(',').map((part) => {
    const known = PARTS.find((name) => name === part.trim());
    if (known === undefined)
      throw new InvalidArgumentError(`"${part.trim()}" is none of ${PARTS.join(', ')}.`);
    return known;
  });
}

function exported(text: string, previous: readonly ExportTarget[] = []): readonly ExportTarget[] {
  const [, name = text, file = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const kind = EXPORTS.find((known) => known === name);
  if (kind === undefined)
    throw new InvalidArgumentError(`"${name}" is none of ${EXPORTS.join(', ')}; KIND=FILE is wanted.`);
  if (file === '' || file === '-') throw new InvalidArgumentError(`The file is missing: ${kind}=FILE.`);
  return [...previous, { kind, file }];
}

export function sweepFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & SweepFlags> {
  plain(command)
    .optionsGroup('Sweep:')
    .option(
      '--run <LIST>',
      `what to find out, with commas: ${PARTS.join(', ')}; all when not given, search where there is a --target-drop`,
      parts,
    )
    .option(
      '--group <NAME=PATTERNS>',
      'layers to look at as one, such as head=head/*,op:Softmax; repeatable',
      repeat,
    )
    .option(
      '--target-drop <DROP>',
      'look for the fewest layers to keep in higher precision so that no more is lost: 1pt is a point of percent, 1% is relative to float',
    )
    .addOption(
      new Option('--to <PRECISION>', 'what the search moves layers to; float when not given').choices(
        PRECISIONS,
      ),
    )
    .option(
      '--export <KIND=FILE>',
      'write what was found for the tool that will do it: qdq (an ONNX model), ort, tflite, ai-edge, aimet, qnn; repeatable',
      exported,
    )
    .option(
      '--processes <N>',
      'networks run side by side, each in a process of its own; all processors when not given',
      wholeNumber(1, MOST_PROCESSES),
    )
    .option('--resume <FILE>', 'keep every result in FILE as it comes, and go on from what is there');
  return command;
}
