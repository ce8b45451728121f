import { nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { movedFrom } from '../../joined.js';
import { quantizerOf, stepOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';

/** A state that enters with so much less of a range than it leaves with is clipped in every step. */
const NARROWER = 0.9;

export const state = rule({
  id: 'act.state',
  title: 'A state that lives from step to step is kept in few bits',
  severity: 'warning',
  needs: ['lane'],
  formerly: ['rnn.state'],
  text: {
    what: 'Recurrent operators (LSTM, GRU, RNN, SVDF), variables, and outputs that the application feeds back as inputs, where the state has a quantizer of at most 8 bits.',
    why: 'What is rounded in one step is the input of the next: errors add up over the sequence, where elsewhere they are made once. And ranges come from short sequences in which states have not grown yet. Measuring single samples does not show it.',
    instead:
      'Keep the state in 16 bits or float; quantize only the weights (dynamic range). Calibrate with sequences as long as those that come, states fed back, and compare the last step with the first.',
    see: [
      'https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/post_training_integer_quant_16x8',
      'https://github.com/Rikorose/DeepFilterNet/issues/408',
      'cal.unrepresentative',
    ],
  },
  limits: [
    {
      quantity: 'range that a state enters with over that which it leaves with',
      unit: 'times',
      warning: NARROWER,
      worse: 'lower',
    },
  ],
  check,
});

/** Operators with a state of their own, as files call them. */
const RECURRENT =
  /^(?:LSTM|GRU|RNN|SVDF|BASIC_LSTM|(?:UNI|BI)DIRECTIONAL_SEQUENCE_(?:LSTM|RNN)|(?:READ|ASSIGN)_VARIABLE|DynamicQuantizeLSTM)$/;

/** A part of the name of a tensor that is a state. */
const STATE =
  /^(?:states?|hidden|cells?|cache|mem(?:ory)?|past|present|key|values?|kv|context|buffer|lstm|gru|rnn|h|c|hn|cn|h0|c0)$/i;
/** Parts of names that say which end of a step it is. */
const END =
  /^(?:in|ins|input|inputs|out|outs|output|outputs|prev|previous|next|new|old|past|present|initial|init|final|last|serving|default|0|n|t|i|o)$/i;

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph } = evidence;
  return [...fedBack(evidence), ...graph.nodes.flatMap((node) => recurrent(evidence, node))];
}

function recurrent(evidence: LaneEvidence, node: Node): Diagnosed[] {
  const { graph, lane } = evidence;
  if (!RECURRENT.test(node.origin.op) || node.origin.part !== undefined) return [];
  const kept = [...node.outputs, ...node.inputs].flatMap((id): { id: TensorId; params: QuantParams }[] => {
    if (id === null || tensorOf(graph, id).data !== undefined) return [];
    const params = quantizerOf(graph, lane, id);
    return params !== undefined && bitsOf(params) <= 8 ? [{ id, params }] : [];
  });
  const [first] = kept;
  if (first === undefined) return [];
  return [
    {
      rule: 'act.state',
      severity: 'note',
      subject: { node: nodeLabel(node), tensor: tensorOf(graph, first.id).name },
      message:
        `${node.origin.op} keeps a state from step to step, and what it reads or writes has ${bitsOf(first.params)} bits ` +
        `(${rangeOf(first.params)}): errors add up over a sequence, which samples measured one by one do not show`,
      args: { operator: node.origin.op, bits: bitsOf(first.params) },
      ...fix(evidence),
    },
  ];
}

/** Outputs that are inputs of the next step, by their names and extents. */
function fedBack(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane } = evidence;
  return statePairs(graph).flatMap(({ input, output }): Diagnosed[] => {
    const enters = quantizerOf(graph, lane, input);
    const leaves = quantizerOf(graph, lane, movedFrom(graph, output, (id) => lane.tensors.has(id)) ?? output);
    if (leaves === undefined && enters === undefined) return [];
    const bits = Math.min(...[enters, leaves].map((params) => (params === undefined ? 32 : bitsOf(params))));
    if (bits > 8) return [];
    const share = enters === undefined || leaves === undefined ? undefined : shareOf(enters, leaves);
    const isClipped = share !== undefined && share < NARROWER;
    const [from, to] = [tensorOf(graph, output).name, tensorOf(graph, input).name];
    return [
      {
        rule: 'act.state',
        severity: isClipped ? 'warning' : 'note',
        subject: subjectOf(graph, output),
        message:
          isClipped && enters !== undefined && leaves !== undefined
            ? `the state leaves the network as ${from} with a range of ${rangeOf(leaves)} and enters it as ${to} with ${rangeOf(enters)}: ` +
              'it is clipped in every step'
            : `${from} looks like a state that is fed back as ${to}, and has ${bits} bits: errors add up over the steps, which samples ` +
              'measured one by one do not show',
        args: { bits, ...(share === undefined ? {} : { share }) },
        ...fix(evidence),
      },
    ];
  });
}

function fix(evidence: LaneEvidence): Pick<Diagnosed, 'fix' | 'change'> {
  return remedy(evidence, {
    title: 'give states 16 bits',
    flags: '--activations int16',
    overrides: { activations: 'int16' },
    onnx: 'quantize_dynamic(model, out) keeps states in float',
    tflite:
      'converter.target_spec.supported_ops = [EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]',
  });
}

interface StatePair {
  readonly input: TensorId;
  readonly output: TensorId;
}

/** Of a network with a data input beside them: an autoencoder's output is no state. */
function statePairs(graph: Graph): StatePair[] {
  if (graph.inputs.length < 2 || graph.outputs.length < 2) return [];
  const free = new Set(graph.outputs);
  return graph.inputs.flatMap((input): StatePair[] => {
    const { name, shape, data } = tensorOf(graph, input);
    const own = stem(name);
    if (data !== undefined || own === undefined || shape === undefined || shape.length === 0) return [];
    const output = [...free].find((id) => {
      const other = tensorOf(graph, id);
      return stem(other.name) === own && other.name !== name && String(other.shape) === String(shape);
    });
    if (output === undefined) return [];
    free.delete(output);
    return [{ input, output }];
  });
}

/** What is left of a name without the parts that say which end it is; undefined where nothing in it speaks of a state. */
function stem(name: string): string | undefined {
  const parts = name
    .replace(/:\d+$/, '')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '');
  if (!parts.some((part) => STATE.test(part))) return undefined;
  const kept = parts.filter((part) => !END.test(part));
  return kept.map((part) => part.replace(/(?<=^[hc])[0n]$/, '')).join('.');
}

function bitsOf({ qmin, qmax }: QuantParams): number {
  return Math.round(Math.log2(qmax - qmin + 1));
}

/** How much of the range of `leaves` is in that of `enters`. */
function shareOf(enters: QuantParams, leaves: QuantParams): number | undefined {
  if (stepOf(enters) === undefined || stepOf(leaves) === undefined) return undefined;
  const [a, b] = [endsOf(enters), endsOf(leaves)];
  return Math.max(0, Math.min(a.high, b.high) - Math.max(a.low, b.low)) / (b.high - b.low);
}

function endsOf({ qmin, qmax, scale: [scale = 0], zeroPoint: [point = 0] }: QuantParams): {
  low: number;
  high: number;
} {
  return { low: (qmin - point) * scale, high: (qmax - point) * scale };
}

function rangeOf(params: QuantParams): string {
  const { low, high } = endsOf(params);
  return `${short(low)} to ${short(high)}`;
}
