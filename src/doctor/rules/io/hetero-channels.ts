import { measuredInputs } from '../../../diff/measured-inputs.js';
import { nodeLabel, nodeOf, topologyOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import { weightsOf } from '../../../ir/weights.js';
import { inputPort, isUsable } from '../../../quant/ports.js';
import type { ChannelStudy } from '../../../run/data/study.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { type SeenInput, inputSubject, studiedInput } from '../../seen-input.js';
import { listed, percent, short } from '../../wording.js';

export const heteroChannels = rule({
  id: 'io.hetero-channels',
  title: 'Channels of an input that mean different things share one scale',
  severity: 'error',
  needs: ['lane'],
  oneOf: ['calib', 'data'],
  text: {
    what: 'Inputs with one scale whose channels have widths of different size, so that one with information in it has fewer than 16 codes left; and a single value far from all others, such as a mark for missing pixels, that takes up the range.',
    why: 'Metres of 0 to 80 beside an intensity of 0 to 1 give steps of 0.3: three codes are left of the intensity. The whole tensor has a high SQNR all the same, because the wide channels make it up.',
    instead:
      'Bring the channels to one width before the network, by a factor each that is taken out of the weights of the first layer again, or by mean and standard deviation; give marks a value inside the range. Or keep the first layer in float or in 16 bits.',
    see: ['https://github.com/NVIDIA/TensorRT/issues/1691', 'act.outlier-channel'],
  },
  limits: [
    { quantity: "codes of an input's channel", unit: 'codes', warning: 16, worse: 'lower' },
    { quantity: 'distance of a mark from the mean of all else', unit: 'std', warning: 6, worse: 'higher' },
  ],
  check,
});

const FEW_CODES = 16;
/** Width of another channel that makes it the doing of the shared scale. */
const UNEVEN = 16;
/** Local SQNR of the first layer, dB, below which it is broken. */
const BROKEN_DB = 20;
/** A mark that stands apart: its share of the values, and its distance in standard deviations of all else. */
const MARK_SHARE = 0.05;
const MARK_DISTANCE = 6;
/** Standard deviations of the rest that a range without the mark would span, on each side. */
const REST = 4;

function check(evidence: With<'lane'>): Diagnosed[] {
  const { graph, lane } = evidence;
  return graph.inputs.flatMap((input): Diagnosed[] => {
    const params = inputPort(graph, lane, input)?.params;
    const seen = studiedInput(evidence, input);
    if (params === undefined || !isUsable(params) || seen === undefined) return [];
    const [scale = 1] = params.scale;
    return [...uneven(evidence, input, seen, scale), ...marked(evidence, input, seen, scale)];
  });
}

function uneven(evidence: With<'lane'>, input: TensorId, seen: SeenInput, scale: number): Diagnosed[] {
  const channels = seen.channels.map((channel, at) => ({ ...channel, at, codes: widthOf(channel) / scale }));
  const most = Math.max(...channels.map(({ codes }) => codes));
  const few = channels.filter(
    (channel) =>
      channel.codes > 0 && channel.codes < FEW_CODES && most >= UNEVEN * channel.codes && !isBinary(channel),
  );
  const [worst] = [...few].sort((a, b) => a.codes - b.codes);
  const widest = channels.find(({ codes }) => codes === most);
  if (worst === undefined || widest === undefined) return [];
  const reader = readerOf(evidence, input);
  const isBroken = (reader?.db ?? Infinity) < BROKEN_DB;
  return [
    {
      rule: 'io.hetero-channels',
      severity: isBroken ? 'error' : 'warning',
      subject: inputSubject(evidence.graph, input),
      message:
        `all channels of this input have the scale ${short(scale)}: ${listed(
          'channel',
          few.map(({ at }) => at),
        )} ` +
        `${few.length === 1 ? 'has' : 'have'} few codes left, channel ${worst.at} (${short(worst.min)} to ${short(worst.max)}) ` +
        `${Math.max(1, Math.round(worst.codes))}, beside ${Math.round(most)} of channel ${widest.at} (${short(widest.min)} to ${short(widest.max)})` +
        (isBroken && reader !== undefined
          ? `; ${reader.label} has ${reader.db.toFixed(1)} dB of its own`
          : ''),
      args: { channels: few.length, worst: worst.at, codes: worst.codes, most, scale },
      ...remedy(evidence, {
        title: 'bring the channels to one width, or keep the first layer in float',
        ...(reader === undefined ? {} : { flags: `--skip ${reader.label}`, skip: [reader.label] }),
        onnx: factors(seen),
        tflite: factors(seen),
        change: { float: [input] },
      }),
    },
  ];
}

/** A value that stands for something else than a measurement, far from all others. */
function marked(evidence: With<'lane'>, input: TensorId, seen: SeenInput, scale: number): Diagnosed[] {
  // Codes of values that were cast: io.int-input tells of them.
  if (seen.distinct <= FEW_CODES) return [];
  const width = seen.max - seen.min;
  const marks = seen.channels.flatMap((channel, at) => {
    const rest = restOf(channel);
    const isExtreme = channel.mode === seen.min || channel.mode === seen.max;
    const distance = rest === undefined ? 0 : Math.abs(channel.mode - rest.mean) / rest.std;
    return rest !== undefined && isExtreme && channel.modeShare > MARK_SHARE && distance > MARK_DISTANCE
      ? [{ at, channel, rest }]
      : [];
  });
  const [first] = marks;
  if (first === undefined) return [];
  const { channel, rest, at } = first;
  const codes = (2 * REST * rest.std) / scale;
  if (codes >= FEW_CODES * REST) return [];
  return [
    {
      rule: 'io.hetero-channels',
      severity: 'warning',
      subject: inputSubject(evidence.graph, input),
      message:
        `${percent(channel.modeShare)} of the values of channel ${at} are ${short(channel.mode)}, far from all others (mean ${short(rest.mean)}, ` +
        `standard deviation ${short(rest.std)}): a mark that makes the range ${short(width)} wide and leaves them ${Math.round(codes)} codes`,
      args: { channel: at, mark: channel.mode, share: channel.modeShare, codes },
      fix: {
        title: 'give what is missing a value inside the range',
        edit: `x = np.where(x == ${short(channel.mode)}, ${short(rest.mean)}, x)`,
      },
    },
  ];
}

function widthOf({ p001, p999 }: ChannelStudy): number {
  return p999 - p001;
}

/** Two values only, whose share is all that there is to know: no distribution with these ends and this mean has a larger variance. */
function isBinary({ min, max, mean, std }: ChannelStudy): boolean {
  return std * std >= 0.98 * (max - mean) * (mean - min);
}

/** Mean and standard deviation of all values but the one seen most. */
function restOf({ mean, std, mode, modeShare }: ChannelStudy): { mean: number; std: number } | undefined {
  const share = 1 - modeShare;
  if (!(share > 0)) return undefined;
  const restMean = (mean - modeShare * mode) / share;
  const squares = (std * std + mean * mean - modeShare * mode * mode) / share - restMean * restMean;
  return squares > 0 ? { mean: restMean, std: Math.sqrt(squares) } : undefined;
}

interface Reader {
  readonly label: string;
  /** Local SQNR; Infinity where it was not measured. */
  readonly db: number;
}

/** The first layer with weights behind the input, and the worst of what is measured of what reads the input. */
function readerOf({ graph, edges = [] }: With<'lane'>, input: TensorId): Reader | undefined {
  const layer = layerBehind(graph, input);
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  const decibels = edges.flatMap(({ edge, errors }): number[] => {
    const local = errors.get('local');
    const isReader =
      edge.producer !== undefined && measuredInputs(graph, edge.producer, measured).includes(input);
    return isReader && local?.exact !== true ? [local?.sqnrDb ?? Infinity] : [];
  });
  return layer === undefined ? undefined : { label: nodeLabel(layer), db: Math.min(...decibels) };
}

function layerBehind(graph: Graph, input: TensorId): Node | undefined {
  const { uses } = topologyOf(graph);
  const layers = new Set(weightsOf(graph).map(({ node }) => node));
  const pending = [input];
  const seen = new Set(pending);
  for (const tensor of pending) {
    for (const { node: id } of uses[tensor] ?? []) {
      const node = nodeOf(graph, id);
      if (layers.has(node)) return node;
      for (const output of node.outputs) {
        if (output === null || seen.has(output)) continue;
        seen.add(output);
        pending.push(output);
      }
    }
  }
  return undefined;
}

/** Widths of 1, which the weights of the first layer are multiplied with in turn. */
function factors(seen: SeenInput): string {
  const largest = seen.channels.map(({ min, max }) => short(Math.max(-min, max) || 1));
  return `x = x / np.float32([${largest.join(', ')}]) by channel, the first layer's weights times the same`;
}
