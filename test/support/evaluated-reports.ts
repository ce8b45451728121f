/** Accuracy, gate and drift written by hand, to put on a report. */
import type { Accuracy, ScoredNetwork } from '../../src/diff/accuracy/accuracy.js';
import type { Gate, GateCheck } from '../../src/diff/gate/gate.js';
import type { Finding } from '../../src/doctor/finding.js';
import type { BaselineComparison } from '../../src/report/baseline-compare.js';
import type { Evaluated } from '../../src/report/evaluated.js';
import { SCHEMA_VERSION, type Report } from '../../src/report/report.js';
import { errorOf } from './evidence.js';

const reference: ScoredNetwork = {
  network: 'reference',
  title: 'float',
  value: 87.2222,
  interval: [84.6, 89.5],
  perClass: [
    { label: 0, name: 'cat', value: 78, support: 72 },
    { label: 1, name: 'dog', value: 90, support: 72 },
  ],
};

const candidate: ScoredNetwork = {
  network: 'candidate',
  title: 'int8, simulated',
  value: 86.9444,
  interval: [84.3, 89.2],
  delta: -0.2778,
  deltaInterval: [-0.9, 0.4],
  pValue: 0.6875,
  paired: { both: 623, onlyReference: 5, onlyCandidate: 3, neither: 89 },
  standing: 'within noise',
  ties: 12,
  nonFinite: 0,
  perClass: [
    { label: 0, name: 'cat', value: 75, support: 72, delta: -3 },
    { label: 1, name: 'dog', value: 91, support: 72, delta: 1 },
  ],
};

export const TOP1: Accuracy = {
  metric: 'top1',
  description: 'share of samples whose label has the largest score',
  unit: '%',
  better: 'higher',
  samples: 720,
  labels: { source: 'class folders', kind: 'class', classes: 10 },
  decoder: 'output logits 1x10: one score per class',
  reference: 87.2222,
  referenceInterval: [84.6, 89.5],
  candidate: 86.9444,
  candidateInterval: [84.3, 89.2],
  delta: -0.2778,
  deltaUnit: 'pt',
  interval: [-0.9, 0.4],
  pValue: 0.6875,
  test: 'McNemar exact',
  standing: 'within noise',
  networks: [reference, candidate],
  disagreements: [{ sample: 'cat/3.png', network: 1, truth: 0, reference: 0, candidate: 1 }],
  leftOut: 0,
  summary: '87.22 % -> 86.94 %, -0.28 pt (95 % -0.9 to +0.4, p 0.69, n 720): within noise',
};

/** The forum thread's table: four networks, `classes` classes. */
export function miou(classes: number): Accuracy {
  const network = (name: string, title: string, loss: number): ScoredNetwork => ({
    network: name,
    title,
    value: 55 - loss,
    ...(loss === 0 ? {} : { delta: -loss }),
    perClass: Array.from({ length: classes }, (_, label) => ({
      label,
      name: `class-${label}`,
      value: 60 - label - (loss * (label + 1)) / classes,
      support: 1000 + label,
    })),
  });
  return {
    ...TOP1,
    metric: 'miou',
    summary: '55.00 % -> 37.00 %, -18.00 pt (95 % -19.1 to -16.8, n 100): a real loss',
    standing: 'worse',
    networks: [
      network('reference', 'float', 0),
      network('convolutions', 'convolutions only 8 bit', 2),
      network('candidate', 'everything 8 bit', 18),
      network('16 bit', 'everything 16 bit', 0.5),
    ],
    disagreements: [],
  };
}

const FAILED_LAYERS: GateCheck = {
  name: 'min-sqnr block1/*',
  source: 'qdbg.config.json',
  threshold: 20,
  observed: -0.7,
  margin: -20.7,
  unit: 'dB',
  verdict: 'fail',
  where: 'block1/pointwise:out',
  note: '2 of 3 layers fail',
  layers: [
    {
      tensor: 'block1/pointwise:out',
      node: 'block1/pointwise',
      observed: -0.7,
      margin: -20.7,
      verdict: 'fail',
    },
    { tensor: 'block1/pool:out', node: 'block1/pool', observed: 1.1, margin: -18.9, verdict: 'fail' },
    {
      tensor: 'block1/depthwise:out',
      node: 'block1/depthwise',
      observed: 27.3,
      margin: 7.3,
      verdict: 'pass',
    },
  ],
};

export const GATE: Gate = {
  verdict: 'fail',
  checks: [
    {
      name: 'max-drop',
      source: 'command line',
      threshold: 1,
      observed: 0.28,
      margin: 0.72,
      unit: 'pt',
      verdict: 'pass',
      where: 'top1',
    },
    FAILED_LAYERS,
    {
      name: 'min-samples',
      source: 'command line',
      threshold: 1000,
      observed: 720,
      margin: -280,
      unit: 'samples',
      verdict: 'inconclusive',
      note: '280 samples too few',
    },
    {
      name: 'fail-on error',
      source: 'default',
      threshold: 0,
      observed: 1,
      margin: -1,
      unit: 'findings',
      verdict: 'fail',
      where: 'w',
      note: 'w.per-tensor-spread',
    },
  ],
};

export const FINDING: Finding = {
  rule: 'w.per-tensor-spread',
  severity: 'error',
  subject: { node: 'block1/depthwise', tensor: 'block1/depthwise.weight' },
  message: 'one scale serves all 16 channels',
  args: {},
  fix: { title: 'give every output channel its own scale', edit: '--per-axis' },
};

