/**
 * Activation functions that only the range of the integers stands for: readers put a Clip behind a layer whose range is 0 to 6, since
 * some converters drop a Relu6 there. Where a range is a default there never was one, and other things in the files tell.
 */
import type { Graph, Node, TensorId } from '../ir/graph.js';
import { passedOn } from '../ir/passed-on.js';
import { isOutput, readersOf, sourceOf, writerOf } from '../ir/operators.js';
import type { Evidence } from './evidence.js';

/**
 * 'reference': it bounds nothing there. 'sign': what follows takes values of either sign. 'stated': layers with the very same range
 * have their function written in the file, so it was not dropped. 'answer': scores and outputs are seldom bounded.
 */
export type Refutation = 'reference' | 'sign' | 'stated' | 'answer';

export function isImpliedBound(graph: Graph, tensor: TensorId): boolean {
  const writer = writerOf(graph, tensor);
  return writer?.op === 'Clip' && writer.origin.implied === true;
}

/**
 * Of activations with one and the same range, those behind a Clip that only the range stands for and that is none.
 *
 * @param group all activations with that range, those whose function is written in the file included
 */
export function refutedBounds(
  evidence: Pick<Evidence, 'graph' | 'reference' | 'alignment'>,
  group: readonly TensorId[],
): ReadonlyMap<TensorId, Refutation> {
  const { graph } = evidence;
  const implied = group.filter((tensor) => isImpliedBound(graph, tensor) && !isCutBehind(graph, tensor));
  const isStated = graph.format === 'tflite' && group.some((tensor) => isFused(writerOf(graph, tensor)));
  // Who drops the function of one layer drops that of all with the same range.
  const isDefault = isStated || implied.some((tensor) => feedsSigned(graph, tensor));
  return new Map(
    implied.flatMap((tensor): [TensorId, Refutation][] => {
      const inReference = isBoundedInReference(evidence, tensor);
      if (inReference === true) return [];
      if (inReference === false) return [[tensor, 'reference']];
      if (feedsSigned(graph, tensor)) return [[tensor, 'sign']];
      if (isDefault) return [[tensor, isStated ? 'stated' : 'sign']];
      return isAnswer(graph, tensor) ? [[tensor, 'answer']] : [];
    }),
  );
}

/** Scores before a Sigmoid and encoded boxes are of either sign: behind a Relu6 no score would be below 0.5, and no box left of its anchor. */
function feedsSigned(graph: Graph, tensor: TensorId): boolean {
  return movedReaders(graph, tensor).some(
    ({ op, origin }) => op === 'Sigmoid' || origin.op === 'TFLite_Detection_PostProcess',
  );
}

function isAnswer(graph: Graph, tensor: TensorId): boolean {
  return (
    isOutput(graph, tensor) ||
    movedReaders(graph, tensor).some(({ op }) => op === 'Softmax' || op === 'ArgMax')
  );
}

/** Functions that cut off what a range of 0 to 6 does. */
const CUTTING: ReadonlySet<string> = new Set(['Clip', 'Relu']);

function isFused(writer: Node | undefined): boolean {
  return writer?.op === 'Clip' && writer.origin.part === 'step' && writer.origin.implied !== true;
}

/** Whether everything that reads the tensor cuts it off anyway. */
function isCutBehind(graph: Graph, tensor: TensorId): boolean {
  const readers = readersOf(graph, tensor);
  return readers.length > 0 && !isOutput(graph, tensor) && readers.every(isCutting);
}

function isCutting({ op, origin }: Node): boolean {
  return CUTTING.has(op) && origin.implied !== true;
}

/** Undefined where the reference has no such tensor, or is itself one that leaves functions to ranges. */
function isBoundedInReference(
  { graph, reference, alignment }: Pick<Evidence, 'graph' | 'reference' | 'alignment'>,
  tensor: TensorId,
): boolean | undefined {
  const own = sourceOf(graph, tensor);
  const edge = alignment?.edges.find(({ candidate }) => sourceOf(graph, candidate) === own);
  if (reference === undefined || edge === undefined) return undefined;
  const writer = passedOn(reference.graph, edge.reference).at(-1)?.writer;
  if (writer === undefined || writer.origin.implied === true) return undefined;
  return LINEAR.has(writer.op) ? isCutBehind(reference.graph, edge.reference) : undefined;
}

/** Operators whose results have no bounds. */
const LINEAR: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add', 'Sub', 'Mul', 'BatchNormalization'],
]);

/** Operators that leave values as they are. */
const MOVING: ReadonlySet<string> = new Set([
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Slice', 'Split', 'Concat'],
  ...['Cast', 'QuantizeLinear', 'DequantizeLinear'],
]);

/** The tensor and all that have its values moved; steps of operators that are one in the file are not passed. */
export function movedTo(graph: Graph, tensor: TensorId): ReadonlySet<TensorId> {
  const found = new Set([tensor]);
  for (const id of found) {
    for (const reader of readersOf(graph, id)) {
      if (!isMove(reader)) continue;
      for (const output of reader.outputs) if (output !== null) found.add(output);
    }
  }
  return found;
}

/** What reads the values, moved or not, and does something with them. */
export function movedReaders(graph: Graph, tensor: TensorId): Node[] {
  const readers = [...movedTo(graph, tensor)].flatMap((id) => readersOf(graph, id));
  return readers.filter((reader) => !isMove(reader));
}

function isMove({ op, origin }: Node): boolean {
  return MOVING.has(op) && origin.part !== 'step';
}
