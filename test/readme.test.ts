/**
 * Every command of README.md, run as a reader would.
 *
 * How the page must be written:
 * - Commands stand in ```sh fences, one a line, or in ```console fences behind `$ `. A trailing backslash continues a
 *   line, `#` starts a comment, `&&` chains. Schematic lines (`qdbg analyze MODEL ...`) belong in ```text fences.
 * - `qdbg`, `npx qdbg` and `node bin/qdbg.js` run the built program, in the order of the page, in a folder that holds
 *   a copy of fixtures/ and nothing else: what one command writes, a later one can read.
 * - A command is expected to exit 0, or as a comment behind it says: `# exit 1`.
 * - What follows a command in a ```console fence is its output: each line must be printed, in that order, with any
 *   numbers in place of those shown (they differ a little between processors). `...` stands for lines left out.
 * - Other commands must be in ELSEWHERE, with what tests them.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'bin/qdbg.js');

const ELSEWHERE: readonly (readonly [command: RegExp, testedBy: string])[] = [
  [/^npm (ci|test|run (build|lint|typecheck))$/, '.ci/run'],
  [/^\.ci\/run$/, 'itself'],
  [/^(ONNXRUNTIME_NODE_INSTALL=skip )?npm (i|install) (-g|-D) (qdbg|\.\/\S+\.tgz)$/, 'package.test.ts'],
  [/^npm pack$/, 'package.test.ts'],
  [/^npm run parity -- \S+\.tflite \S+\.npz$/, 'parity.test.ts'],
  [/^npm run bench$/, 'the benchmark itself, which checks its own ceilings'],
  [/^(git clone|cd) \S+$/, 'the reader'],
];

interface Command {
  /** As in the page, one link of a `&&` chain, without its comment. */
  readonly text: string;
  readonly line: number;
  readonly exitCode: number;
  /** Output shown below it. */
  readonly shown: readonly string[];
}

function commandsOf(markdown: string): Command[] {
  const commands: Command[] = [];
  for (const { language, first, lines } of fencesOf(markdown)) {
    for (let i = 0; i < lines.length; i++) {
      const line = first + i;
      let text = lines[i]!;
      if (language === 'console' && !text.startsWith('$ ')) continue;
      while (text.endsWith('\\')) text = `${text.slice(0, -1)}${lines[++i]?.trim() ?? ''}`;
      const shown = language === 'console' ? until(lines.slice(i + 1), (next) => next.startsWith('$ ')) : [];
      const [, code = '', comment = ''] = /^(?:\$ )?(.*?)(?:(?:^|\s+)#(.*))?$/.exec(text)!;
      const links = code.split(/\s+&&\s+/).filter((link) => link !== '');
      links.forEach((link, index) => {
        const last = index === links.length - 1;
        const exitCode = last ? Number(/^\s*exit (\d+)\b/.exec(comment)?.[1] ?? 0) : 0;
        commands.push({ text: link.trim(), line, exitCode, shown: last ? shown : [] });
      });
    }
  }
  return commands;
}

interface Fence {
  readonly language: string;
  /** Line of the page that holds `lines[0]`. */
  readonly first: number;
  readonly lines: readonly string[];
}

function fencesOf(markdown: string): Fence[] {
  const all = markdown.split('\n');
  const fences: Fence[] = [];
  for (let i = 0; i < all.length; i++) {
    const language = /^```(\w+)/.exec(all[i]!)?.[1];
    if (language === undefined) continue;
    const lines = until(all.slice(i + 1), (line) => line.startsWith('```'));
    if (language === 'sh' || language === 'console') fences.push({ language, first: i + 2, lines });
    i += lines.length + 1;
  }
  return fences;
}

function until(lines: readonly string[], stop: (line: string) => boolean): string[] {
  const end = lines.findIndex(stop);
  return lines.slice(0, end === -1 ? lines.length : end);
}

/** Arguments of a qdbg command as the shell is to read them, or undefined for any other command. */
function qdbgArguments(command: string): string | undefined {
  return /^(?:npx )?(?:qdbg|node bin\/qdbg\.js)(?=\s|$)(.*)$/.exec(command)?.[1];
}

/** Shown lines that are not in the output where they should be; numbers, and the widths that follow them, are free. */
function notPrinted(shown: readonly string[], output: string): string[] {
  const shape = (line: string): string =>
    line
      .replace(/(?<!\w)\d[\d.]*/g, '0')
      // Bars are as long, or as high, as numbers are large.
      .replace(/[▁▂▃▄▅▆▇█▉▊▋▌▍▎▏]+/g, '')
      .replace(/([\s─━═-])[\s─━═-]*/g, ' ')
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

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const COMMANDS = commandsOf(README);

describe('README.md', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'qdbg-readme-'));
    await cp(join(ROOT, 'fixtures'), join(folder, 'fixtures'), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('sets up and does the main job, and sets up and passes the tests', () => {
    const texts = COMMANDS.map(({ text }) => text);
    expect(texts).toContain('npm ci');
    expect(texts).toContain('npm test');
    expect(texts.filter((text) => qdbgArguments(text)?.startsWith(' analyze '))).not.toEqual([]);
  });

  it('holds no command that nothing tests', () => {
    const untested = COMMANDS.filter(
      ({ text }) => qdbgArguments(text) === undefined && !ELSEWHERE.some(([command]) => command.test(text)),
    );
    expect(untested.map(({ text, line }) => `README.md:${line}: ${text}`)).toEqual([]);
  });

  const runnable = COMMANDS.filter(({ text }) => qdbgArguments(text) !== undefined);
  it.each(runnable.map((command) => [command.line, command.text, command] as const))(
    'line %i: %s',
    async (_line, text, { exitCode, shown }) => {
      const met = await shell(`"${process.execPath}" "${BIN}" ${qdbgArguments(text)!}`, folder);
      expect(met.exitCode, met.output).toBe(exitCode);
      expect(notPrinted(shown, met.output), met.output).toEqual([]);
    },
  );
});

