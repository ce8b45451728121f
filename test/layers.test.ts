import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NOT_FOR_HELP, loadGraphOf, loadedWith, violations } from './support/layers.js';

const SRC = fileURLToPath(new URL('../src', import.meta.url));
const SOURCES: ReadonlyMap<string, string> = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith('page-bundle.ts'))
    .map((path) => [path, readFileSync(join(SRC, path), 'utf8')]),
);
const GRAPH = loadGraphOf(SOURCES);

describe('the layers of src', () => {
  it('import only what their row allows', () => {
    expect([...SOURCES].flatMap(([path, source]) => violations(path, source))).toEqual([]);
  });

  it('have no two files that need each other to load', () => {
    expect([...GRAPH.keys()].filter((path) => loadedWith(GRAPH, path).has(path))).toEqual([]);
  });

  it('let `qdbg --help` start without the runtime, the image library, protobuf or the schema library', () => {
    expect([...GRAPH.keys()]).toContain('cli/main.ts');
    const loaded = loadedWith(GRAPH, 'cli/main.ts');
    expect(NOT_FOR_HELP.filter((name) => loaded.has(name))).toEqual([]);
  });
});

describe('the check of layers', () => {
  const VIOLATING: readonly (readonly [path: string, source: string, fault: string])[] = [
    [
      'ir/a.ts',
      `import { load } from '../loader/onnx.js';`,
      `ir may not import loader ('../loader/onnx.js')`,
    ],
    ['ir/a.ts', `import type { M } from '../onnx/m.js';`, `ir may not import onnx ('../onnx/m.js')`],
    ['loader/a.ts', `export { s } from '../quant/s.js';`, `loader may not import quant ('../quant/s.js')`],
    ['quant/b/a.ts', `let x: import('../../run/r.js').R;`, `quant may not import run ('../../run/r.js')`],
    ['diff/a.ts', `import { r } from '../run/r.js';`, `diff may import only types of run ('../run/r.js')`],
    ['doctor/a.ts', `await import('../run/r.js');`, `doctor may import only types of run ('../run/r.js')`],
    ['report/a.ts', `await import('../cli/r.js');`, `report may not import cli ('../cli/r.js')`],
    ['compile/a.ts', `import fs from 'node:fs';`, 'compile may not import node:fs'],
    ['run/a.ts', `import { stdout } from 'node:process';`, 'run may not import node:process'],
    ['run/a.ts', `await import('onnxruntime-node');`, 'run may not import the package onnxruntime-node'],
    [
      'run/a.ts',
      `import type * as o from 'onnxruntime-node';`,
      'run may not import the package onnxruntime-node',
    ],
    [
      'run/runtime.ts',
      `import * as o from 'onnxruntime-node';`,
      'onnxruntime-node must be loaded with import(), not at start-up',
    ],
    ['run/metrics.ts', `import sharp from 'sharp';`, 'run may not import the package sharp'],
    ['loader/a.ts', `import p from 'protobufjs/minimal';`, 'loader may not import the package protobufjs'],
    [
      'commands/a.ts',
      `import x from '@commander-js/extra-typings';`,
      'commands may not import the package @commander-js/extra-typings',
    ],
    ['quant/a.ts', `await import(path);`, 'quant may not import() a computed path'],
    ['ir/a.ts', `import { b } from './b';`, `'./b' must end in .js`],
    ['ir/a.ts', `import { b } from '../../test/b.js';`, `'../../test/b.js' is in no layer`],
    ['extra/a.ts', '', 'extra is not a layer'],
    ['run/utils.ts', '', `'utils.ts' says nothing about what is in it`],
    ['run/common/a.ts', '', `'common' says nothing about what is in it`],
    ['run/a.ts', `console.warn('slow');`, 'only src/cli may touch console'],
    ['report/a.ts', `const wide = globalThis.process.stdout.columns;`, 'only src/cli may touch process'],
    ['ir/a.ts', 'const x = y as any;', 'any'],
    ['ir/a.ts', '// @ts-ignore', '@ts-ignore'],
  ];

  it.each(VIOLATING)('finds the fault in src/%s: %s', (path, source, fault) => {
    expect(violations(path, `\n${source}`).map((text) => text.replace(/^\S+ /, ''))).toEqual([fault]);
  });

  const ALLOWED: readonly (readonly [path: string, source: string])[] = [
    [
      'loader/onnx/a.ts',
      `import { graph } from '../../ir/graph.js'; import { LoadError } from '../../errors.js';`,
    ],
    ['ir/infer/a.ts', `import { b } from './b.js'; import { c } from '../c.js';`],
    ['diff/a.ts', `import type { R } from '../run/r.js';`],
    ['run/runtime.ts', `import type * as o from 'onnxruntime-node'; await import('onnxruntime-node');`],
    ['run/data/image.ts', `import sharp from 'sharp';`],
    ['run/metric.ts', `await import(path);`],
    ['cli/main.ts', `console.log(process.argv);`],
    ['run/a.ts', `job.process(); const x = { console: 1 }; interface P { process(): void }`],
  ];

  it.each(ALLOWED)('finds no fault in src/%s: %s', (path, source) => {
    expect(violations(path, source)).toEqual([]);
  });

  it('names the file and the line', () => {
    expect(violations('ir/a.ts', `\n\nimport '../run/r.js';`)).toEqual([
      `src/ir/a.ts:3: ir may not import run ('../run/r.js')`,
    ]);
  });

  it('follows static imports of values only', () => {
    const graph = loadGraphOf(
      new Map([
        ['cli/main.ts', `import './a.js'; import type { B } from './b.js'; await import('./c.js');`],
        ['cli/a.ts', `import { onnx } from 'onnx-proto';`],
      ]),
    );
    expect([...loadedWith(graph, 'cli/main.ts')]).toEqual(['cli/a.ts', 'onnx-proto']);
  });

  it('finds files that need each other to load', () => {
    const graph = loadGraphOf(
      new Map([
        ['ir/a.ts', `import { b } from './b.js';`],
        ['ir/b.ts', `import { c } from './c.js';`],
        ['ir/c.ts', `import { a } from './a.js';`],
        ['ir/d.ts', `import { a } from './a.js';`],
      ]),
    );
    expect([...graph.keys()].filter((path) => loadedWith(graph, path).has(path))).toEqual([
      'ir/a.ts',
      'ir/b.ts',
      'ir/c.ts',
    ]);
  });
});
