import { tensorOf, type Graph } from '../../../ir/graph.js';
import type { Lane } from '../../../ir/lane.js';
import { isOutput } from '../../../ir/operators.js';
import { weightsOf } from '../../../ir/weights.js';
import { GRID_VALUES, isOnGrid } from '../../../quant/weight-grid.js';
import type { Evidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { rule } from '../../rule.js';
import { percent } from '../../wording.js';

/** Share of the weights that can be judged: one layer of hand-made numbers is no quantized network. */
const MOST = 0.5;

export const doubleQuantized = rule({
  id: 'base.double-quantized',
  title: 'What serves as the float network is quantized already',
  severity: 'warning',
  needs: [],
  text: {
    what: 'A reference, or a model about to be quantized, that has integer weights, QuantizeLinear or fake quantization in it, or whose weights lie on grids of at most 256 values, as weights do that were quantized and made float again.',
    why: 'The damage is in the yardstick: an error that both networks have is not seen, and the drop from the true float network is larger than the one measured. Quantized a second time on another grid, every value is rounded twice.',
    instead: 'Give the export that was never quantized: the checkpoint that quantization started from.',
    see: ['https://github.com/NVIDIA/TensorRT/issues/2415', 'base.graph-changed', 'q.partial'],
  },
  limits: [
    {
      quantity: 'weights of the float network on a grid of 256 values',
      unit: 'share',
      warning: MOST,
      worse: 'higher',
    },
  ],
  check,
});

function check({ graph, lane, scheme, reference }: Evidence): Diagnosed[] {
  if (reference !== undefined) {
    return told(
      'the reference',
      reference.graph,
      reference.lane,
      'what is measured is how far two quantized networks are apart',
    );
  }
  // A file's own quantization is what is looked at, not a mistake.
  if (scheme === undefined && lane !== undefined) return [];
  return told('the model', graph, undefined, 'quantized once more, its values are rounded twice');
}

/** @param lane what came with the file */
function told(who: string, graph: Graph, lane: Lane | undefined, so: string): Diagnosed[] {
  const finding = (message: string, args: Diagnosed['args']): Diagnosed[] => [
    { rule: 'base.double-quantized', severity: 'warning', subject: {}, message, args },
  ];
  const weights = weightsOf(graph);
  const integer = lane === undefined ? [] : weights.filter(({ tensor }) => lane.tensors.has(tensor));
  const types = [...new Set(integer.map(({ tensor }) => lane?.tensors.get(tensor)?.dtype ?? ''))].sort();
  if (integer.length > 0) {
    return finding(
      `${who} is quantized itself: ${integer.length} of its ${weights.length} weights are ${types.join(', ')}; ${so}`,
      { quantizedWeights: integer.length, weights: weights.length, types: types.join(' ') },
    );
  }
  const quantized = lane === undefined ? 0 : innerQuantizers(graph, lane);
  if (quantized > 0) {
    return finding(`${who} is quantized itself: ${quantized} of its activations pass quantizers; ${so}`, {
      quantizedActivations: quantized,
    });
  }
  const fake = graph.nodes.filter(({ origin }) => /fake_?quant/i.test(origin.op)).length;
  if (fake > 0) {
    return finding(
      `${who} has ${fake} ${fake === 1 ? 'operator' : 'operators'} of fake quantization left in it; ${so}`,
      { fakeQuantizers: fake },
    );
  }
  const judged = weights.flatMap((weight) => isOnGrid(weight) ?? []);
  const onGrid = judged.filter(Boolean).length;
  const share = onGrid / judged.length;
  if (onGrid === 0 || share <= MOST) return [];
  return finding(
    `${who} has float weights that were quantized before: ${onGrid} of ${judged.length} lie on grids of at most ${GRID_VALUES} values ` +
      `(${percent(share)}); ${so}`,
    { weightsOnGrid: onGrid, weights: judged.length },
  );
}

/** A quantizer at an input or an output only changes the type of what goes in and comes out. */
function innerQuantizers(graph: Graph, lane: Lane): number {
  const inner = [...lane.tensors.keys()].filter(
    (id) =>
      tensorOf(graph, id).data === undefined &&
      graph.inner?.has(id) !== true &&
      !graph.inputs.includes(id) &&
      !isOutput(graph, id),
  );
  return inner.length + lane.uses.size + (lane.dynamic?.size ?? 0);
}