function shell(script: string, cwd: string): Promise<{ exitCode: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', script],
      { cwd, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : (error.code ?? 'killed'), output: `${stdout}\n${stderr}` });
      },
    );
  });
}

describe('the recipe of README.md that splits a run over jobs', () => {
  interface Job {
    readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } };
    readonly steps: readonly { readonly run?: string }[];
  }

  it('measures all parts, and passes where they are put together', async () => {
    const [, workflow = ''] = [...README.matchAll(/^```yaml\n(name:.*?)^```/gms)].map(([, yaml]) => yaml);
    const { jobs } = parseYaml(workflow) as { jobs: { shard: Job; report: Job } };
    const commands = ({ steps }: Job): string[] =>
      steps.flatMap(({ run = '' }) => (qdbgArguments(run) === undefined ? [] : [run]));
    const parts = (jobs.shard.strategy?.matrix.shard ?? []).flatMap((shard) =>
      commands(jobs.shard).map((command) => command.replaceAll('${{ matrix.shard }}', String(shard))),
    );
    const merging = commands(jobs.report);
    expect(parts.length).toBeGreaterThan(1);
    expect(merging).toHaveLength(1);
    const folder = await mkdtemp(join(tmpdir(), 'qdbg-shards-'));
    try {
      await cp(join(ROOT, 'fixtures/digits'), join(folder, 'fixtures/digits'), { recursive: true });
      for (const command of [...parts, ...merging]) {
        const met = await shell(`"${process.execPath}" "${BIN}" ${qdbgArguments(command)!}`, folder);
        expect(met.exitCode, met.output).toBe(0);
      }
      const written = ['report.html', 'qdbg.xml', 'qdbg.md'].map((name) =>
        readFileSync(join(folder, name), 'utf8'),
      );
      expect(written.map((text) => text.length > 100)).toEqual([true, true, true]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the reading of commands', () => {
  const page = (...lines: string[]): string => lines.join('\n');

  it('takes every line of sh fences, and of console fences those behind $', () => {
    const commands = commandsOf(
      page(
        '```sh',
        'npm ci',
        '# a comment',
        '',
        'qdbg a',
        '```',
        'text',
        '```console',
        '$ qdbg b',
        'out',
        '```',
      ),
    );
    expect(commands).toEqual([
      { text: 'npm ci', line: 2, exitCode: 0, shown: [] },
      { text: 'qdbg a', line: 5, exitCode: 0, shown: [] },
      { text: 'qdbg b', line: 9, exitCode: 0, shown: ['out'] },
    ]);
  });

  it('takes nothing from other fences', () => {
    expect(commandsOf(page('```text', 'qdbg MODEL', '```', '```', 'qdbg x', '```'))).toEqual([]);
  });

  it('joins continued lines and splits chains', () => {
    const commands = commandsOf(
      page('```sh', 'npm ci && qdbg a \\', '  --top 3  # exit 1, as it should', '```'),
    );
    expect(commands.map(({ text, exitCode }) => [text, exitCode])).toEqual([
      ['npm ci', 0],
      ['qdbg a --top 3', 1],
    ]);
  });

  it('knows the program by its three names only', () => {
    expect(qdbgArguments('qdbg inspect m.onnx')).toBe(' inspect m.onnx');
    expect(qdbgArguments('npx qdbg --help')).toBe(' --help');
    expect(qdbgArguments('node bin/qdbg.js')).toBe('');
    expect(qdbgArguments('qdbg-other --help')).toBeUndefined();
    expect(qdbgArguments('npm ci')).toBeUndefined();
  });

  it('compares output line by line, in order, with any numbers', () => {
    const output = page('conv1  12.5 dB', 'conv2   3.1 dB', '-------', 'done');
    expect(notPrinted(['conv1 9.25 dB', '...', 'done'], output)).toEqual([]);
    expect(notPrinted(['conv3 9.2 dB'], output)).toEqual(['conv3 9.2 dB']);
    expect(notPrinted(['done', 'conv1 9.25 dB'], output)).toEqual(['conv1 9.25 dB']);
    expect(notPrinted(['conv1 12.5 %'], output)).toEqual(['conv1 12.5 %']);
  });
});
