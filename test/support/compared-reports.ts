/** Reports of `qdbg compare` written by hand: one network of four layers, and what can be wrong with its export. */
import type {
  ComparedConstant,
  ComparedTensor,
  CompareReport,
  LadderRung,
  OtherTensor,
  ReportedAlignment,
} from '../../src/report/compare-report.js';
import { SCHEMA_VERSION, type ReportedJump, type ReportedQuant } from '../../src/report/report.js';
import { errorOf } from './evidence.js';

const int8 = (scale: number, zeroPoint: number): ReportedQuant => ({
  dtype: 'int8',
  scale: [scale],
  zeroPoint: [zeroPoint],
  qmin: -128,
  qmax: 127,
  source: 'file',
});

/** dB of self, local and cumulative; undefined leaves one out. */
type Decibels = readonly [
  self: number | 'exact' | undefined,
  local: number | 'exact' | undefined,
  cumulative: number | 'exact' | undefined,
];

export function tensor(
  order: number,
  name: string,
  op: string,
  [self, local, cumulative]: Decibels,
  rest: Partial<ComparedTensor> = {},
): ComparedTensor {
  return {
    tensor: name,
    reference: name,
    node: `${op}#${order}`,
    op,
    role: 'activation',
    order,
    shape: [1, 8, 8, 16],
    quant: int8(0.02353, -128),
    range: { min: 0, max: 6 },
    ...(self === undefined ? {} : { self: errorOf(self) }),
    ...(local === undefined
      ? {}
      : {
          local: errorOf(local, local === 'exact' ? {} : { worstChannel: { channel: 7, sqnrDb: local - 6 } }),
        }),
    ...(cumulative === undefined ? {} : { cumulative: errorOf(cumulative) }),
    ...rest,
  };
}

export function rung(
  name: LadderRung['rung'],
  sqnrDb: number | 'exact' | undefined,
  agreement?: number,
  rest: Partial<LadderRung> = {},
): LadderRung {
  const db = sqnrDb === 'exact' ? { exact: true as const } : sqnrDb === undefined ? {} : { sqnrDb };
  return {
    rung: name,
    samples: 64,
    outputs: [{ tensor: 'logits', ...db, ...(agreement === undefined ? {} : { agreement }) }],
    ...rest,
  };
}

/** dB of graph, weights, activations, everything. */
export function ladderOf(
  graph: number | 'exact',
  weights: number | 'exact',
  activations: number | 'exact',
  everything: number | 'exact',
  agreement = 1,
): LadderRung[] {
  return [
    rung('graph', graph, 1),
    rung('weights', weights, 1),
    rung('activations', activations, agreement),
    rung('everything', everything, agreement),
  ];
}

function constant(
  name: string,
  node: string,
  correlation: number | undefined,
  db: number | 'exact',
  channelDb?: number,
): ComparedConstant {
  return {
    tensor: name,
    reference: name,
    node,
    role: name.endsWith('bias') ? 'bias' : 'weight',
    ...(correlation === undefined ? {} : { correlation }),
    error: errorOf(db, channelDb === undefined ? {} : { worstChannel: { channel: 3, sqnrDb: channelDb } }),
  };
}

const ALIGNMENT: ReportedAlignment = {
  operators: { matched: 4, total: 4 },
  tensors: { matched: 6, total: 6 },
  grounds: { input: 1, weights: 4, structure: 1 },
  inputs: [{ candidate: 'image', reference: 'image' }],
  outputs: [
    {
      candidate: 'logits',
      position: 0,
      type: 'int8, value = (code + 3) * 0.1',
      reference: 'logits',
      referencePosition: 0,
    },
  ],
  unmatched: { reference: [], candidate: [] },
};

const jump = (
  name: string,
  op: string,
  fromDb: number | undefined,
  toDb: number,
  from: string,
): ReportedJump => ({
  tensor: name,
  node: `${op}#0`,
  op,
  ...(fromDb === undefined ? {} : { fromDb }),
  toDb,
  from,
});

