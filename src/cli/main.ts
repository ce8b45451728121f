/** Entry of the command line: the only place that touches the process. */
import { relative } from 'node:path';
import { CommanderError, type Command } from '@commander-js/extra-typings';
import type { AccuracyRequest } from '../commands/accuracy/request.js';
import type { GateRequest } from '../commands/gate-request.js';
import type { AnyReport } from '../report/any-report.js';
import type { CompareReport } from '../report/compare-report.js';
import { REPORTERS } from '../report/index.js';
import { checkReporter } from '../report/refused.js';
import type { Report } from '../report/report.js';
import type { SweepReport } from '../report/sweep-report.js';
import type { Watch } from '../run/samples.js';
import { applyConfig, type AppliedConfig } from './config.js';
import { failure, usageFailure } from './failure.js';
import type { OutputOptions } from './flags.js';
import { HTML_FILE } from './html-file.js';
import { openPage, pageIn, withHtml } from './open-report.js';
import {
  programWith,
  type AnalyzeOptions,
  type CompareOptions,
  type DoctorOptions,
  type InspectOptions,
  type ReportOptions,
  type Run,
  type SweepOptions,
} from './program.js';
import { progressOn } from './progress.js';
import type { Settings } from './requests.js';
import { screenOf } from './screen.js';
import {
  checkTargets,
  mayBeModelData,
  parseTargets,
  unwritable,
  writeNew,
  writeWhole,
  type Target,
} from './targets.js';

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
async function targetsOf(
  options: OutputOptions,
  { models, inputs = [], written = [] }: Files,
): Promise<Target[]> {
  const asked = parseTargets(options.report ?? []);
  const targets = options.open === true ? withHtml(asked) : asked;
  const others = written.map((file): Target => ({ reporter: 'json', file }));
  const all = [...targets, ...others];
  checkTargets(all, [...models, ...inputs]);
  const named = all.flatMap(({ file }) => file ?? []);
  if (mayBeModelData(named, models)) {
    const { externalFilesOf } = await import('../commands/external-files.js');
    checkTargets(all, await externalFilesOf(models));
  }
  return targets.some(({ file }) => file === undefined)
    ? targets
    : [...targets, { reporter: 'terminal', file: undefined }];
}

/** What a run reads and writes beside its reports. */
interface Files {
  readonly models: readonly string[];
  /** Beside the models. */
  readonly inputs?: readonly string[];
  readonly written?: readonly string[];
}

/** @returns the report, whose gate decides the exit code */
async function produce<R extends AnyReport>(
  name: AnyReport['command'],
  options: OutputOptions,
  files: Files,
  make: (watch: Watch, targets: readonly Target[]) => Promise<R>,
): Promise<R> {
  const targets = await targetsOf(options, files);
  for (const { reporter } of targets) checkReporter(name, reporter);
  const progress = progressOn(process.stderr, {
    quiet: options.quiet === true,
    verbose: options.verbose === true,
  });
  let report: R;
  try {
    report = await make(progress.watch, targets);
  } finally {
    progress.done();
  }
  await render(report, targets, options);
  await show(targets, options);
  if ('gate' in report && report.gate !== undefined) gated = EXIT_CODES[report.gate.verdict];
  return report;
}

/** Says where a report is that was given no name, and opens it where that was asked for. */
async function show(targets: readonly Target[], options: OutputOptions): Promise<void> {
  const page = pageIn(targets);
  if (page === undefined) return;
  if ((page === HTML_FILE || options.open === true) && options.quiet !== true)
    process.stderr.write(`qdbg: the report is in ${page}\n`);
  const fault = options.open === true ? await openPage(page) : undefined;
  if (fault !== undefined)
    process.stderr.write(`qdbg: ${page} could not be shown: ${fault}; open it in a browser\n`);
}

/** Of the contract: 0 passed, 1 failed, 3 too few samples to decide. */
const EXIT_CODES = { pass: 0, fail: 1, inconclusive: 3 } as const;
let gated: number = EXIT_CODES.pass;

const analyze: Run<AnalyzeOptions> = async ([model], options, sourceOf) => {
  const { analyzeRequest } = await import('./requests.js');
  const request = await analyzeRequest(model ?? '', options, settingsOf(sourceOf));
  const command = await import('../commands/analyze.js');
  const inputs = read([...request.calib, ...request.eval], request);
  const report = await produce(
    'analyze',
    options,
    { models: [request.model], inputs, written: writtenBy(request) },
    (watch) => command.analyze(request, watch),
  );
  await keepBaseline(report, request);
};

const compare: Run<CompareOptions> = async (models, options, sourceOf) => {
  const { compareRequest } = await import('./requests.js');
  const request = await compareRequest(models, options, settingsOf(sourceOf));
  const command = await import('../commands/compare.js');
  const inputs = read([...request.sources, ...request.eval], request);
  const report = await produce('compare', options, { models, inputs, written: writtenBy(request) }, (watch) =>
    command.compare(request, watch),
  );
  await keepBaseline(report, request);
};

