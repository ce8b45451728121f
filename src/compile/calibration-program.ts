/** Programs of the calibration passes: the float network with statistics of every edge. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { FLOAT_LANE } from '../ir/lane.js';
import type { Edge } from './edges.js';
import { declareInputs, LaneValues } from './lane-values.js';
import { MICROSOFT, ModelWriter, type CompiledModel, type Value } from './model-writer.js';
import { floatOfBool, isFinite, square, toFloat32 } from './operators.js';
import { ProbeSheet, type Slot } from './probe-sheet.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';

export interface SheetProgram<Name extends string> {
  readonly model: CompiledModel;
  readonly slots: readonly Slot<Name>[];
  /** float32 values in the model's single output. */
  readonly length: number;
}

export type RangeStat = 'min' | 'max' | 'sumXX' | 'nonFinite';

/** A value of the edge as the float32 tensor of shape `edge.dims` that probes work on. */
export function probed(writer: ModelWriter, graph: Graph, edge: Edge, value: Value): Value {
  const { dtype, shape } = tensorOf(graph, edge.tensor);
  const float = toFloat32(writer, value, dtype ?? 'float32');
  return shape?.length === 0 ? writer.op('Reshape', [float, writer.literal('int64', [1], [1])]) : float;
}

/**
 * Smallest, largest and sum of squares per channel of every edge.
 * `guarded` leaves non-finite values out of all three and counts them: dearer, for the samples that need it. A channel without
 * a finite value then has the smallest Infinity and the largest -Infinity.
 */
export function rangeProgram(
  graph: Graph,
  edges: readonly Edge[],
  guarded: boolean,
): SheetProgram<RangeStat> {
  const writer = new ModelWriter(graph.opsets, graph.irVersion);
  const lane = new LaneValues(writer, graph, FLOAT_LANE, declareInputs(writer, graph));
  const sheet = new ProbeSheet<RangeStat>(writer);
  edges.forEach((edge, index) => {
    const x = probed(writer, graph, edge, lane.value(edge.tensor));
    const finite = guarded ? isFinite(writer, x) : undefined;
    if (finite !== undefined) {
      const others = floatOfBool(writer, writer.op('Not', [finite]));
      sheet.perChannel(edge, index, 'nonFinite', 'ReduceSum', others);
    }
    const guard = (otherwise: number): Value =>
      finite === undefined ? x : finiteOr(writer, x, finite, otherwise);
    sheet.perChannel(edge, index, 'min', 'ReduceMin', guard(Infinity));
    sheet.perChannel(edge, index, 'max', 'ReduceMax', guard(-Infinity));
    sheet.perChannel(edge, index, 'sumXX', 'ReduceSum', square(writer, guard(0)));
  });
  const { output, slots, length } = sheet.finish();
  return { model: writer.encode([output]), slots, length };
}

/** `x` with another number where `finite` is false. */
export function finiteOr(writer: ModelWriter, x: Value, finite: Value, otherwise: number): Value {
  return writer.op('Where', [finite, x, writer.literal('float32', [otherwise], [])]);
}

/** Uniform uint16 code grid of one edge's histogram. */
export interface CodeGrid {
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface HistogramProgram {
  readonly model: CompiledModel;
  /** Output of each edge, in the order the edges were given: uint16 codes of the edge's shape. */
  readonly codes: readonly Value[];
  /** Behind those, for each guarded edge in that order: how many of its values are not finite, one float32 element. */
  readonly nonFinite: readonly Value[];
}

/**
 * Every edge quantized to the bins of its histogram; only the codes leave the runtime, to be counted. Values of `guarded` edges
 * that are not finite count as 0.
 *
 * @param other network that has the values of the edges; the graph itself, in float, when absent
 */
export function histogramProgram(
  graph: Graph,
  edges: readonly Edge[],
  grids: readonly CodeGrid[],
  guarded: ReadonlySet<TensorId>,
  other?: ReferenceNetwork,
): HistogramProgram {
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set(), other);
  const nonFinite: Value[] = [];
  const codes = edges.map((edge, i) => {
    const grid = grids[i];
    if (grid === undefined) throw new RangeError(`no code grid for edge ${i}`);
    const value = runs.reference(edge.tensor);
    if (value === undefined) throw new RangeError(`nothing has the values of tensor ${edge.tensor}`);
    const x = probed(writer, graph, edge, value);
    const finite = guarded.has(edge.tensor) ? isFinite(writer, x) : undefined;
    if (finite !== undefined) {
      const others = floatOfBool(writer, writer.op('Not', [finite]));
      nonFinite.push(writer.op('ReduceSum', [others], { keepdims: 0 }));
    }
    const scale = writer.literal('float32', [grid.scale], []);
    return writer.op(
      'QuantizeLinear',
      [
        finite === undefined ? x : finiteOr(writer, x, finite, 0),
        scale,
        writer.literal('uint16', [grid.zeroPoint], []),
      ],
      {},
      MICROSOFT,
    );
  });
  return { model: writer.encode([...codes, ...nonFinite]), codes, nonFinite };
}
