/** Lets a process of Node.js run the sources as they are: those that tests start would else need the build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** By content: reading the compiler takes a process longer than all the rest. */
const CACHE = join(tmpdir(), 'qdbg-test-sources');

export async function resolve(specifier, context, next) {
  if (/^(\.|file:)/.test(specifier) && specifier.endsWith('.js')) {
    const url = new URL(specifier, context.parentURL);
    const source = new URL(url.href.replace(/js$/, 'ts'));
    if (!existsSync(url) && existsSync(source)) {
      return { url: source.href, format: 'module', shortCircuit: true };
    }
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const source = readFileSync(fileURLToPath(url), 'utf8');
  const made = join(CACHE, `${createHash('sha256').update(source).digest('hex')}.js`);
  if (!existsSync(made)) {
    const { default: ts } = await import('typescript');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      },
    });
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(`${made}.${process.pid}`, outputText);
    renameSync(`${made}.${process.pid}`, made);
  }
  return { format: 'module', source: readFileSync(made, 'utf8'), shortCircuit: true };
}