const doctor: Run<DoctorOptions> = async ([model], options, sourceOf) => {
  const { doctorRequest } = await import('./requests.js');
  const asked = await doctorRequest(model ?? '', options, settingsOf(sourceOf));
  const command = await import('../commands/doctor.js');
  const { reference, data = [], calib = [], eval: labelled = [] } = options;
  const models = [model ?? '', ...(reference === undefined ? [] : [reference])];
  const sources = asked.run === 'nothing' ? [] : read([...data, ...calib, ...labelled], asked.request);
  await produce('doctor', options, { models, inputs: sources }, (watch) => command.doctor(asked, watch));
};

const explain: Run<object> = async ([word]) => {
  const { explained } = await import('../report/explain.js');
  await print(explained(word, screenOf(process.stdout, true)));
};

const sweep: Run<SweepOptions> = async ([model], options, sourceOf) => {
  const { sweepRequest } = await import('./sweep-request.js');
  const settings = { ...settingsOf(sourceOf), ...(config === undefined ? {} : { config }) };
  const request = await sweepRequest(model ?? '', options, settings);
  const command = await import('../commands/sweep/index.js');
  const journal = request.resume === undefined ? [] : [request.resume];
  const inputs = [...journal, ...read([...request.calib, ...request.eval], request)];
  const written = request.exports.map(({ file }) => file);
  const make = async (watch: Watch): Promise<SweepReport> => {
    const { report, exported } = await command.sweep(request, watch);
    for (const { file, content } of exported) writeWhole(file, content);
    return report;
  };
  await produce('sweep', options, { models: [request.model], inputs, written }, make);
};

function writtenBy({ gate: { baseline } }: JudgedRequest): string[] {
  return baseline?.update === true ? [baseline.file] : [];
}

/** Files that a run reads beside its models. */
function read(
  sources: readonly string[],
  { accuracy, gate }: Pick<JudgedRequest, 'accuracy'> & Partial<JudgedRequest>,
): string[] {
  const { labels, classes, decode } = accuracy;
  const baseline = gate?.baseline?.update === false ? [gate.baseline.file] : [];
  return [
    ...sources.map((source) => source.replace(/^[^=]*=/, '')),
    ...[labels, classes, decode].filter((file) => file !== undefined),
    ...accuracy.metrics,
    ...baseline,
  ];
}

interface JudgedRequest {
  readonly accuracy: AccuracyRequest;
  readonly gate: GateRequest;
}

async function keepBaseline(report: Report | CompareReport, { gate }: JudgedRequest): Promise<void> {
  if (gate.baseline?.update !== true) return;
  const { baselineFile } = await import('../commands/judge.js');
  writeWhole(gate.baseline.file, await baselineFile(report));
  process.stderr.write(`qdbg: ${gate.baseline.file} holds this run as the baseline\n`);
}

/** Of the command that is running: its configuration file is read before it. */
let config: AppliedConfig | undefined;

function settingsOf(sourceOf: Parameters<Run<AnalyzeOptions>>[2]): Settings {
  return {
    sourceOf: (option) =>
      sourceOf(option) === 'config' && config !== undefined
        ? relative(process.cwd(), config.file) || config.file
        : 'command line',
    suppressions: config?.suppressions ?? [],
    today: new Date().toISOString().slice(0, 'YYYY-MM-DD'.length),
  };
}

const report: Run<ReportOptions> = async (files, options, sourceOf) => {
  const { storedRun } = await import('../commands/report.js');
  const { today } = settingsOf(sourceOf);
  const stored = await storedRun(files, { ...options, today });
  const read = { models: stored.models, inputs: files };
  await produce(stored.command, options, read, (watch) => stored.report(watch)).catch(stored.explained);
};

const template: Run<object> = async ([kind = '', file]) => {
  const { templateNamed } = await import('../commands/template.js');
  const { name, text } = templateNamed(kind);
  const path = file ?? name;
  writeNew(path, text);
  await print(`${path}\n`);
};

async function inspect(models: readonly string[], options: InspectOptions): Promise<void> {
  const command = await import('../commands/inspect.js');
  const { shapesOf } = await import('./requests.js');
  const shapes = shapesOf(options.shape ?? []);
  await produce('inspect', options, { models }, (_, targets) =>
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
  const program = programWith({ analyze, compare, inspect, doctor, sweep, report, explain, template });
  for (const command of [program, ...program.commands] as Command[]) {
    const path = command === program ? 'qdbg' : `qdbg ${command.name()}`;
    command.exitOverride().configureOutput({
      writeErr: (text) => process.stderr.write(text),
      outputError: (text, write) => write(usageFailure(text, path)),
    });
    command.hook('preAction', async (_, acting) => {
      const file = (acting.opts() as { config?: string }).config;
      // What only writes a text needs no settings.
      if (acting.name() === 'template' || acting.name() === 'explain') return;
      config = await applyConfig(acting as Command, file);
      if (config !== undefined && (acting.opts() as OutputOptions).verbose === true)
        process.stderr.write(`qdbg: settings of ${config.file}\n`);
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return gated;
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
