/** The report of a large network that there is not: as much in it as `qdbg analyze` can put there. The same each time. */
import type { ErrorMeasurement } from '../../src/diff/measurement.js';
import type { Finding } from '../../src/doctor/finding.js';
import type { Evaluated } from '../../src/report/evaluated.js';
import type { ReportedNode } from '../../src/report/report-graph.js';
import type { Report, ReportedHistogram, ReportedTensor, ReportedWeight } from '../../src/report/report.js';
import { MEASURED, TOP1 } from './evaluated-reports.js';

const BINS = 256;
const SAMPLES = 512;
/** Layers of a block: three convolutions and what adds their result to what came in. */
const BLOCK = 4;

/**
 * @param layers operators, each with its activation; three of four have a weight
 * @param channels of every weight
 * @param bins of every histogram
 */
export function largeReport(layers: number, channels: number, bins = BINS): Report & Evaluated {
  const random = numbers(layers * 31 + channels);
  const nodes = Array.from({ length: layers }, (_, index) => nodeOf(index));
  const tensors = nodes.flatMap((node, index) => [
    activationOf(node, 2 * index + 1, channels, bins, random),
    ...(isConvolution(node) ? [constantOf(node, 2 * index + 2, channels, random)] : []),
  ]);
  const input: ReportedTensor = {
    ...activationOf(nodes[0]!, 0, channels, bins, random),
    tensor: 'input',
    role: 'input',
  };
  return {
    ...MEASURED,
    models: MEASURED.models.map((model) => ({ ...model, ops: layers, parameters: layers * channels * 9 })),
    accuracy: TOP1,
    graph: { inputs: ['input'], outputs: [outputOf(layers - 1)], nodes },
    tensors: [input, ...tensors],
    weights: nodes.filter(isConvolution).map((node) => weightOf(node, channels, random)),
    findings: nodes.filter((_, index) => index % 10 === 7).map(findingOf),
    verdict: {
      cause: 'act.wide-range',
      where: outputOf(7),
      summary: 'the integer network loses much: output head has 18.2 dB SQNR (cumulative)',
    },
    jumps: nodes.slice(1, 6).map((node, at) => ({
      tensor: node.outputs[0]!,
      node: node.node,
      op: node.op,
      fromDb: 40.123456 - at,
      toDb: 31.987654 - at,
      from: node.inputs[0]!,
    })),
  };
}

function nodeOf(index: number): ReportedNode {
  const before = index === 0 ? 'input' : outputOf(index - 1);
  const isSum = index % BLOCK === BLOCK - 1;
  const block = index - BLOCK;
  return {
    node: nameOf(index),
    op: isSum ? 'Add+Relu' : index % BLOCK === 1 ? 'Conv (depthwise)+Clip' : 'Conv+Relu',
    inputs: isSum ? [before, block < 0 ? 'input' : outputOf(block)] : [before],
    outputs: [outputOf(index)],
    macs: isSum ? 0 : 1_234_567 * (1 + (index % 7)),
    index,
  };
}

function nameOf(index: number): string {
  return `/backbone/stage${Math.floor(index / 200)}/block${Math.floor(index / BLOCK)}/conv${index % BLOCK}/Conv`;
}

function outputOf(index: number): string {
  return `${nameOf(index)}_output_0`;
}

function isConvolution({ op }: ReportedNode): boolean {
  return op.startsWith('Conv');
}

function activationOf(
  { node, op, outputs }: ReportedNode,
  order: number,
  channels: number,
  bins: number,
  random: () => number,
): ReportedTensor {
  const [max, db] = [1 + 7 * random(), 12 + 40 * random()];
  const range = { min: -max * random(), max, p01: -0.3 * random(), p99: max / (1.5 + random()) };
  const observers = ['percentile', 'entropy', 'mse', 'moving-average'];
  return {
    tensor: outputs[0]!,
    node,
    op,
    role: 'activation',
    order,
    shape: ['N', channels, 28, 28],
    quant: {
      dtype: 'uint8',
      scale: [(max - range.min) / 255],
      zeroPoint: [Math.round(random() * 255)],
      qmin: 0,
      qmax: 255,
      source: 'observer',
    },
    range,
    levels: 255 * random(),
    lostShare: random() / 10,
    self: errorOf(db + 6, random),
    local: errorOf(db, random),
    cumulative: errorOf(db - 8 * random(), random),
    forecast: Object.fromEntries(observers.map((observer) => [observer, db + 8 * random()])),
    alternatives: observers.map((observer) => ({
      observer,
      min: range.min * random(),
      max: max * random(),
      selfSqnrDb: db + 8 * random(),
    })),
    histogram: histogramOf(range, bins, random),
    ...(order % 3 === 0 ? { bulk: histogramOf({ min: range.p01, max: range.p99 }, bins, random) } : {}),
    ...(order % 50 === 1
      ? {
          channels: {
            axis: 1,
            values: Array.from({ length: channels }, () => ({
              min: -random(),
              max: max * random(),
              selfSqnrDb: db + 9 * random(),
              localSqnrDb: db + 4 * random(),
              cumulativeSqnrDb: db * random(),
            })),
          },
        }
      : {}),
  };
}

