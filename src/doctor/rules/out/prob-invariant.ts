import { nodeLabel, tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import type { StudiedOutput } from '../../../run/output-study.js';
import { outputQuantizers, outputSubject, probabilitiesOf, type Computed } from '../../computed-by.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { halvedScores } from '../../halved-scores.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';

/** Mean departure of a row's sum from 1. */
const SUM_ERROR = 0.1;
/** Share of the scores that are 0.5. */
const HALF_SHARE = 0.9;
/** In float, where they then are not. */
const HALF_IN_FLOAT = 0.5;
/** Codes between 0 and 1. */
const FEW_CODES = 64;
const MANY_CODES = 200;
/** Largest value that can be written. */
const LOW_TOP = 0.5;
const FULL_TOP = 0.9;

export const probInvariant = rule({
  id: 'out.prob-invariant',
  title: 'Outputs that are probabilities in float are none as integers',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Rows that sum to 1 in float and do not as integers, values of a Softmax or Sigmoid outside 0 to 1, scores that are all 0.5, or all at least that, since the range of their logits begins at 0; and, in an ONNX file, the scale and zero point of an output of Softmax or Sigmoid, which should span 0 to 1.',
    why: 'A Softmax or Sigmoid lies in 0 to 1 whatever goes in, so its output needs no calibration: scale 1/256. A range that is narrower cuts high scores, a wider one wastes codes. Scores of 0.5 are what a Sigmoid makes of 0: the logits died upstream.',
    instead:
      'Give the output scale 1/256 and zero point 0 (uint8) or -128 (int8), or keep the head in float; where all scores are 0.5, look at the logits.',
    see: [
      'https://ai.google.dev/edge/litert/models/quantization_spec',
      'https://github.com/microsoft/onnxruntime/issues/14640',
      'out.constant',
    ],
  },
  limits: [
    { quantity: '|sum - 1| of a row, mean', unit: '', error: SUM_ERROR, worse: 'higher' },
    { quantity: 'share of scores that are 0.5', unit: '', error: HALF_SHARE, worse: 'higher' },
    { quantity: 'codes between 0 and 1', unit: '', warning: FEW_CODES, worse: 'lower' },
    {
      quantity: 'largest value of a Softmax or Sigmoid that has a code',
      unit: '',
      warning: LOW_TOP,
      worse: 'lower',
    },
  ],
  check,
});

function check(evidence: With<'lane'>): Diagnosed[] {
  return [...ofOutputs(evidence), ...halves(evidence)];
}

/** Scores whose logits are never negative as integers. */
function halves(evidence: With<'lane'>): Diagnosed[] {
  const { graph } = evidence;
  return halvedScores(evidence).flatMap(({ node, scores, logits, below }): Diagnosed[] => {
    // Measured, all of them are half.
    if (evidence.outputs?.outputs.some((output) => halfText(graph, output) !== undefined) === true) return [];
    const inFloat = below === undefined ? '' : `; in float they go down to ${short(below)}`;
    return [
      {
        rule: 'out.prob-invariant',
        severity: below === undefined ? 'warning' : 'error',
        subject: { node: nodeLabel(node), tensor: tensorOf(graph, scores).name },
        message:
          `every score of ${tensorOf(graph, scores).name} is at least 0.5: the range of its logits ` +
          `${tensorOf(graph, logits).name} begins at 0, and 0.5 is what ${node.origin.op} makes of that${inFloat}`,
        args: below === undefined ? {} : { lowest: below },
        // It is what users see, whatever the cause is.
        explains: [],
      },
    ];
  });
}

function ofOutputs(evidence: With<'lane'>): Diagnosed[] {
  const { graph, outputs } = evidence;
  const studied = new Map((outputs?.outputs ?? []).map((output) => [output.tensor, output]));
  return [...new Set([...studied.keys(), ...graph.outputs])].flatMap((tensor): Diagnosed[] => {
    const output = studied.get(tensor);
    const seen = output === undefined ? undefined : measured(graph, output);
    const file = written(evidence, tensor);
    const found = seen ?? file;
    if (found === undefined) return [];
    const computed = probabilitiesOf(graph, tensor);
    return [
      {
        rule: 'out.prob-invariant',
        subject: outputSubject(graph, tensor),
        ...found,
        // It is what users see, whatever the cause is.
        explains: [],
        // Only where its parameters are wrong would the output be better off in float.
        ...(file === undefined || computed === undefined ? {} : inFloat(evidence, tensor, computed)),
      },
    ];
  });
}

