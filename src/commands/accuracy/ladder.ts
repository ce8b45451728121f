/** The network quantized in parts: which part costs the accuracy, and would 16 bits keep it. */
import type { Graph } from '../../ir/graph.js';
import type { Scheme } from '../../quant/scheme.js';
import type { Selection } from '../../quant/select.js';
import { activationsOnly, convolutionTypes, sixteenBits, weightsOnly } from '../scheme-variants.js';
import { planSimulation, type Simulation } from '../simulation.js';

/** A step between float and everything quantized. */
export interface Rung {
  readonly network: string;
  readonly title: string;
  readonly simulation: Simulation;
}

/**
 * Steps that differ from the scheme itself, with the observers of the scheme: those that the scheme already is are left out.
 * Targets need not have 16-bit kernels for all of them: they say what the bits cost, not what to deploy.
 */
export function ladderOf(graph: Graph, scheme: Scheme, selection: Selection): Rung[] {
  const { weights, activations } = scheme;
  const plan = (network: string, title: string, changed: Scheme, only = selection): Rung[] => [
    { network, title, simulation: planSimulation(graph, changed, only) },
  ];
  const convolutions = convolutionTypes(graph);
  const isPartial = selection.only.length > 0;
  const float = { bias: 'float' } as const;
  return [
    ...(weights === 'float' || activations === 'float'
      ? []
      : [
          ...plan('weights', `weights only, ${weights.dtype}`, weightsOnly(scheme)),
          ...plan('activations', `activations only, ${activations.dtype}`, activationsOnly(scheme)),
        ]),
    ...(convolutions.length === 0 || isPartial
      ? []
      : plan('convolutions', 'convolutions only', scheme, {
          ...selection,
          only: convolutions.map((op) => `op:${op}`),
        })),
    ...(activations === 'float' || activations.dtype === 'int16'
      ? []
      : plan('int16 act.', 'everything, int16 activations', {
          ...scheme,
          ...float,
          activations: sixteenBits(activations),
        })),
    ...(weights === 'float' || activations === 'float'
      ? []
      : plan('int16', 'everything in int16', {
          ...scheme,
          ...float,
          weights: sixteenBits(weights),
          activations: sixteenBits(activations),
        })),
  ];
}
