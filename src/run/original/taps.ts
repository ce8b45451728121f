/** Making tensors inside a model file outputs of it, without touching a byte of the file. */
import { readFile } from 'node:fs/promises';
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import { decodeModel, encodeModel } from '../../onnx/proto.js';

/** Names in the main graph of a model file. */
export interface FileTensors {
  /** Outputs in the order of the file. */
  readonly outputs: readonly string[];
  /** Everything that a node writes, in file order; outputs are among it. */
  readonly written: ReadonlySet<string>;
}

/** @throws Error as `readFile` when the file has gone since it was loaded */
export async function fileTensors(path: string): Promise<FileTensors> {
  const { graph } = decodeModel(await readFile(path));
  return {
    outputs: (graph?.output ?? []).map(({ name }) => name ?? ''),
    written: new Set(
      (graph?.node ?? []).flatMap(({ output }) => (output ?? []).filter((name) => name !== '')),
    ),
  };
}

/**
 * What to append to the bytes of a model so that it has these outputs too. Protobuf messages that follow each other merge, and
 * repeated fields add up; the runtime infers types that are not given.
 * https://protobuf.dev/programming-guides/encoding/#last-one-wins
 */
export function outputsAppended(names: readonly string[]): Uint8Array {
  if (names.length === 0) return new Uint8Array(0);
  return encodeModel({ graph: { output: names.map((name) => ({ name })) } });
}

/**
 * What the file calls an output of the graph: by position, since loading may have given it the name of the tensor that its codes
 * stand for, or where the loaded network has others than the file, by name.
 */
export function outputInFile(graph: Graph, id: TensorId, { outputs }: FileTensors): string | undefined {
  return outputs.length === graph.outputs.length
    ? outputs[graph.outputs.indexOf(id)]
    : outputs.find((other) => other === tensorOf(graph, id).name);
}
