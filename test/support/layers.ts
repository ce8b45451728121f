/**
 * The layers of src and what each may reach. Read from the syntax tree, so that `import type`, `export from`,
 * `import('x')` and `import('x').T` all count.
 */
import { posix } from 'node:path';
import ts from 'typescript';

interface Layer {
  /** Layers it may import; its own and those in FOR_ALL always. */
  readonly layers: readonly string[];
  /** Layers of which it may import types only: it may know the form of a result, not make one. */
  readonly types?: readonly string[];
  readonly packages: readonly string[];
  /** Modules of Node.js. Who has node:fs may also import() a path that the user gave. */
  readonly node: readonly string[];
}

const FILES = [
  'node:crypto',
  'node:fs',
  'node:fs/promises',
  'node:path',
  'node:stream/promises',
  'node:url',
  'node:zlib',
];
const PROCESSES = ['node:child_process', 'node:os', 'node:perf_hooks'];
const TERMINAL = [
  'node:process',
  'node:readline',
  'node:stream',
  'node:timers/promises',
  'node:tty',
  'node:util',
];

/** Single files that any layer may import. */
const FOR_ALL = ['errors', 'version'];

const LAYERS: Readonly<Record<string, Layer>> = {
  errors: { layers: [], packages: [], node: [] },
  version: { layers: [], packages: [], node: ['node:module'] },
  ir: { layers: [], packages: [], node: [] },
  // node:module to reach the very protobufjs that onnx-proto loads.
  onnx: { layers: ['ir'], packages: ['onnx-proto', 'protobufjs'], node: ['node:module'] },
  loader: { layers: ['onnx', 'ir'], packages: ['flatbuffers', 'ndarray'], node: FILES },
  quant: { layers: ['ir'], packages: ['ndarray', 'zod'], node: [] },
  compile: { layers: ['quant', 'onnx', 'ir'], packages: ['ndarray'], node: [] },
  run: {
    layers: ['compile', 'quant', 'onnx', 'ir'],
    packages: ['ndarray', 'zod'],
    // node:vm because only it ends a regular expression of the user's that never comes back.
    node: [...FILES, ...PROCESSES, 'node:stream', 'node:vm'],
  },
  diff: { layers: ['compile', 'quant', 'ir'], types: ['run'], packages: ['ndarray'], node: [] },
  doctor: { layers: ['diff', 'quant', 'ir'], types: ['run'], packages: ['ndarray'], node: [] },
  report: {
    layers: ['doctor', 'diff', 'quant', 'ir'],
    types: ['run'],
    packages: ['chalk', 'cli-table3', 'zod'],
    // Text as terminals take it.
    node: ['node:util'],
  },
  commands: {
    layers: ['report', 'doctor', 'diff', 'run', 'compile', 'quant', 'loader', 'ir'],
    packages: ['lilconfig', 'zod'],
    node: [...FILES, ...PROCESSES],
  },
  cli: {
    layers: ['commands', 'report'],
    types: ['run', 'quant'],
    packages: ['@commander-js/extra-typings', 'chalk', 'cli-table3', 'commander', 'lilconfig', 'open'],
    node: [...FILES, ...PROCESSES, ...TERMINAL],
  },
  // The program of HTML reports, which runs in a browser: it knows the form of a report, and nothing else of qdbg.
  page: {
    layers: [],
    types: ['report', 'doctor', 'diff', 'run', 'ir'],
    packages: ['@observablehq/plot', 'd3-selection', 'd3-zoom', 'preact'],
    node: [],
  },
  // The library: everything the command line does, callable.
  index: {
    layers: ['commands', 'report', 'doctor', 'diff', 'run', 'compile', 'quant', 'loader', 'onnx', 'ir'],
    packages: [],
    node: [],
  },
};

/** Packages and modules of Node.js that only a part of a layer may import. */
const PACKAGES_BY_PATH: readonly (readonly [prefix: string, packages: readonly string[]])[] = [
  ['run/runtime.ts', ['onnxruntime-node']],
  ['run/data/', ['fflate', 'sharp']],
  ['run/labels/', ['csv-parse', 'fast-png', 'yaml']],
  ['run/pictures/', ['fast-png']],
  ['report/html/', ['elkjs', 'node:crypto', 'node:zlib']],
  ['report/junit.ts', ['junit-report-builder']],
  ['report/sarif.ts', ['node-sarif-builder']],
];

/** Native or slow to load: src/run/runtime.ts loads the runtime when it first runs a model, `--help` loads none. */
const LAZY = ['onnxruntime-node'];
export const NOT_FOR_HELP = [
  ...LAZY,
  'onnx/proto.ts',
  'report/html/page-bundle.ts',
  ...[
    'csv-parse',
    'elkjs',
    'fast-png',
    'junit-report-builder',
    'node-sarif-builder',
    'onnx-proto',
    'protobufjs',
    'sharp',
  ],
  ...['yaml', 'zod'],
];

interface Import {
  /** undefined when computed at run time. */
  readonly target: string | undefined;
  readonly kind: 'value' | 'type' | 'dynamic';
  readonly line: number;
}

function parse(path: string, source: string): ts.SourceFile {
  return ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
}

function* walk(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* walk(child);
}