export const HEALTHY: CompareReport = {
  schemaVersion: SCHEMA_VERSION,
  tool: { name: 'qdbg', version: '0.0.0' },
  command: 'compare',
  models: [
    {
      role: 'reference',
      path: 'models/kws_float.onnx',
      sha256: '0',
      format: 'onnx',
      opset: 17,
      ops: 9,
      parameters: 3834,
      bytes: 17_000,
    },
    {
      role: 'candidate',
      path: 'models/kws_int8.tflite',
      sha256: '1',
      format: 'tflite',
      ops: 6,
      parameters: 3834,
      bytes: 6100,
    },
  ],
  data: {
    data: {
      path: 'imgs',
      kind: 'images',
      samples: 64,
      sha256: '2',
      assumed: [
        { what: 'resize', value: 'stretch', from: 'default' },
        { what: 'normalization', value: 'pixel * 0.003922', from: 'model' },
      ],
      excluded: [],
    },
  },
  scheme: {
    name: 'file',
    weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
    activations: { dtype: 'int8', symmetric: false, granularity: 'per-tensor' },
    bias: 'int32',
  },
  coverage: { ops: { quantized: 6, total: 6 }, macs: { quantized: 1e6, total: 1e6 }, islands: [] },
  tensors: [
    tensor(0, 'image', '', [52.1, undefined, 52.1], {
      role: 'input',
      layout: '[N,C,H,W] as [N,H,W,C]',
      reference: 'input',
    }),
    tensor(1, 'conv1', 'CONV_2D', [44.1, 41.2, 41.0]),
    tensor(2, 'depthwise', 'DEPTHWISE_CONV_2D', [43.5, 38.2, 36.9]),
    tensor(3, 'pointwise', 'CONV_2D', [42.8, 37.9, 35.0]),
    tensor(4, 'pool', 'MEAN', [45.3, 45.0, 38.8]),
    tensor(5, 'logits', 'FULLY_CONNECTED', [46.0, 43.9, 36.1], { role: 'output' }),
  ],
  constants: [
    constant('conv1/kernel', 'CONV_2D#1', 0.9999, 42.3, 38),
    constant('conv1/bias', 'CONV_2D#1', 1, 90.1),
    constant('depthwise/kernel', 'DEPTHWISE_CONV_2D#2', 0.9998, 39.1, 34),
    constant('pointwise/kernel', 'CONV_2D#3', 0.9999, 41.0, 37),
    constant('logits/kernel', 'FULLY_CONNECTED#5', 0.9999, 43.4, 40),
  ],
  outputs: rung('everything', 36.1),
  ladder: ladderOf(118.2, 43.2, 37.5, 36.1),
  alignment: ALIGNMENT,
  findings: [],
  verdict: {
    summary: 'the candidate computes what the reference does: output logits has 36.1 dB SQNR (cumulative)',
  },
  jumps: [jump('depthwise', 'DEPTHWISE_CONV_2D', 41.0, 36.9, 'conv1')],
  rules: { checked: [], skipped: [] },
  notMeasured: [],
};

/** Values of the healthy report, changed by the name of the tensor. */
function tensors(changes: Readonly<Record<string, Decibels>>): ComparedTensor[] {
  return HEALTHY.tensors.map((row) => {
    const changed = changes[row.tensor];
    return changed === undefined ? row : tensor(row.order, row.tensor, row.op, changed, { role: row.role });
  });
}

function constants(...changed: readonly ComparedConstant[]): ComparedConstant[] {
  return HEALTHY.constants.map((row) => changed.find(({ tensor: name }) => name === row.tensor) ?? row);
}

export const SAME_FILE: CompareReport = {
  ...HEALTHY,
  models: [HEALTHY.models[0]!, { ...HEALTHY.models[0]!, role: 'candidate' }],
  tensors: HEALTHY.tensors.map(({ order, tensor: name, op, role }) =>
    tensor(order, name, op, [undefined, 'exact', 'exact'], { role }),
  ),
  constants: HEALTHY.constants.map(({ tensor: name, node }) => constant(name, node, 1, 'exact')),
  ladder: ladderOf('exact', 'exact', 'exact', 'exact'),
  verdict: { summary: 'the two networks are the same: all outputs are exact' },
  jumps: [],
};

