/**
 * Collects the results of all probes of a program into one float32 output.
 *
 * Fetching a tensor costs several microseconds each and a copy; a program has thousands of small results. They are
 * concatenated in the graph, and the sheet remembers where each lies.
 */
import type { Edge } from './edges.js';
import type { ModelWriter, Value } from './model-writer.js';
import { reduce } from './operators.js';

export interface Slot<Name extends string> {
  /** Position in the list of edges the program was made for. */
  readonly edge: number;
  readonly name: Name;
  readonly offset: number;
  /** 1, or the number of channels of the edge. */
  readonly length: number;
}

/** Inputs of one Concat. */
const MOST_CONCATENATED = 32;

interface Item<Name extends string> {
  readonly edge: number;
  readonly name: Name;
  readonly length: number;
  readonly value: Value;
}

export class ProbeSheet<Name extends string> {
  readonly #writer: ModelWriter;
  /** By rank and axis: results can only be concatenated with results of the same layout. */
  readonly #groups = new Map<string, { axis: number; items: Item<Name>[] }>();

  constructor(writer: ModelWriter) {
    this.#writer = writer;
  }

  /** Reduces `value`, a tensor of the edge's shape, over everything but the channels. */
  perChannel(
    edge: Edge,
    index: number,
    name: Name,
    op: 'ReduceMin' | 'ReduceMax' | 'ReduceSum',
    value: Value,
  ): void {
    const { dims, channelAxis: axis, channels, count } = edge;
    if (axis === undefined) {
      this.#add(dims.length, 0, {
        edge: index,
        name,
        length: 1,
        value: reduce(this.#writer, op, value, undefined),
      });
      return;
    }
    const axes = dims.map((_, i) => i).filter((i) => i !== axis);
    // One element a channel: the tensor is its own reduction.
    const reduced = count === channels ? value : reduce(this.#writer, op, value, axes);
    this.#add(dims.length, axis, { edge: index, name, length: channels, value: reduced });
  }

  /** Sum of squares of the whole tensor, which the runtime reduces several times faster than by channel. */
  sumSquare(edge: Edge, index: number, name: Name, value: Value): void {
    const total = reduce(this.#writer, 'ReduceSumSquare', value, undefined);
    this.#add(edge.dims.length, edge.channelAxis ?? 0, { edge: index, name, length: 1, value: total });
  }

  finish(): { output: Value; slots: readonly Slot<Name>[]; length: number } {
    const slots: Slot<Name>[] = [];
    const parts: Value[] = [];
    const flat = this.#writer.literal('int64', [-1], [1]);
    let offset = 0;
    for (const { axis, items } of this.#groups.values()) {
      const joined = this.#writer.op(
        'Concat',
        items.map((item) => item.value),
        { axis },
      );
      parts.push(this.#writer.op('Reshape', [joined, flat]));
      for (const { edge, name, length } of items) {
        slots.push({ edge, name, offset, length });
        offset += length;
      }
    }
    return { output: this.#concatenated(parts), slots, length: offset };
  }

  /** By way of short lists: an operator with thousands of inputs makes the runtime compute everything before any probe. */
  #concatenated(parts: readonly Value[]): Value {
    let rest = parts;
    do {
      const lists = Array.from({ length: Math.ceil(rest.length / MOST_CONCATENATED) }, (_, i) =>
        rest.slice(i * MOST_CONCATENATED, (i + 1) * MOST_CONCATENATED),
      );
      rest = lists.map((list) => this.#writer.op('Concat', list, { axis: 0 }));
    } while (rest.length > 1);
    return rest[0] as Value;
  }

  #add(rank: number, axis: number, item: Item<Name>): void {
    const key = `${item.edge}:${rank}:${axis}`;
    const group = this.#groups.get(key) ?? { axis, items: [] };
    this.#groups.set(key, group);
    group.items.push(item);
  }
}
