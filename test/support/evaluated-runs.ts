/** Reports of `qdbg analyze` and `qdbg compare` for a command line, run in this process. */
import type { Command } from '@commander-js/extra-typings';
import { programWith } from '../../src/cli/program.js';
import { analyzeRequest, compareRequest, type Settings } from '../../src/cli/requests.js';
import { analyze } from '../../src/commands/analyze.js';
import { compare } from '../../src/commands/compare.js';
import type { Accuracy, ScoredNetwork } from '../../src/diff/accuracy/accuracy.js';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { UNWATCHED } from './measured-networks.js';

const SETTINGS: Settings = { sourceOf: () => 'command line', suppressions: [], today: '2026-01-01' };

/** @throws what the command throws */
export async function reportOf(...argv: readonly string[]): Promise<MeasuredReport> {
  let report: MeasuredReport | undefined;
  const unused = () => Promise.reject(new Error('runs no network'));
  const program = programWith({
    analyze: async ([model = ''], options) => {
      report = await analyze(await analyzeRequest(model, options, SETTINGS), UNWATCHED);
    },
    compare: async (models, options) => {
      report = await compare(await compareRequest(models, options, SETTINGS), UNWATCHED);
    },
    inspect: unused,
    doctor: unused,
    sweep: unused,
    explain: unused,
    report: unused,
    template: unused,
  });
  for (const command of [program, ...program.commands] as Command[]) command.exitOverride();
  await program.parseAsync([...argv, '--threads', '1'], { from: 'user' });
  if (report === undefined) throw new Error('no report was made');
  return report;
}

/** @throws Error with what the report says instead */
export function accuracyIn({ accuracy, notMeasured }: MeasuredReport): Accuracy {
  if (accuracy === undefined) throw new Error(`no accuracy: ${JSON.stringify(notMeasured)}`);
  return accuracy;
}

/** @throws Error when there is none of that name */
export function networkIn({ networks }: Accuracy, name: string): ScoredNetwork {
  const found = networks.find(({ network }) => network === name);
  if (found === undefined) throw new Error(`no network ${name}`);
  return found;
}
