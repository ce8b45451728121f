/** What is looked at as one: every layer, all layers of an operator type, and the groups that the user named. */
import { UsageError } from '../../../errors.js';
import { tensorOf, type Graph, type NodeId } from '../../../ir/graph.js';
import type { Layer } from '../../../quant/layers.js';
import { select } from '../../../quant/select.js';
import type { SweptUnit } from '../../../report/sweep-report.js';

export interface Unit {
  readonly kind: SweptUnit['kind'];
  /** As reports have it: of a layer or group its name, of an operator type the type. */
  readonly name: string;
  /** The same in every run, and of this unit alone: `layer:conv1`, `op:Conv`, `group:head`. */
  readonly id: string;
  /** In graph order, at least one. */
  readonly layers: readonly Layer[];
}

export interface Units {
  /** In graph order. */
  readonly layers: readonly Unit[];
  /** Operator types in the order in which they are met, then named groups in theirs. */
  readonly groups: readonly Unit[];
}

/**
 * A layer counts to the type of its first operator: Conv+Relu is a Conv. It is in a group where one of the patterns names one of its
 * operators or the tensor it writes; groups may overlap.
 *
 * @param layers of the plan: see `layersOf`
 * @param groups name -> patterns, as of `--only`
 * @throws UsageError naming all patterns that match nothing, and all groups in which nothing is quantized
 */
export function unitsOf(
  graph: Graph,
  layers: readonly Layer[],
  groups: ReadonlyMap<string, readonly string[]>,
): Units {
  const times = new Map<string, number>();
  return {
    layers: layers.map((layer) => {
      // Files may call two operators the same.
      const time = (times.get(layer.name) ?? 0) + 1;
      times.set(layer.name, time);
      const id = `layer:${layer.name}${time === 1 ? '' : `#${time}`}`;
      return { kind: 'layer', name: layer.name, id, layers: [layer] };
    }),
    groups: [
      ...[...typesOf(layers)].map(([name, members]): Unit => ({
        kind: 'op',
        name,
        id: `op:${name}`,
        layers: members,
      })),
      ...namedUnits(graph, layers, groups),
    ],
  };
}

/** Layers by the type of their first operator. */
export function typesOf(layers: readonly Layer[]): ReadonlyMap<string, readonly Layer[]> {
  const types = new Map<string, Layer[]>();
  for (const layer of layers) {
    const [type = layer.op] = layer.op.split('+');
    types.set(type, [...(types.get(type) ?? []), layer]);
  }
  return types;
}

/** Operators of all layers in it. */
export function nodesIn(layers: readonly Layer[]): NodeId[] {
  return layers.flatMap(({ nodes }) => nodes);
}

function namedUnits(
  graph: Graph,
  layers: readonly Layer[],
  groups: ReadonlyMap<string, readonly string[]>,
): Unit[] {
  const problems: string[] = [];
  const units = [...groups].flatMap(([name, patterns]): Unit[] => {
    const members = membersOf(graph, layers, patterns);
    if (members instanceof UsageError) {
      // `select` speaks of the flag it knows.
      problems.push(...members.places.map((place) => `group ${name}: ${place.replace(/^--only /, '')}`));
      return [];
    }
    if (members.length === 0)
      problems.push(`group ${name}: ${patterns.join(', ')} names nothing that is quantized`);
    return members.length === 0 ? [] : [{ kind: 'group', name, id: `group:${name}`, layers: members }];
  });
  if (problems.length === 0) return units;
  throw new UsageError(
    problems.length === 1 ? 'a group names no layer' : 'groups have patterns that name no layer',
    {
      places: problems,
      hint: 'qdbg inspect MODEL lists the names; * stands for any characters, op:Conv for all convolutions',
    },
  );
}

function membersOf(
  graph: Graph,
  layers: readonly Layer[],
  patterns: readonly string[],
): readonly Layer[] | UsageError {
  try {
    const { only } = select(graph, { only: patterns, skip: [] });
    return layers.filter(
      ({ nodes, output }) =>
        only?.tensors.has(output) === true || nodes.some((node) => only?.nodes.has(node) === true),
    );
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

/** What a report says of a unit without running anything. */
export function describedUnit(graph: Graph, { kind, name, layers }: Unit): SweptUnit {
  const [layer] = layers;
  return {
    name,
    kind,
    ...(kind === 'layer' && layer !== undefined
      ? { op: layer.op, tensor: tensorOf(graph, layer.output).name }
      : {}),
    layers: layers.length,
  };
}
