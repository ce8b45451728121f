/** What is in a compiled model, read with the plain protobuf classes. */
import onnxProto from 'onnx-proto';
import type { CompiledModel } from '../../src/compile/model-writer.js';

export interface CompiledNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface Compiled {
  readonly nodes: readonly CompiledNode[];
  readonly initializers: readonly string[];
  readonly opsets: Readonly<Record<string, number>>;
  /** How many nodes there are of each operator. */
  count(op: string): number;
}

export function compiled({ bytes }: Pick<CompiledModel, 'bytes'>): Compiled {
  const { graph, opsetImport } = onnxProto.onnx.ModelProto.decode(bytes);
  const nodes = (graph?.node ?? []).map(({ opType, domain, name, input, output }) => ({
    op: opType ?? '',
    domain: domain ?? '',
    name: name ?? '',
    inputs: input ?? [],
    outputs: output ?? [],
  }));
  return {
    nodes,
    initializers: (graph?.initializer ?? []).map(({ name }) => name ?? ''),
    opsets: Object.fromEntries(opsetImport.map(({ domain, version }) => [domain ?? '', Number(version)])),
    count: (op) => nodes.filter((node) => node.op === op).length,
  };
}
