import { ENTROPY_SHARE, STUCK_SHARE } from '../../../quant/output-collapse.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { DeadTensor, OutputStudy, StudiedOutput } from '../../../run/output-study.js';
import type { With } from '../../evidence.js';
import { isOfAll, type Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent } from '../../wording.js';

export const constant = rule({
  id: 'out.constant',
  title: 'The output does not depend on the input',
  severity: 'error',
  needs: ['lane', 'outputs'],
  text: {
    what: 'Outputs over several samples, in float and as integers: elements that differ between samples in float and stay within 1 LSB as integers; and the variety of the classes that are answered. Where an output stands still, the first tensor on the way whose variance between samples is lost is named.',
    why: 'This is a symptom. The input was crushed by its scale, a layer has lost its weights or its range, or a tensor saturates: whatever goes in, the same comes out.',
    instead:
      'Look at what is said of the tensor that is named: its scale, the weights and the bias of the operator that writes it.',
    see: [
      'q.degenerate',
      'w.per-tensor-spread',
      'act.mask-constant',
      'io.preproc',
      'https://github.com/tensorflow/tensorflow/issues/42009',
    ],
  },
  limits: [
    { quantity: 'share of moving elements that stand still', unit: '', error: STUCK_SHARE, worse: 'higher' },
    { quantity: 'entropy of the answers beside float', unit: '', error: ENTROPY_SHARE, worse: 'lower' },
  ],
  check,
});

function check({ graph, outputs }: With<'outputs'>, told: readonly Finding[]): Finding[] {
  const collapsed = outputs.outputs.filter(({ collapse }) => collapse !== undefined);
  const [first] = collapsed;
  if (first === undefined) return [];
  const { dead } = outputs;
  const others = collapsed.length === 1 ? '' : `, as ${collapsed.length - 1} other outputs do`;
  return [
    {
      rule: 'out.constant',
      // Where an error upstream is told, this is what follows from it.
      severity: isTold(graph, dead?.tensor ?? first.tensor, told) ? 'warning' : 'error',
      subject: dead === undefined ? subjectOf(graph, first.tensor) : subjectOf(graph, dead.tensor),
      message: `${messageOf(first, outputs)}${others}${deadText(dead)}`,
      args: {
        output: first.name,
        moving: first.moving,
        stuck: first.stuck,
        samples: outputs.samples,
        ...(dead === undefined ? {} : { varianceRatio: dead.ratio }),
      },
    },
  ];
}

function messageOf(
  { name, collapse, moving, stuck, answers }: StudiedOutput,
  { samples }: OutputStudy,
): string {
  if (collapse === 'answers' && answers !== undefined) {
    const { different, count } = answers;
    return (
      `output ${name} gives nearly always the same answer: ${several(different.quantized)} in ${count}, ` +
      `in float ${several(different.float)}`
    );
  }
  return (
    `output ${name} does not follow the input: ${percent(stuck / moving)} of what differs between ${samples} samples ` +
    'in float stays the same'
  );
}

function several(classes: number): string {
  return classes === 1 ? '1 class' : `${classes} classes`;
}

function deadText(dead: DeadTensor | undefined): string {
  if (dead === undefined) return '; no tensor on the way stands still by itself';
  const left = `${percent(dead.ratio)} of the variance between samples is left`;
  return dead.node === undefined
    ? `; the input ${dead.name} stands still already (${left})`
    : `; the first tensor that stands still is ${dead.name} (${left})`;
}

/** Whether an error is told of the network as a whole, of the tensor, or of something that it is computed from. */
function isTold(graph: Graph, tensor: TensorId, told: readonly Finding[]): boolean {
  const names = upstream(graph, tensor);
  return told.some((finding) => {
    const { severity, subject } = finding;
    if (severity !== 'error') return false;
    if (isOfAll(finding)) return true;
    return names.has(`n${subject.node ?? ''}`) || names.has(`t${subject.tensor ?? ''}`);
  });
}

/** Names of the tensor and of all tensors ('t') and nodes ('n') that it is computed from. */
function upstream(graph: Graph, tensor: TensorId): ReadonlySet<string> {
  const { producer } = topologyOf(graph);
  const names = new Set<string>();
  const seen = new Set([tensor]);
  const pending = [tensor];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    names.add(`t${tensorOf(graph, id).name}`);
    const writer = producer[id];
    if (writer === undefined) continue;
    const node = nodeOf(graph, writer);
    names.add(`n${nodeLabel(node)}`);
    for (const input of node.inputs) {
      if (input === null || seen.has(input)) continue;
      seen.add(input);
      pending.push(input);
    }
  }
  return names;
}
