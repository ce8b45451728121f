/** Who writes and reads the values of a file. */
import type { Draft, DraftNode } from '../draft.js';

export class FileReaders {
  readonly producer = new Map<string, DraftNode>();
  /** Values that a node, a nested graph or an output of the network reads. */
  readonly read: ReadonlySet<string>;
  readonly #only = new Map<string, DraftNode | undefined>();

  constructor({ nodes, outputs }: Draft) {
    for (const node of nodes) {
      for (const output of node.outputs) if (output !== '') this.producer.set(output, node);
      for (const input of new Set(node.inputs))
        this.#only.set(input, this.#only.has(input) ? undefined : node);
      for (const name of node.captures) this.#only.set(name, undefined);
    }
    for (const output of outputs) this.#only.set(output, undefined);
    this.read = new Set(this.#only.keys());
  }

  /** The one node that reads the value; undefined where several do, the graph gives it out or a nested graph reads it. */
  only(name: string): DraftNode | undefined {
    return this.#only.get(name);
  }
}
