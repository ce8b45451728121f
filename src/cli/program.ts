/** The command line: every command, every flag, its help. Commands are imported when they run, so that help stays fast. */
import { Argument, Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import type { Layout } from '../run/data/image-input.js';
import type { Color, PresetName, ResizeMode } from '../run/data/presets.js';
import type { Interpolation } from '../run/data/resample.js';
import { VERSION } from '../version.js';

/** Runs a parsed command; the options are those of its flags. `sourceOf` says where one of them was set. */
export type Run<Options> = (
  positional: readonly string[],
  options: Options,
  sourceOf: (option: string) => string | undefined,
) => Promise<void>;

function repeat(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const range = most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of ${least} or more`;
      throw new InvalidArgumentError(`It must be a whole number ${range}.`);
    }
    return value;
  };
}

function numberBetween(least: number, most: number): (text: string) => number {
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

const DTYPES = ['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'float'] as const;

/** `--color` orders channels, so commander must not take `--no-color` for its negation. */
function noColor(): Option {
  const option = new Option('--no-color', 'no colours (NO_COLOR works too)');
  option.negate = false;
  return option;
}

/** Flags of every command that runs a network. */
function runFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
    .option('--channels <GLOB>', 'list every channel of these layers in the report', repeat)
    .optionsGroup('Run:')
    .option(
      '--threads <N>',
      'threads of the runtime; all processors when not given',
      wholeNumber(1, MOST_THREADS),
    )
    .option('--config <FILE>', 'flags from a file; qdbg.config.{json,js,mjs} is looked for upward');
}

function outputFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
    .optionsGroup('Output:')
    .option(
      '--report <FORMAT[=FILE]>',
      'terminal | json=FILE | junit=FILE | sarif=FILE | github | md=FILE | csv=FILE, repeatable; - is standard output',
      repeat,
    )
    .option('--top <N>', 'rows per table', wholeNumber(1))
    .option('--quiet', 'verdict and findings only, no progress')
    .addOption(noColor() as Option<'--plain'>)
    .option('--timestamp', 'put the time into the report, which is otherwise the same for the same inputs')
    .option('--verbose', 'say which settings were read and how long each pass took');
}

/** What the outputs mean, and what is right. */
function accuracyFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
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
}

/** What has to hold for exit code 0. */
function gateFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
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
}

/** How many of the samples, and how images become numbers. */
function sampleFlags<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
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
}

/** The program with `handlers` behind its commands. */
export function programWith(handlers: {
  readonly analyze: Run<AnalyzeOptions>;
  readonly compare: Run<CompareOptions>;
  readonly inspect: Run<InspectOptions>;
  readonly template: Run<TemplateOptions>;
}): Command {
  const program = new Command('qdbg')
    .description('Says how much a neural network loses as integers, where, why, and what fixes it.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', '\nExample:\n  qdbg analyze model.onnx --calib ./imgs --preset imagenet\n');
  const sources = (command: { getOptionValueSource(key: string): string | undefined }) => (option: string) =>
    command.getOptionValueSource(option);
  program.addCommand(
    analyzeCommand().action((model, options, command) =>
      handlers.analyze([model], options, sources(command)),
    ),
  );
  program.addCommand(
    compareCommand().action((reference, candidate, options, command) =>
      handlers.compare([reference, candidate], options, sources(command)),
    ),
  );
  program.addCommand(
    inspectCommand().action((models, options, command) =>
      handlers.inspect(models, options, sources(command)),
    ),
  );
  program.addCommand(
    templateCommand().action((kind, file, options, command) =>
      handlers.template([kind, ...(file === undefined ? [] : [file])], options, sources(command)),
    ),
  );
  return program;
}

export type AnalyzeOptions = ReturnType<ReturnType<typeof analyzeCommand>['opts']>;
export type SampleOptions = Pick<
  CompareOptions,
  | 'samples'
  | 'seed'
  | 'skipUnreadable'
  | 'shape'
  | 'preset'
  | 'resize'
  | 'interpolation'
  | 'mean'
  | 'std'
  | 'color'
  | 'layout'
>;
export type CompareOptions = ReturnType<ReturnType<typeof compareCommand>['opts']>;
export type TemplateOptions = ReturnType<ReturnType<typeof templateCommand>['opts']>;
export type AccuracyOptions = Pick<
  CompareOptions,
  | 'labels'
  | 'metric'
  | 'decode'
  | 'classes'
  | 'classMap'
  | 'ignoreLabel'
  | 'labelOffset'
  | 'skipUnlabelled'
  | 'expectAccuracy'
>;
export type GateOptions = Pick<
  CompareOptions,
  'maxDrop' | 'minSqnr' | 'minSamples' | 'inconclusive' | 'baseline' | 'updateBaseline' | 'failOn'
>;
export type InspectOptions = ReturnType<ReturnType<typeof inspectCommand>['opts']>;

function analyzeCommand() {
  const command = new Command('analyze')
    .description(
      'Runs a network as integers beside float, simulated or as the file has it, and says what is lost where.',
    )
    .argument(
      '<MODEL>',
      '.onnx or .tflite file; of one that is quantized already, its own integers are measured',
    )
    .optionsGroup('Data:')
    .option(
      '--calib <PATH>',
      'samples that set the ranges: folder of images, .npy, .npz, .bin, list file, ONNX test_data_set folder, or random; NAME=PATH for several inputs',
      repeat,
    )
    .option(
      '--eval <PATH>',
      'samples to measure on, with labels if there are any; the calibration samples when not given',
      repeat,
    );
  return outputFlags(
    runFlags(
      gateFlags(accuracyFlags(sampleFlags(command)))
        .optionsGroup('Ladder:')
        .option(
          '--ladder',
          'also evaluate weights only, activations only, convolutions only, 16-bit activations, and 16 bits throughout',
        )
        .optionsGroup('Scheme:')
        .option(
          '--scheme <NAME|FILE>',
          'what the target quantizes and how: ort, tflite, tflite-16x8, tensorrt, or a JSON file; when not given, ort for .onnx and tflite for .tflite',
        )
        .addOption(
          new Option('--weights <TYPE>', 'type of weights; what the scheme says when not given').choices(
            DTYPES,
          ),
        )
        .addOption(
          new Option(
            '--activations <TYPE>',
            'type of activations; what the scheme says when not given',
          ).choices(DTYPES),
        )
        .addOption(new Option('--per-axis', 'one scale per output channel of weights').conflicts('perTensor'))
        .addOption(new Option('--per-tensor', 'one scale per weight tensor'))
        .addOption(new Option('--symmetric', 'activations around zero').conflicts('asymmetric'))
        .addOption(new Option('--asymmetric', 'activations with a zero point of their own'))
        .addOption(
          new Option(
            '--observer <NAME>',
            'how statistics become a range; what the scheme says when not given',
          ).choices(['minmax', 'moving-average', 'percentile', 'entropy', 'mse'] as const),
        )
        .option('--percentile <P>', 'of the percentile observer, such as 99.99', numberBetween(50, 100))
        .option(
          '--momentum <M>',
          'of the moving-average observer: weight of the past, such as 0.99',
          numberBetween(0, 0.999999),
        )
        .option(
          '--only <PATTERN>',
          'quantize only these: glob over node and tensor names, or op:TYPE',
          repeat,
        )
        .option(
          '--skip <PATTERN>',
          'keep these in float: glob over node and tensor names, or op:TYPE',
          repeat,
        ),
    ).addHelpText(
      'after',
      `
Examples:
  qdbg analyze model.onnx --calib random
  qdbg analyze model.onnx --calib ./imgs --preset imagenet --samples 100
  qdbg analyze model.onnx --calib ./imgs --per-axis --skip 'head/*' --report json=run.json
  qdbg analyze model.onnx --calib ./calib --eval ./val --max-drop 1pt --report junit=qdbg.xml
  qdbg analyze seg.onnx --calib ./calib --eval ./val --metric miou --ladder
  qdbg analyze text.onnx --calib ids=ids.npy --calib mask=mask.npy
`,
    ),
  );
}

function compareCommand() {
  const command = new Command('compare')
    .description(
      'Runs a reference beside a finished export of it and says where they part, and what the export did.',
    )
    .argument('<REFERENCE>', '.onnx or .tflite file, in float')
    .argument('<CANDIDATE>', '.onnx or .tflite file that should compute the same, such as its int8 export')
    .optionsGroup('Data:')
    .option(
      '--data <PATH>',
      'samples that both are run on, as the reference takes them: folder of images, .npy, .npz, .bin, list file, ONNX test_data_set folder, or random; NAME=PATH for several inputs',
      repeat,
    )
    .option('--eval <PATH>', 'samples to evaluate accuracy on; those of --data when not given', repeat);
  return outputFlags(
    runFlags(
      gateFlags(accuracyFlags(sampleFlags(command)))
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
        .option(
          '--actual <DIR>',
          'also compare tensors dumped from a device: DIR/<tensor>.npy, values or codes',
        ),
    ).addHelpText(
      'after',
      `
Examples:
  qdbg compare float.onnx int8.onnx --data ./imgs --preset imagenet
  qdbg compare float.onnx int8.tflite --data ./imgs --samples 64 --report json=run.json
  qdbg compare float.onnx qdq.onnx --data ./imgs --runtime
  qdbg compare float.tflite int8.tflite --eval ./val --max-drop 1pt --report junit=qdbg.xml
  qdbg compare float.tflite int8.tflite --data ./imgs --actual ./dump
`,
    ),
  );
}

function inspectCommand() {
  const command = new Command('inspect')
    .description(
      'Shows what is in a model: layers, shapes, parameters, weight ranges, inputs and outputs. Runs nothing.',
    )
    .argument('<MODEL...>', '.onnx or .tflite files; several are put side by side')
    .option('--node <NAME>', 'box plot of the weights of this layer, channel by channel')
    .option('--shape <NAME=DIMS>', 'extents of an input, such as image=1x3x224x224', repeat)
    .option('--config <FILE>', 'flags from a file; qdbg.config.{json,js,mjs} is looked for upward');
  return outputFlags(command);
}

function templateCommand() {
  return new Command('template')
    .description(
      'Writes a commented starting point of a file of your own: a decoder, a metric, or a configuration.',
    )
    .addArgument(new Argument('<KIND>', 'what to write').choices(['decode', 'metric', 'config'] as const))
    .argument('[FILE]', 'where; decode.js, metric.js or qdbg.config.mjs in this folder when not given');
}
