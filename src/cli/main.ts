/** Entry of the command line: the only place that touches the process. */
import { CommanderError, type Command } from '@commander-js/extra-typings';
import type { AnyReport } from '../report/any-report.js';
import { REPORTERS } from '../report/index.js';
import type { Watch } from '../run/samples.js';
import { applyConfig } from './config.js';
import { failure, usageFailure } from './failure.js';
import { programWith, type AnalyzeOptions, type CompareOptions, type InspectOptions } from './program.js';
import { progressOn } from './progress.js';
import { screenOf } from './screen.js';
import { checkTargets, parseTargets, unwritable, writeWhole, type Target } from './targets.js';

/** What all commands have in common. */
interface OutputOptions {
  readonly report?: readonly string[] | undefined;
  readonly top?: number | undefined;
  readonly quiet?: true | undefined;
  readonly noColor?: true | undefined;
  readonly verbose?: true | undefined;
}

async function render(report: AnyReport, targets: readonly Target[], options: OutputOptions): Promise<void> {
  const rendered = await Promise.all(
    targets.map(async ({ reporter, file }) => {
      const screen =
        file === undefined
          ? screenOf(process.stdout, options.noColor !== true)
          : { width: 110, color: false };
      const text = await REPORTERS[reporter](report, {
        ...screen,
        top: options.top,
        quiet: options.quiet === true,
      });
      return { file, text };
    }),
  );
  for (const { file, text } of rendered) if (file !== undefined) writeWhole(file, text);
  for (const { file, text } of rendered) if (file === undefined) await print(text);
}

function print(text: string): Promise<void> {
  // A failure is an event of the stream, too, and dealt with there.
  return new Promise((done) => process.stdout.write(text, () => done()));
}

/** Reports asked for; without one on standard output and without --quiet files only, the terminal report. */
function targetsOf(options: OutputOptions, inputs: readonly string[]): Target[] {
  const targets = parseTargets(options.report ?? []);
  checkTargets(targets, inputs);
  return targets.some(({ file }) => file === undefined)
    ? targets
    : [...targets, { reporter: 'terminal', file: undefined }];
}

async function produce(
  options: OutputOptions,
  inputs: readonly string[],
  make: (watch: Watch, targets: readonly Target[]) => Promise<AnyReport>,
): Promise<void> {
  const targets = targetsOf(options, inputs);
  const progress = progressOn(process.stderr, {
    quiet: options.quiet === true,
    verbose: options.verbose === true,
  });
  let report: AnyReport;
  try {
    report = await make(progress.watch, targets);
  } finally {
    progress.done();
  }
  await render(report, targets, options);
}

async function analyze([model]: readonly string[], options: AnalyzeOptions): Promise<void> {
  const { analyzeRequest } = await import('./requests.js');
  const request = await analyzeRequest(model ?? '', options);
  const command = await import('../commands/analyze.js');
  const sources = [...request.calib, ...request.eval].map((source) => source.replace(/^[^=]*=/, ''));
  await produce(options, [request.model, ...sources], (watch) => command.analyze(request, watch));
}

async function compare(models: readonly string[], options: CompareOptions): Promise<void> {
  const { compareRequest } = await import('./requests.js');
  const request = compareRequest(models, options);
  const command = await import('../commands/compare.js');
  const sources = request.sources.map((source) => source.replace(/^[^=]*=/, ''));
  await produce(options, [...models, ...sources], (watch) => command.compare(request, watch));
}

async function inspect(models: readonly string[], options: InspectOptions): Promise<void> {
  const command = await import('../commands/inspect.js');
  const { shapesOf } = await import('./requests.js');
  const shapes = shapesOf(options.shape ?? []);
  await produce(options, models, (_, targets) =>
    command.inspect({
      models,
      shapes,
      ...(options.node === undefined ? {} : { node: options.node }),
      ...(options.top === undefined ? {} : { top: options.top }),
      timestamp: options.timestamp === true,
      complete: targets.some(({ reporter }) => reporter !== 'terminal'),
    }),
  );
}

export async function main(argv: readonly string[]): Promise<number> {
  const program = programWith({ analyze, compare, inspect });
  for (const command of [program, ...program.commands] as Command[]) {
    const path = command === program ? 'qdbg' : `qdbg ${command.name()}`;
    command.exitOverride().configureOutput({
      writeErr: (text) => process.stderr.write(text),
      outputError: (text, write) => write(usageFailure(text, path)),
    });
    command.hook('preAction', async (_, acting) => {
      const file = (acting.opts() as { config?: string }).config;
      const used = await applyConfig(acting as Command, file);
      if (used !== undefined && (acting.opts() as OutputOptions).verbose === true)
        process.stderr.write(`qdbg: settings of ${used}\n`);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    // commander has printed its own message; its 1 would read as "gate failed".
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { text, exitCode } = failure(error);
    process.stderr.write(text);
    return exitCode;
  }
}

/** Nothing can be said where stderr is gone; the exit code stays. */
process.stderr.on('error', () => undefined);
let outputFailure = 0;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of our output went away, as `| head` does: not an error.
  if (error.code === 'EPIPE' || outputFailure !== 0) return;
  const { text, exitCode } = failure(unwritable('standard output', error));
  process.stderr.write(text);
  process.exitCode = outputFailure = exitCode;
});

// A promise that nothing will ever settle (in a configuration file of the user's, say) ends the process in silence.
let isDone = false;
process.on('exit', () => {
  if (isDone) return;
  const { text, exitCode } = failure(new Error('the run ended before it was done: something never answered'));
  process.stderr.write(text);
  process.exitCode = exitCode;
});
const exitCode = await main(process.argv.slice(2));
isDone = true;
process.exitCode = outputFailure === 0 ? exitCode : outputFailure;
