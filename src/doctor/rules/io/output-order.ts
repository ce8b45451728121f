import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../../../ir/graph.js';
import { DETECTION_RESULTS, detectionResults } from '../../../ir/detections.js';
import type { Evidence, With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';

export const outputOrder = rule({
  id: 'io.output-order',
  title: 'Outputs are at other places than in the reference, or missing',
  severity: 'warning',
  needs: [],
  text: {
    what: 'Outputs are matched by what they compute, not by position or name. Those that come at another position, or not at all, are named. Of a file alone, those of a detector that are not in the order of its operator (boxes, classes, scores, count).',
    why: 'Converters order outputs anew between versions. Who reads boxes at the position of scores gets nonsense that looks like bad quantization.',
    instead: 'Read outputs by name (signature), or by the order that is listed.',
    see: ['https://github.com/tensorflow/tensorflow/issues/52259'],
  },
  check,
});

type OutputEvidence = With<'reference' | 'alignment'>;

/** Outputs of the candidate at other places than in the reference, and outputs of the reference that it does not have. */
function check(evidence: Evidence): Finding[] {
  const { reference, alignment } = evidence;
  if (reference === undefined || alignment === undefined) return unusual(evidence.graph);
  return [...moved({ ...evidence, reference, alignment }), ...missing({ ...evidence, reference, alignment })];
}

/** Examples for TensorFlow 1 index boxes, classes, scores, count; TensorFlow 2 exports another order. */
function unusual(graph: Graph): Finding[] {
  const results = detectionResults(graph);
  const order = graph.outputs.flatMap((id) => results.get(id) ?? []);
  const usual = DETECTION_RESULTS.filter((result) => order.includes(result));
  if (order.join() === usual.join()) return [];
  const first = graph.outputs.find((id) => results.has(id));
  return [
    {
      rule: 'io.output-order',
      severity: 'note',
      subject: subjectAt(graph, first),
      message:
        `the outputs come in the order ${order.join(', ')}; the operator, and examples that read by position, have ` +
        DETECTION_RESULTS.join(', '),
      args: { order: order.join(', ') },
    },
  ];
}

/** Who reads them by position gets the wrong ones. */
function moved({ graph, reference, alignment }: OutputEvidence): Finding[] {
  const matched = alignment.outputs.flatMap(({ reference: position, candidate }) =>
    position === undefined ? [] : [{ position, candidate }],
  );
  const sorted = [...matched].sort((a, b) => a.position - b.position);
  // Without those that only moved up because another is missing.
  const others = matched.filter(({ position }, i) => position !== sorted[i]?.position);
  const [first] = others;
  if (first === undefined) return [];
  const places = others.map(
    ({ candidate, position }) =>
      `output ${candidate} (${outputName(graph, candidate)}) is the reference's output ${position} (${outputName(reference.graph, position)})`,
  );
  return [
    {
      rule: 'io.output-order',
      severity: 'warning',
      subject: subjectAt(graph, graph.outputs[first.candidate]),
      message: `the outputs come in another order: ${places.join('; ')}`,
      args: { moved: others.length },
    },
  ];
}

function missing({ graph, reference, alignment }: OutputEvidence): Finding[] {
  const found = new Set(alignment.outputs.map((output) => output.reference));
  const lost = reference.graph.outputs
    .map((_, position) => position)
    .filter((position) => !found.has(position));
  if (lost.length === 0) return [];
  const names = lost.map((position) => `${position} (${outputName(reference.graph, position)})`).join(', ');
  const own = alignment.outputs.filter((output) => output.reference === undefined);
  const instead = own.map(({ candidate }) => outputName(graph, candidate)).join(', ');
  return [
    {
      rule: 'io.output-order',
      // One that ends elsewhere, in a Softmax or without one, is another choice; one that is gone is missed.
      severity: own.length < lost.length ? 'warning' : 'note',
      subject: subjectAt(graph, graph.outputs[own[0]?.candidate ?? 0]),
      message:
        `the candidate has no output that is the reference's output ${names}` +
        (instead === '' ? '' : `; ${instead} ${own.length === 1 ? 'is' : 'are'} something else`),
      args: { missing: lost.length },
    },
  ];
}

function outputName(graph: Graph, position: number): string {
  const tensor = graph.outputs[position];
  return tensor === undefined ? '' : tensorOf(graph, tensor).name;
}

function subjectAt(graph: Graph, tensor: TensorId | undefined): Finding['subject'] {
  const writer = tensor === undefined ? undefined : topologyOf(graph).producer[tensor];
  return {
    ...(writer === undefined ? {} : { node: nodeLabel(nodeOf(graph, writer)) }),
    ...(tensor === undefined ? {} : { tensor: tensorOf(graph, tensor).name }),
  };
}
