/**
 * The package as its users get it: packed from a fresh copy of the project, installed from the tarball, run.
 * Needs the npm registry or a filled npm cache.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOT_IN_A_CLONE = new Set(['.cache', '.git', 'coverage', 'dist', 'node_modules']);
const BUNDLED = ['long', 'onnx-proto', 'protobufjs'];
const TIMEOUT_MS = 180_000;

/** What the README tells users to set: the install script of onnxruntime-node only fetches what qdbg does not use. */
const ENV = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };

let work: string;
let tarball: string;
/** Everything the global installation put in place. */
let prefix: string;
let installed: string;

/** @returns standard output */
async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, args, { cwd, env: ENV })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`failed: ${[program, ...args].join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

function npm(cwd: string, ...args: string[]): Promise<string> {
  return run(cwd, 'npm', ...args, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error');
}

/** A clone with its dependencies. Those that packing rewrites are copied, the others linked. */
async function freshCopy(to: string): Promise<void> {
  await mkdir(join(to, 'node_modules'), { recursive: true });
  await cp(ROOT, to, {
    recursive: true,
    filter: (path) => path === ROOT || !NOT_IN_A_CLONE.has(basename(path)),
  });
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    const [from, copy] = [join(ROOT, 'node_modules', name), join(to, 'node_modules', name)];
    await (BUNDLED.includes(name) ? cp(from, copy, { recursive: true }) : symlink(from, copy));
  }
}

function qdbg(...args: string[]): Promise<string> {
  return run(work, join(prefix, 'bin/qdbg'), ...args);
}

async function manifest(folder: string): Promise<{ version: string; dependencies: Record<string, string> }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Awaited<
    ReturnType<typeof manifest>
  >;
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'qdbg-package-'));
  const project = join(work, 'project');
  await freshCopy(project);
  await npm(project, 'pack', '--pack-destination', work);
  tarball = join(work, `qdbg-${(await manifest(ROOT)).version}.tgz`);
  prefix = join(work, 'prefix');
  await mkdir(prefix);
  await npm(work, 'install', '--global', '--prefix', prefix, tarball);
  installed = join(prefix, 'lib/node_modules/qdbg');
}, TIMEOUT_MS);

afterAll(() => rm(work, { recursive: true, force: true }));

describe('the packed project', () => {
  it('holds the built code, its documents and the bundled protobuf, nothing else', async () => {
    const files = (await run(work, 'tar', '-tzf', tarball)).trim().split('\n');
    const places = files.map((path) =>
      path.replace('package/', '').replace(/^(node_modules\/[^/]+)\/.*/, '$1'),
    );
    const unexpected = places.filter((path) => !/^(bin\/qdbg\.js|dist\/.+\.(js|d\.ts))$/.test(path));
    expect([...new Set(unexpected)].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      ...BUNDLED.map((name) => `node_modules/${name}`),
      'package.json',
    ]);
    expect(places).toContain('dist/cli/main.js');
    expect(places).toContain('dist/index.d.ts');
  });

  it('is smaller than 5 MB', async () => {
    expect((await stat(tarball)).size).toBeLessThan(5e6);
  });

  it('carries the version of protobufjs that package.json pins, and the override pins the same', async () => {
    const { dependencies, overrides } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      overrides: { 'onnx-proto': Record<string, string> };
    };
    expect(overrides['onnx-proto'].protobufjs).toBe(dependencies.protobufjs);
    expect((await manifest(join(installed, 'node_modules/protobufjs'))).version).toBe(
      dependencies.protobufjs,
    );
  });
});

describe('an installation from the tarball', () => {
  it('loads protobufjs 8 under onnx-proto, from one copy', async () => {
    const script = `require('onnx-proto'); console.log(Object.keys(require.cache).join('\\n'));`;
    const stdout = await run(installed, process.execPath, '-e', script);
    const copies = new Set(
      stdout.split('\n').flatMap((path) => /^.*node_modules[\\/]protobufjs(?=[\\/])/.exec(path)?.[0] ?? []),
    );
    expect(copies.size).toBe(1);
    expect((await manifest([...copies].join())).version).toMatch(/^8\./);
  });

  it('has no dependency whose version breaks a range', async () => {
    await expect(npm(work, 'ls', '--global', '--all', '--prefix', prefix)).resolves.toContain('protobufjs@8');
  });

  it('answers --version with the version of the package', async () => {
    expect((await qdbg('--version')).trim()).toContain((await manifest(ROOT)).version);
  });

  it('answers --help with its commands', async () => {
    const help = await qdbg('--help');
    for (const command of ['analyze', 'inspect']) expect(help).toContain(command);
  });

  it('does the main job', async () => {
    const digits = join(ROOT, 'fixtures/digits');
    const model = join(digits, 'digits.onnx');
    const calib = join(digits, 'calib');
    const json = await qdbg('analyze', model, '--calib', calib, '--report', 'json=-');
    const report = JSON.parse(json) as { tool: { name: string }; tensors: unknown[] };
    expect(report.tool.name).toBe('qdbg');
    expect(report.tensors.length).toBeGreaterThan(0);
  });
});

describe('the GitHub Actions recipe of the README', () => {
  interface Step {
    readonly run?: string;
    readonly uses?: string;
  }

  let checkout: string;
  let steps: readonly Step[];

  beforeAll(async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const workflow = /^```yaml\n(name:.*?)^```/ms.exec(readme)?.[1] ?? '';
    steps = (parseYaml(workflow) as { jobs: { qdbg: { steps: Step[] } } }).jobs.qdbg.steps;
    checkout = join(work, 'checkout');
    await cp(join(ROOT, 'fixtures'), join(checkout, 'fixtures'), { recursive: true });
  });

  it('installs what the tarball is', () => {
    const [install] = steps.flatMap((step) => step.run ?? []);
    // What beforeAll has done with the tarball in place of the name, and the folder of the test in place of the machine's.
    expect(install).toBe('ONNXRUNTIME_NODE_INSTALL=skip npm i -g qdbg');
  });

  it('passes, step by step, and leaves the reports and the summary', { timeout: TIMEOUT_MS }, async () => {
    const summary = join(checkout, 'summary.md');
    const env = {
      ...ENV,
      PATH: `${join(prefix, 'bin')}:${process.env['PATH'] ?? ''}`,
      GITHUB_STEP_SUMMARY: summary,
    };
    const [, ...commands] = steps.flatMap((step) => step.run ?? []);
    expect(commands.length).toBeGreaterThan(1);
    const printed: string[] = [];
    for (const command of commands) {
      // As a runner does: bash, ending at the first error.
      const options = { cwd: checkout, env };
      printed.push(
        (await promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', command], options)).stdout,
      );
    }
    expect(printed[0]).toMatch(/^::notice /m);
    expect(await readFile(summary, 'utf8')).toMatch(/top-1/);
    for (const name of ['qdbg.xml', 'qdbg.sarif', 'qdbg.json'])
      expect((await stat(join(checkout, name))).size).toBeGreaterThan(100);
  });
});

describe('a project that depends on the package', () => {
  let consumer: string;

  beforeAll(async () => {
    consumer = join(work, 'consumer');
    await mkdir(consumer);
    await writeFile(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
    await npm(consumer, 'install', tarball);
  }, TIMEOUT_MS);

  // npm refuses a lock file in which a bundled package asks for another version than the one bundled.
  it('can be installed from its lock file', { timeout: TIMEOUT_MS }, async () => {
    await npm(consumer, 'ci');
    const { version } = await manifest(join(consumer, 'node_modules/qdbg/node_modules/protobufjs'));
    expect(version).toMatch(/^8\./);
  });

  it('compiles against its types, without those of Node.js', { timeout: TIMEOUT_MS }, async () => {
    const compilerOptions = {
      ...{ noEmit: true, strict: true, skipLibCheck: false },
      ...{ module: 'nodenext', target: 'es2023', lib: ['es2023'], types: [] },
    };
    await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    await writeFile(
      join(consumer, 'main.ts'),
      `import * as qdbg from 'qdbg';\nexport const names = Object.keys(qdbg);\n`,
    );
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    expect(await run(consumer, process.execPath, tsc, '-p', consumer)).toBe('');
  });

  it('can import it', async () => {
    const script = `import('qdbg').then((library) => console.log(Object.keys(library).length > 0))`;
    expect((await run(consumer, process.execPath, '-e', script)).trim()).toBe('true');
  });
});
