/** Faults planted in healthy exports: `compare` names first what was broken, and accuses nothing in the originals. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/commands/compare.js';
import { viewed } from '../../src/ir/view.js';
import type { CompareReport } from '../../src/report/compare-report.js';
import type { PreprocessingFlags } from '../../src/run/data/preprocessing.js';
import {
  activationRemoved,
  axisMoved,
  batchNormForgotten,
  biasNotRescaled,
  biasOverflow,
  channelDead,
  channelScaled,
  type Fault,
  normalizationMissing,
  openIntegerFile,
  outputsSwapped,
  rawInput,
  readWithOtherScale,
  readWithOtherZeroPoint,
  scaled,
  scalesOfOtherAxis,
  sharedScale,
  signFlipped,
  transposed,
  weightsOf,
  weightsTooCoarse,
  zeroPointOff,
} from '../support/faults/faults.js';
import { OnnxFile } from '../support/faults/onnx.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

interface Pair {
  readonly reference: string;
  readonly candidate: string;
  readonly data: string;
  readonly preprocessing: PreprocessingFlags;
}

interface Case {
  readonly fault: string;
  readonly plant: Fault;
  /** Where it is planted. */
  readonly where: string;
  /** What may be named as well as what the file calls the place: the other end of what was cut, the operator that is gone. */
  readonly also?: readonly string[];
  /** Too little of the answer is lost for a verdict: the finding alone must be right. */
  readonly isMild?: true;
}

const TRIAGE = {
  data: 'fixtures/triage/images.npy',
  preprocessing: {},
};
const QDQ: Pair = {
  ...TRIAGE,
  reference: 'fixtures/triage/triage_float.onnx',
  candidate: 'fixtures/triage/triage_qdq.onnx',
};
const QOPERATOR: Pair = { ...QDQ, candidate: 'fixtures/triage/triage_qoperator.onnx' };
const TFLITE: Pair = {
  ...TRIAGE,
  reference: 'fixtures/triage/triage_float.tflite',
  candidate: 'fixtures/triage/triage_int8.tflite',
  preprocessing: { layout: 'nchw' },
};
const ACROSS: Pair = { ...QDQ, candidate: TFLITE.candidate };
const DIGITS: Pair = {
  reference: 'fixtures/tflite/digits_float.tflite',
  candidate: 'fixtures/tflite/digits_int8.tflite',
  data: 'fixtures/digits/calib',
  preprocessing: { preset: 'unit' },
};
const DIGITS_ACROSS: Pair = { ...DIGITS, reference: 'fixtures/digits/digits.onnx' };

const made = workspace();
let written = 0;

function comparedWith(pair: Pair, candidate: string): Promise<CompareReport> {
  const request = {
    reference: projectPath(pair.reference),
    candidate,
    sources: [projectPath(pair.data)],
    data: { preprocessing: pair.preprocessing, shapes: new Map(), samples: 16, skipUnreadable: false },
    minAligned: 0.5,
    channels: [],
    eval: [],
    ...UNJUDGED,
    runtime: false,
    threads: 1,
    timestamp: false,
  };
  return compare(request, UNWATCHED);
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(projectPath(path)));
}

/** Rules that say what was done, and not only where. */
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  'its scale is 8 times too small': ['act.clipped', 'w.spec'],
  'its zero point is off by 20': ['act.shifted-range', 'act.clipped'],
  'its activation function is gone': ['base.graph-changed'],
  'its kernels are transposed': ['w.not-same-model'],
  'its matrix is transposed': ['w.not-same-model'],
  'it has the weights of another layer': ['w.not-same-model'],
  'its weights have the other sign': ['w.not-same-model'],
  'its bias was not rescaled': ['w.not-same-model', 'w.spec'],
  'one of its channels is dead': ['w.not-same-model'],
  'its weights have three levels': ['w.coarse-scale'],
  'the outputs are swapped': ['io.output-order'],
  'the scale of one channel is 8 times too large': ['w.not-same-model'],
  'its codes were made along another axis': ['w.axis', 'w.not-same-model'],
  'its bias does not fit into 32 bits': ['w.bias-overflow'],
  'it is read with another scale': ['act.requantize-clip'],
  'it is read with another zero point': ['act.requantize-clip'],
  'its scales are said to be along another axis': ['w.axis'],
  'one scale is shared that fits the small branch': ['act.clipped', 'act.concat-shared-scale'],
  'the BatchNormalization was forgotten': ['w.not-same-model', 'base.graph-changed'],
  'the normalization is missing in the graph': ['base.graph-changed', 'io.preproc'],
  'its values are raw pixels': ['io.preproc'],
};

