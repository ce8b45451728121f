import { toFloat32, toFloat64 } from '../../../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf, type TensorId } from '../../../ir/graph.js';
import { weightsOf } from '../../../ir/weights.js';
import type { QuantParams } from '../../../ir/lane.js';
import { channelRanges } from '../../../quant/weights.js';
import type { Evidence, LaneEvidence } from '../../evidence.js';
import type { Diagnosed, Finding } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { listed, percent, short } from '../../wording.js';
import { rule } from '../../rule.js';

const LAST_CODE = 2 ** 31 - 1;
/** Share of a bias that cutting it off takes away. */
const CUT_SHARE = 0.01;
/** Magnitude of a channel, as a share of the median channel's, below which it computes nothing but its bias. */
const DEAD_SHARE = 1e-5;
/** Scales that grew by more than this factor for the sake of a bias. */
const WIDENED = 2;

export const biasOverflow = rule({
  id: 'w.bias-overflow',
  title: 'A bias does not fit into 32 bits at the scale of its channel',
  severity: 'error',
  needs: ['lane'],
  limits: [
    {
      quantity: 'share of a bias that the end of int32 cuts off',
      unit: 'share',
      error: CUT_SHARE,
      worse: 'higher',
    },
  ],
  text: {
    what: 'Biases whose int32 code is at the end of its range, or would be beyond it; and channels whose weights are next to nothing, or whose weight scale had to grow for the bias to fit.',
    why: 'The scale of a bias is that of the input times that of the weight. Where the weights of a channel are next to zero, so is the scale, and the bias does not fit in 32 bits: the one thing that the channel computes is lost.',
    instead:
      'Raise the weight scale of the channel to |b| / (s_x * 2^31): ONNX Runtime does since 1.20.1 (QDQ); or zero the channel.',
    see: ['https://github.com/microsoft/onnxruntime/pull/22020'],
  },
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  return [...cutOff(evidence), ...predicted(evidence), ...nextToNothing(evidence)];
}

/** A bias that was cut off when it was made: its code is the last that int32 has. */
function cutOff({ graph, lane }: LaneEvidence): Finding[] {
  return [...lane.tensors].flatMap(([tensor, { dtype }]): Finding[] => {
    const codes = dtype === 'int32' ? lane.codes?.get(tensor) : undefined;
    if (codes?.dtype !== 'int32') return [];
    const at = toFloat64(codes).findIndex((code) => Math.abs(code) >= LAST_CODE);
    if (at < 0) return [];
    return [
      {
        rule: 'w.bias-overflow',
        severity: 'error',
        subject: readBy({ graph }, tensor),
        message: `the bias of channel ${at} is at the limit of int32: it was cut off, its weight scale is too small for it`,
        args: { channel: at },
      },
    ];
  });
}

function readBy({ graph }: Pick<Evidence, 'graph'>, tensor: TensorId): Finding['subject'] {
  const reader = topologyOf(graph).uses[tensor]?.[0]?.node;
  return {
    ...(reader === undefined ? {} : { node: nodeLabel(nodeOf(graph, reader)) }),
    tensor: tensorOf(graph, tensor).name,
  };
}

/** Of a simulation: biases that the scales it has made leave no code for. */
function predicted(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, constants = [] } = evidence;
  if (lane.codes !== undefined) return [];
  return constants.flatMap(({ tensor, role, quant }): Diagnosed[] => {
    const { data } = tensorOf(graph, tensor);
    if (role !== 'bias' || quant.dtype !== 'int32' || data === undefined) return [];
    const values = [...toFloat64(data)];
    const steps = values.map(
      (value, i) => Math.abs(value) / (quant.scale[quant.scale.length === 1 ? 0 : i] ?? 0),
    );
    const cut = steps.flatMap((step, i) => (1 - LAST_CODE / step > CUT_SHARE ? [i] : []));
    const [first] = cut;
    if (first === undefined) return [];
    const most = Math.max(...cut.map((channel) => steps[channel] ?? 0));
    return [
      {
        rule: 'w.bias-overflow',
        severity: 'error',
        subject: readBy(evidence, tensor),
        message:
          `the bias of ${listed('channel', cut)} does not fit into int32: ${short(values[first] ?? 0)} is ${short(steps[first] ?? 0)} steps ` +
          `of ${short(quant.scale[quant.scale.length === 1 ? 0 : first] ?? 0)}, and ${percent(1 - LAST_CODE / most)} of the largest is cut off`,
        args: { channel: first, channels: cut.length, steps: most },
        ...remedy(evidence, {
          title: 'keep the bias in float',
          flags: `--skip '${tensorOf(graph, tensor).name}'`,
          skip: [tensorOf(graph, tensor).name],
        }),
      },
    ];
  });
}

/** Channels that compute nothing but their bias, which exporters treat in their own ways: told once, with the first layer. */
function nextToNothing({ graph, lane }: LaneEvidence): Finding[] {
  if (lane.codes !== undefined) return [];
  const layers = weightsOf(graph).flatMap(({ tensor, node, data, axis }) => {
    const params = lane.tensors.get(tensor);
    if (params === undefined || data.dims.length < 2) return [];
    const { min, max } = channelRanges(toFloat32(data), data.dims, axis);
    const absmax = Array.from(min, (low, c) => Math.max(-low, max[c] ?? 0));
    const sorted = absmax.filter((a) => a > 0).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const dead = absmax.flatMap((a, c) => (a > 0 && a < DEAD_SHARE * median ? [c] : []));
    const widened = widenedChannels(params, absmax);
    const channels = [...new Set([...dead, ...widened])].sort((a, b) => a - b);
    const [at] = channels;
    return at === undefined ? [] : [{ tensor, node, channels, widened, median, largest: absmax[at] ?? 0 }];
  });
  const [first] = layers;
  if (first === undefined) return [];
  const { tensor, node, channels, widened, median, largest } = first;
  return [
    {
      rule: 'w.bias-overflow',
      severity: 'note',
      subject: { node: nodeLabel(node), tensor: tensorOf(graph, tensor).name },
      message:
        `the weights of ${listed('channel', channels)} are next to nothing (${short(largest)}, the median channel ${short(median)})` +
        (widened.length === 0
          ? ': only the bias is left, which an exporter may cut off at the scale of such weights'
          : `: the scale of ${widened.length} grew so that the bias fits into int32`) +
        (layers.length === 1
          ? ''
          : `; ${layers.length - 1} more ${layers.length === 2 ? 'layer has' : 'layers have'} such channels`),
      args: { channels: channels.join(' '), widened: widened.length, median, layers: layers.length },
    },
  ];
}

/** Channels whose scale is much larger than their weights need. */
function widenedChannels({ granularity, scale, qmax }: QuantParams, absmax: readonly number[]): number[] {
  if (granularity.kind !== 'per-axis') return [];
  return absmax.flatMap((a, c) =>
    a > 0 && (scale[c] ?? 0) * qmax > WIDENED * a && (scale[c] ?? 1) !== 1 ? [c] : [],
  );
}