export const NOTE: Finding = {
  rule: 'act.wide-range',
  severity: 'note',
  subject: { tensor: 'stem:out' },
  message: 'the range is 6 times that of the values',
  args: {},
};

export const DRIFT: BaselineComparison = {
  source: 'qdbg-baseline.json',
  matched: 12,
  drift: [
    {
      tensor: 'block1/pointwise:out',
      node: 'block1/pointwise',
      op: 'Conv+Relu',
      cumulative: { from: 27.9, to: -0.7 },
      local: { from: 30.1, to: 10.7 },
    },
    { tensor: 'logits', node: 'head', op: 'Gemm', formerly: 'out', cumulative: { from: 'exact', to: 31 } },
  ],
  newWorstLayer: { tensor: 'block1/pointwise:out', node: 'block1/pointwise', formerly: 'stem:out' },
  unmatched: { baseline: [], now: [] },
  accuracy: { metric: 'top1', from: 87.1, to: 86.94 },
  findings: { appeared: [{ rule: 'w.per-tensor-spread', subject: { node: 'block1/depthwise' } }], gone: [] },
  notes: ['qdbg 1.0.0 -> 1.1.0'],
  checks: [],
};

export const MEASURED: Report & Evaluated = {
  schemaVersion: SCHEMA_VERSION,
  tool: { name: 'qdbg', version: '1.1.0', runtime: 'onnxruntime-node 1.0' },
  command: 'analyze',
  models: [
    {
      role: 'model',
      path: 'models/net.onnx',
      sha256: 'a'.repeat(64),
      format: 'onnx',
      opset: 17,
      ops: 4,
      parameters: 100,
      bytes: 18_800,
    },
  ],
  data: {},
  scheme: { name: 'ort' },
  coverage: { ops: { quantized: 4, total: 4 }, macs: { quantized: 9, total: 9 }, islands: [] },
  tensors: [
    {
      tensor: 'stem:out',
      node: 'stem',
      op: 'Conv+Relu',
      role: 'activation',
      order: 0,
      shape: [1, 'N', null],
      quant: {
        dtype: 'uint8',
        scale: [0.5, 0.25],
        zeroPoint: [3, 3],
        axis: 1,
        qmin: 0,
        qmax: 255,
        source: 'observer',
      },
      range: { min: -1.5, max: 2 },
      levels: 101.5,
      self: errorOf('exact'),
      local: errorOf(41.25, { worstChannel: { channel: 3, sqnrDb: 35 } }),
      cumulative: errorOf(40),
    },
    { tensor: 'w', node: 'stem', op: 'Conv+Relu', role: 'weight', order: 1, shape: [2, 2] },
  ],
  weights: [],
  findings: [FINDING, NOTE],
  verdict: {
    cause: 'w.per-tensor-spread',
    where: 'block1/depthwise.weight',
    summary: 'the integer network is broken',
  },
  jumps: [],
  rules: { checked: [], skipped: [] },
  notMeasured: [],
};

/** With all there is. */
export const EVALUATED: Report & Evaluated = {
  ...MEASURED,
  accuracy: TOP1,
  gate: GATE,
  drift: DRIFT,
  suppressed: [{ finding: NOTE, reason: 'known since 2025', expires: '2027-01-31' }],
};

/** What nobody may put into a document: markup, control characters, commands, halves of characters. */
export const HOSTILE =
  '</code><script>alert(1)</script>|`\u001b[31m\n::error::pwned\r]]>]]>\u0000\ud800\ufffe<!-- @team #1 [x](http://evil.example) www.evil.example **b** 🦊\u202e';

/** A report whose every name is `name`. */
export function named(name: string): Report & Evaluated {
  const finding: Finding = {
    ...FINDING,
    rule: name,
    subject: { node: name, tensor: name },
    message: name,
    fix: { title: name, edit: name },
  };
  return {
    ...MEASURED,
    models: MEASURED.models.map((model) => ({ ...model, path: name })),
    tensors: MEASURED.tensors.map((tensor) => ({ ...tensor, tensor: name, node: name, op: name })),
    findings: [finding, finding],
    suppressed: [{ finding, reason: name, expires: name }],
    verdict: { cause: name, where: name, summary: name },
    accuracy: {
      ...TOP1,
      summary: name,
      description: name,
      decoder: name,
      labels: { source: name, kind: 'class' },
      networks: TOP1.networks.map((network) => ({
        ...network,
        network: name,
        title: name,
        perClass: (network.perClass ?? []).map((entry) => ({ ...entry, name })),
      })),
      disagreements: [{ sample: name, network: 1, reference: 0, candidate: 1 }],
    },
    gate: {
      verdict: 'fail',
      checks: [
        {
          ...FAILED_LAYERS,
          name,
          source: name,
          where: name,
          note: name,
          layers: [
            { tensor: name, node: name, verdict: 'fail', note: name },
            { tensor: `${name}2`, verdict: 'fail' },
          ],
        },
        { ...GATE.checks[2]!, name, where: name, note: name },
      ],
    },
    drift: {
      ...DRIFT,
      source: name,
      drift: [{ tensor: name, node: name, op: name, formerly: name, local: { from: 1, to: 2 } }],
      notes: [name],
    },
    preprocessings: [{ title: name, flags: [name], value: 99, interval: [98, 99.5] }],
  };
}
