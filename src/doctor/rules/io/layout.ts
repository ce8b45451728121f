import { channelAxisOf } from '../../../ir/channels.js';
import { fileShape } from '../../../ir/file-axes.js';
import { formatDims } from '../../../ir/elements.js';
import { tensorOf, type Dim, type Graph, type Shape, type TensorId } from '../../../ir/graph.js';
import type { NeighbourSteps } from '../../../run/data/neighbours.js';
import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { inputSubject, studiedInput } from '../../seen-input.js';

export const layout = rule({
  id: 'io.layout',
  title: 'Channels are not where the network expects them',
  severity: 'error',
  needs: [],
  text: {
    what: 'Pictures whose elements are smooth in another order than the one they were read in (planes of channels, or pixel by pixel); inputs of which reference and candidate have the channels at other places; and inputs that have them where the format does not usually.',
    why: 'Files without a header have no order, and extents that are all the same hide it. Scrambled pictures have the right range and the right histogram, and the network sees noise.',
    instead:
      'Say the order of axes where the data are made: ONNX usually takes channels first (NCHW), TFLite channels last (NHWC).',
    see: ['https://github.com/PINTO0309/onnx2tf/issues/335', 'io.file-format'],
  },
  limits: [
    {
      quantity: 'steps between neighbours in the other order, over those in the order read',
      unit: '',
      warning: 0.8,
      error: 0.65,
      worse: 'lower',
    },
  ],
  check,
});

/** Smoother by so much in the other order. Pictures reach 0.5, those with much noise 0.8; read rightly they have 1.3 and more. */
const WARNING = 0.8;
const ERROR = 0.65;

const CHANNELS_LAST = [0, 2, 3, 1] as const;
const CHANNELS_FIRST = [0, 3, 1, 2] as const;

function check(evidence: Evidence): Finding[] {
  const { graph } = evidence;
  return graph.inputs.flatMap(
    (input) => scrambled(evidence, input) ?? moved(evidence, input) ?? unusual(evidence, input) ?? [],
  );
}

/** Pictures that were read in the order that they do not have. */
function scrambled(evidence: Evidence, input: TensorId): Finding | undefined {
  const { graph } = evidence;
  const seen = studiedInput(evidence, input);
  const steps = seen?.neighbours;
  const ratio = steps === undefined ? undefined : ratioOf(steps);
  if (seen === undefined || steps === undefined || ratio === undefined || ratio >= WARNING) return undefined;
  const [read, other] = steps.read === 'planes' ? ['NCHW', 'NHWC'] : ['NHWC', 'NCHW'];
  return {
    rule: 'io.layout',
    severity: ratio < ERROR ? 'error' : 'warning',
    subject: inputSubject(graph, input),
    message:
      `the data were read as ${read}, but as ${other} neighbours differ by ${Number(ratio.toFixed(2))} times as much: ` +
      `the channels are on another axis`,
    args: { ratio, read },
    fix: { title: 'bring the data into the order of the input', edit: transposing(graph, input, steps) },
  };
}

/** Steps in the other order over those in the order read; above 1 for pictures that were read rightly. */
function ratioOf({ read, channels, within, across, apart }: NeighbourSteps): number | undefined {
  const next = ((channels - 1) * within + across) / channels;
  // Of grey pictures with three channels, the next element is the same pixel and tells nothing.
  const [other, own] = read === 'planes' ? [apart, next] : [Math.max(within, across), apart];
  return own > 0 ? other / own : undefined;
}

function transposing(graph: Graph, input: TensorId, { read }: NeighbourSteps): string {
  const shape = fileShape(tensorOf(graph, input)) ?? [];
  const stored = (read === 'planes' ? CHANNELS_LAST : CHANNELS_FIRST).map((axis) => shape[axis]);
  const extents = stored.slice(1).map((dim, i) => (typeof dim === 'number' ? dim : 'hwc'[i]));
  const axes = read === 'planes' ? CHANNELS_FIRST : CHANNELS_LAST;
  return `x = x.reshape(-1, ${extents.join(', ')}).transpose(${axes.join(', ')})`;
}

/** Reference and candidate want the same picture in different orders; what feeds the one does not feed the other. */
function moved({ graph, reference, alignment }: Evidence, input: TensorId): Finding | undefined {
  const aligned = alignment?.inputs.find(({ candidate }) => candidate === input);
  if (reference === undefined || aligned === undefined) return undefined;
  const [own, other] = [tensorOf(graph, input), tensorOf(reference.graph, aligned.reference)];
  const [shape, wanted] = [fileShape(own), fileShape(other)];
  if (shape?.length !== 4 || wanted?.length !== 4) return undefined;
  const isFirst = isSame(
    shape,
    CHANNELS_LAST.map((axis) => wanted[axis] ?? null),
  );
  const isLast = isSame(
    shape,
    CHANNELS_FIRST.map((axis) => wanted[axis] ?? null),
  );
  const isHidden = isSame(shape, wanted) && aligned.view?.perm !== undefined;
  if (isSame(shape, wanted) ? !isHidden : !isFirst && !isLast) return undefined;
  return {
    rule: 'io.layout',
    severity: isHidden ? 'warning' : 'note',
    subject: inputSubject(graph, input),
    message: isHidden
      ? `input ${own.name} takes its axes in another order than the reference, which its extents (${formatDims(shape)}) hide`
      : `input ${own.name} takes ${formatDims(shape)}, the reference ${formatDims(wanted)}: the application transposes what it feeds`,
    args: { candidate: formatDims(shape), reference: formatDims(wanted) },
  };
}

const CHANNELS: readonly (Dim | undefined)[] = [1, 3, 4];

/** Channels last in ONNX, channels first in TFLite: right, but other than the code around such files expects. */
function unusual({ graph }: Evidence, input: TensorId): Finding | undefined {
  const tensor = tensorOf(graph, input);
  const shape = fileShape(tensor);
  if (shape?.length !== 4) return undefined;
  const [first, last] = [CHANNELS.includes(shape[1]), CHANNELS.includes(shape[3])];
  const isUnusual =
    graph.format === 'onnx' ? last && !first && channelAxisOf(graph)[input] === 3 : first && !last;
  if (!isUnusual) return undefined;
  const order =
    graph.format === 'onnx'
      ? 'last (NHWC), which is unusual in ONNX'
      : 'first (NCHW), which is unusual in TFLite';
  return {
    rule: 'io.layout',
    severity: 'note',
    subject: inputSubject(graph, input),
    message: `input ${tensor.name} takes ${formatDims(shape)}: channels ${order}`,
    args: { shape: formatDims(shape) },
  };
}

function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => typeof dim === 'number' && dim === b[i]);
}