async function expectNamed(pair: Pair, { fault, plant, where, also = [], isMild }: Case): Promise<void> {
  const healthy = bytesOf(pair.candidate);
  const faulty = made.file(`faulty${written++}${extname(pair.candidate)}`, plant(healthy, where));
  const file = openIntegerFile(healthy);
  const names = [...where.split(' ').flatMap((place) => file.namesOf(place)), ...also];
  const { findings, verdict } = await comparedWith(pair, faulty);
  const { node, tensor } = findings[0]?.subject ?? {};
  expect([node, tensor].filter((name) => name !== undefined && names.includes(name))).not.toEqual([]);
  expect(CAUSES[fault]).toContain(findings[0]?.rule);
  if (isMild === true) return;
  expect(names).toContain(verdict.where);
  expect(CAUSES[fault]).toContain(verdict.cause);
}

function expectNothingAccused({ findings, verdict }: CompareReport): void {
  expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  expect(verdict.cause).toBeUndefined();
  expect(verdict.where).toBeUndefined();
}

/** Faults of the layers and edges of the triage network that all formats have; `place` says what the file calls them. */
function common(place: Readonly<Record<'layer' | 'edge', (name: string) => string>>): Case[] {
  const { layer, edge } = place;
  return [
    { fault: 'its scale is 8 times too small', plant: scaled(1 / 8), where: edge('stem') },
    { fault: 'its scale is 8 times too small', plant: scaled(1 / 8), where: edge('offsets') },
    { fault: 'its zero point is off by 20', plant: zeroPointOff(20), where: edge('offsets'), isMild: true },
    { fault: 'its activation function is gone', plant: activationRemoved, where: edge('stem') },
    { fault: 'its activation function is gone', plant: activationRemoved, where: edge('hidden') },
    { fault: 'its kernels are transposed', plant: transposed, where: layer('tail') },
    { fault: 'its matrix is transposed', plant: transposed, where: layer('pointwise') },
    {
      fault: 'it has the weights of another layer',
      plant: weightsOf(layer('scores')),
      where: layer('offsets'),
    },
    { fault: 'its weights have the other sign', plant: signFlipped, where: layer('large') },
    { fault: 'its bias was not rescaled', plant: biasNotRescaled(16), where: layer('large') },
    { fault: 'its bias was not rescaled', plant: biasNotRescaled(1 / 16), where: layer('offsets') },
    { fault: 'one of its channels is dead', plant: channelDead(2), where: layer('mix') },
    { fault: 'its weights have three levels', plant: weightsTooCoarse(100), where: layer('tail') },
    {
      fault: 'the outputs are swapped',
      plant: outputsSwapped,
      where: layer('scores'),
      also: ['scores', 'offsets'],
    },
  ];
}

/** Where the weights have one scale for each channel. */
function perAxis(layer: (name: string) => string): Case[] {
  return [
    {
      fault: 'the scale of one channel is 8 times too large',
      plant: channelScaled(3, 8),
      where: layer('large'),
    },
    { fault: 'its codes were made along another axis', plant: scalesOfOtherAxis, where: layer('tail') },
    { fault: 'its bias does not fit into 32 bits', plant: biasOverflow(5), where: layer('mix') },
  ];
}

/** Other parameters for those that read than for what writes: only ONNX has a place for them. */
function readers(edge: string): Case[] {
  return [
    { fault: 'it is read with another scale', plant: readWithOtherScale(4), where: edge },
    { fault: 'it is read with another zero point', plant: readWithOtherZeroPoint(20), where: edge },
  ];
}

/** Of the float network, before BatchNormalization is folded in. */
function rawWeights(layer: string): number[] {
  return new OnnxFile(bytesOf(QDQ.reference)).values(`${layer}.weight`);
}

function withoutNorm(file: string, first: string): Case {
  const also = [
    'image',
    'norm/sub',
    'norm/div',
    'centered',
    ...openIntegerFile(bytesOf(file)).namesOf(first),
  ];
  return {
    fault: 'the normalization is missing in the graph',
    plant: normalizationMissing('image', 1),
    where: 'norm',
    also,
  };
}

const ONES_OF_QDQ: Readonly<Record<string, string>> = {
  offsets: 'offsets_QuantizeLinear_Input',
  concat: 'concat:out',
};
const qdqEdge = (name: string): string => ONES_OF_QDQ[name] ?? `${name}_relu:out`;
const ONES_OF_QOPERATOR: Readonly<Record<string, string>> = {
  offsets: 'offsets_quantized',
  stem: 'stem_bn:out_quantized',
  tail: 'tail_bn:out_quantized',
};
const qoperatorEdge = (name: string): string => ONES_OF_QOPERATOR[name] ?? `${name}:out_quantized`;
const itself = (name: string): string => name;

