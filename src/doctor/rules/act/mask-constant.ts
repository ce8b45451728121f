import { toFloat32 } from '../../../ir/elements.js';
import { isFloat, nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import { activationsRead, sourceOf, writerOf } from '../../../ir/operators.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { quantizerOf, stepOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { labelsAround, subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** Scores of attention are tens; a mask of this size leaves nothing of them. */
const HUGE = 1e3;
/** Of a quantizer in front of Softmax: scores less than a step apart differ by a factor of e in what comes out, and become equal. */
const COARSE_STEP = 1;
/** Times the 99th percentile of what is not masked. */
const APART = 100;
/** Cumulative SQNR of what comes out, dB, from which large scores decide all the same. */
const HARMLESS_DB = 20;
/** Operators between the mask and Softmax; an exporter writes two or three. */
const LONGEST_WAY = 12;

export const maskConstant = rule({
  id: 'act.mask-constant',
  title: 'A huge constant sets the scale of what Softmax reads',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Constants of 1000 or more (an attention mask of -10000, -1e9, -3.4e38 or -inf) that are added to, or chosen into, a quantized tensor on its way to Softmax; values of that size measured there, 100 times those that are not masked; and steps above 1 in front of Softmax.',
    why: 'The range has to reach the constant: a mask of -10000 gives 8 bits a step of 39, and all scores, which are tens, become one code. Attention is then the same for every position.',
    instead:
      'Mask with -100, which is 0 behind Softmax all the same, choose with Where behind Softmax, or leave the masked sum in float.',
    see: ['https://github.com/microsoft/Olive/pull/1597', 'act.outlier-range', 'act.wide-range'],
  },
  limits: [
    {
      quantity: 'step of a tensor in front of Softmax',
      unit: 'of the scores',
      warning: COARSE_STEP,
      error: COARSE_STEP,
      worse: 'higher',
    },
  ],
  check,
});

interface Way {
  readonly softmax: Node;
  /** Quantized tensors with a coarse step from the mask to Softmax, the first one that is written first. */
  readonly coarse: readonly { readonly tensor: TensorId; readonly step: number }[];
  readonly masks: readonly { readonly tensor: TensorId; readonly node: Node; readonly value: number }[];
}

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph } = evidence;
  const told = new Set<TensorId>();
  return graph.nodes.flatMap((softmax): Diagnosed[] => {
    if (softmax.op !== 'Softmax' && softmax.op !== 'LogSoftmax') return [];
    const way = wayTo(evidence, softmax);
    const [first] = way.coarse;
    if (first === undefined || told.has(first.tensor)) return [];
    told.add(first.tensor);
    return found(evidence, way, first);
  });
}

/** Elementwise operators and those that move values; what is behind a product is of another kind. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Where', 'Max', 'Min', 'Clip', 'Cast', 'Identity', 'Sum'],
  ...['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Expand', 'Slice', 'Concat', 'Pad', 'Tile', 'Flatten'],
]);
/** Slots whose constants are values of what comes out: not shapes, not factors that make scores smaller. */
const CHOOSING: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Where', 'Max', 'Min', 'Sum', 'Concat']);

function wayTo({ graph, lane }: LaneEvidence, softmax: Node): Way {
  const coarse: Way['coarse'][number][] = [];
  const masks: Way['masks'][number][] = [];
  const seen = new Set<TensorId>();
  let pending = softmax.inputs.slice(0, 1).filter((id) => id !== null);
  for (let depth = 0; depth < LONGEST_WAY && pending.length > 0; depth++) {
    const next: TensorId[] = [];
    for (const id of pending.map((tensor) => sourceOf(graph, tensor))) {
      if (seen.has(id)) continue;
      seen.add(id);
      const step = tensorOf(graph, id).data === undefined ? stepOf(quantizerOf(graph, lane, id)) : undefined;
      const isCoarse = step !== undefined && step > COARSE_STEP;
      if (isCoarse && (depth === 0 || carriesScores(graph, id))) coarse.unshift({ tensor: id, step });
      const node = writerOf(graph, id);
      if (node === undefined || !PASSING.has(node.op)) continue;
      for (const input of node.inputs) {
        if (input === null) continue;
        const value = CHOOSING.has(node.op) ? hugeValue(graph, input) : undefined;
        if (value !== undefined) masks.push({ tensor: input, node, value });
        else if (tensorOf(graph, input).data === undefined) next.push(input);
      }
    }
    pending = next;
  }
  return { softmax, coarse, masks };
}

