/** Which nodes and tensors `--only` and `--skip` name. */
import { UsageError } from '../errors.js';
import type { Graph, Node, NodeId, Tensor, TensorId } from '../ir/graph.js';
import { nodeLabel } from '../ir/graph.js';

/** Patterns: a glob over names of nodes and tensors, or `op:` and a glob over operator types. */
export interface Selection {
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/** Everything. */
export const NO_SELECTION: Selection = { only: [], skip: [] };

/** What some patterns name. */
export interface Named {
  readonly nodes: ReadonlySet<NodeId>;
  readonly tensors: ReadonlySet<TensorId>;
}

export interface Selected {
  /** Undefined when nothing is named: then everything is wanted. */
  readonly only: Named | undefined;
  readonly skip: Named;
}

/** How many close names an error shows for one pattern. */
const SUGGESTIONS = 5;

/**
 * Looks the patterns up in the graph. A node is named by its own name, by that of a node merged into it, or by its
 * operator; a tensor by its name.
 *
 * @throws UsageError when patterns match nothing: all of them, each with the closest names
 */
export function select(graph: Graph, selection: Selection): Selected {
  const misses: string[] = [];
  const lookUp = (flag: string, patterns: readonly string[]): Named => {
    const nodes = new Set<NodeId>();
    const tensors = new Set<TensorId>();
    for (const pattern of patterns) {
      const found = named(graph, pattern);
      found.nodes.forEach((node) => nodes.add(node));
      found.tensors.forEach((tensor) => tensors.add(tensor));
      if (found.nodes.size + found.tensors.size === 0)
        misses.push(`${flag} '${pattern}'${suggestions(graph, pattern)}`);
    }
    return { nodes, tensors };
  };
  const only = lookUp('--only', selection.only);
  const skip = lookUp('--skip', selection.skip);
  if (misses.length > 0) {
    throw new UsageError(
      `${misses.length === 1 ? 'a pattern matches' : `${misses.length} patterns match`} no node and no tensor`,
      {
        places: misses,
        hint: 'qdbg inspect MODEL lists the names; * stands for any characters, op:Conv for all convolutions',
      },
    );
  }
  return { only: selection.only.length > 0 ? only : undefined, skip };
}

/**
 * Whether the glob matches the whole text: `*` is any run of characters, `?` any one, everything else itself.
 *
 * `*` crosses '/', and brackets and braces are plain, because names of nodes and tensors are not paths but contain all
 * of these: `layer1/*` means everything in layer1. Path globbing libraries read them otherwise. Backtracks only to the
 * last `*`, so that no pattern takes more than pattern times text steps.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      starText = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

const OP_PREFIX = 'op:';

/** What a pattern can name a thing by. */
export interface Nameable {
  readonly names: readonly string[];
  readonly ops: readonly string[];
}

/** Whether the pattern names it: `op:` and a glob over operator types, else a name or a glob over names. */
export function isNamedBy(pattern: string, { names, ops }: Nameable): boolean {
  if (pattern.startsWith(OP_PREFIX)) {
    const glob = pattern.slice(OP_PREFIX.length).toLowerCase();
    return ops.some((op) => matchesGlob(glob, op.toLowerCase()));
  }
  return names.some((name) => name === pattern || matchesGlob(pattern, name));
}

/** "; close: a, b": what a pattern that matches nothing may have meant; '' where nothing is like it. */
export function suggestionsOf(pattern: string, things: readonly Nameable[]): string {
  const names = pattern.startsWith(OP_PREFIX)
    ? things.flatMap(({ ops }) => ops.map((op) => `${OP_PREFIX}${op}`))
    : things.flatMap(({ names }) => names);
  const close = closeNames(pattern, names);
  return close.length === 0 ? '' : `; close: ${close.join(', ')}`;
}

function named(graph: Graph, pattern: string): Named {
  return {
    nodes: new Set(graph.nodes.filter((node) => isNamedBy(pattern, ofNode(node))).map(({ id }) => id)),
    tensors: new Set(
      graph.tensors.filter((tensor) => isNamedBy(pattern, ofTensor(tensor))).map(({ id }) => id),
    ),
  };
}

function ofNode(node: Node): Nameable {
  return {
    names: [nodeLabel(node), ...(node.origin.absorbed ?? [])].filter((name) => name !== ''),
    // As the IR and as the user's file call it.
    ops: [node.op, node.origin.op],
  };
}

function ofTensor({ name }: Tensor): Nameable {
  return { names: name === '' ? [] : [name], ops: [] };
}

function suggestions(graph: Graph, pattern: string): string {
  return suggestionsOf(pattern, [...graph.nodes.map(ofNode), ...graph.tensors.map(ofTensor)]);
}

/** The names most like the pattern, most alike first: what the user may have meant. */
export function closeNames(pattern: string, names: Iterable<string>): string[] {
  const wanted = trigrams(pattern);
  return [...new Set(names)]
    .map((name) => ({ name, likeness: likeness(wanted, trigrams(name)) }))
    .filter(({ likeness }) => likeness > 0)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}

function trigrams(text: string): ReadonlySet<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 2) }, (_, i) => lower.slice(i, i + 3)));
}

/** Dice coefficient: 1 for the same trigrams, 0 for none in common. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((trigram) => b.has(trigram)).length;
  return common === 0 ? 0 : (2 * common) / (a.size + b.size);
}
