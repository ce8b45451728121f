import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { nodeLabel, type TensorId } from '../../../ir/graph.js';
import { normalizationsOf, type Normalization } from '../../../ir/normalizations.js';
import { isMain } from '../../../ir/operators.js';
import { bitsOf } from '../../../quant/affine.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { quantizerOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';

/** Bits of a type that cannot hold squares and their roots at once. */
const FEW_BITS = 8;
/** Local or self SQNR, dB. */
const BROKEN_DB = 10;
const HARMLESS_DB = 25;

export const normDecomposed = rule({
  id: 'act.norm-decomposed',
  title: 'A normalization is computed in 8 bits, step by step',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'LayerNorm, InstanceNorm, RMSNorm and L2 norms that the graph has as ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt and Div, with 8-bit quantizers between them. An error where one of them keeps less than 10 dB on the samples measured.',
    why: 'Squares have twice the decades of the values, and 1/sqrt puts the error of the smallest variances into everything: 256 codes hold two decades.',
    instead:
      'Export with opset 17, which has LayerNormalization as one operator, and leave it in float; or exclude the nodes named, or give them 16 bits. NNCF: model_type=TRANSFORMER.',
    see: [
      'https://github.com/microsoft/onnxruntime/issues/12556',
      'https://arxiv.org/abs/2212.08254',
      'act.mask-constant',
    ],
  },
  formerly: ['norm.decomposed'],
  limits: [
    {
      quantity: 'self or local SQNR inside a normalization',
      unit: 'dB',
      warning: HARMLESS_DB,
      error: BROKEN_DB,
      worse: 'lower',
    },
  ],
  check,
});

interface Quantized {
  readonly norm: Normalization;
  readonly tensors: readonly TensorId[];
  /** Of the worst of what was measured of it. */
  readonly worst: { readonly tensor: TensorId; readonly db: number } | undefined;
}

function check(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane, edges = [] } = evidence;
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  const quantized = normalizationsOf(graph).flatMap((norm): Quantized[] => {
    const tensors = norm.internals.filter((tensor) => {
      const params = graph.inner?.has(tensor) === true ? undefined : quantizerOf(graph, lane, tensor);
      return params !== undefined && bitsOf(params.dtype) <= FEW_BITS;
    });
    return tensors.length === 0
      ? []
      : [{ norm, tensors, worst: worstOf(byTensor, [...tensors, norm.output]) }];
  });
  const measured = quantized.filter(({ worst }) => worst !== undefined);
  const order = [...measured].sort((a, b) => (a.worst?.db ?? 0) - (b.worst?.db ?? 0));
  const [first] = order.length > 0 ? order : quantized;
  if (first === undefined) return [];
  const { db, tensor = first.tensors[0] ?? first.norm.output } = first.worst ?? {};
  const nodes = quantized.flatMap(({ norm }) => norm.nodes.filter(isMain).map(nodeLabel));
  const count = quantized.length === 1 ? '1 normalization is' : `${quantized.length} normalizations are`;
  const kind =
    first.norm.kind === 'centred' ? 'mean, variance, root and quotient' : 'squares, root and quotient';
  return [
    {
      rule: 'act.norm-decomposed',
      severity:
        db === undefined ? 'warning' : db < BROKEN_DB ? 'error' : db < HARMLESS_DB ? 'warning' : 'note',
      subject: subjectOf(graph, tensor),
      message:
        `${count} computed step by step in ${FEW_BITS} bits (${kind})` +
        (db === undefined
          ? ''
          : db === -Infinity
            ? ': nothing is left of this one'
            : `: ${db.toFixed(1)} dB are left of this one`),
      args: {
        normalizations: quantized.length,
        quantizers: quantized.reduce((sum, { tensors }) => sum + tensors.length, 0),
        ...(db === undefined || !Number.isFinite(db) ? {} : { worstDb: db }),
      },
      ...remedy(evidence, {
        title: 'leave these nodes in float',
        flags: nodes.map((name) => `--skip '${name}'`).join(' '),
        skip: nodes,
        onnx: `quantize_static(..., nodes_to_exclude=[${nodes.map((name) => `'${name}'`).join(', ')}])`,
        tflite: `QuantizationOptions.denylisted_nodes of tf.lite.experimental.QuantizationDebugger: [${nodes.map((name) => `'${name}'`).join(', ')}]`,
        change: { float: quantized.flatMap(({ tensors, norm }) => [...tensors, norm.output]) },
      }),
    },
  ];
}

function worstOf(
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  tensors: readonly TensorId[],
): Quantized['worst'] {
  const [worst] = tensors
    .flatMap((tensor) =>
      (['self', 'local'] as const).flatMap((kind) => {
        const error = byTensor.get(tensor)?.errors.get(kind);
        if (error === undefined || error.exact === true) return [];
        return [{ tensor, db: error.sqnrDb ?? -Infinity }];
      }),
    )
    .sort((a, b) => a.db - b.db);
  return worst;
}