/** Whether products come in: a mask by itself has two values, which any step holds. */
function carriesScores(graph: Graph, tensor: TensorId): boolean {
  const pending = [tensor];
  const seen = new Set(pending);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const node = writerOf(graph, id);
    if (node === undefined) continue;
    if (PRODUCTS.has(node.op)) return true;
    if (!PASSING.has(node.op)) continue;
    for (const input of activationsRead(graph, node)) {
      if (!seen.has(input)) pending.push(input);
      seen.add(input);
    }
  }
  return false;
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'Conv', 'Einsum']);

function hugeValue(graph: Graph, id: TensorId): number | undefined {
  const { data } = tensorOf(graph, id);
  if (data === undefined || !isFloat(data.dtype)) return undefined;
  let largest = 0;
  for (const value of toFloat32(data)) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return Math.abs(largest) >= HUGE ? largest : undefined;
}

function found(
  evidence: LaneEvidence,
  { softmax, coarse, masks }: Way,
  first: Way['coarse'][number],
): Diagnosed[] {
  const { graph } = evidence;
  const step = Math.max(...coarse.map((one) => one.step));
  const [mask] = masks;
  const seen = mask === undefined ? coarse.find(({ tensor }) => isMasked(evidence, tensor)) : undefined;
  if (mask === undefined && seen === undefined) return coarseOnly(evidence, softmax, first);
  const subject = seen ?? first;
  const cause =
    mask === undefined
      ? `values down to ${short(evidence.edges?.find(({ edge }) => edge.tensor === subject.tensor)?.range.min ?? 0)}`
      : `the constant ${short(mask.value)} ('${tensorOf(graph, mask.tensor).name}' of ${nodeLabel(mask.node)})`;
  const later = coarse
    .filter(({ tensor }) => tensor !== subject.tensor)
    .map(({ tensor }) => tensorOf(graph, tensor).name);
  const around = labelsAround(
    graph,
    coarse.map(({ tensor }) => tensor),
  );
  return [
    {
      rule: 'act.mask-constant',
      severity: 'error',
      subject: subjectOf(graph, subject.tensor),
      message:
        `${cause} sets the range on the way to ${nodeLabel(softmax)}: the step is ${short(step)}, ` +
        'and scores that are less than that apart become equal',
      args: {
        step,
        softmax: nodeLabel(softmax),
        ...(mask === undefined ? {} : { constant: String(mask.value) }),
      },
      ...remedy(evidence, {
        title: 'leave the masked sum in float, or mask with -100',
        flags: around.map((name) => `--skip '${name}'`).join(' '),
        skip: around,
        onnx: `quantize_static(..., nodes_to_exclude=${JSON.stringify(around)}), or -100 in the place of the constant`,
        tflite: 'mask with -100 in the model, then convert again',
        change: { float: coarse.map(({ tensor }) => tensor) },
      }),
      ...(later.length === 0 ? {} : { explains: later }),
    },
  ];
}

/** Most values are scores; some are so far below them that they can be nothing but masked. */
function isMasked({ edges = [], statistics }: LaneEvidence, tensor: TensorId): boolean {
  const range = edges.find(({ edge }) => edge.tensor === tensor)?.range;
  if (range === undefined || Math.max(-range.min, range.max) < HUGE) return false;
  const histogram = statistics?.get(tensor)?.histogram;
  // Without a histogram the positive side, which nobody masks, says how large scores are.
  if (histogram === undefined) return -range.min > APART * Math.abs(range.max);
  return -range.min > APART * Math.max(Math.abs(histogram.percentile(99)), 1e-3);
}

/** Nothing says where it comes from; large scores, each far from the next, would stand it. */
function coarseOnly(
  evidence: LaneEvidence,
  softmax: Node,
  { tensor, step }: Way['coarse'][number],
): Diagnosed[] {
  const { graph, edges = [] } = evidence;
  const direct = softmax.inputs[0];
  if (direct === undefined || direct === null || sourceOf(graph, direct) !== tensor) return [];
  const output = softmax.outputs[0];
  const measured = edges.find(({ edge }) => edge.tensor === output)?.errors.get('cumulative');
  if (measured?.exact === true || (measured?.sqnrDb ?? -Infinity) >= HARMLESS_DB) return [];
  return [
    {
      rule: 'act.mask-constant',
      severity: measured === undefined ? 'note' : 'warning',
      subject: subjectOf(graph, tensor),
      message: `what ${nodeLabel(softmax)} reads has steps of ${short(step)}: scores that are less than that apart become equal`,
      args: { step, softmax: nodeLabel(softmax) },
    },
  ];
}
