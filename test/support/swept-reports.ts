/** Reports of `qdbg sweep` written by hand: a network of twelve layers, and what quantizing it in parts may do. */
import { SCHEMA_VERSION } from '../../src/report/report.js';
import { sweepVerdict } from '../../src/report/sweep-verdict.js';
import type {
  Effect,
  ReportedLaneFix,
  ReportedSearch,
  Restored,
  SearchedPoint,
  SweepReport,
  SweptExperiment,
  SweptUnit,
} from '../../src/report/sweep-report.js';
import { TOP1 } from './evaluated-reports.js';

const SAMPLES = 720;
const FLOAT = 84.5;
const QUANTIZED = 71.9;
const QUANTIZED_DB = 8.3;

function omit<T extends object>(from: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key))) as T;
}

/** Of so many percent of the samples. */
export function effect(accuracy: number, outputSqnrDb: number, rest: Partial<Effect> = {}): Effect {
  const accuracyDelta = accuracy - FLOAT;
  return {
    outputSqnrDb,
    changedShare: 0.01 + Math.abs(accuracyDelta) / 80,
    accuracy,
    accuracyDelta,
    accuracyInterval: [accuracy - 2.8, accuracy + 2.6],
    deltaInterval: [accuracyDelta - 1.9, accuracyDelta + 1.9],
    pValue: accuracyDelta < -1.9 ? 0.0004 : 0.4,
    standing: accuracyDelta < -1.9 ? 'worse' : 'within noise',
    ...rest,
  };
}

function restored(accuracy: number, db: number): Restored {
  return {
    ...effect(accuracy, db),
    gain: accuracy - QUANTIZED,
    gainDb: db - QUANTIZED_DB,
    noiseShare: 1 - 10 ** ((QUANTIZED_DB - db) / 10),
  };
}

export function unit(
  name: string,
  op: string,
  macsShare: number,
  alone: Effect | undefined,
  gained: Restored | undefined,
  rest: Partial<SweptUnit> = {},
): SweptUnit {
  return {
    name,
    kind: 'layer',
    op,
    tensor: `${name}:out`,
    layers: 1,
    macsShare,
    floatBytes: Math.round(1e6 * macsShare),
    ...(alone === undefined ? {} : { alone }),
    ...(gained === undefined ? {} : { restored: gained }),
    ...rest,
  };
}

const LAYERS: readonly SweptUnit[] = [
  unit('stem/conv', 'Conv+Relu', 0.021, effect(84.3, 31.2), restored(72.1, 8.4)),
  ...Array.from({ length: 8 }, (_, i) =>
    unit(
      `features/block${i + 1}/depthwise/conv`,
      'Conv+Clip',
      0.004 * (i + 1),
      effect(84.4 - (i === 3 ? 3.2 : 0.1 * i), i === 3 ? 14.9 : 33.4 - i),
      restored(i === 3 ? 78.4 : 72 + 0.14 * (i % 3), i === 3 ? 11.9 : 8.3 + 0.1 * i),
    ),
  ),
  unit('head/conv', 'Conv+Relu', 0.2, effect(82.1, 16.2), restored(75.2, 9.8)),
  unit('pool', 'GlobalAveragePool', 0, effect(84.5, 45.7), restored(71.7, 8.29)),
  unit('classifier', 'Gemm', 0.11, effect(83.9, 24.1), restored(72.8, 8.7)),
];

const GROUPS: readonly SweptUnit[] = [
  unit('Conv', '', 0.85, effect(74.2, 9.1), restored(84.1, 26.3), { kind: 'op', layers: 10 }),
  unit('Gemm', '', 0.11, effect(83.9, 24.1), restored(72.8, 8.7), { kind: 'op' }),
  unit('head', '', 0.31, effect(81.6, 15.4), restored(76, 10.2), { kind: 'group', layers: 3 }),
].map((group) => omit(group, ['op', 'tensor']));

function experiment(
  family: string,
  title: string,
  accuracy: number,
  db: number,
  flags?: readonly string[],
): SweptExperiment {
  return {
    name: `${family}-${title.replaceAll(' ', '-')}`,
    title,
    family,
    effect: effect(accuracy, db),
    lost: FLOAT - accuracy,
    lostShare: (FLOAT - accuracy) / (FLOAT - QUANTIZED),
    ...(flags === undefined ? {} : { flags }),
  };
}