function constantOf(
  { node, op }: ReportedNode,
  order: number,
  channels: number,
  random: () => number,
): ReportedTensor {
  return {
    tensor: `${node}.weight`,
    node,
    op,
    role: 'weight',
    order,
    shape: [channels, channels, 3, 3],
    quant: {
      dtype: 'int8',
      scale: Array.from({ length: channels }, () => random() / 127),
      zeroPoint: Array.from({ length: channels }, () => 0),
      axis: 0,
      qmin: -127,
      qmax: 127,
      source: 'observer',
    },
    self: errorOf(35 + 10 * random(), random),
  };
}

function weightOf({ node }: ReportedNode, channels: number, random: () => number): ReportedWeight {
  const outlierChannels = channels < 4 ? [] : [Math.floor(random() * channels)];
  const spreads = Array.from({ length: channels }, (_, channel) => {
    const absmax = (0.2 + random()) * (outlierChannels.includes(channel) ? 12 : 1);
    return {
      min: -absmax,
      q1: -absmax * (0.2 + random() / 10),
      median: (absmax * (random() - 0.5)) / 20,
      q3: absmax * (0.2 + random() / 10),
      max: absmax * (0.5 + random() / 2),
      absmax,
    };
  });
  const widest = spreads.reduce((most, { absmax }) => Math.max(most, absmax), 0);
  return {
    tensor: `${node}.weight`,
    node,
    axis: 0,
    channels: spreads,
    outlierChannels,
    fence: 2.123456789,
    perTensorSqnrDb: 20 + 10 * random(),
    perAxisSqnrDb: 40 + 5 * random(),
    deadChannels: channels < 4 ? [] : [channels - 1],
    perTensorLevels: spreads.map(({ absmax }) => (254 * absmax) / widest),
  };
}

function findingOf({ node, outputs }: ReportedNode, at: number): Finding {
  return {
    rule: at % 2 === 0 ? 'act.wide-range' : 'w.per-tensor-spread',
    severity: at % 5 === 0 ? 'error' : at % 3 === 0 ? 'note' : 'warning',
    subject: { node, tensor: outputs[0]! },
    message: `the range of ${outputs[0]!} is ${4 + at} times that of 98 % of its values`,
    args: { ratio: 4.0123456 + at, levels: 60.5 },
    fix: { title: 'clip it', edit: '--observer percentile' },
  };
}

function errorOf(sqnrDb: number, random: () => number): ErrorMeasurement {
  const sample = (): string =>
    `val/n0${1_440_764 + Math.floor(random() * 90_000)}/ILSVRC2012_${Math.floor(random() * SAMPLES)}.JPEG`;
  const worst = Array.from({ length: 5 }, (_, at) => ({
    sample: sample(),
    sqnrDb: sqnrDb - 9 + at + random(),
  }));
  const clip = random();
  return {
    sqnrDb,
    worstSqnrDb: worst[0]!.sqnrDb,
    worstSample: worst[0]!.sample,
    worstSamples: worst,
    mse: random() / 1000,
    maxAbsError: random(),
    bias: (random() - 0.5) / 100,
    clippedShare: random() / 100,
    noise: { clip, round: 1 - clip },
    biasShare: random(),
    channelBiasShare: random(),
    nonFinite: 0,
    worstChannel: { channel: Math.floor(random() * 64), sqnrDb: sqnrDb - 10 * random() },
  };
}

/** Counts of a bell with noise. */
function histogramOf(
  { min, max }: { readonly min: number; readonly max: number },
  bins: number,
  random: () => number,
): ReportedHistogram {
  const centre = bins * (0.3 + 0.3 * random());
  return {
    lo: min,
    hi: max,
    counts: Array.from({ length: bins }, (_, bin) =>
      Math.round(1e6 * Math.exp(-(((bin - centre) / bins) ** 2) * 30) * (0.8 + 0.4 * random())),
    ),
  };
}

/** From 0 to 1, the same each time, with as many digits as measured numbers have: what compresses would tell too small a size. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  // mulberry32
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
