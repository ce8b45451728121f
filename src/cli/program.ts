/** The command line: every command, every flag, its help. Commands are imported when they run, so that help stays fast. */
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { VERSION } from '../version.js';
import {
  accuracyFlags,
  gateFlags,
  numberBetween,
  outputFlags,
  repeat,
  runFlags,
  sampleFlags,
  wholeNumber,
} from './flags.js';

const DTYPES = ['int4', 'uint4', 'int8', 'uint8', 'int16', 'uint16', 'float'] as const;

/** Runs a parsed command; the options are those of its flags. `sourceOf` says where one of them was set. */
export type Run<Options> = (
  positional: readonly string[],
  options: Options,
  sourceOf: (option: string) => string | undefined,
) => Promise<void>;
/** The program with `handlers` behind its commands. */
export function programWith(handlers: {
  readonly analyze: Run<AnalyzeOptions>;
  readonly compare: Run<CompareOptions>;
  readonly inspect: Run<InspectOptions>;
  readonly template: Run<object>;
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
export type CompareOptions = ReturnType<ReturnType<typeof compareCommand>['opts']>;
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