function importsOf(file: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, target: ts.Node | undefined, kind: Import['kind']): void => {
    const literal = target !== undefined && ts.isLiteralTypeNode(target) ? target.literal : target;
    found.push({
      target: literal !== undefined && ts.isStringLiteralLike(literal) ? literal.text : undefined,
      kind,
      line: lineOf(file, node),
    });
  };
  for (const node of walk(file)) {
    if (ts.isImportDeclaration(node)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      add(node, node.moduleSpecifier, typeOnly ? 'type' : 'value');
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node, node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value');
    } else if (ts.isImportTypeNode(node)) {
      add(node, node.argument, 'type');
    } else if (ts.isExternalModuleReference(node)) {
      add(node, node.expression, 'value');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0], 'dynamic');
    }
  }
  return found;
}

function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** `../ir/graph.js` in `loader/onnx.ts` -> `ir/graph.ts`, both relative to src; of .tsx files, too. */
function resolve(from: string, target: string): string {
  return posix.join(posix.dirname(from), target).replace(/\.js$/, '.ts');
}

function layerOf(path: string): string {
  return path.split('/')[0]!.replace(/\.ts$/, '');
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What is wrong with one import of the file, or undefined. */
function faultOf(path: string, { target, kind }: Import): string | undefined {
  const layer = LAYERS[layerOf(path)];
  if (layer === undefined) return undefined;
  const { layers, types = [], packages, node } = layer;
  if (target === undefined) {
    return node.includes('node:fs') ? undefined : `${layerOf(path)} may not import() a computed path`;
  }
  if (target.startsWith('.')) {
    const resolved = resolve(path, target);
    const to = layerOf(resolved);
    if (!target.endsWith('.js')) return `'${target}' must end in .js`;
    if (LAYERS[to] === undefined || resolved.startsWith('..')) return `'${target}' is in no layer`;
    if (to === layerOf(path) || FOR_ALL.includes(to) || layers.includes(to)) return undefined;
    if (!types.includes(to)) return `${layerOf(path)} may not import ${to} ('${target}')`;
    return kind === 'type' ? undefined : `${layerOf(path)} may import only types of ${to} ('${target}')`;
  }
  const extra = PACKAGES_BY_PATH.filter(([prefix]) => path.startsWith(prefix)).flatMap(([, list]) => list);
  if (target.startsWith('node:')) {
    return node.includes(target) || extra.includes(target)
      ? undefined
      : `${layerOf(path)} may not import ${target}`;
  }
  const name = packageOf(target);
  if (!packages.includes(name) && !extra.includes(name)) {
    return `${layerOf(path)} may not import the package ${name}`;
  }
  return LAZY.includes(name) && kind === 'value'
    ? `${name} must be loaded with import(), not at start-up`
    : undefined;
}

const GLOBALS = ['process', 'console'];

/** True for `process` and `globalThis.process`, false for `job.process` and `{ process: 1 }`. */
function isGlobal(node: ts.Node): node is ts.Identifier {
  if (!ts.isIdentifier(node) || !GLOBALS.includes(node.text)) return false;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return parent.expression.getText() === 'globalThis';
  }
  const names =
    ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent);
  const declares = ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent);
  return !((names || declares) && parent.name === node);
}

/** All that is wrong with a source file, as `src/<path>:<line>: <what>`. `path` is relative to src. */
export function violations(path: string, source: string): string[] {
  const file = parse(path, source);
  const found: [line: number, what: string][] = [];
  if (LAYERS[layerOf(path)] === undefined) found.push([1, `${layerOf(path)} is not a layer`]);
  const vague = path.split('/').find((part) => /^(utils?|helpers?|common|misc)(\.ts)?$/.test(part));
  if (vague !== undefined) found.push([1, `'${vague}' says nothing about what is in it`]);
  for (const entry of importsOf(file)) {
    const fault = faultOf(path, entry);
    if (fault !== undefined) found.push([entry.line, fault]);
  }
  for (const node of walk(file)) {
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push([lineOf(file, node), 'any']);
    if (layerOf(path) !== 'cli' && isGlobal(node)) {
      found.push([lineOf(file, node), `only src/cli may touch ${node.text}`]);
    }
  }
  source.split('\n').forEach((line, index) => {
    const directive = /@ts-(ignore|expect-error|nocheck)/.exec(line)?.[0];
    if (directive !== undefined) found.push([index + 1, directive]);
  });
  return found.map(([line, what]) => `src/${path}:${line}: ${what}`);
}

/** File -> files and packages that are loaded at once when it is: neither what `import type` nor what `import()` names. */
export type LoadGraph = ReadonlyMap<string, readonly string[]>;

/** `sources` are texts by path relative to src. */
export function loadGraphOf(sources: ReadonlyMap<string, string>): LoadGraph {
  return new Map(
    [...sources].map(([path, source]) => [
      path.replace(/x$/, ''),
      importsOf(parse(path, source))
        .filter((entry) => entry.kind === 'value')
        .map(({ target = '' }) => (target.startsWith('.') ? resolve(path, target) : packageOf(target))),
    ]),
  );
}

/** Files and packages that are loaded when `path` is, directly or not; `path` only when it needs itself. */
export function loadedWith(graph: LoadGraph, path: string): Set<string> {
  const reached = new Set(graph.get(path));
  for (const next of reached) for (const target of graph.get(next) ?? []) reached.add(target);
  return reached;
}
