/** Entry of the command line: the only place that touches the process. */
import { CommanderError, type Command } from '@commander-js/extra-typings';
import type { AnyReport } from '../report/any-report.js';
import { REPORTERS } from '../report/index.js';
import type { Watch } from '../run/samples.js';
import { applyConfig } from './config.js';
import { failure } from './failure.js';
import { programWith, type AnalyzeOptions, type InspectOptions } from './program.js';
import { progressOn } from './progress.js';
import { screenOf } from './screen.js';
import { checkTargets, parseTargets, writeWhole, type Target } from './targets.js';

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
  return new Promise((done, fail) => process.stdout.write(text, (error) => (error ? fail(error) : done())));
}

/** Reports asked for; without one on standard output and without --quiet files only, the terminal report. */
function targetsOf(options: OutputOptions): Target[] {
  const targets = parseTargets(options.report ?? []);
  checkTargets(targets);
  return targets.some(({ file }) => file === undefined)
    ? targets
    : [...targets, { reporter: 'terminal', file: undefined }];
}

async function produce(
  options: OutputOptions,
  make: (watch: Watch, targets: readonly Target[]) => Promise<AnyReport>,
): Promise<void> {
  const targets = targetsOf(options);
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
  await produce(options, (watch) => command.analyze(request, watch));
}

async function inspect(models: readonly string[], options: InspectOptions): Promise<void> {
  const command = await import('../commands/inspect.js');
  const { shapesOf } = await import('./requests.js');
  const shapes = shapesOf(options.shape ?? []);
  await produce(options, (_, targets) =>
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
  const program = programWith({ analyze, inspect });
  for (const command of [program, ...program.commands] as Command[]) {
    command.exitOverride().configureOutput({ writeErr: (text) => process.stderr.write(text) });
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
    if (isBrokenPipe(error)) return 0;
    const { text, exitCode } = failure(error);
    process.stderr.write(text);
    return exitCode;
  }
}

/** The reader of our output went away, as `| head` does: not an error. */
function isBrokenPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}

process.stdout.on('error', (error) => {
  if (!isBrokenPipe(error)) throw error;
});
process.exitCode = await main(process.argv.slice(2));
