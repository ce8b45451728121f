/** The networks that are evaluated on the same samples, ready to run. */
import { computedOutputs, type EvaluationProgram } from '../../compile/evaluation-program.js';
import { elementCount, toFloat32 } from '../../ir/elements.js';
import { isFloat, tensorOf, type Graph } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { layoutOf } from '../../run/data/image-input.js';
import type { ExportedNetwork } from '../../run/original/exported.js';
import type { DecodeContext } from '../../run/predictions/prediction.js';

/** Of what is taken for a picture: colours, with depth or intensity. */
const MOST_CHANNELS = 8;

/** One network as its file has it. */
export interface EvaluatedNetwork {
  /** `reference`, `candidate`, `runtime`, or a step of the ladder. */
  readonly network: string;
  /** For the reader: "float", "int8, simulated". */
  readonly title: string;
  /** Of its own file, which says what its outputs are. */
  readonly graph: Graph;
  readonly lane: Lane;
}

export interface EvaluatedNetworks {
  readonly program: EvaluationProgram;
  /** In the order of the program, the reference first; the exported one last. */
  readonly networks: readonly EvaluatedNetwork[];
  /** The candidate's own file, run beside its simulation. */
  readonly exported?: { readonly network: ExportedNetwork; readonly graph: Graph };
}

/** Whether there is an output to evaluate at all. */
export function hasOutputs(graph: Graph): boolean {
  return computedOutputs(graph).length > 0;
}

/** Constants of a model file with these extents, in the order of the file: a detector's anchors are among them. */
export function constantsOf(graph: Graph, dims: readonly number[]): Float32Array[] {
  const wanted = dims.filter((dim) => dim !== 1).join();
  return graph.tensors.flatMap(({ data, dtype }) => {
    if (data === undefined || !isFloat(dtype)) return [];
    const isSame = data.dims.filter((dim) => dim !== 1).join() === wanted;
    if (!isSame || elementCount(data.dims) === 0) return [];
    return [toFloat32(data)];
  });
}

/** Extents of the picture that the network takes, where its only input is one; `known` those that images are brought to. */
export function inputExtents(
  graph: Graph,
  known: readonly [height: number, width: number] | undefined,
): DecodeContext['input'] {
  if (known !== undefined) return { height: known[0], width: known[1] };
  const [input, another] = graph.inputs.map((id) => tensorOf(graph, id));
  const { shape = [] } = input ?? {};
  const image = shape.slice(-3);
  if (another !== undefined || shape.length < 3 || !image.every((dim) => typeof dim === 'number'))
    return undefined;
  const layout = layoutOf(image) ?? (graph.format === 'tflite' ? 'nhwc' : 'nchw');
  const [channels = 0, height = 0, width = 0] = layout === 'nchw' ? image : [image[2], image[0], image[1]];
  return channels <= MOST_CHANNELS ? { width, height } : undefined;
}
