/** Several lanes of one network beside a reference, or beside the network in float, compared at a few tensors: what each step from float to integers costs. */
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { finiteOr, probed, type SheetProgram } from './calibration-program.js';
import type { Edge } from './edges.js';
import { floatOfBool, isFinite } from './operators.js';
import { ProbeSheet } from './probe-sheet.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';
import type { Value } from './model-writer.js';

/**
 * Of the reference: Σx². Of each lane by its position: Σe², and the number of rows whose largest element is elsewhere than in
 * the reference. A row is what lies along the channels, or the last axis where there are none. `nonFinite`: values that are not
 * finite in one of the two, and in no sum; counted where they are guarded against.
 */
export type LadderStat = 'sumXX' | `${number}.${'sumEE' | 'moved' | 'nonFinite'}`;

export interface LadderProgram extends SheetProgram<LadderStat> {
  /** Rows per sample of each tensor; 0 where there is nothing to choose from. */
  readonly rows: readonly number[];
}

export interface LadderProgramOptions {
  /** Values that are not finite are left out and counted, which needs opset 9. */
  readonly guarded: boolean;
  /** In larger tensors the largest elements are not looked for. */
  readonly mostRanked: number;
}

/** Beyond this an axis is no list of classes. */
const MOST_CLASSES = 100_000;

export function ladderProgram(
  graph: Graph,
  lanes: readonly Lane[],
  edges: readonly Edge[],
  other: ReferenceNetwork | undefined,
  { guarded, mostRanked }: LadderProgramOptions,
): LadderProgram {
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set<TensorId>(), other);
  const tested = lanes.map((lane) => runs.lane(lane));
  const sheet = new ProbeSheet<LadderStat>(writer);
  const rows = edges.map((edge, index) => {
    const reference = runs.reference(edge.tensor);
    if (reference === undefined)
      throw new RangeError(`tensor ${edge.tensor} has nothing to be measured against`);
    const x = probed(writer, graph, edge, reference);
    const finiteX = guarded ? isFinite(writer, x) : undefined;
    sheet.sumSquare(edge, index, 'sumXX', finiteX === undefined ? x : finiteOr(writer, x, finiteX, 0));
    const axis = edge.count > mostRanked ? undefined : classAxis(edge);
    const whole: Edge = { ...edge, channelAxis: undefined, channels: 1 };
    tested.forEach((lane, at) => {
      const y = probed(writer, graph, edge, lane.value(edge.tensor));
      const e = writer.op('Sub', [y, x]);
      const both = finiteX === undefined ? undefined : writer.op('And', [finiteX, isFinite(writer, y)]);
      sheet.sumSquare(edge, index, `${at}.sumEE`, both === undefined ? e : finiteOr(writer, e, both, 0));
      if (both !== undefined) {
        const others = floatOfBool(writer, writer.op('Not', [both]));
        sheet.perChannel(whole, index, `${at}.nonFinite`, 'ReduceSum', others);
      }
      if (axis === undefined) return;
      const largest = (value: Value): Value => writer.op('ArgMax', [value], { axis, keepdims: 1 });
      const isMoved = writer.op('Not', [writer.op('Equal', [largest(x), largest(y)])]);
      sheet.perChannel(whole, index, `${at}.moved`, 'ReduceSum', floatOfBool(writer, isMoved));
    });
    return axis === undefined ? 0 : edge.count / (edge.dims[axis] as number);
  });
  const { output, slots, length } = sheet.finish();
  return { model: writer.encode([output]), slots, length, rows };
}

function classAxis({ dims, channelAxis }: Edge): number | undefined {
  const axis = dims.length > 2 ? (channelAxis ?? dims.length - 1) : dims.length - 1;
  const extent = dims[axis] ?? 1;
  return extent > 1 && extent <= MOST_CLASSES ? axis : undefined;
}
