import type { ConstantData, Graph, Node } from '../../../src/ir/graph.js';
import { stringAttr } from '../../../src/ir/graph.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { OptionValue, TfliteOperator, TfliteTensor } from '../../../src/loader/tflite/model.js';

/** A TFLite subgraph from a few lines, without a file. Tensors are called by what `tensor` and `integers` return. */
export class Subgraph {
  readonly #tensors: TfliteTensor[] = [];
  readonly #operators: TfliteOperator[] = [];

  /** An activation, or with `constant` zeros. */
  tensor(shape: readonly number[], constant = false): number {
    return this.#add(shape, 'FLOAT32', constant ? zeros(shape) : undefined);
  }

  integers(values: readonly number[]): number {
    const bytes = new Uint8Array(Int32Array.from(values).buffer);
    const dims = [values.length];
    return this.#add(dims, 'INT32', { dtype: 'int32', dims, byteLength: bytes.length, bytes: () => bytes });
  }

  /** int8 constants of 0 that nothing gives a scale. */
  codes(dims: readonly number[]): number {
    const bytes = new Uint8Array(dims.reduce((product, dim) => product * dim, 1));
    return this.#add(dims, 'INT8', { dtype: 'int8', dims, byteLength: bytes.length, bytes: () => bytes });
  }

  /** Sizes that the network computes. */
  computedIntegers(count: number): number {
    return this.#add([count], 'INT32', undefined);
  }

  /** Returns the output. */
  op(
    op: string,
    inputs: readonly number[],
    shape: readonly number[],
    options: Record<string, OptionValue> = {},
  ): number {
    const output = this.tensor(shape);
    const index = this.#operators.length;
    const customOptions = new Uint8Array();
    this.#operators.push({
      index,
      op,
      custom: false,
      version: 1,
      inputs,
      outputs: [output],
      options,
      customOptions,
    });
    return output;
  }

  /** The activations that no operator writes are the inputs. */
  graph(output: number): Pick<Graph, 'nodes' | 'tensors' | 'outputs'> {
    const written = new Set(this.#operators.flatMap(({ outputs }) => outputs));
    const inputs = this.#tensors.filter(({ data, index }) => data === undefined && !written.has(index));
    return buildGraph({
      name: 'main',
      tensors: this.#tensors,
      operators: this.#operators,
      inputs: inputs.map(({ index }) => index),
      outputs: [output],
    }).graph;
  }

  #add(shape: readonly number[], type: TfliteTensor['type'], data: ConstantData | undefined): number {
    const index = this.#tensors.length;
    const given = data === undefined ? {} : { data };
    this.#tensors.push({ index, name: `t${index}`, type, shape, isVariable: false, ...given });
    return index;
  }
}

function zeros(dims: readonly number[]): ConstantData {
  const bytes = new Uint8Array(4 * dims.reduce((product, dim) => product * dim, 1));
  return { dtype: 'float32', dims, byteLength: bytes.length, bytes: () => bytes };
}

/** Operators and, of those that were not lowered, why. */
export function described({ nodes }: Pick<Graph, 'nodes'>): string[] {
  return nodes.map((node) =>
    node.domain === '' ? node.op : `${node.op}: ${stringAttr(node, 'reason') ?? ''}`,
  );
}

export function nodeNamed({ nodes }: Pick<Graph, 'nodes'>, op: string): Node {
  const node = nodes.find((candidate) => candidate.op === op);
  if (node === undefined) throw new Error(`no ${op} among ${nodes.map((other) => other.op).join(', ')}`);
  return node;
}
