/** A graph -> the network as reports draw it: one node for every operator, with what is fused into it. */
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../ir/graph.js';
import { macsOf } from '../ir/macs.js';
import { isMain, operatorsOf, sourceOf } from '../ir/operators.js';
import type { QuantPlan } from '../quant/placement/plan.js';
import type { Places } from './places.js';
import type { ReportedGraph, ReportedNode } from './report-graph.js';

/** What of a plan decides how a graph is drawn. */
export type DrawnPlan = Pick<QuantPlan, 'fusedAway' | 'quantizedNodes' | 'floatNodes'>;

/** A drawn operator: its nodes in graph order, and the activations that it shares with others, as the file has them. */
interface Unit {
  readonly nodes: Node[];
  inputs: TensorId[];
  outputs: TensorId[];
}

/**
 * What only brings a tensor into another order of axes is left out: its readers read the tensor itself. Of a fused operator, tensors
 * inside are left out, unless something else reads them.
 *
 * @param places of the same plan
 */
export function graphRows(graph: Graph, places: Places, plan: DrawnPlan): ReportedGraph {
  const units = connected(graph, unitsOf(graph, new Set(plan.fusedAway)), new Set(plan.fusedAway));
  const written = new Set(units.flatMap(({ outputs }) => outputs));
  const exits = [...new Set(graph.outputs.map((id) => sourceOf(graph, id)))].filter(
    (id) => written.has(id) || graph.inputs.includes(id),
  );
  const shown = [...graph.inputs, ...written];
  const names = distinct(shown.map((id) => tensorOf(graph, id).name));
  const nameOf = new Map(shown.map((id, i) => [id, names[i] as string]));
  const named = (ids: readonly TensorId[]): string[] => ids.flatMap((id) => nameOf.get(id) ?? []);
  const { producer } = topologyOf(graph);
  const operators = units.map(({ nodes, outputs: [output] }) => {
    const last = output === undefined ? undefined : producer[output];
    return places.operator(last ?? (nodes.at(-1) as Node).id);
  });
  const labels = distinct(operators.map(({ node }) => node));
  const quantized = new Set(plan.quantizedNodes);
  const reasons = new Map(plan.floatNodes.map(({ node, reason }) => [node, reason]));
  return {
    inputs: named(graph.inputs),
    outputs: named(exits),
    nodes: units.map(({ nodes, inputs, outputs }, i): ReportedNode => {
      const node = labels[i] as string;
      const macs = macsIn(graph, nodes);
      const members = membersOf(nodes);
      const float = nodes.some(({ id }) => quantized.has(id))
        ? undefined
        : nodes.map(({ id }) => reasons.get(id)).find((reason) => reason !== undefined);
      return {
        node,
        op: operators[i]?.op as string,
        inputs: named(inputs),
        outputs: named(outputs),
        ...(macs === undefined ? {} : { macs }),
        ...(float === undefined ? {} : { float }),
        index: nodes.reduce((least, { origin }) => Math.min(least, origin.index), Infinity),
        ...(members.length === 1 && members[0] === node ? {} : { members }),
      };
    }),
  };
}

/** Operators of the file, those that are fused into one taken together; in the order in which the last node of each stands. */
function unitsOf(graph: Graph, fusedAway: ReadonlySet<TensorId>): Unit[] {
  const operators = operatorsOf(graph).map(({ nodes }) => nodes);
  const operatorAt = new Map(operators.flatMap((nodes, at) => nodes.map(({ id }) => [id, at] as const)));
  const { producer } = topologyOf(graph);
  // Of every operator the last one that it is fused into.
  const into = operators.map((_, at) => at);
  const endOf = (at: number): number => {
    let end = at;
    while (into[end] !== end) end = into[end] as number;
    into[at] = end;
    return end;
  };
  operators.forEach((nodes, at) => {
    for (const input of nodes.flatMap(({ inputs }) => inputs)) {
      const writer = input === null || !fusedAway.has(input) ? undefined : producer[input];
      // A copy in another order of axes is written by no operator.
      const before = writer === undefined ? undefined : operatorAt.get(writer);
      if (before === undefined) continue;
      const [a, b] = [endOf(before), endOf(at)];
      into[Math.min(a, b)] = Math.max(a, b);
    }
  });
  const units = new Map<number, Unit>();
  operators.forEach((_, at) => {
    if (into[at] === at) units.set(at, { nodes: [], inputs: [], outputs: [] });
  });
  operators.forEach((nodes, at) => units.get(endOf(at))?.nodes.push(...nodes));
  return [...units.values()];
}

/** The units with what they read and write. */
function connected(graph: Graph, units: Unit[], fusedAway: ReadonlySet<TensorId>): Unit[] {
  const unitOf = new Map(units.flatMap((unit) => unit.nodes.map(({ id }) => [id, unit] as const)));
  const { producer } = topologyOf(graph);
  const entries = new Set(graph.inputs);
  const read = new Set(graph.outputs.map((id) => sourceOf(graph, id)));
  for (const unit of units) {
    const sources = unit.nodes.flatMap(readBy).map((id) => sourceOf(graph, id));
    unit.inputs = [...new Set(sources)].filter((id) => {
      const writer = producer[id];
      return writer === undefined ? entries.has(id) : unitOf.get(writer) !== unit;
    });
    for (const id of unit.inputs) read.add(id);
  }
  for (const unit of units) {
    const written = unit.nodes.flatMap(({ outputs }) => outputs).filter((id) => id !== null);
    unit.outputs = written.filter((id) => !fusedAway.has(id) || read.has(id));
  }
  return units;
}

/** All that a node reads, also in the graphs that are nested in it. */
function readBy({ inputs, attrs }: Node): TensorId[] {
  const captured = [...attrs.values()].flatMap((attr) => (attr.type === 'graph' ? attr.value.captures : []));
  return [...inputs.filter((id) => id !== null), ...captured];
}

function macsIn(graph: Graph, nodes: readonly Node[]): number | undefined {
  const counts = nodes.map((node) => macsOf(graph, nodeOf(graph, node.id)));
  const known = counts.filter((count) => count !== undefined);
  return known.length < counts.length ? undefined : known.reduce((sum, count) => sum + count, 0);
}

function membersOf(nodes: readonly Node[]): string[] {
  const mains = nodes.filter(isMain);
  const shown = mains.length > 0 ? mains : nodes;
  return [...new Set(shown.flatMap((node) => [nodeLabel(node), ...(node.origin.absorbed ?? [])]))];
}

/** The names, with a number behind those that were there before. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const times = new Map<string, number>();
  return names.map((name) => {
    const time = times.get(name);
    if (time === undefined) {
      times.set(name, 1);
      return name;
    }
    let next = time + 1;
    while (taken.has(`${name} (${next})`)) next++;
    times.set(name, next);
    return `${name} (${next})`;
  });
}