export const SCALE_TOO_SMALL: CompareReport = {
  ...HEALTHY,
  tensors: tensors({
    depthwise: [3.1, 3.0, 2.9],
    pointwise: [42.8, 37.9, 2.1],
    pool: [45.3, 45.0, 4.4],
    logits: [46.0, 43.9, 3.6],
  }),
  ladder: ladderOf(118.2, 43.2, 3.7, 3.6, 0.21875),
  findings: [
    {
      rule: 'act.clipped',
      severity: 'error',
      subject: { node: 'DEPTHWISE_CONV_2D#2', tensor: 'depthwise' },
      message:
        'its scale 0.002941 reaches from 0 to 0.75, but the values go to 6.02: 61 % of them are clipped, which is 99.8 % of the noise',
      args: {},
      fix: {
        title: 'the scale that the data ask for',
        edit: 'qdbg analyze kws.onnx --calib imgs',
      },
    },
  ],
  verdict: {
    cause: 'act.clipped',
    where: 'depthwise',
    summary:
      'the candidate is broken: output logits has 3.6 dB SQNR (cumulative), and the first tensor that breaks is depthwise, 41.0 -> 2.9 dB',
  },
  jumps: [jump('depthwise', 'DEPTHWISE_CONV_2D', 41.0, 2.9, 'conv1')],
};

export const WEIGHTS_SWAPPED: CompareReport = {
  ...HEALTHY,
  tensors: tensors({
    pointwise: [42.8, -2.9, -3.0],
    pool: [45.3, 45.0, -1.2],
    logits: [46.0, 43.9, 0.4],
  }),
  constants: constants(
    constant('pointwise/kernel', 'CONV_2D#3', 0.0132, -2.8, -5.1),
    constant('logits/kernel', 'FULLY_CONNECTED#5', -1, -6.02),
  ),
  ladder: ladderOf(118.2, 0.5, 37.5, 0.4, 0.109375),
  findings: [
    {
      rule: 'w.not-reference',
      severity: 'error',
      subject: { node: 'CONV_2D#3', tensor: 'pointwise/kernel' },
      message: "correlation with the reference's is 0.013: these are the values of depthwise/kernel",
      args: {},
    },
  ],
  verdict: {
    cause: 'w.not-reference',
    where: 'pointwise/kernel',
    summary: "the candidate is broken: the weights of CONV_2D#3 are not the reference's",
  },
  jumps: [jump('pointwise', 'CONV_2D', 36.9, -3.0, 'depthwise')],
};

export const GRAPH_DIFFERS: CompareReport = {
  ...HEALTHY,
  tensors: tensors({
    image: [52.1, undefined, 8.8],
    conv1: [44.1, 41.2, 7.1],
    depthwise: [43.5, 9.2, 4.0],
    pointwise: [42.8, 37.9, 3.1],
    pool: [45.3, 45.0, 3.3],
    logits: [46.0, 43.9, 2.5],
  }),
  ladder: [
    rung('graph', 2.8, 0.25),
    rung('weights', 2.8, 0.25),
    rung('activations', 2.6, 0.25),
    rung('everything', 2.5, 0.234375, {
      remark: "1 constant has no counterpart: the candidate's own is used",
    }),
  ],
  alignment: {
    ...ALIGNMENT,
    operators: { matched: 4, total: 4 },
    tensors: { matched: 6, total: 6 },
    unmatched: {
      reference: [
        { node: 'norm/sub', op: 'Sub', tensor: 'norm/sub:0' },
        { node: 'norm/div', op: 'Div', tensor: 'norm/div:0' },
        { node: 'depthwise/relu', op: 'Relu', tensor: 'depthwise/relu:0' },
      ],
      candidate: [],
    },
  },
  findings: [
    {
      rule: 'graph.missing',
      severity: 'error',
      subject: { node: 'norm/sub', tensor: 'norm/sub:0' },
      message: 'the reference subtracts and divides at its input (Sub, Div); the candidate does neither',
      args: {},
      fix: { title: 'if the device normalizes', edit: '--preset raw' },
    },
    {
      rule: 'graph.missing',
      severity: 'error',
      subject: { node: 'depthwise/relu', tensor: 'depthwise/relu:0' },
      message: 'the reference has a Relu behind depthwise; the candidate has none',
      args: {},
    },
  ],
  verdict: {
    cause: 'graph.missing',
    where: 'norm/sub:0',
    summary: 'the exported graph computes another function: the normalization at the input is missing',
  },
  jumps: [jump('conv1', 'CONV_2D', 8.8, 7.1, 'image')],
};

