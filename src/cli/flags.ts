/** Flags that several commands have, and how their texts are read. */
import type { Command } from '@commander-js/extra-typings';
import { InvalidArgumentError, Option, type Command as PlainCommand } from 'commander';
import type { Shard } from '../commands/shards/window.js';
import type { Layout } from '../run/data/image-input.js';
import type { Color, PresetName, ResizeMode } from '../run/data/presets.js';
import type { Interpolation } from '../run/data/resample.js';

export function repeat(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const range = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of ${least} or more`;
      throw new InvalidArgumentError(`It must be a whole number ${range}.`);
    }
    return value;
  };
}

export function numberBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most))
      throw new InvalidArgumentError(`It must be a number from ${least} to ${most}.`);
    return value;
  };
}

function integer(text: string): number {
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function numbers(text: string): readonly number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (!values.every(Number.isFinite))
    throw new InvalidArgumentError('It must be numbers with commas, such as 0.485,0.456,0.406.');
  return values;
}

// Written out, since the module that has them loads the image library; `satisfies` keeps them in step.
const RESIZE_MODES = ['stretch', 'letterbox', 'short-side', 'none'] as const satisfies readonly ResizeMode[];
const INTERPOLATIONS = [
  'bilinear',
  'bilinear-no-antialias',
  'nearest',
  'bicubic',
  'area',
] as const satisfies readonly Interpolation[];
const PRESETS = [
  'unit',
  'imagenet',
  'tf',
  'raw',
  'caffe',
  'caffe-std',
  'face',
  'centered',
  'timm',
  'yolo',
  'yolo-cls',
  'rtmdet',
] as const satisfies readonly PresetName[];
const COLORS = ['rgb', 'bgr', 'gray'] as const satisfies readonly Color[];
const LAYOUTS = ['nchw', 'nhwc'] as const satisfies readonly Layout[];
/** More than any machine has processors; each takes memory before anything runs. */
const MOST_THREADS = 1024;

// Type aliases: interfaces are not assignable to the records that commander takes.
export type ChannelOptions = {
  readonly channels?: readonly string[] | undefined;
};

export type RunOptions = {
  readonly threads?: number | undefined;
  readonly config?: string | undefined;
};

export type ShardOptions = {
  readonly shard?: Shard | undefined;
};

export type OutputOptions = {
  readonly report?: readonly string[] | undefined;
  readonly open?: true | undefined;
  readonly top?: number | undefined;
  readonly quiet?: true | undefined;
  readonly noColor?: true | undefined;
  readonly timestamp?: true | undefined;
  readonly verbose?: true | undefined;
};

export type AccuracyOptions = {
  readonly labels?: string | undefined;
  readonly metric?: readonly string[] | undefined;
  readonly decode?: string | undefined;
  readonly classes?: string | undefined;
  readonly classMap?: string | undefined;
  readonly ignoreLabel?: number | undefined;
  readonly labelOffset?: number | undefined;
  readonly skipUnlabelled?: true | undefined;
  readonly expectAccuracy?: number | undefined;
};

export type PictureOptions = {
  readonly pictures?: number | undefined;
};

export type GateOptions = {
  readonly maxDrop?: string | undefined;
  readonly minSqnr?: readonly string[] | undefined;
  readonly minSamples?: number | undefined;
  readonly inconclusive?: 'fail' | 'pass' | undefined;
  readonly baseline?: string | undefined;
  readonly updateBaseline?: true | undefined;
  readonly failOn?: 'error' | 'warning' | 'never' | undefined;
};

export type SampleOptions = {
  readonly samples?: number | undefined;
  readonly seed?: number | undefined;
  readonly skipUnreadable?: true | undefined;
  readonly shape?: readonly string[] | undefined;
  readonly preset?: PresetName | undefined;
  readonly resize?: ResizeMode | undefined;
  readonly interpolation?: Interpolation | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly color?: Color | undefined;
  readonly layout?: Layout | undefined;
};

/**
 * Without the types of its options, which are given above: inferred through five functions of fifty flags they take the compiler
 * minutes and gigabytes.
 */
export function plain<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): PlainCommand {
  return command as unknown as PlainCommand;
}

/** `--color` orders channels, so commander must not take `--no-color` for its negation. */
function noColor(): Option {
  const option = new Option('--no-color', 'no colours (NO_COLOR works too)');
  option.negate = false;
  return option;
}

export function channelFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & ChannelOptions> {
  plain(command).option('--channels <GLOB>', 'list every channel of these layers in the report', repeat);
  return command;
}

const MOST_SHARDS = 10_000;

/** `2/4` */
function shardOf(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (!(index >= 1 && index <= count && count <= MOST_SHARDS))
    throw new InvalidArgumentError(
      `It must be i/n, from 1/n to n/n, such as 2/4; n is ${MOST_SHARDS} at most.`,
    );
  return { index, count };
}

export function shardFlag<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & ShardOptions> {
  plain(command).option(
    '--shard <I/N>',
    'measure this part of the samples only, with --report json=FILE; qdbg report puts all N parts together',
    shardOf,
  );
  return command;
}

/** Of commands whose runs cannot be split: their requests say so better than a flag that is not known. */
export function refusedShardFlag<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & ShardOptions> {
  plain(command).addOption(new Option('--shard <I/N>').argParser(shardOf).hideHelp());
  return command;
}

/** Flags of every command that runs a network. */
export function runFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
  threads = 'threads of the runtime; all processors when not given',
): Command<Args, Opts & RunOptions> {
  plain(command)
    .optionsGroup('Run:')
    .option('--threads <N>', threads, wholeNumber(1, MOST_THREADS))
    .option('--config <FILE>', 'flags from a file; qdbg.config.{json,js,mjs} is looked for upward');
  return command;
}

export function outputFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & OutputOptions> {
  plain(command)
    .optionsGroup('Output:')
    .option(
      '--report <FORMAT[=FILE]>',
      'terminal | html[=FILE] | json=FILE | md=FILE | csv=FILE | junit=FILE | sarif=FILE | github | model-explorer=FILE (local SQNR; also -self, -cumulative), repeatable; - is standard output',
      repeat,
    )
    .option('--open', 'show the HTML report in the browser; without one asked for, qdbg-report.html')
    .option('--top <N>', 'rows per table', wholeNumber(1))
    .option('--quiet', 'verdict, gate and findings only, no progress')
    .addOption(noColor())
    .option('--timestamp', 'put the time into the report, which is otherwise the same for the same inputs')
    .option('--verbose', 'say which settings were read and how long each pass took');
  return command;
}

/** What the outputs mean, and what is right. */
export function accuracyFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & AccuracyOptions> {
  plain(command)
    .optionsGroup('Accuracy:')
    .option(
      '--labels <WHERE>',
      "labels of the evaluated samples: .csv, .json (COCO's too), .txt, .npy, a folder of masks or YOLO .txt, name:REGEX on file names; class folders, masks/ and labels/ beside images/ are found without it",
    )
    .option(
      '--metric <NAME|FILE>',
      'top1 | top5 | miou | map | map50 | auc | rmse | mae | cosine | psnr | kl | agreement | ./metric.js, repeatable; the first is gated; what the labels say when not given',
      repeat,
    )
    .option(
      '--decode <NAME|FILE>',
      'what the outputs are: classes | argmax | segmentation | values | ssd | yolov5 | yolov8 | yolox | nanodet | picodet | nms | ./decode.js; told from their shapes when not given',
    )
    .option(
      '--classes <NAMES|FILE>',
      "names of the model's classes: coco80, coco91, voc21, cifar10, or a file",
    )
    .option(
      '--class-map <MAP>',
      "which of the model's classes a label is, such as 'person=1,*=0'; - is ignored",
    )
    .option('--ignore-label <N>', 'label that counts as nothing, such as 255 in masks', wholeNumber(0))
    .option('--label-offset <N>', 'added to every class label', integer)
    .option('--skip-unlabelled', 'leave out samples without a label, and count them')
    .option(
      '--expect-accuracy <PERCENT>',
      'what the float model should reach; far below it, preprocessings are tried',
      numberBetween(0, 100),
    );
  return command;
}

/** Of the commands that evaluate one candidate, beside the flags of accuracy. */
export function pictureFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & PictureOptions> {
  plain(command).option(
    '--pictures <N>',
    'evaluated images on which the two networks part most, shown in json and html reports: small copies of your images are in these files; 8 when not given, 0 for none',
    wholeNumber(0, 64),
  );
  return command;
}

/** What has to hold for exit code 0. */
export function gateFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & GateOptions> {
  plain(command)
    .optionsGroup('Gate (exit code 1 when it fails, 3 when there are too few samples to decide):')
    .option(
      '--max-drop <DROP>',
      'of the first metric: 1pt is a point of percent, 1% is relative to the reference',
    )
    .option(
      '--min-sqnr <DB|GLOB=DB>',
      'cumulative SQNR of the outputs, or of the layers that match (*=20: all), repeatable; local: or self: before GLOB, GLOB=off exempts',
      repeat,
    )
    .option('--min-samples <N>', 'fewer evaluated samples decide nothing', wholeNumber(1))
    .addOption(
      new Option(
        '--inconclusive <VERDICT>',
        'what too few samples count as; exit code 3 when not given',
      ).choices(['fail', 'pass'] as const),
    )
    .option('--baseline <FILE>', 'an earlier run to hold against; what has become worse fails')
    .option('--update-baseline', 'write this run into the baseline file instead')
    .addOption(
      new Option('--fail-on <SEVERITY>', 'findings that fail the gate').choices([
        'error',
        'warning',
        'never',
      ] as const),
    );
  return command;
}

/** How many of the samples, and how images become numbers. */
export function sampleFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
): Command<Args, Opts & SampleOptions> {
  plain(command)
    .option(
      '--samples <N>',
      'use N samples, evenly spread; all when not given (8 random ones)',
      wholeNumber(1),
    )
    .option('--seed <N>', 'of random samples; 0 when not given', wholeNumber(0))
    .option('--skip-unreadable', 'leave out samples that cannot be read, and list them')
    .option('--shape <NAME=DIMS>', 'extents of an input, such as image=1x3x224x224', repeat)
    .optionsGroup('Preprocessing of images:')
    .addOption(
      new Option(
        '--preset <NAME>',
        'how pixels become numbers; unit, pixel / 255, unless the model says otherwise',
      ).choices(PRESETS),
    )
    .addOption(new Option('--resize <MODE>', 'how images get the size of the input').choices(RESIZE_MODES))
    .addOption(new Option('--interpolation <MODE>', 'as Pillow has it, antialiased').choices(INTERPOLATIONS))
    .option('--mean <LIST>', 'per channel, in 0..1 or 0..255', numbers)
    .option('--std <LIST>', 'per channel, in 0..1 or 0..255', numbers)
    .addOption(new Option('--color <ORDER>', 'order of the channels').choices(COLORS))
    .addOption(
      new Option('--layout <LAYOUT>', 'of the input; what its shape says when not given').choices(LAYOUTS),
    );
  return command;
}
