/** Bias correction: biases that take back what quantization adds to the mean of their layers. */
import { edgesOf, type Edge } from '../../../compile/edges.js';
import type { ErrorKind } from '../../../compile/measurement-program.js';
import { nodeLabel, nodeOf, type ConstantData, type Graph, type TensorId } from '../../../ir/graph.js';
import { hasSameCodes, type Lane, type QuantParams } from '../../../ir/lane.js';
import {
  biasedLayers,
  correctedLane,
  isCorrected,
  type BiasedLayer,
  type MeanErrors,
} from '../../../quant/edits/bias-correction.js';
import { exactGraph } from '../../../quant/edits/constant-values.js';
import { plural } from '../../../report/format.js';
import { measure } from '../../../run/measure.js';
import type { Samples } from '../../../run/samples.js';
import type { FixGround, LaneFix } from './lane-fix.js';

/**
 * 'local': each layer for its own error, on float inputs; one pass. 'in-order': then each for what it gets from those before it as
 * well, from the first to the last; a pass for every layer. Passes that correct several at once are no better than none: what two
 * layers in a row correct for adds up.
 */
export type CorrectionOrder = 'local' | 'in-order';

/** Of more layers 'in-order' is not tried: a pass each would take longer than all else in a sweep. */
const MOST_LAYERS = 24;
/** Of its passes, evenly spread over what there is. */
const MOST_SAMPLES = 8;

const TITLES: Readonly<Record<CorrectionOrder, string>> = {
  local: 'each for the error of its own layer',
  'in-order': 'one after the other, each for the error that arrives at it too',
};

/**
 * Corrections of the lane's biases, of the two orders; they exclude each other.
 *
 * They are of the lane's own error: made for another lane they may do harm. Where the codes of a weight are not those that were
 * measured, `apply` leaves the layer as it is ('local') or all of them ('in-order').
 *
 * @param lane the one to correct, other fixes included; that of the sweep when absent
 */
export async function biasCorrectionFixes(
  ground: FixGround,
  lane: Lane = ground.simulated.lane,
  orders: readonly CorrectionOrder[] = ['local', 'in-order'],
): Promise<LaneFix[]> {
  const study = studied(ground, lane);
  if (study.layers.length === 0) return [];
  const local = await localErrors(study, lane);
  const fixes: LaneFix[] = [];
  for (const order of orders) {
    if (order === 'in-order' && study.layers.length > MOST_LAYERS) continue;
    const errors = order === 'local' ? local : await errorsInOrder(study, lane, local);
    fixes.push(...correctionOf(study, lane, order, errors));
  }
  return fixes;
}

function correctionOf(
  { ground, layers: all }: Study,
  lane: Lane,
  order: CorrectionOrder,
  errors: MeanErrors,
): LaneFix[] {
  const { graph } = ground.simulated.simulation;
  const layers = all.filter(({ bias }) => errors.get(bias)?.some((error) => error !== 0));
  if (layers.length === 0) return [];
  return [
    {
      id: `bias-correction:${order}`,
      kind: 'bias-correction',
      title: `biases of ${plural(layers.length, 'layer')} corrected for the mean error of quantization, ${TITLES[order]}`,
      places: layers.map(({ node }) => nodeLabel(nodeOf(graph, node))),
      tensors: layers.map(({ bias }) => bias),
      apply: (onto) => {
        const fitting = layers.filter((layer) => isAsMeasured(graph, layer, lane, onto));
        if (order === 'in-order' && fitting.length < layers.length) return onto;
        const own = new Map(fitting.flatMap(({ bias }) => entryOf(errors, bias)));
        return correctedLane(graph, onto, own);
      },
      remade: async (onto) => (await biasCorrectionFixes(ground, onto, [order]))[0],
    },
  ];
}

function entryOf(errors: MeanErrors, bias: TensorId): [TensorId, Float64Array][] {
  const error = errors.get(bias);
  return error === undefined ? [] : [[bias, error]];
}

/** Whether the layer has the codes that its errors were measured with, and no correction yet. */
function isAsMeasured(graph: Graph, { weight, bias }: BiasedLayer, measured: Lane, onto: Lane): boolean {
  const paramsIn = ({ tensors }: Lane): QuantParams | undefined => tensors.get(weight);
  const dataIn = ({ values }: Lane): ConstantData | undefined => values?.get(weight);
  const [then, now] = [paramsIn(measured), paramsIn(onto)];
  return (
    then !== undefined &&
    now !== undefined &&
    hasSameCodes(then, now) &&
    dataIn(measured) === dataIn(onto) &&
    !isCorrected(graph, onto, bias)
  );
}

interface Study {
  readonly ground: FixGround;
  /** What the lane should compute, with every tensor open to measuring. */
  readonly graph: Graph;
  readonly layers: readonly BiasedLayer[];
  readonly edges: ReadonlyMap<TensorId, Edge>;
}

function studied(ground: FixGround, lane: Lane): Study {
  const { graph } = ground.simulated.simulation;
  const open: Graph = { ...exactGraph(graph, lane), inner: new Set() };
  const edges = new Map(edgesOf(open, new Set()).edges.map((edge) => [edge.tensor, edge]));
  const layers = biasedLayers(open).filter(
    ({ weight, bias, output }) =>
      lane.tensors.has(weight) && edges.has(output) && !isCorrected(graph, lane, bias),
  );
  return { ground, graph: open, layers, edges };
}

function localErrors(study: Study, lane: Lane): Promise<MeanErrors> {
  return meanErrors(study, lane, study.layers, 'local');
}

/** On top of the local ones: the sum of both for every bias. */
async function errorsInOrder(study: Study, lane: Lane, local: MeanErrors): Promise<MeanErrors> {
  const { layers, ground } = study;
  const fewer: Study = { ...study, ground: { ...ground, samples: spread(ground.samples, MOST_SAMPLES) } };
  const sums = new Map(local);
  for (const layer of layers) {
    const corrected = correctedLane(ground.simulated.simulation.graph, lane, sums);
    for (const [bias, error] of await meanErrors(fewer, corrected, [layer], 'cumulative')) {
      sums.set(
        bias,
        error.map((value, c) => value + (sums.get(bias)?.[c] ?? 0)),
      );
    }
  }
  return sums;
}

/** Every so many of the samples, the first among them. */
function spread(samples: Samples, most: number): Samples {
  const every = Math.max(1, Math.ceil(samples.count / most));
  return {
    get count() {
      return Math.ceil(samples.count / every);
    },
    async *samples() {
      let at = 0;
      for await (const sample of samples.samples()) if (at++ % every === 0) yield sample;
    },
  };
}

async function meanErrors(
  { ground, graph, edges }: Study,
  lane: Lane,
  layers: readonly BiasedLayer[],
  kind: ErrorKind,
): Promise<MeanErrors> {
  const measured = layers.flatMap(({ output }) => edges.get(output) ?? []);
  const options = { threads: ground.threads, kinds: [kind], clipping: new Set<TensorId>() };
  const sums = await measure(graph, lane, measured, new Set(), ground.samples, options, () => undefined);
  return new Map(
    sums.map(({ edge, value, errors }, i): [TensorId, Float64Array] => {
      const { sumE } = errors.get(kind) ?? {};
      const count = value.count / edge.channels;
      const means = sumE?.map((sum) => sum / count) ?? new Float64Array(edge.channels);
      return [layers[i]!.bias, means];
    }),
  );
}
