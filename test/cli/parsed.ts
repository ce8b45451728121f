/** A command line read without running anything, its configuration file included. */
import type { Command } from '@commander-js/extra-typings';
import { applyConfig } from '../../src/cli/config.js';
import { programWith } from '../../src/cli/program.js';

export interface Parsed {
  readonly command: string;
  readonly positional: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** @throws CommanderError, with its message in `printed`, or UsageError */
export async function parsed(argv: readonly string[], printed: string[] = []): Promise<Parsed> {
  const seen: Parsed[] = [];
  const note = (command: string) => (positional: readonly string[], options: object) => {
    seen.push({ command, positional, options: { ...options } });
    return Promise.resolve();
  };
  const program = programWith({
    analyze: note('analyze'),
    compare: note('compare'),
    inspect: note('inspect'),
    doctor: note('doctor'),
    sweep: note('sweep'),
    explain: note('explain'),
    report: note('report'),
    template: note('template'),
  });
  for (const command of [program, ...program.commands] as Command[]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => printed.push(text),
      writeErr: (text) => printed.push(text),
    });
    command.hook('preAction', async (_, acting) => {
      await applyConfig(acting as Command, (acting.opts() as { config?: string }).config);
    });
  }
  await program.parseAsync([...argv], { from: 'user' });
  const [found] = seen;
  if (found === undefined) throw new Error('no command was run');
  return found;
}
