/** Float islands of a quantized file: operators in floating point that hang together, with where integers end and begin again. */
import { nodeLabel, tensorOf, topologyOf, type Graph, type NodeId, type TensorId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { isMain, sourceOf } from '../../ir/operators.js';
import { LaneEdges, operatorForms, type FloatCauseKind, type OperatorForm } from './float-operators.js';
import { hasIntegerForm } from './integer-forms.js';

/**
 * Why an island is one, the first that holds:
 * - unfolded, hybrid, dynamic, weights-only: see FloatCauseKind
 * - no-integer-form: at least one operator has none in the runtime of the format
 * - constant, output: see FloatCauseKind
 * - start, end: nothing in it lacks an integer form; it reads no codes at all, or writes none
 * - excluded: nothing in it lacks an integer form, and both its neighbours are integers
 */
export type IslandCause =
  Exclude<FloatCauseKind, 'reads' | 'writes'> | 'no-integer-form' | 'start' | 'end' | 'excluded';

export interface FloatIsland {
  readonly nodes: readonly NodeId[];
  /** What it reads of the rest of the network, and what the rest reads of it. Constants aside. */
  readonly entries: readonly TensorId[];
  readonly exits: readonly TensorId[];
  readonly cause: IslandCause;
  /** The cause in words. */
  readonly reason: string;
}

type FloatForm = Required<OperatorForm>;

/**
 * In graph order. Where no operator computes with integers there are no islands in a sea of integers: operators are then grouped by
 * what keeps them in floating point.
 */
export function islandsOf(graph: Graph, lane: Lane): FloatIsland[] {
  const forms = operatorForms(graph, lane);
  const float = forms.filter((form): form is FloatForm => form.cause !== undefined);
  const groups =
    float.length === forms.length ? byCause(float) : connected(graph, new LaneEdges(graph, lane), float);
  const ends: Ends = {
    inputs: new Set(graph.inputs),
    outputs: new Set(graph.outputs.map((id) => sourceOf(graph, id))),
  };
  return groups.map((group) => {
    const { entries, exits } = borders(graph, group, ends);
    const nodes = group.map(({ operator }) => operator.main.id);
    const isWhole = float.length === forms.length;
    return { nodes, entries, exits, ...causeOf(graph, group, { entries, exits, ends, isWhole }) };
  });
}

function byCause(forms: readonly FloatForm[]): FloatForm[][] {
  const groups = new Map<string, FloatForm[]>();
  for (const form of forms) {
    const own = form.cause.kind === 'writes' ? 'reads' : form.cause.kind;
    const key = own === 'reads' ? own : `${own} ${form.cause.text}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [form]);
    else group.push(form);
  }
  return [...groups.values()];
}

/** Operators that pass floats to each other. */
function connected(graph: Graph, edges: LaneEdges, forms: readonly FloatForm[]): FloatForm[][] {
  const parent = forms.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  const writers = new Map<TensorId, number>();
  forms.forEach(({ operator }, i) => {
    for (const { outputs } of operator.nodes) for (const id of outputs) if (id !== null) writers.set(id, i);
  });
  forms.forEach(({ operator }, i) => {
    for (const node of operator.nodes) {
      node.inputs.forEach((id, slot) => {
        const from = id === null ? undefined : writers.get(sourceOf(graph, id));
        if (id === null || from === undefined || edges.paramsOf(node, slot, id) !== undefined) return;
        parent[root(i)] = root(from);
      });
    }
  });
  const groups = new Map<number, FloatForm[]>();
  forms.forEach((form, i) => {
    const key = root(i);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [form]);
    else group.push(form);
  });
  return [...groups.values()];
}

interface Ends {
  readonly inputs: ReadonlySet<TensorId>;
  readonly outputs: ReadonlySet<TensorId>;
}

function borders(
  graph: Graph,
  group: readonly FloatForm[],
  { outputs: ends }: Ends,
): { entries: TensorId[]; exits: TensorId[] } {
  const nodes = new Set(group.flatMap(({ operator }) => operator.nodes.map(({ id }) => id)));
  const { producer, uses } = topologyOf(graph);
  const entries = new Set<TensorId>();
  const exits = new Set<TensorId>();
  const isRead = (id: TensorId, seen = 0): boolean =>
    (uses[id] ?? []).some(({ node }) => {
      if (nodes.has(node)) return false;
      // A copy in another order of axes is no reader of its own.
      const reader = graph.nodes[node];
      const copy = reader?.origin.part === 'layout' ? reader.outputs[0] : undefined;
      return copy === undefined || copy === null || seen > 1 || isRead(copy, seen + 1);
    });
  for (const { operator } of group) {
    for (const { inputs, outputs } of operator.nodes) {
      for (const input of inputs) {
        const id = input === null ? undefined : sourceOf(graph, input);
        if (id === undefined || tensorOf(graph, id).data !== undefined) continue;
        const writer = producer[id];
        if (writer === undefined || !nodes.has(writer)) entries.add(id);
      }
      for (const id of outputs) if (id !== null && (isRead(id) || ends.has(id))) exits.add(id);
    }
  }
  return { entries: [...entries], exits: [...exits] };
}

const OPS_NAMED = 4;

interface Surroundings extends Pick<FloatIsland, 'entries' | 'exits'> {
  readonly ends: Ends;
  /** No operator of the network computes with integers. */
  readonly isWhole: boolean;
}

function causeOf(
  graph: Graph,
  group: readonly FloatForm[],
  { entries, exits, ends, isWhole }: Surroundings,
): Pick<FloatIsland, 'cause' | 'reason'> {
  for (const kind of ['unfolded', 'hybrid', 'dynamic', 'weights-only'] as const) {
    const found = group.find(({ cause }) => cause.kind === kind);
    if (found === undefined) continue;
    const others = group.filter(({ cause }) => cause.kind !== kind).length;
    const beside = isWhole || others === 0 ? '' : `, and ${others} in float beside it`;
    return { cause: kind, reason: `${found.cause.text}${beside}` };
  }
  const formless = [
    ...new Set(
      group
        .filter(({ operator: { main } }) => !hasIntegerForm(graph, main))
        .map(({ operator }) => operator.main.origin.op),
    ),
  ];
  if (isWhole) return { cause: 'start', reason: 'no quantizers' };
  if (formless.length > 0) {
    const named = formless.slice(0, OPS_NAMED).join(', ');
    const more = formless.length > OPS_NAMED ? ` and ${formless.length - OPS_NAMED} more` : '';
    const runtime = graph.format === 'tflite' ? 'TensorFlow Lite' : 'ONNX Runtime';
    return { cause: 'no-integer-form', reason: `${runtime} has no integer form of ${named}${more}` };
  }
  for (const kind of ['constant', 'output'] as const) {
    const found = group.find(({ cause }) => cause.kind === kind);
    if (found !== undefined) return { cause: kind, reason: found.cause.text };
  }
  if (entries.every((id) => ends.inputs.has(id)))
    return { cause: 'start', reason: 'left in float at the start' };
  if (exits.every((id) => ends.outputs.has(id)))
    return { cause: 'end', reason: 'left in float at the end of the network' };
  return {
    cause: 'excluded',
    reason: 'left in float between quantized neighbours: excluded, or without a range',
  };
}

/** Names of operators as the user knows them. */
export function labelsOf(graph: Graph, nodes: readonly NodeId[]): string[] {
  return nodes.flatMap((id) => {
    const node = graph.nodes[id];
    return node === undefined || !isMain(node) ? [] : [nodeLabel(node)];
  });
}
