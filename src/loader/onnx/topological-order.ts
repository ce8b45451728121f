interface Reads {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly captures: readonly string[];
}

/**
 * Nodes with producers before their readers, otherwise in the given order; a sorted list comes back as it is.
 * `cycle` holds nodes that need each other, in reading order, and then `order` is not complete.
 */
export function topologicalOrder<T extends Reads>(nodes: readonly T[]): { order: T[]; cycle: T[] } {
  const producers = new Map<string, T>();
  let sorted = true;
  for (const node of nodes.toReversed()) {
    for (const output of node.outputs) if (output !== '') producers.set(output, node);
    sorted &&= !readsAny(node, producers);
  }
  if (sorted) return { order: [...nodes], cycle: [] };
  const order: T[] = [];
  const state = new Map<T, 'open' | 'done'>();
  // Depth first with a stack of its own: chains of nodes are longer than the call stack is deep.
  for (const root of nodes) {
    const stack = [visit(root)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (state.get(top.node) === 'done') {
        stack.pop();
        continue;
      }
      state.set(top.node, 'open');
      const name = top.pending.pop();
      if (name === undefined) {
        state.set(top.node, 'done');
        order.push(top.node);
        stack.pop();
        continue;
      }
      const producer = producers.get(name);
      if (producer === undefined || state.get(producer) === 'done') continue;
      if (state.get(producer) === 'open') {
        const from = stack.findIndex(({ node }) => node === producer);
        return { order, cycle: stack.slice(from).map(({ node }) => node) };
      }
      stack.push(visit(producer));
    }
  }
  return { order, cycle: [] };
}

function visit<T extends Reads>(node: T): { readonly node: T; readonly pending: string[] } {
  return { node, pending: [...node.inputs, ...node.captures].reverse() };
}

function readsAny(node: Reads, producers: ReadonlyMap<string, Reads>): boolean {
  return node.inputs.some((name) => producers.has(name)) || node.captures.some((name) => producers.has(name));
}