export const OUTPUTS_SWAPPED: CompareReport = {
  ...HEALTHY,
  ladder: HEALTHY.ladder.map((step, i) => ({
    ...step,
    outputs: [
      { tensor: 'boxes', sqnrDb: [120, 41, 36, 34.2][i]! },
      { tensor: 'scores', sqnrDb: [118, 44, 39, 38.6][i]!, agreement: 1 },
    ],
  })),
  alignment: {
    ...ALIGNMENT,
    inputs: [
      {
        candidate: 'image',
        reference: 'input',
        layout: '[N,C,H,W] as [N,H,W,C]',
        type: 'uint8, value = code * 0.003922',
      },
    ],
    outputs: [
      {
        candidate: 'boxes',
        position: 0,
        type: 'uint8, value = (code - 128) * 0.00390625',
        reference: 'StatefulPartitionedCall/boxes',
        referencePosition: 1,
        layout: '[N,C,H,W] as [N,H,W,C]',
      },
      {
        candidate: 'scores',
        position: 1,
        type: 'uint8, value = code * 0.003906',
        reference: 'StatefulPartitionedCall/scores',
        referencePosition: 0,
      },
      { candidate: 'count', position: 2, type: 'float32' },
    ],
  },
  findings: [
    {
      rule: 'io.output-order',
      severity: 'error',
      subject: { tensor: 'boxes' },
      message:
        'output #0 of the candidate is output #1 of the reference, and #1 is #0: code that reads them by position gets the wrong one',
      args: {},
    },
  ],
  verdict: {
    cause: 'io.output-order',
    where: 'boxes',
    summary:
      'the outputs are in another order; each is close to its counterpart: boxes has 34.2 dB SQNR (cumulative)',
  },
};

export function other(
  name: string,
  op: string,
  differing: number,
  maxCodes: number | undefined,
  simulated: number | 'exact',
  reference: number,
  read?: string,
): OtherTensor {
  return {
    tensor: name,
    node: `${op}#1`,
    op,
    values: 65_536,
    differing,
    ...(maxCodes === undefined ? {} : { maxCodes, beyondTwoCodes: maxCodes > 2 ? differing : 0 }),
    simulated: simulated === 'exact' ? { exact: true } : { sqnrDb: simulated },
    reference: { sqnrDb: reference },
    ...(read === undefined ? {} : { read }),
  };
}

export const RUNTIME_DEPARTS: CompareReport = {
  ...HEALTHY,
  ladder: [...HEALTHY.ladder, rung('runtime', 9.1, 0.40625)],
  runtime: {
    source: 'onnxruntime-node 1.30.0, optimizations off',
    samples: 64,
    tensors: [
      other('image', '', 0, 0, 'exact', 52.1),
      other('conv1', 'CONV_2D', 210, 1, 58.3, 41.0),
      other('depthwise', 'DEPTHWISE_CONV_2D', 20_411, 97, 7.7, 7.5),
      other('pointwise', 'CONV_2D', 60_002, 44, 8.8, 8.7),
      other('logits', 'FULLY_CONNECTED', 640, 61, 9.3, 9.1),
    ],
    skipped: [],
  },
  findings: [
    {
      rule: 'runtime.saturates',
      severity: 'error',
      subject: { node: 'DEPTHWISE_CONV_2D#2', tensor: 'depthwise' },
      message:
        'pairs of products of unsigned activations and signed weights saturate at 16 bits on this processor: 31 % of the codes differ',
      args: {},
      fix: { title: 'weights of 7 bits cannot saturate', edit: 'reduce_range=True' },
    },
  ],
  verdict: {
    cause: 'runtime.saturates',
    where: 'depthwise',
    summary:
      'the file is right, ONNX Runtime computes it wrongly: from depthwise on codes differ by up to 97',
  },
};