const TFLITE_CASES: readonly Case[] = [
  ...common({ layer: itself, edge: itself }),
  ...perAxis(itself),
  {
    fault: 'its scales are said to be along another axis',
    plant: axisMoved,
    where: 'tail',
    isMild: true,
  },
  {
    fault: 'one scale is shared that fits the small branch',
    plant: sharedScale(1 / 6),
    where: 'small large concat pool',
  },
  {
    fault: 'the BatchNormalization was forgotten',
    plant: batchNormForgotten(
      Array.from(viewed(Float64Array.from(rawWeights('tail')), { dims: [12, 12, 3, 3], perm: [0, 2, 3, 1] })),
    ),
    where: 'tail',
    also: ['tail_bn'],
  },
  withoutNorm(TFLITE.candidate, 'stem'),
];

const DIGITS_CASES: readonly Case[] = [
  { fault: 'its values are raw pixels', plant: rawInput, where: 'image' },
  { fault: 'its scale is 8 times too small', plant: scaled(1 / 8), where: 'stem/conv' },
  { fault: 'its scale is 8 times too small', plant: scaled(1 / 8), where: 'block2/depthwise' },
  { fault: 'its zero point is off by 20', plant: zeroPointOff(20), where: 'head/classifier', isMild: true },
  { fault: 'its activation function is gone', plant: activationRemoved, where: 'stem/conv' },
  { fault: 'its kernels are transposed', plant: transposed, where: 'block2/depthwise' },
  { fault: 'its weights have the other sign', plant: signFlipped, where: 'block2/expand' },
  { fault: 'its bias was not rescaled', plant: biasNotRescaled(16), where: 'block1/pointwise' },
  { fault: 'its bias does not fit into 32 bits', plant: biasOverflow(1), where: 'head/classifier' },
  {
    fault: 'the scale of one channel is 8 times too large',
    plant: channelScaled(3, 8),
    where: 'block2/expand',
  },
  { fault: 'one of its channels is dead', plant: channelDead(2), where: 'stem/conv' },
  { fault: 'its weights have three levels', plant: weightsTooCoarse(100), where: 'block1/pointwise' },
];

describe.each<{ name: string; pair: Pair; cases: readonly Case[] }>([
  {
    name: 'a QDQ file',
    pair: QDQ,
    cases: [
      ...common({ layer: itself, edge: qdqEdge }),
      ...perAxis(itself),
      ...readers(qdqEdge('stem')),
      { fault: 'its scales are said to be along another axis', plant: axisMoved, where: 'tail' },
      {
        fault: 'one scale is shared that fits the small branch',
        plant: sharedScale(1),
        where: ['small', 'large', 'concat'].map(qdqEdge).join(' '),
      },
      {
        fault: 'the BatchNormalization was forgotten',
        plant: batchNormForgotten(rawWeights('tail')),
        where: 'tail',
        also: ['tail_bn'],
      },
      withoutNorm(QDQ.candidate, 'stem'),
    ],
  },
  {
    name: 'a QOperator file',
    pair: QOPERATOR,
    cases: [
      ...common({ layer: (name) => `${name}_quant`, edge: qoperatorEdge }),
      ...readers(qoperatorEdge('stem')),
      {
        fault: 'one scale is shared that fits the small branch',
        plant: sharedScale(1),
        where: ['small', 'large', 'concat'].map(qoperatorEdge).join(' '),
      },
      {
        fault: 'the BatchNormalization was forgotten',
        plant: batchNormForgotten(rawWeights('tail')),
        where: 'tail_quant',
        also: ['tail_bn'],
      },
      withoutNorm(QOPERATOR.candidate, 'stem_quant'),
    ],
  },
  { name: 'a TFLite file', pair: TFLITE, cases: TFLITE_CASES },
  { name: 'a TFLite file beside the ONNX model', pair: ACROSS, cases: TFLITE_CASES },
  { name: 'a smaller TFLite file', pair: DIGITS, cases: DIGITS_CASES },
  { name: 'a smaller TFLite file beside the ONNX model', pair: DIGITS_ACROSS, cases: DIGITS_CASES },
])('$name', ({ pair, cases }) => {
  it('is not accused of anything as it was exported', async () => {
    expectNothingAccused(await comparedWith(pair, projectPath(pair.candidate)));
  });

  it.each(cases)('makes compare name $where first when $fault', async (planted) => {
    await expectNamed(pair, planted);
  });
});