const EXPERIMENTS: readonly SweptExperiment[] = [
  experiment('parts', 'weights only, int8', 83.8, 21.4, ['--activations', 'float']),
  experiment('parts', 'activations only, uint8', 73.1, 8.9, ['--weights', 'float']),
  experiment('bits', 'activations of 16 bit', 84.6, 20.9, ['--activations', 'int16']),
  { ...experiment('observer', 'minmax', QUANTIZED, QUANTIZED_DB), isBase: true },
  experiment('observer', 'percentile 99.9', 80.2, 13.3, ['--observer', 'percentile', '--percentile', '99.9']),
  experiment('observer', 'mse', 81.1, 14, ['--observer', 'mse']),
  experiment('weights', 'per-tensor', 33.2, 2.1, ['--per-tensor']),
  experiment('named', 'head as it was in march', 76.4, 10.3),
];

function point(
  layers: readonly string[],
  macsShare: number,
  accuracy: number,
  db: number,
  rest: Partial<SearchedPoint> = {},
): SearchedPoint {
  return {
    layers,
    macsShare,
    extraBytes: Math.round(1e6 * macsShare),
    effect: effect(accuracy, db),
    drop: FLOAT - accuracy,
    dropInterval: [FLOAT - accuracy - 1.9, FLOAT - accuracy + 1.9],
    meetsTarget: FLOAT - accuracy <= 1,
    isPareto: true,
    ...rest,
  };
}

const FOURTH = 'features/block4/depthwise/conv';

const SEARCH: ReportedSearch = {
  to: 'float',
  target: '1pt',
  points: [
    point([], 0, QUANTIZED, QUANTIZED_DB),
    point([FOURTH, 'head/conv', 'stem/conv'], 0.237, 84.1, 20.1, { isPareto: false }),
    point([FOURTH], 0.016, 78.4, 11.9),
    point([FOURTH, 'head/conv'], 0.216, 84.1, 19.6),
  ],
  chosen: 3,
  stopped: 'target met, and no layer can be spared',
};

export function fix(
  id: string,
  title: string,
  accuracy: number,
  db: number,
  cost: ReportedLaneFix['cost'] = { macsShare: 0, bytes: 0 },
): ReportedLaneFix {
  return {
    id,
    kind: id.split(':')[0] ?? id,
    title,
    places: [`${FOURTH}:out`],
    effect: effect(accuracy, db),
    gain: accuracy - QUANTIZED,
    gainDb: db - QUANTIZED_DB,
    cost,
  };
}

const FIXES: readonly ReportedLaneFix[] = [
  fix(
    'observer:percentile-99.9',
    `range of ${FOURTH}:out from the 99.9th percentile: -3.1 to 4.2 instead of -3.1 to 88`,
    77.1,
    12.4,
  ),
  fix('equalization:block4', 'equalization of block 4 with what follows it', 74.6, 9.9),
  fix('int16:head', 'activations of head/conv in 16 bit', 78.2, 13.1, { macsShare: 0.2, bytes: 12_288 }),
  fix('bias-correction', 'bias correction of all layers', 71.9, 8.3),
];

const PARTS: Omit<SweepReport, 'verdict'> = {
  schemaVersion: SCHEMA_VERSION,
  tool: { name: 'qdbg', version: '1.0.0', runtime: 'ONNX Runtime 1.22' },
  command: 'sweep',
  models: [
    {
      role: 'model',
      path: 'models/net.onnx',
      sha256: '4f'.repeat(32),
      format: 'onnx',
      opset: 17,
      ops: 25,
      parameters: 1_234_567,
      bytes: 4_938_268,
    },
  ],
  data: {
    calib: {
      path: 'images',
      kind: 'image folder',
      samples: 32,
      sha256: 'ab'.repeat(32),
      assumed: [{ what: 'preset', value: 'imagenet', from: '--preset' }],
      excluded: [],
    },
  },
  scheme: {
    name: 'ort',
    activations: {
      dtype: 'uint8',
      symmetric: false,
      granularity: 'per-tensor',
      observer: { kind: 'minmax' },
    },
    weights: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
    bias: 'int32',
  },
  coverage: { ops: { quantized: 25, total: 25 }, macs: { quantized: 3e8, total: 3e8 }, islands: [] },
  basis: {
    samples: 32,
    outputs: ['logits'],
    metric: {
      metric: TOP1.metric,
      description: TOP1.description,
      unit: '%',
      deltaUnit: 'pt',
      better: 'higher',
      samples: SAMPLES,
    },
  },
  float: { accuracy: FLOAT, accuracyInterval: [81.7, 87] },
  quantized: effect(QUANTIZED, QUANTIZED_DB, { pValue: 0.00001 }),
  layers: LAYERS,
  groups: GROUPS,
  tensors: [],
  experiments: EXPERIMENTS,
  search: SEARCH,
  fixes: FIXES,
  together: {
    fixes: ['observer:percentile-99.9', 'equalization:block4'],
    effect: effect(84.3, 24.4),
  },
  exports: [
    {
      kind: 'ort',
      file: 'out/nodes.json',
      note: "quantize_static(..., nodes_to_exclude=json['nodes_to_exclude'])",
      lost: ['ranges of activations'],
    },
  ],
  accuracy: TOP1,
  notMeasured: [{ subject: 'experiment int4', reason: 'the target has no such type' }],
};

