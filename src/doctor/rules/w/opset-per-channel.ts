import type { Lane, QuantParams } from '../../../ir/lane.js';
import { weightsOf, type Weight } from '../../../ir/weights.js';
import { FEW_LEVELS } from '../../../quant/weight-spread.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent } from '../../wording.js';

/** Version of ai.onnx from which QuantizeLinear and DequantizeLinear have an axis. */
const AXIS_OPSET = 13;
/** Share of the channels of a weight that keep fewer levels than FEW_LEVELS, from which one scale for all is felt. */
const FELT = 0.05;
/** With one weight of each kind there is nothing to compare. */
const LEAST = 2;

export const opsetPerChannel = rule({
  id: 'w.opset-per-channel',
  title: 'One scale per channel was asked for, perhaps, and not given',
  severity: 'warning',
  needs: ['lane'],
  text: {
    what: 'ONNX files of an opset below 13 with one scale for every weight, and files whose convolutions have one scale per channel while those of matrix products have one in all. A warning where a twentieth of the channels of a weight keep fewer than 16 levels.',
    why: 'QuantizeLinear knows an axis only from opset 13. Quantizers asked for per-channel weights fall back with a line in the log; others know per-channel convolutions only.',
    instead:
      'Export with opset 13 or later (17 for LayerNormalization), then quantize again. For matrix products in ONNX Runtime name the axis in QDQOpTypePerChannelSupportToAxis.',
    see: ['https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html', 'w.per-tensor-spread', 'w.axis'],
  },
  limits: [
    {
      quantity: `channels of a weight with fewer than ${FEW_LEVELS} levels`,
      unit: 'share',
      warning: FELT,
      worse: 'higher',
    },
  ],
  check,
});

interface ScaledWeight {
  readonly weight: Weight;
  readonly params: QuantParams;
}

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, scheme, file } = evidence;
  // Specifications say what TFLite files have; nothing keeps a simulation from it.
  if (graph.format !== 'onnx' || scheme !== undefined) return [];
  const scaled = weightsOf(graph).flatMap((weight) => withScale(lane, weight));
  const whole = scaled.filter(({ params }) => params.granularity.kind === 'per-tensor');
  const opset = file?.opset ?? graph.opsets.get('') ?? AXIS_OPSET;
  if (opset < AXIS_OPSET && whole.length === scaled.length && whole.length >= LEAST) {
    const worst = worstOf(evidence, whole);
    return [
      finding(evidence, whole, {
        message:
          `all ${whole.length} weights have one scale each, and opset ${opset} knows no other: QuantizeLinear has an axis from opset ` +
          `${AXIS_OPSET}, so per-channel weights asked for here are not given${felt(worst)}`,
        args: { opset, weights: whole.length },
        title: 'export with a later opset and quantize again',
        edit: `torch.onnx.export(..., opset_version=17), or onnx.version_converter.convert_version(model, ${AXIS_OPSET}); then quantize_static(..., per_channel=True)`,
      }),
    ];
  }
  const isProduct = ({ weight: { node } }: ScaledWeight): boolean =>
    node.op === 'MatMul' || node.op === 'Gemm';
  const products = whole.filter(isProduct);
  const convolutions = scaled.filter((one) => !isProduct(one));
  const perAxis = convolutions.filter(({ params }) => params.granularity.kind === 'per-axis').length;
  const isMixed =
    perAxis > 0 && perAxis === convolutions.length && products.length === scaled.filter(isProduct).length;
  if (!isMixed || products.length === 0) return [];
  const worst = worstOf(evidence, products);
  return [
    finding(evidence, products, {
      message:
        `${perAxis} ${perAxis === 1 ? 'convolution has' : 'convolutions have'} one scale per channel, the ${products.length} matrix ${products.length === 1 ? 'product' : 'products'} one scale in all: ` +
        `per-channel weights were made for convolutions only${felt(worst)}`,
      args: { perChannel: perAxis, perTensor: products.length },
      title: 'give matrix products one scale per channel too',
      edit: "quantize_static(..., per_channel=True, extra_options={'QDQOpTypePerChannelSupportToAxis': {'MatMul': 1}})",
    }),
  ];
}

/** Of several channels: one scale for a single channel is one per channel. */
function withScale(lane: Lane, weight: Weight): ScaledWeight[] {
  const params = lane.tensors.get(weight.tensor);
  const channels = weight.data.dims[weight.axis] ?? 1;
  return params === undefined || channels < 2 ? [] : [{ weight, params }];
}

interface Poor {
  readonly weight: Weight;
  /** Of its channels, those that one scale for all leaves few levels. */
  readonly channels: number;
  readonly share: number;
}

/** The weight that suffers most, of those measured. */
function worstOf({ constants = [] }: LaneEvidence, weights: readonly ScaledWeight[]): Poor | undefined {
  const spreads = new Map(constants.map(({ tensor, spread }) => [tensor, spread?.sqnr.levels]));
  const [worst] = weights
    .map(({ weight }): Poor => {
      const levels = spreads.get(weight.tensor) ?? [];
      const channels = levels.filter((own) => own > 0 && own < FEW_LEVELS).length;
      return { weight, channels, share: channels / Math.max(1, levels.length) };
    })
    .sort((a, b) => b.share - a.share);
  return worst === undefined || worst.share < FELT ? undefined : worst;
}

function felt(worst: Poor | undefined): string {
  return worst === undefined
    ? ''
    : `; ${percent(worst.share)} of the channels of one keep fewer than ${FEW_LEVELS} levels by it`;
}

interface Told {
  readonly message: string;
  readonly args: Diagnosed['args'];
  readonly title: string;
  readonly edit: string;
}

function finding(
  evidence: LaneEvidence,
  weights: readonly ScaledWeight[],
  { message, args, title, edit }: Told,
): Diagnosed {
  const worst = worstOf(evidence, weights);
  return {
    rule: 'w.opset-per-channel',
    severity: worst === undefined ? 'note' : 'warning',
    subject: worst === undefined ? {} : subjectOf(evidence.graph, worst.weight.tensor),
    message,
    args: { ...args, ...(worst === undefined ? {} : { poorChannels: worst.channels }) },
    ...remedy(evidence, {
      title,
      onnx: edit,
      change: { constants: weights.map(({ weight: { tensor } }) => ({ tensor, perAxis: true })) },
    }),
  };
}