export const DEVICE_DIFFERS: CompareReport = {
  ...HEALTHY,
  actual: {
    source: 'dump/',
    samples: 4,
    tensors: [
      other('conv1', 'CONV_2D', 0, 0, 'exact', 41.0, 'raw codes, int8 [N,H,W,C]'),
      other('pointwise', 'CONV_2D', 65_000, undefined, 12.9, 12.4, 'dequantized values'),
    ],
    skipped: [
      { subject: 'dump/conv9.npy', reason: 'no tensor has this name' },
      { subject: 'dump/pool.npy', reason: '(1, 4, 4, 16) fits neither [1,16,8,8] nor [1,8,8,16]' },
    ],
  },
  findings: [
    {
      rule: 'actual.departs',
      severity: 'error',
      subject: { node: 'CONV_2D#3', tensor: 'pointwise' },
      message: 'the dump has 12.9 dB SQNR beside the simulation; conv1 before it is exact',
      args: {},
    },
  ],
  verdict: {
    cause: 'actual.departs',
    where: 'pointwise',
    summary: 'the file is right, the device computes it wrongly from pointwise on',
  },
};

export const UNALIGNED: CompareReport = {
  ...HEALTHY,
  tensors: HEALTHY.tensors.slice(0, 3),
  alignment: {
    ...ALIGNMENT,
    operators: { matched: 24, total: 40 },
    tensors: { matched: 31, total: 77 },
    grounds: { input: 1, weights: 20, structure: 4, behaviour: 6 },
    outputs: [{ candidate: 'logits', position: 0, type: 'float32' }],
    unmatched: {
      reference: Array.from({ length: 18 }, (_, i) => ({
        node: `stage4/block${i}/conv`,
        op: 'Conv',
        tensor: `stage4/block${i}/conv:0`,
      })),
      candidate: Array.from({ length: 16 }, (_, i) => ({
        node: `head/level${i}`,
        op: i % 3 === 0 ? 'RESIZE_NEAREST_NEIGHBOR' : 'CONV_2D',
        tensor: `head/level${i}/BiasAdd`,
      })),
    },
  },
  ladder: [],
  findings: [],
  verdict: {
    summary:
      'the networks are not alike enough to compare: 24 of 40 compute operators have a counterpart, 80 % are wanted',
  },
};

export const NOT_MEASURED: CompareReport = {
  ...HEALTHY,
  rules: { checked: [], skipped: [] },
  notMeasured: [
    ...Array.from({ length: 140 }, (_, i) => ({
      subject: `detections/nms_${i}`,
      reason: 'its shape depends on the data',
    })),
    { subject: 'decode', reason: 'its operator CUSTOM(Decode) is not computed' },
    ...Array.from({ length: 40 }, (_, i) => ({
      subject: `lstm_${i}`,
      reason: `it depends on lstm_${i}/cell, which is not computed`,
    })),
  ],
};

