/** What a model must be so that integers can be simulated beside it; said before anything long begins. */
import { DataError, UnsupportedError, UsageError } from '../errors.js';
import { formatDims } from '../ir/elements.js';
import { nodeLabel, nodeOf, tensorOf, type Graph, type Node } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import { storedParams } from '../ir/stored.js';
import type { Scheme } from '../quant/scheme.js';
import type { Selection } from '../quant/select.js';
import type { Calibration } from '../run/calibrate.js';
import type { InputQuant, InputSpec } from '../run/data/dataset.js';
import type { Simulation } from './simulation.js';

/**
 * The inputs that data has to be found for.
 *
 * @param lane the lane that the file came with, which tells which inputs it takes as codes
 * @throws UsageError for a model without inputs, and naming every input of unknown or empty shape
 * @throws UnsupportedError naming every input that is no tensor
 */
export function inputSpecs(graph: Graph, lane?: Lane): InputSpec[] {
  const inputs = graph.inputs.map((id) => tensorOf(graph, id));
  if (inputs.length === 0) {
    throw new UsageError(
      'this model has no inputs: there is nothing to calibrate, its outputs are constants',
      {
        hint: 'qdbg inspect MODEL shows what is in it',
      },
    );
  }
  const others = inputs.filter(({ dtype }) => dtype === undefined).map(({ name }) => name);
  if (others.length > 0) {
    throw new UnsupportedError('inputs that are sequences, maps or optional cannot be fed; tensors can', {
      places: others,
      hint: 'qdbg inspect MODEL shows the inputs',
    });
  }
  const open = inputs.filter(({ shape }) => shape === undefined);
  if (open.length > 0) {
    throw new UsageError('the model does not say what shape these inputs have', {
      places: open.map(({ name }) => name),
      hint: open.map(({ name }) => `--shape ${name}=1x3x224x224`).join(' '),
    });
  }
  const empty = inputs.filter(({ shape }) => shape?.includes(0));
  if (empty.length > 0) {
    throw new UsageError('a dimension of size 0 holds no values; 1 or more are wanted', {
      places: empty.map(({ name, shape = [] }) => `input ${name} has shape ${formatDims(shape)}`),
      hint: 'qdbg inspect MODEL shows the inputs',
    });
  }
  return inputs.map(({ id, name, dtype = 'float32', shape = [] }) => {
    const quant = inputQuant(storedParams(graph, lane, id));
    const layout = graph.format === 'tflite' ? { layout: 'nhwc' as const } : {};
    return { name, dtype, shape, ...layout, ...(quant === undefined ? {} : { quant }) };
  });
}

/** Undefined too for parameters that say nothing about values: a scale of 0, several scales. */
function inputQuant(params: QuantParams | undefined): InputQuant | undefined {
  if (params?.granularity.kind !== 'per-tensor') return undefined;
  const { dtype } = params;
  const [scale = 0] = params.scale;
  const [zeroPoint = 0] = params.zeroPoint;
  return scale > 0 && Number.isFinite(scale) ? { dtype, scale, zeroPoint } : undefined;
}

/**
 * @throws UsageError when the scheme leaves everything in float, or nothing can be compared with float
 */
export function requireSomething(
  { graph, scheme, plan, edges, notMeasured }: Simulation,
  selection: Selection,
): void {
  if (scheme === 'file') return requireEdges(edges, notMeasured);
  const label = (node: Node['id']): string => nodeLabel(nodeOf(graph, node));
  if (plan.quantizers.length === 0) {
    const { length } = plan.floatNodes;
    if (length === 0) {
      throw new UsageError('there is nothing to quantize: no node of this model computes with floats', {
        hint: 'qdbg inspect MODEL shows what is in it',
      });
    }
    throw new UsageError(
      `there is nothing to quantize: scheme ${scheme.name} leaves every node in float (${length} of ${length})`,
      {
        places: plan.floatNodes.map(({ node, reason }) => `${label(node)}: ${reason}`),
        hint: quantizeMore(scheme, selection),
      },
    );
  }
  requireEdges(edges, notMeasured);
}

function requireEdges(edges: Simulation['edges'], notMeasured: Simulation['notMeasured']): void {
  if (edges.length > 0) return;
  throw new UsageError('there is nothing to compare: no tensor has a shape that is known before it runs', {
    places: notMeasured.map(({ subject, reason }) => `${subject}: ${reason}`),
    hint: '--shape NAME=DIMS fixes what the model leaves open',
  });
}

/**
 * Ranges of one value say nothing about any other data, and the integer network would look perfect.
 *
 * @throws DataError when every float input had one value in all samples
 */
export function requireVaried(graph: Graph, { samples, edges }: Calibration): void {
  const inputs = graph.inputs.flatMap((id) => {
    const seen = edges.get(id);
    return seen === undefined ? [] : [{ name: tensorOf(graph, id).name, seen }];
  });
  if (inputs.length === 0 || inputs.some(({ seen: { min, max } }) => min < max)) return;
  throw new DataError('the calibration data is constant: it says nothing about the range of other data', {
    places: inputs.map(({ name, seen }) => `input ${name} is ${seen.min} everywhere, samples: ${samples}`),
    hint: '--calib PATH with data as the model meets it',
  });
}

function quantizeMore({ weights, activations, placement }: Scheme, { only, skip }: Selection): string {
  if (only.length + skip.length > 0) return 'fewer --only and --skip';
  if (weights === 'float' || activations === 'float') return '--weights int8 --activations uint8';
  if (placement === 'tflite') return 'qdbg inspect MODEL shows what is in it';
  return '--scheme tflite quantizes the most kinds of operators';
}