/** With its verdict. */
export function swept(
  changes: Partial<SweepReport> = {},
  without: readonly (keyof SweepReport)[] = [],
): SweepReport {
  const parts = omit({ ...PARTS, ...changes }, without);
  return { ...parts, verdict: changes.verdict ?? sweepVerdict(parts) };
}

/** A real loss, of which a search wins back nearly all. */
export const SWEPT = swept();

/** What is known of noise, and nothing of a metric. */
function noise<E extends Effect>(of: E): E {
  const metric = [
    'accuracy',
    'accuracyDelta',
    'accuracyInterval',
    'deltaInterval',
    'pValue',
    'standing',
    'gain',
  ];
  return omit<E>(of, metric);
}

function noisy(units: readonly SweptUnit[]): SweptUnit[] {
  return units.map(({ alone, restored: gained, ...place }) => ({
    ...place,
    ...(alone === undefined ? {} : { alone: noise(alone) }),
    ...(gained === undefined ? {} : { restored: noise(gained) }),
  }));
}

/** Without labels and metric. */
export const UNLABELLED = swept(
  {
    basis: { samples: 32, outputs: ['logits'] },
    float: {},
    quantized: noise(PARTS.quantized),
    layers: noisy(LAYERS),
    groups: noisy(GROUPS),
    experiments: EXPERIMENTS.map((one) => ({ ...omit(one, ['lost']), effect: noise(one.effect) })),
    fixes: FIXES.map((one) => ({ ...omit(one, ['gain']), effect: noise(one.effect) })),
    search: {
      ...SEARCH,
      target: '20dB',
      points: SEARCH.points.map((one) => ({ ...omit(one, ['dropInterval']), effect: noise(one.effect) })),
    },
    together: { fixes: ['observer:percentile-99.9'], effect: noise(effect(84.3, 24.4)) },
  },
  ['accuracy'],
);

/** A loss that nobody can tell from noise. */
export const KEPT = swept(
  {
    quantized: effect(84.2, 27),
    search: { ...SEARCH, points: [point([], 0, 84.2, 27)], chosen: 0, stopped: 'the target holds as it is' },
    fixes: [],
  },
  ['together'],
);

/** Integers that lose nothing at all. */
export const EXACT = swept(
  { quantized: { exact: true, accuracy: FLOAT, accuracyDelta: 0, standing: 'equal' }, layers: [], fixes: [] },
  ['search', 'together'],
);

/** A target that no set reaches, and a layer that crashes the runtime. */
export const MISSED = swept(
  {
    layers: [
      ...LAYERS,
      unit('attention/softmax', 'Softmax', 0, { failure: 'the runtime ended (SIGSEGV)' }, undefined),
    ],
    search: {
      to: 'int16',
      target: '0.1pt',
      points: SEARCH.points.map((one) => ({ ...one, meetsTarget: false })),
      stopped: 'no layer that is left gives anything back',
    },
  },
  ['together'],
);

/** A report whose every name is `name`. */
export function namedSweep(name: string): SweepReport {
  const units = (all: readonly SweptUnit[]): SweptUnit[] =>
    all.map((one) => ({ ...one, name, ...(one.op === undefined ? {} : { op: name, tensor: name }) }));
  return swept({
    models: PARTS.models.map((model) => ({ ...model, path: name })),
    basis: { ...PARTS.basis, outputs: [name] },
    layers: [...units(LAYERS), unit(name, name, 0, { failure: name }, { failure: name })],
    groups: units(GROUPS),
    experiments: EXPERIMENTS.map((one) => ({ ...one, name, title: name, family: name, flags: [name] })),
    search: {
      ...SEARCH,
      target: name,
      stopped: name,
      points: SEARCH.points.map((one) => ({ ...one, layers: one.layers.map(() => name) })),
    },
    fixes: [
      ...FIXES.map((one) => ({ ...one, id: name, kind: name, title: name, places: [name] })),
      { ...fix('x', name, 1, 1), effect: { failure: name } },
    ],
    together: { fixes: [name, 'unknown'], effect: effect(84.3, 24.4) },
    decision: { layers: [name], to: 'float', fixes: [name, 'unknown'], effect: effect(84.3, 24.4) },
    exports: [{ kind: name, file: name, note: name, lost: [name] }],
    notMeasured: [
      { subject: name, reason: name },
      { subject: 'accuracy', reason: name },
    ],
  });
}
