/** Models and data in a folder that goes away after the tests of the file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { Graph } from '../../src/ir/graph.js';
import { emitOnnx } from '../loader/emit-onnx.js';
import { npy } from './npy.js';

export interface Workspace {
  readonly folder: string;
  /** Writes and gives the path. */
  file(name: string, content: string | Uint8Array): string;
  model(name: string, graph: Graph): string;
  /** Float32 values as .npy. */
  array(name: string, dims: readonly number[], values: readonly number[]): string;
}

export function workspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'qdbg-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  return {
    folder,
    file,
    model: (name, graph) =>
      file(
        name,
        emitOnnx(graph, (id) => graph.tensors[id]?.name ?? ''),
      ),
    array: (name, dims, values) => file(name, npy(dims, values)),
  };
}
