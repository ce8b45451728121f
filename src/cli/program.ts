/** The command line: every command, every flag, its help. Commands are imported when they run, so that help stays fast. */
import { Argument, Command } from '@commander-js/extra-typings';
import { VERSION } from '../version.js';
import {
  accuracyFlags,
  channelFlags,
  gateFlags,
  outputFlags,
  pictureFlags,
  repeat,
  runFlags,
  refusedShardFlag,
  sampleFlags,
  shardFlag,
} from './flags.js';
import { comparisonFlags } from './comparison-flags.js';
import { schemeFlags } from './scheme-flags.js';
import { sweepFlags } from './sweep-flags.js';

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
  readonly doctor: Run<DoctorOptions>;
  readonly sweep: Run<SweepOptions>;
  readonly report: Run<ReportOptions>;
  readonly explain: Run<object>;
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
    doctorCommand().action((model, options, command) => handlers.doctor([model], options, sources(command))),
  );
  program.addCommand(
    sweepCommand().action((model, options, command) => handlers.sweep([model], options, sources(command))),
  );
  program.addCommand(
    reportCommand().action((files, options, command) => handlers.report(files, options, sources(command))),
  );
  program.addCommand(
    explainCommand().action((word, options, command) =>
      handlers.explain(word === undefined ? [] : [word], options, sources(command)),
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
    shardFlag(
      runFlags(
        channelFlags(
          schemeFlags(
            gateFlags(pictureFlags(accuracyFlags(sampleFlags(command))))
              .optionsGroup('Ladder:')
              .option(
                '--ladder',
                'also evaluate weights only, activations only, convolutions only, 16-bit activations, and 16 bits throughout',
              ),
          ),
        ),
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
  qdbg analyze model.onnx --calib ./calib --eval ./val --shard 2/4 --report json=shard2.json
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
    refusedShardFlag(
      runFlags(channelFlags(comparisonFlags(gateFlags(pictureFlags(accuracyFlags(sampleFlags(command))))))),
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

export type DoctorOptions = ReturnType<ReturnType<typeof doctorCommand>['opts']>;

function doctorCommand() {
  const command = new Command('doctor')
    .description(
      'Looks for known causes of lost accuracy: in the file alone at once, in more with a reference and with data.',
    )
    .argument('<MODEL>', '.onnx or .tflite file, quantized or still to be')
    .option('--reference <MODEL>', 'what MODEL should compute the same as, such as the float model')
    .optionsGroup('Data:')
    .option(
      '--data <PATH>',
      'samples to run on: folder of images, .npy, .npz, .bin, list file, or random',
      repeat,
    )
    .option(
      '--calib <PATH>',
      'samples that set the ranges of a float MODEL; those of --data when not given',
      repeat,
    )
    .option('--eval <PATH>', 'samples to evaluate accuracy on; those of --data when not given', repeat);
  return outputFlags(
    refusedShardFlag(
      runFlags(
        channelFlags(
          schemeFlags(comparisonFlags(gateFlags(pictureFlags(accuracyFlags(sampleFlags(command)))))),
        ),
      ),
    ).addHelpText(
      'after',
      `
Examples:
  qdbg doctor int8.tflite
  qdbg doctor int8.onnx --reference float.onnx
  qdbg doctor int8.onnx --reference float.onnx --data ./imgs --preset imagenet
  qdbg doctor float.onnx --calib ./imgs
  qdbg doctor int8.tflite --fail-on error --report sarif=qdbg.sarif
`,
    ),
  );
}

export type SweepOptions = ReturnType<ReturnType<typeof sweepCommand>['opts']>;

function sweepCommand() {
  const command = new Command('sweep')
    .description(
      'Tries what a user would try by hand: every layer alone and left out, other schemes, fixes; finds the fewest layers to keep in higher precision.',
    )
    .argument('<MODEL>', '.onnx or .tflite file in float')
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
    refusedShardFlag(
      runFlags(
        schemeFlags(sweepFlags(accuracyFlags(sampleFlags(command)))),
        'threads of the runtime in each process; 1 when not given',
      ),
    ).addHelpText(
      'after',
      `
Examples:
  qdbg sweep model.onnx --calib ./imgs --preset imagenet
  qdbg sweep model.onnx --calib ./calib --eval ./val --target-drop 1pt --export qdq=int8.onnx
  qdbg sweep model.onnx --calib ./calib --eval ./val --target-drop 1pt --to int16 --export ort=overrides.json
  qdbg sweep model.tflite --calib ./imgs --run restored --group 'head=head/*' --resume sweep.jsonl
`,
    ),
  );
}

export type ReportOptions = ReturnType<ReturnType<typeof reportCommand>['opts']>;

function reportCommand() {
  const command = new Command('report')
    .description('Renders what a run has stored as json once more, or puts the shards of one run together.')
    .argument('<RUN.json...>', 'a document of any command, or all shards of one run')
    .optionsGroup('Shards:')
    .option('--model <FILE>', 'the model that they are of; where it was when they ran when not given')
    .option('--eval <PATH>', 'the samples that were measured; where they were when not given', repeat)
    .option('--metric <FILE>', 'of a metric of your own, its file, repeatable', repeat);
  return outputFlags(command).addHelpText(
    'after',
    `
Examples:
  qdbg report run.json
  qdbg report run.json --report html=report.html --report md=summary.md
  qdbg analyze model.onnx --calib ./calib --eval ./val --shard 2/4 --report json=shard2.json
  qdbg report shard*.json --report html=report.html --report junit=qdbg.xml
`,
  );
}

function explainCommand() {
  return new Command('explain')
    .description('What a rule or a word of the reports means, why it matters, and what to do.')
    .argument(
      '[WORD]',
      'rule, such as w.per-tensor-spread, or word, such as SQNR; all of them when not given',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  qdbg explain\n  qdbg explain w.per-tensor-spread\n  qdbg explain sqnr\n',
    );
}

function templateCommand() {
  return new Command('template')
    .description(
      'Writes a commented starting point of a file of your own: a decoder, a metric, or a configuration.',
    )
    .addArgument(new Argument('<KIND>', 'what to write').choices(['decode', 'metric', 'config'] as const))
    .argument('[FILE]', 'where; decode.js, metric.js or qdbg.config.mjs in this folder when not given');
}