export const DEEP: CompareReport = {
  ...SCALE_TOO_SMALL,
  tensors: Array.from({ length: 300 }, (_, i) =>
    tensor(
      i,
      `model/stage_${Math.floor(i / 10)}/block_${i % 10}/conv2d/BiasAdd;fused_relu`,
      'CONV_2D',
      [
        i === 141 ? 4.2 : 44 - (i % 7),
        i === 141 ? 4.1 : 42 - (i % 11),
        i < 141 ? 41 - i / 20 : 4 - (i - 141) / 50,
      ],
      { reference: `/stage.${Math.floor(i / 10)}/block.${i % 10}/Conv_output_0` },
    ),
  ),
  constants: Array.from({ length: 600 }, (_, i) =>
    constant(
      `layer${i}/${i % 2 === 0 ? 'kernel' : 'bias'}`,
      `CONV_2D#${i}`,
      i % 50 === 0 ? 0.3 : 1,
      i % 50 === 0 ? 1 : 40,
    ),
  ),
  jumps: [
    jump(
      'model/stage_14/block_1/conv2d/BiasAdd;fused_relu',
      'CONV_2D',
      34.0,
      4.0,
      'model/stage_14/block_0/conv2d/BiasAdd;fused_relu',
    ),
    jump(
      'model/stage_2/block_1/conv2d/BiasAdd;fused_relu',
      'CONV_2D',
      40.0,
      39.9,
      'model/stage_2/block_0/conv2d/BiasAdd;fused_relu',
    ),
  ],
};

/** Everything that a file can name has this name. */
export function hostile(name: string): CompareReport {
  const [reference, candidate] = HEALTHY.models;
  const node = { node: name, op: name, tensor: `${name}2` };
  return {
    ...HEALTHY,
    models: [
      { ...reference!, path: name },
      { ...candidate!, path: name, impliedActivations: 2 },
    ],
    data: { data: { ...HEALTHY.data.data!, path: name, excluded: [{ sample: name, reason: name }] } },
    scheme: { ...HEALTHY.scheme, name },
    coverage: { ...HEALTHY.coverage, islands: [{ nodes: [name], reason: `'${name}' is not quantized` }] },
    tensors: [0, 1, 2].map((i) =>
      tensor(i, `${name}${i}`, name, [3, 2, 1], {
        reference: `${name}r`,
        layout: name,
        quant: { ...int8(0.1, 3), dtype: name },
      }),
    ),
    constants: [{ ...constant('w', name, 0.1, 1), tensor: `${name}w`, reference: name }],
    ladder: ['a', 'b'].map((tag) =>
      rung('everything', 3, 0.5, {
        outputs: [
          { tensor: `${name}${tag}`, sqnrDb: 3, agreement: 0.5 },
          { tensor: `${name}${tag}2`, sqnrDb: 3 },
        ],
        remark: name,
      }),
    ),
    alignment: {
      ...ALIGNMENT,
      inputs: [{ candidate: name, reference: name, layout: name, type: name }],
      outputs: [
        { candidate: name, position: 0, type: name, reference: name, referencePosition: 1, layout: name },
        { candidate: name, position: 1, type: name },
      ],
      unmatched: { reference: [node, node], candidate: [node] },
    },
    findings: Array.from({ length: 5 }, () => ({
      rule: 'act.clipped',
      severity: 'error' as const,
      subject: { node: name, tensor: name },
      message: `all of ${name} is clipped`,
      args: {},
      fix: { title: 'widen the range', edit: '--observer minmax' },
    })),
    verdict: { summary: `output ${name} is broken`, cause: 'act.clipped', where: name },
    jumps: [{ tensor: `${name}0`, node: name, op: name, fromDb: 30, toDb: 1, from: name }],
    runtime: { notRun: name },
    optimized: { notRun: name },
    processor: name,
    actual: {
      source: name,
      samples: 1,
      tensors: [{ ...other(name, name, 3, 7, 3, 3, name), node: name }],
      skipped: [{ subject: name, reason: name }],
    },
    notMeasured: [{ subject: name, reason: name }],
  };
}

export const SITUATIONS: Readonly<Record<string, CompareReport>> = {
  HEALTHY,
  SAME_FILE,
  SCALE_TOO_SMALL,
  WEIGHTS_SWAPPED,
  GRAPH_DIFFERS,
  OUTPUTS_SWAPPED,
  RUNTIME_DEPARTS,
  DEVICE_DIFFERS,
  UNALIGNED,
  NOT_MEASURED,
  DEEP,
};
