/**
 * A quantized ONNX file as a float graph with annotations: QuantizeLinear, DequantizeLinear and operators on codes become quantizers
 * on the edges between float operators. What cannot be told so stays as it is, with the reason.
 *
 * One walk in topological order knows of every value whether it is itself, codes of a tensor, or a tensor read through a quantizer;
 * then every tensor is given the quantizers that its readers want.
 */
import type { Draft, DraftNode } from '../draft.js';
import type { ValueType } from '../value-type.js';
import { annotated, SHAPE_READERS } from './annotated.js';
import { withCutConstants } from './cut-constants.js';
import { DYNAMIC_RULES } from './dynamic.js';
import { FileReaders } from './file-readers.js';
import { readerLabel, FoldState } from './fold-state.js';
import { linearRuleOf } from './linear.js';
import { MOVE_RULES, movedInputs } from './moves.js';
import { N_BITS_RULES } from './n-bits.js';
import { NodeFolding } from './node-folding.js';
import { QOPERATOR_RULES } from './qoperator.js';
import { findRoots } from './roots.js';

const RULES = { ...QOPERATOR_RULES, ...DYNAMIC_RULES, ...N_BITS_RULES };

/** Operators that a float model does not have (ONNX, and the contributed ones of ONNX Runtime). */
const INTEGER_OPS =
  /^(?:QLinear\w+|QGemm|QAttention|QMoE|QEmbedLayerNormalization|QOrdered\w+|(?:Dynamic)?QuantizeLinear|DequantizeLinear|ConvInteger\w*|MatMulInteger\w*|DynamicQuantize\w+|MatMulNBits|Gather(?:Block)?Quantized\w*|NhwcMaxPool)$/;

/**
 * The draft itself when nothing in it quantizes.
 *
 * @param opset of ai.onnx
 * @param typesOf gives types and shapes of all values of a draft, as far as they follow from its inputs
 */
export function foldQuantized(
  given: Draft,
  opset: number,
  typesOf: (draft: Draft) => ReadonlyMap<string, ValueType>,
): Draft {
  if (!given.nodes.some((node) => isInteger(node) || hasIntegerBody(node))) return given;
  const draft = withCutConstants(given);
  const readers = new FileReaders(draft);
  const state = new FoldState(draft, opset, readers.producer, typesOf(draft));
  findRoots(state, readers);
  for (const node of draft.nodes) foldNode(node, state, readers);
  return annotated(state, readers);
}

function isInteger({ op }: Pick<DraftNode, 'op'>): boolean {
  return INTEGER_OPS.test(op);
}

/** Whether a nested graph quantizes: what is in it stays as it is. */
function hasIntegerBody({ graphs }: DraftNode): boolean {
  const pending = [...graphs.values()];
  for (const graph of pending) {
    for (const { opType, attribute } of graph.node ?? []) {
      if (isInteger({ op: opType ?? '' })) return true;
      for (const { g } of attribute ?? []) if (g) pending.push(g);
    }
  }
  return false;
}

function foldNode(node: DraftNode, state: FoldState, readers: FileReaders): void {
  // Written by the operator that took it in.
  if (state.absorbed.has(node) && node.outputs.some((output) => state.written.has(output))) return;
  const reason = state.absorbed.has(node) ? undefined : folded(node, state, readers);
  if (reason === true) return;
  const unfolded =
    reason ?? (hasIntegerBody(node) ? 'the nested graph in it quantizes: it is not looked into' : undefined);
  const label = readerLabel(node);
  const reads = SHAPE_READERS.has(node.op)
    ? node.inputs.map((name) => ({ name: state.known.get(name)?.tensor ?? name }))
    : node.inputs.map((name) => (name === '' ? null : state.operand(name, label)));
  for (const name of node.captures) {
    const known = state.known.get(name);
    if (known?.kind === 'values') state.materializeValues(name, known);
    else state.operand(name, label);
  }
  state.emit({ node: unfolded === undefined ? node : { ...node, unfolded }, reads });
}

/** True when the operator has its form in the folded graph; else the reason why it has none, if it is one that could. */
function folded(node: DraftNode, state: FoldState, readers: FileReaders): true | string | undefined {
  const folding = new NodeFolding(node, state, readers);
  const linear = linearRuleOf(node);
  const key = `${node.domain}:${node.op}`;
  const moves = movedInputs(node.domain, node.op, node.inputs).some(
    (slot) => state.known.get(node.inputs[slot] ?? '')?.kind === 'codes',
  );
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : moves ? MOVE_RULES[key] : undefined;
  if (linear === undefined && rule === undefined) {
    if (!isInteger(node)) return undefined;
    return node.op === 'DynamicQuantizeLinear'
      ? 'what reads its codes has no float form'
      : `${node.op} has no float form here`;
  }
  return state.attempt(() => (linear === undefined ? rule?.(folding) : linear(folding, state))) ?? true;
}
