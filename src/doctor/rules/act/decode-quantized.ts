import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { isFloat, nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import { activationsRead, isMain, readersOf, sourceOf, statedOutputsOf } from '../../../ir/operators.js';
import { ordinaryNodes, tailOf, takesExpectation, type Tail } from '../../../ir/tail.js';
import { bitsOf } from '../../../quant/affine.js';
import type { LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { quantizerOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';

/** Cumulative SQNR, dB, that is lost between the layers and what comes out. */
const LOST_DB = 10;
/** What comes out is good enough from here on, whatever was lost. */
const HARMLESS_DB = 30;
/** Fewer steps are a scale and an offset, which any network may end with. */
const LEAST_STEPS = 3;
const FEW_BITS = 8;
const NAMED = 4;

export const decodeQuantized = rule({
  id: 'act.decode-quantized',
  title: 'The arithmetic that makes boxes of the last layers is quantized',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'What lies between the last convolutions or matrix products and the outputs: grids and anchors added, strides multiplied, Exp, Pow, Div, the expectation over DFL bins, TopK, as far as it computes in 8 bits. Gates such as SiLU (Sigmoid times its own input), sums of two branches and normalizations are no such arithmetic. An error where data show that 10 dB are lost there.',
    why: 'Boxes in pixels run to 640, scores to 1, and 256 codes are steps of 2.5 pixels: fine convolutions, coarse boxes. The arithmetic is less than a hundredth of the work.',
    instead:
      'Leave exactly these nodes in float (not all Sigmoids: those of SiLU belong to the layers), or cut the model behind the last convolutions and decode in the application.',
    see: [
      'https://github.com/ultralytics/ultralytics/issues/25920',
      'https://github.com/microsoft/onnxruntime/issues/14233',
      'act.concat-shared-scale',
      'out.few-levels',
    ],
  },
  formerly: ['head.decode-quantized'],
  limits: [
    { quantity: 'cumulative SQNR lost behind the last layers', unit: 'dB', error: LOST_DB, worse: 'higher' },
  ],
  check,
});

function check(evidence: LaneEvidence): Diagnosed[] {
  const tail = tailOf(evidence.graph);
  const quantized = tail.nodes.filter((node) => isQuantized(evidence, node));
  const apart = ordinaryNodes(evidence.graph, tail.nodes);
  const steps = quantized.filter((node) => !apart.has(node.id) && isStep(evidence.graph, node));
  if (tail.fed.length === 0 || steps.length === 0 || !isDecoding(evidence.graph, steps, tail)) return [];
  return told(
    evidence,
    tail,
    quantized.filter((node) => !apart.has(node.id)),
    steps,
  );
}

function isQuantized({ graph, lane }: LaneEvidence, node: Node): boolean {
  return statedOutputsOf(graph, node).some((id) => {
    if (!isFloat(tensorOf(graph, id).dtype) || graph.inner?.has(id) === true) return false;
    const params = quantizerOf(graph, lane, id);
    return params !== undefined && bitsOf(params.dtype) <= FEW_BITS;
  });
}

const ARITHMETIC: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div']);
/** Their results span more than their operands. */
const STEEP: ReadonlySet<string> = new Set(['Exp', 'Pow', 'Sqrt', 'Reciprocal', 'Log']);
const CHOOSING: ReadonlySet<string> = new Set(['TopK', 'NonMaxSuppression']);

function isStep(graph: Graph, node: Node): boolean {
  return (
    ARITHMETIC.has(node.op) || STEEP.has(node.op) || CHOOSING.has(node.op) || takesExpectation(graph, node)
  );
}

/** Boxes: something steep, a choice among candidates, or a chain of scales and offsets whose results are joined. */
function isDecoding(graph: Graph, steps: readonly Node[], { nodes, bins }: Tail): boolean {
  if (bins > 0 || steps.some(({ op }) => STEEP.has(op) || CHOOSING.has(op))) return true;
  if (nodes.some(({ op }) => CHOOSING.has(op))) return true;
  const withConstant = steps.filter((node) => activationsRead(graph, node).length < node.inputs.length);
  return withConstant.length > 0 && steps.length >= LEAST_STEPS && nodes.some(({ op }) => op === 'Concat');
}

function told(
  evidence: LaneEvidence,
  tail: Tail,
  nodes: readonly Node[],
  steps: readonly Node[],
): Diagnosed[] {
  const { graph, lane } = evidence;
  const lost = lossOf(evidence, tail, nodes);
  // Measured and found harmless.
  const isHarmless = lost !== undefined && (lost.db < LOST_DB / 2 || lost.after >= HARMLESS_DB);
  const isBroken = lost !== undefined && lost.db > LOST_DB && lost.after < HARMLESS_DB;
  const labels = nodes.filter(isMain).map(nodeLabel);
  const ops = [...new Set(steps.map(({ origin }) => origin.op))].slice(0, NAMED).join(', ');
  const [first] = steps;
  const subject = lost?.tensor ?? (first === undefined ? undefined : statedOutputsOf(graph, first)[0]);
  const cost =
    lost === undefined
      ? ''
      : `; SQNR goes from ${lost.before.toFixed(1)} dB behind the last layers to ${Number.isFinite(lost.after) ? `${lost.after.toFixed(1)} dB` : 'nothing'}`;
  const quoted = labels.map((name) => `'${name}'`).join(', ');
  return [
    {
      rule: 'act.decode-quantized',
      severity: isBroken
        ? 'error'
        : isHarmless || (lost === undefined && steps.length < LEAST_STEPS)
          ? 'note'
          : 'warning',
      subject: subject === undefined ? {} : subjectOf(graph, sourceOf(graph, subject)),
      message: `${nodes.length} operators between the last layers and the outputs compute in 8 bits, ${steps.length} of them arithmetic (${ops})${cost}`,
      args: {
        operators: nodes.length,
        steps: steps.length,
        ...(lost === undefined || !Number.isFinite(lost.db)
          ? {}
          : { beforeDb: lost.before, afterDb: lost.after }),
      },
      ...remedy(evidence, {
        title: 'leave exactly these nodes in float',
        flags: labels.map((name) => `--skip '${name}'`).join(' '),
        skip: labels,
        onnx: `quantize_static(..., nodes_to_exclude=[${quoted}])`,
        tflite: `QuantizationDebugOptions(denylisted_nodes=[${quoted}])`,
        change: {
          float: nodes.flatMap((node) => statedOutputsOf(graph, node)).filter((id) => lane.tensors.has(id)),
        },
      }),
    },
  ];
}

interface Loss {
  /** Of the worst of what the layers write, and of the worst of the outputs behind. */
  readonly before: number;
  readonly after: number;
  readonly db: number;
  readonly tensor: TensorId;
}

function lossOf({ graph, edges = [] }: LaneEvidence, tail: Tail, nodes: readonly Node[]): Loss | undefined {
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  const before = tail.fed.flatMap((id) => measuredBehind(graph, byTensor, id) ?? []);
  const written = nodes.flatMap((node) => statedOutputsOf(graph, node));
  const ends = graph.outputs
    .map((id) => sourceOf(graph, id))
    .filter((id) => dbOf(byTensor.get(id)) !== undefined);
  const ownEnds = ends.length > 0 ? ends : written;
  const [worst] = ownEnds
    .flatMap((tensor) => {
      const db = dbOf(byTensor.get(tensor));
      return db === undefined || db === Infinity ? [] : [{ tensor, db }];
    })
    .sort((a, b) => a.db - b.db);
  if (before.length === 0 || worst === undefined) return undefined;
  const least = Math.min(...before);
  return Number.isFinite(least)
    ? { before: least, after: worst.db, db: least - worst.db, tensor: worst.tensor }
    : undefined;
}

/** Of what a layer writes; where that is fused with a function, of what the function writes. */
function measuredBehind(
  graph: Graph,
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  tensor: TensorId,
): number | undefined {
  const own = dbOf(byTensor.get(tensor));
  if (own !== undefined) return own;
  const [reader] = readersOf(graph, tensor);
  const [behind] = reader?.outputs ?? [];
  return behind === undefined || behind === null ? undefined : dbOf(byTensor.get(behind));
}

function dbOf(measurement: EdgeMeasurement | undefined): number | undefined {
  const error = measurement?.errors.get('cumulative');
  if (error === undefined) return undefined;
  return error.exact === true ? Infinity : (error.sqnrDb ?? -Infinity);
}
