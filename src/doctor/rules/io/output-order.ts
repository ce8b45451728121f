import { nodeLabel, nodeOf, tensorOf, topologyOf } from '../../../ir/graph.js';
import type { ComparisonEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';

/** Outputs of the candidate that come at another place than in the reference: who reads them by position gets the wrong ones. */
export function outputOrder({ graph, reference, alignment }: ComparisonEvidence): Finding[] {
  const moved = alignment.outputs.filter(
    (output) => output.reference !== undefined && output.reference !== output.candidate,
  );
  const [first] = moved;
  if (first === undefined) return [];
  const places = moved.map(({ candidate, reference: position = 0 }) => {
    const name = (id: number | undefined, of: typeof graph): string =>
      id === undefined ? '' : tensorOf(of, of.outputs[id] as (typeof of.outputs)[number]).name;
    return `output ${candidate} (${name(candidate, graph)}) is the reference's output ${position} (${name(position, reference.graph)})`;
  });
  const tensor = graph.outputs[first.candidate];
  const writer = tensor === undefined ? undefined : topologyOf(graph).producer[tensor];
  return [
    {
      rule: 'io.output-order',
      severity: 'warning',
      subject: {
        ...(writer === undefined ? {} : { node: nodeLabel(nodeOf(graph, writer)) }),
        ...(tensor === undefined ? {} : { tensor: tensorOf(graph, tensor).name }),
      },
      message: `the outputs come in another order: ${places.join('; ')}`,
      args: { moved: moved.length },
      fix: {
        title: 'read outputs by name, or by the position shown',
        edit: 'name -> tensor, not index -> tensor',
      },
    },
  ];
}