function inFloat(evidence: With<'lane'>, output: TensorId, { node }: Computed): ReturnType<typeof remedy> {
  const label = nodeLabel(node);
  return remedy(evidence, {
    title: 'keep the last operator in float',
    flags: `--skip '${label}'`,
    skip: [label],
    onnx: `quantize_static(..., nodes_to_exclude=['${label}'])`,
    change: { float: outputQuantizers(evidence.graph, evidence.lane, output) },
  });
}

type Found = Pick<Diagnosed, 'severity' | 'message' | 'args'>;

function measured(graph: Graph, output: StudiedOutput): Found | undefined {
  return sumText(output) ?? halfText(graph, output) ?? outsideText(graph, output);
}

function sumText({ name, sums }: StudiedOutput): Found | undefined {
  if (sums?.lane === undefined || sums.lane.departure <= SUM_ERROR) return undefined;
  const { departure, mean } = sums.lane;
  return {
    severity: 'error',
    message:
      `the probabilities of ${name} sum to ${short(mean)} on average, in float to 1: ` +
      'the scale is not that of probabilities, or what the Softmax reads is broken',
    args: { mean, departure, rows: sums.rows },
  };
}

/** Sigmoid(0): a constant of the operator, not of the network. */
function halfText(graph: Graph, { tensor, name, half, range }: StudiedOutput): Found | undefined {
  if (half.quantized <= HALF_SHARE || range.min < 0 || range.max > 1) return undefined;
  const args = { half: half.quantized, halfInFloat: half.float };
  if (half.float < HALF_IN_FLOAT) {
    return {
      severity: 'error',
      message:
        `${percent(half.quantized)} of the scores ${name} are 0.5, in float ${percent(half.float)}: ` +
        'the logits are all zero upstream',
      args,
    };
  }
  if (half.float <= HALF_SHARE || probabilitiesOf(graph, tensor)?.node.op !== 'Sigmoid') return undefined;
  return {
    severity: 'note',
    message: `${percent(half.quantized)} of the scores ${name} are 0.5, in float too: it is not quantization that makes the logits zero`,
    args,
  };
}

function outsideText(graph: Graph, { tensor, name, outside = 0 }: StudiedOutput): Found | undefined {
  const op = probabilitiesOf(graph, tensor)?.node.op;
  if (outside === 0 || op === undefined) return undefined;
  return {
    severity: 'error',
    message: `${percent(outside)} of the values of ${name} are less than 0 or more than 1, which no ${op} gives: its codes are read with other parameters than they are written with`,
    args: { outside },
  };
}

/** TFLite prescribes the parameters: w.spec checks them. */
function written(evidence: With<'lane'>, tensor: TensorId): Found | undefined {
  const { graph, lane } = evidence;
  if (graph.format === 'tflite') return undefined;
  const computed = probabilitiesOf(graph, tensor);
  const params = computed === undefined ? undefined : lane.tensors.get(computed.tensor);
  return computed === undefined || params?.granularity.kind !== 'per-tensor'
    ? undefined
    : parametersText(computed.node.op, params, largestSeen(evidence, computed.tensor));
}

/** @param seen largest value in float; absent where nothing was run */
function parametersText(op: string, params: QuantParams, seen: number | undefined): Found | undefined {
  const { qmin, qmax } = params;
  const [scale = 0] = params.scale;
  const [zeroPoint = 0] = params.zeroPoint;
  if (!(scale > 0) || !Number.isFinite(scale)) return undefined;
  const top = (qmax - zeroPoint) * scale;
  const codes = Math.max(
    0,
    Math.min(qmax, zeroPoint + Math.round(1 / scale)) - Math.max(qmin, zeroPoint) + 1,
  );
  const args = { scale, zeroPoint, top, codes };
  if (top < FULL_TOP && (seen === undefined ? top < LOW_TOP : seen > top + scale)) {
    const values = seen === undefined ? '' : `, and float reaches ${short(seen)}`;
    return {
      severity: 'warning',
      message: `the output of ${op} ends at ${short(top)} (scale ${short(scale)}, zero point ${zeroPoint})${values}: higher scores are cut off`,
      args,
    };
  }
  if (top < FULL_TOP || codes >= MANY_CODES || qmax - qmin < MANY_CODES) return undefined;
  return {
    severity: codes < FEW_CODES ? 'warning' : 'note',
    message:
      `the output of ${op} has ${codes} of ${qmax - qmin + 1} codes for 0 to 1 ` +
      `(scale ${short(scale)}, zero point ${zeroPoint}): it needs scale 1/256`,
    args,
  };
}

function largestSeen({ edges }: Evidence, tensor: TensorId): number | undefined {
  return edges?.find(({ edge }) => edge.tensor === tensor)?.range.max;
}
