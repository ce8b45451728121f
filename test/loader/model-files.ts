import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { ErrorDetails } from '../../src/errors.js';
import type { Graph, Node, Tensor } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import type { LoadOptions } from '../../src/loader/index.js';
import { encodeModel } from '../../src/onnx/proto.js';
import type { GraphProto, ModelProto } from '../../src/onnx/proto.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/loader');

export function fixture(name: string): string {
  return join(FIXTURES, name);
}

/** Values that the recipe's numpy read; it writes infinities and NaN as strings. */
export function expectedValues(): unknown {
  return JSON.parse(readFileSync(fixture('expected.json'), 'utf8'), (_key, value: unknown) =>
    value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value === 'nan' ? NaN : value,
  );
}

/** A folder that goes away after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qdbg-loader-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** x -> Relu -> y, with parts replaced. */
export function modelOf(graph: GraphProto = {}, model: ModelProto = {}): ModelProto {
  const info = { type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } } };
  return {
    irVersion: 9,
    opsetImport: [{ domain: '', version: 17 }],
    ...model,
    graph: {
      name: 'g',
      node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      input: [{ name: 'x', ...info }],
      output: [{ name: 'y', ...info }],
      ...graph,
    },
  };
}

let files = 0;

/** The graph of a model that is written to `folder` first. */
export async function loadProto(folder: string, model: ModelProto, options?: LoadOptions): Promise<Graph> {
  const path = join(folder, `model${files++}.onnx`);
  writeFileSync(path, encodeModel(model));
  return (await loadModel(path, options)).graph;
}

/** What `load` is refused with. */
export async function refusal(load: Promise<unknown>): Promise<Error & ErrorDetails> {
  try {
    await load;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was not refused');
}

export function tensorNamed(graph: Graph, name: string): Tensor {
  const found = graph.tensors.find((tensor) => tensor.name === name);
  if (found === undefined) throw new Error(`no tensor ${name}`);
  return found;
}

export function nodeNamed(graph: Graph, name: string): Node {
  const found = graph.nodes.find(({ origin }) => origin.name === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return found;
}

/** `Op(inputs) -> outputs` of every node, by names. */
export function listing(graph: Graph): string[] {
  const names = (ids: readonly (number | null)[]): string =>
    ids.map((id) => (id === null ? '-' : graph.tensors[id]!.name)).join(', ');
  return graph.nodes.map((node) => `${node.op}(${names(node.inputs)}) -> ${names(node.outputs)}`);
}
