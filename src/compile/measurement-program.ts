/** The program that measures a lane beside the float run, edge by edge. */
import { topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import { finiteOr, probed, type SheetProgram } from './calibration-program.js';
import type { Edge } from './edges.js';
import { quantized } from './lane-tensors.js';
import { declareInputs, LaneValues } from './lane-values.js';
import { LocalValues } from './local-values.js';
import { ModelWriter, type CompiledModel, type Value } from './model-writer.js';
import { floatOfBool, isFinite, square } from './operators.js';
import { ProbeSheet } from './probe-sheet.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';

/**
 * What is compared with the float value x of an edge:
 * - self: x through the edge's own quantizer;
 * - local: the edge's operator as integer, on the float run's inputs through their quantizers, with quantized weights and its
 *   own output quantizer;
 * - cumulative: the edge in the lane, everything before it quantized too.
 */
export const ERROR_KINDS = ['self', 'local', 'cumulative'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/**
 * `sumXX`, `clipped`: of the float value; the others of the error e of one kind. `maxEE` is max e²; edges with a gain have
 * `maxAbsE` without the gain instead, since theirs may be so small beside the values that nothing is left of its square.
 */
export type ErrorStat = 'sumEE' | 'sumE' | 'maxEE' | 'maxAbsE' | 'clipEE' | 'nonFinite';
export type MeasurementStat =
  'sumXX' | 'channelXX' | 'min' | 'max' | 'clipped' | 'nonFinite' | `${ErrorKind}.${ErrorStat}`;

export interface MeasurementOptions {
  readonly kinds: readonly ErrorKind[];
  /** Edges of which some float values may fall outside the representable range: their clipping is counted. */
  readonly clipping: ReadonlySet<TensorId>;
  /** Power of two to multiply the values and errors of an edge with before they are squared, see `gainOf`; 1 where absent. */
  readonly gains?: ReadonlyMap<TensorId, number>;
  /** Leaves non-finite values out of every sum and counts them; dearer. Needs opset 9. */
  readonly guarded: boolean;
  /** Another network to measure against; the same graph in float when absent. */
  readonly other?: ReferenceNetwork;
  /** Also the smallest and largest value and Σx² of every channel of the reference. */
  readonly ranges?: boolean;
}

export interface MeasurementProgram extends SheetProgram<MeasurementStat> {
  /** Kinds present per edge. A kind is `exact` when the lane computes the very same value: nothing is measured, the error is 0. */
  readonly kinds: readonly ReadonlyMap<ErrorKind, 'measured' | 'exact'>[];
}

/** Within these bounds neither squares of values nor those of the errors of 16 bits leave float32. */
const SMALLEST = 2 ** -32;
const LARGEST = 2 ** 40;

/**
 * Power of two that brings values of magnitude up to `absmax` near 1, where their squares, or those of their errors, would leave
 * the range of float32; undefined where they do not. Masks of -3.4e38 are such values.
 */
export function gainOf(absmax: number): number | undefined {
  if (absmax === 0 || !Number.isFinite(absmax) || (absmax >= SMALLEST && absmax <= LARGEST)) return undefined;
  return 2 ** -Math.max(-126, Math.min(126, Math.floor(Math.log2(absmax))));
}

/** The quantizer an edge passes through: its own, or (where only consumers quantize) the first consumer's. */
export function quantizerOf(graph: Graph, lane: Lane, tensor: TensorId): QuantParams | undefined {
  const own = lane.tensors.get(tensor);
  if (own !== undefined) return own;
  for (const { node, slot } of topologyOf(graph).uses[tensor] ?? []) {
    const used = lane.uses.get(useKey(node, slot));
    if (used !== undefined) return used;
  }
  return undefined;
}

/** `fusedAway`: edges inside a fused operator, across which `local` follows the operator. */
export function measurementProgram(
  graph: Graph,
  lane: Lane,
  edges: readonly Edge[],
  fusedAway: ReadonlySet<TensorId>,
  options: MeasurementOptions,
): MeasurementProgram {
  const writer = writerFor(graph, options.other);
  const runs = new ComparedRuns(writer, graph, fusedAway, options.other);
  const tested = runs.lane(lane);
  const local = options.kinds.includes('local') ? new LocalValues(graph, tested, runs.reference) : undefined;
  const sheet = new ProbeSheet<MeasurementStat>(writer);

  const kinds = edges.map((edge, index) => {
    const { tensor } = edge;
    const params = quantizerOf(graph, lane, tensor);
    const reference = runs.reference(tensor);
    if (reference === undefined) throw new RangeError(`tensor ${tensor} has nothing to be measured against`);
    const values = new Map<ErrorKind, Value>();
    if (params !== undefined) values.set('self', quantized(writer, graph, tensor, reference, params));
    if (edge.producer !== undefined && local !== undefined) values.set('local', local.value(tensor));
    values.set('cumulative', tested.value(tensor));

    const gain = options.gains?.get(tensor);
    const amplified = (value: Value): Value =>
      gain === undefined ? value : writer.op('Mul', [value, writer.literal('float32', [gain], [])]);
    const x = probed(writer, graph, edge, reference);
    const finiteX = options.guarded ? isFinite(writer, x) : undefined;
    const finite = finiteX === undefined ? x : finiteOr(writer, x, finiteX, 0);
    sheet.sumSquare(edge, index, 'sumXX', amplified(finite));
    if (options.ranges === true) {
      const guard = (otherwise: number): Value =>
        finiteX === undefined ? x : finiteOr(writer, x, finiteX, otherwise);
      sheet.perChannel(edge, index, 'min', 'ReduceMin', guard(Infinity));
      sheet.perChannel(edge, index, 'max', 'ReduceMax', guard(-Infinity));
      sheet.perChannel(edge, index, 'channelXX', 'ReduceSum', square(writer, amplified(finite)));
    }
    if (finiteX !== undefined)
      sheet.perChannel(
        edge,
        index,
        'nonFinite',
        'ReduceSum',
        floatOfBool(writer, writer.op('Not', [finiteX])),
      );
    const outside =
      params !== undefined && options.clipping.has(tensor)
        ? floatOfBool(writer, both(writer, outsideRange(writer, edge, x, params), finiteX))
        : undefined;
    if (outside !== undefined) sheet.perChannel(edge, index, 'clipped', 'ReduceSum', outside);

    const present = new Map<ErrorKind, 'measured' | 'exact'>();
    for (const kind of options.kinds) {
      const value = values.get(kind);
      if (value === undefined) continue;
      present.set(kind, value === reference ? 'exact' : 'measured');
      if (value === reference) continue;
      const y = probed(writer, graph, edge, value);
      let plain = writer.op('Sub', [y, x]);
      if (finiteX !== undefined) {
        const finiteE = both(writer, isFinite(writer, y), finiteX);
        plain = finiteOr(writer, plain, finiteE, 0);
        sheet.perChannel(
          edge,
          index,
          `${kind}.nonFinite`,
          'ReduceSum',
          floatOfBool(writer, writer.op('Not', [finiteE])),
        );
      }
      const e = amplified(plain);
      // The runtime sums channels fast but squares-and-sums them slowly: squaring first is cheaper and serves the maximum too.
      const ee = writer.op('Mul', [e, e]);
      sheet.perChannel(edge, index, `${kind}.sumEE`, 'ReduceSum', ee);
      if (gain === undefined) sheet.perChannel(edge, index, `${kind}.maxEE`, 'ReduceMax', ee);
      else sheet.perChannel(edge, index, `${kind}.maxAbsE`, 'ReduceMax', writer.op('Abs', [plain]));
      sheet.perChannel(edge, index, `${kind}.sumE`, 'ReduceSum', e);
      if (outside !== undefined)
        sheet.perChannel(edge, index, `${kind}.clipEE`, 'ReduceSum', writer.op('Mul', [ee, outside]));
    }
    return present;
  });
  const { output, slots, length } = sheet.finish();
  return { model: writer.encode([output]), slots, length, kinds };
}

/** `condition`, and `finite` where that is known. */
function both(writer: ModelWriter, condition: Value, finite: Value | undefined): Value {
  return finite === undefined ? condition : writer.op('And', [condition, finite]);
}

/** Whether the code of x rounds to something outside [qmin, qmax], as bool. */
function outsideRange(writer: ModelWriter, edge: Edge, x: Value, params: QuantParams): Value {
  const { granularity, scale, zeroPoint, qmin, qmax } = params;
  const dims =
    granularity.kind === 'per-tensor'
      ? []
      : edge.dims.map((_, axis) => (axis === granularity.axis ? scale.length : 1));
  const bound = (q: number): Value =>
    writer.literal(
      'float32',
      Array.from(scale, (s, i) => s * (q - (zeroPoint[i] ?? 0))),
      dims,
    );
  const below = writer.op('Less', [x, bound(qmin - 0.5)]);
  const above = writer.op('Greater', [x, bound(qmax + 0.5)]);
  return writer.op('Or', [below, above]);
}

export interface InferenceProgram {
  readonly model: CompiledModel;
  /** For each tensor asked for, the position of its value among the model's outputs. */
  readonly positions: readonly number[];
}

/** The graph in one lane, with the given tensors as outputs. */
export function inferenceProgram(graph: Graph, lane: Lane, tensors: readonly TensorId[]): InferenceProgram {
  const writer = new ModelWriter(graph.opsets, graph.irVersion);
  const values = new LaneValues(writer, graph, lane, declareInputs(writer, graph));
  const outputs: Value[] = [];
  const positions = tensors.map((tensor) => {
    // Identity: a graph input or a constant may not be an output itself.
    const value = writer.op('Identity', [values.value(tensor)]);
    const known = outputs.indexOf(value);
    return known >= 0 ? known : outputs.push(value) - 1;
  });
  return { model: writer.encode(outputs), positions };
}
