/**
 * The pages of fixtures/examples: commands in ```console fences behind `$ `, and below each what it prints.
 *
 * As in README.md: every line shown must be printed, in that order, with any numbers in place of those shown; `...` stands
 * for lines left out; `# exit 1` behind a command says how it ends.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { qdbg, type Run } from './program.js';
import { projectPath } from './tflite-network.js';

export interface PageCommand {
  readonly line: number;
  /** Behind `qdbg`. */
  readonly text: string;
  readonly exitCode: number;
  readonly shown: readonly string[];
}

export const exampleFolder = (name: string): string => projectPath(`fixtures/examples/${name}`);

export function commandsOf(page: string): PageCommand[] {
  const commands: (PageCommand & { shown: string[] })[] = [];
  let isConsole = false;
  for (const [index, line] of page.split('\n').entries()) {
    if (line.startsWith('```')) isConsole = !isConsole && line === '```console';
    else if (isConsole && line.startsWith('$ ')) {
      const [, text, exit = '0'] = /^\$ qdbg (.*?)(?:\s+# exit (\d+))?$/.exec(line) ?? [];
      if (text === undefined) throw new Error(`line ${index + 1}: not a command of qdbg: ${line}`);
      commands.push({ line: index + 1, text, exitCode: Number(exit), shown: [] });
    } else if (isConsole) commands.at(-1)?.shown.push(line);
  }
  return commands;
}

/** Shown lines that are not in the output where they should be. */
export function notPrinted(shown: readonly string[], output: string): string[] {
  const shape = (line: string): string =>
    line
      .replace(/(?<!\w)\d[\d.]*/g, '0')
      .replace(/([\s─━═█▌-])[\s─━═█▏▎▍▌▋▊▉-]*/g, ' ')
      .trim();
  const printed = output.split('\n').map(shape);
  let from = 0;
  return shown.filter((line) => {
    if (shape(line) === '' || line.trim() === '...') return false;
    const at = printed.indexOf(shape(line), from);
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

export interface Answer extends Run {
  /** The JSON report. */
  readonly report: unknown;
}

/** Runs a command in an example's folder once, however often it is asked for; gives what it prints and its JSON report. */
export function examples(): (name: string, text: string) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (name, text) => {
    const key = `${name}: ${text}`;
    const answer = answers.get(key) ?? answered(name, text);
    answers.set(key, answer);
    return answer;
  };
}

async function answered(name: string, text: string): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'qdbg-example-'));
  try {
    const json = join(folder, 'report.json');
    const words = text.split(/\s+/);
    const reports = words[0] === 'explain' ? [] : ['--report', 'terminal', '--report', `json=${json}`];
    const run = await qdbg([...words, ...reports], exampleFolder(name));
    return { ...run, report: existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the recipe of an example has found without qdbg. */
export function expected<T>(name: string): T {
  return JSON.parse(readFileSync(join(exampleFolder(name), 'expected.json'), 'utf8')) as T;
}
