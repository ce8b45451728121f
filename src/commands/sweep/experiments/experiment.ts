/** An experiment: the network under another scheme, or quantized in part. */
import { nodeLabel, nodeOf, type Graph } from '../../../ir/graph.js';
import type { Layer } from '../../../quant/layers.js';
import type { Scheme } from '../../../quant/scheme.js';
import type { Selected, Selection } from '../../../quant/select.js';
import type { NamedExperiment } from './named-experiments.js';
import { nodesIn } from '../units/units.js';

/** The one thing that experiments differ in. */
export type Family = 'parts' | 'bits' | 'ops' | 'ends' | 'observer' | 'weights' | 'symmetry' | 'named';

export interface Experiment {
  /** The same in every run, and of this experiment alone. */
  readonly id: string;
  readonly name: string;
  /** For the reader. */
  readonly title: string;
  readonly family: Family;
  readonly scheme: Scheme;
  readonly selected: Selected;
  /** Patterns that may name the same, the shortest first: whether they do is seen from the quantizers that they lead to. */
  readonly patterns: readonly Selection[];
  /** Told also where it is what another one is: the scheme itself, or what the user named. */
  readonly isKept: boolean;
}

/** What is tried. */
export interface ExperimentGround {
  readonly graph: Graph;
  readonly scheme: Scheme;
  readonly selection: Selection;
  /** Of the plan of that scheme and selection. */
  readonly layers: readonly Layer[];
  /** Of the moving averages that calibration keeps. */
  readonly momentum: number;
  /** Of the configuration file. */
  readonly named: readonly NamedExperiment[];
}

/** Everything that the user's patterns leave, under one scheme. */
export function wholeExperiment(
  { selection }: Pick<ExperimentGround, 'selection'>,
  selected: Selected,
  told: Pick<Experiment, 'name' | 'title' | 'family' | 'scheme'>,
): Experiment {
  return { id: idOf(told), ...told, selected, patterns: [selection], isKept: false };
}

export function idOf({ family, name }: Pick<Experiment, 'family' | 'name'>): string {
  return family === 'named' ? `experiment named:${name}` : `experiment ${name}`;
}

/** Only these layers. */
export function onlyExperiment(
  { graph, scheme, selection }: ExperimentGround,
  user: Selected,
  layers: readonly Layer[],
  { types, ...told }: Pick<Experiment, 'name' | 'title' | 'family'> & { readonly types: readonly string[] },
): Experiment {
  return {
    id: idOf(told),
    ...told,
    scheme,
    selected: { only: { nodes: new Set(nodesIn(layers)), tensors: new Set() }, skip: user.skip },
    patterns: patternsOf(graph, layers, types).map((only) => ({ ...selection, only })),
    isKept: false,
  };
}

/** All but these layers. */
export function withoutExperiment(
  { graph, scheme, selection }: ExperimentGround,
  user: Selected,
  layers: readonly Layer[],
  { types, ...told }: Pick<Experiment, 'name' | 'title' | 'family'> & { readonly types: readonly string[] },
): Experiment {
  const { nodes, tensors } = user.skip;
  return {
    id: idOf(told),
    ...told,
    scheme,
    selected: { only: user.only, skip: { nodes: new Set([...nodes, ...nodesIn(layers)]), tensors } },
    patterns: patternsOf(graph, layers, types).map((names) => ({
      ...selection,
      skip: [...selection.skip, ...names],
    })),
    isKept: false,
  };
}

/** A command line with more names is not one that somebody types. */
const MOST_NAMES = 64;

function patternsOf(graph: Graph, layers: readonly Layer[], types: readonly string[]): string[][] {
  const names = new Set(nodesIn(layers).map((node) => nodeLabel(nodeOf(graph, node))));
  return [
    ...(types.length === 0 ? [] : [types.map((type) => `op:${type}`)]),
    ...(names.size > MOST_NAMES ? [] : [[...names]]),
  ];
}
