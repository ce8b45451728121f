import type { EdgeMeasurement } from '../../../diff/edge-measurements.js';
import { nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import { sourceOf } from '../../../ir/operators.js';
import { BROKEN_READER_DB, worstReaders } from '../../harm.js';
import { joinedMeasurement, sqnrInSteps } from '../../joined.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed, Severity } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';

/** Steps of the sum that the values of the smaller branch span. */
const WARNING_LEVELS = 8;
const NOTE_LEVELS = 32;
/** Times as many that the larger branch spans: two branches of few levels are what other rules are about. */
const UNEVEN = 16;
/** What a branch keeps of itself in the steps of the sum, dB, below which it is lost: what it adds is mostly rounding. */
const LOST_DB = 10;

export const residualAdd = rule({
  id: 'act.residual-add',
  title: 'A sum rounds its smaller branch away',
  severity: 'error',
  needs: ['lane', 'edges'],
  limits: [
    {
      quantity: 'levels of the smaller branch of a sum',
      unit: 'steps',
      warning: WARNING_LEVELS,
      worse: 'lower',
    },
    { quantity: 'local SQNR of what reads such a sum', unit: 'dB', error: BROKEN_READER_DB, worse: 'lower' },
  ],
  text: {
    what: 'Add or Sub of two branches of which one has values 16 times as large as the other, so that in steps of the sum the smaller one spans fewer than 32.',
    why: 'The sum has one scale, and the larger branch sets it. What the smaller branch adds is rounded to a few steps. In transformers the residual stream grows with depth, and each block adds less of it.',
    instead:
      'Give the sum 16 bits or keep it in float; calibrate both branches on the same data; where one branch is an outlier channel, move its scale into the weights around it.',
    see: [
      'https://github.com/alibaba/TinyNeuralNetwork/issues/204',
      'act.outlier-channel',
      'act.outlier-range',
    ],
  },
  check,
});

interface Branch {
  readonly tensor: TensorId;
  /** Steps of the sum that its values span. */
  readonly levels: number;
  /** SQNR of its values in steps of the sum, dB; at least 0, where they are all rounded to 0. Absent where unknown. */
  readonly db?: number;
}

/** Steps of a residual sum that its smaller branch has. What a reader of the sum needed of it shows at that reader. */
function check(evidence: With<'edges'>): Diagnosed[] {
  const { graph, edges } = evidence;
  const byTensor = new Map(edges.map((measurement) => [measurement.edge.tensor, measurement]));
  const readers = worstReaders(graph, edges);
  return graph.nodes.flatMap((node): Diagnosed[] => {
    if (!isSum(node)) return [];
    const sum = joinedMeasurement(graph, byTensor, node.outputs[0]);
    const [scale = 0] = sum?.quant?.scale ?? [];
    if (sum?.quant?.granularity.kind !== 'per-tensor' || !(scale > 0 && scale < Infinity)) return [];
    const branches = branchesOf(evidence, node, byTensor, scale);
    if (branches.length < 2) return [];
    const [smaller] = [...branches].sort((a, b) => a.levels - b.levels);
    const most = Math.max(...branches.map(({ levels }) => levels));
    if (smaller === undefined || !(smaller.levels < NOTE_LEVELS) || most < UNEVEN * smaller.levels) return [];
    const reader = readers.get(sum.edge.tensor);
    const isLost = (smaller.db ?? Infinity) < LOST_DB && smaller.levels < WARNING_LEVELS;
    const severity: Severity = !isLost
      ? 'note'
      : (reader?.db ?? Infinity) < BROKEN_READER_DB
        ? 'error'
        : 'warning';
    const kept = smaller.db === undefined ? '' : `, which leaves ${short(smaller.db)} dB of them`;
    return [
      {
        rule: 'act.residual-add',
        severity,
        subject: { node: nodeLabel(node), tensor: tensorOf(graph, smaller.tensor).name },
        message:
          `the sum has steps of ${short(scale)}: the values of this branch span ${short(smaller.levels)} of them${kept}, ` +
          `those of the other ${Math.round(most)}` +
          (severity === 'error' && reader !== undefined
            ? `; ${labelOf(graph, reader.measurement)}, which reads the sum, keeps ${short(reader.db)} dB (local)`
            : ''),
        args: {
          levels: smaller.levels,
          most,
          scale,
          ...(smaller.db === undefined ? {} : { branchDb: smaller.db }),
        },
        ...remedy(evidence, {
          title: 'keep the sum in float, or give it 16 bits',
          flags: `--skip '${nodeLabel(node)}'`,
          skip: [nodeLabel(node)],
          onnx: `quantize_static(..., nodes_to_exclude=[${JSON.stringify(nodeLabel(node))}])`,
          tflite:
            'converter.target_spec.supported_ops = [EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]',
          change: { float: [sum.edge.tensor] },
        }),
      },
    ];
  });
}

function isSum({ op, domain }: Node): boolean {
  return domain === '' && (op === 'Add' || op === 'Sub' || op === 'Sum');
}

/** Operands as large as the sum: what is broadcast is a bias, and adds the same everywhere. */
function branchesOf(
  { graph, statistics }: Pick<Evidence, 'graph' | 'statistics'>,
  node: Node,
  byTensor: ReadonlyMap<TensorId, EdgeMeasurement>,
  scale: number,
): Branch[] {
  const [output] = node.outputs;
  const shape = output === null || output === undefined ? undefined : tensorOf(graph, output).shape?.join();
  return node.inputs.flatMap((id): Branch[] => {
    if (id === null || tensorOf(graph, id).shape?.join() !== shape) return [];
    const tensor = sourceOf(graph, id);
    const measurement = byTensor.get(tensor);
    if (measurement === undefined) return [];
    const histogram = statistics?.get(tensor)?.histogram;
    // The one largest value of a branch is no measure of it.
    const width =
      histogram === undefined
        ? measurement.range.max - measurement.range.min
        : histogram.percentile(99.9) - histogram.percentile(0.1);
    const db = sqnrInSteps(measurement, scale);
    return [{ tensor, levels: width / scale, ...(db === undefined ? {} : { db }) }];
  });
}

function labelOf(graph: Graph, { edge }: EdgeMeasurement): string {
  const node = edge.producer === undefined ? undefined : graph.nodes[edge.producer];
  return node === undefined ? tensorOf(graph, edge.tensor).name : nodeLabel(node);
}
