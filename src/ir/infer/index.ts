/**
 * Static inference of dtypes and shapes over the IR, from the rules of the ONNX operator specifications; no runtime.
 *
 * Symbolic dims flow through by name. Small integer tensors (and the float ones among them) are computed on the way,
 * so that shapes built at run time from other shapes resolve; their values are not part of the result.
 */
import type { Dim, Graph, Node, Shape, Tensor } from '../graph.js';
import { ATTENTION } from './attention.js';
import { constantValue } from './constants.js';
import { CONV } from './conv.js';
import { CREATE } from './create.js';
import { toDim } from './dims.js';
import { ELEMENTWISE } from './elementwise.js';
import { smallDims } from './elements.js';
import { LAYOUT } from './layout.js';
import { MATMUL } from './matmul.js';
import { MICROSOFT } from './microsoft.js';
import { NORMALIZATION } from './normalization.js';
import { POOL } from './pool.js';
import { QUANTIZE } from './quantize.js';
import { RECURRENT } from './recurrent.js';
import { REDUCE } from './reduce.js';
import { RESIZE } from './resize.js';
import type { Family, Rule, Value } from './rule.js';
import { MAX_RANK, UNKNOWN } from './rule.js';
import { SELECT } from './select.js';
import { SIGNAL } from './signal.js';

const ONNX: ReadonlyMap<string, Rule> = merged([
  ATTENTION,
  CONV,
  CREATE,
  ELEMENTWISE,
  LAYOUT,
  MATMUL,
  NORMALIZATION,
  POOL,
  QUANTIZE,
  RECURRENT,
  REDUCE,
  RESIZE,
  SELECT,
  SIGNAL,
]);

const RULES: ReadonlyMap<string, ReadonlyMap<string, Rule>> = new Map([
  ['', ONNX],
  ['ai.onnx', ONNX],
  ['com.microsoft', merged([MICROSOFT])],
]);

function merged(families: readonly Family[]): ReadonlyMap<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const family of families) {
    for (const [op, rule] of Object.entries(family)) {
      if (rules.has(op)) throw new Error(`two families have a shape rule for ${op}`);
      rules.set(op, rule);
    }
  }
  return rules;
}

/**
 * The graph with dtype and shape of every tensor as far as they follow from its inputs and constants.
 *
 * What the file says of a tensor is kept where inference knows less: a fixed dim over a symbolic one, any dim over
 * null. Where both are fixed and differ, inference wins: the file's note may be from before its inputs were changed,
 * while inference starts at the inputs the graph has now. A caller that replaces fixed extents of inputs by others should
 * drop the notes on intermediate tensors, which stand wherever inference finds no number.
 *
 * Never throws: what does not follow (an unknown operator, If, Loop, an invalid node) stays as the file has it.
 */
export function inferShapes(graph: Graph): Graph {
  const values: Value[] = graph.tensors.map((tensor) =>
    tensor.data === undefined
      ? { dtype: tensor.dtype, shape: sane(tensor.shape) }
      : constantValue(tensor.data),
  );
  for (const node of graph.nodes) {
    const results = applied(graph, node, values);
    node.outputs.forEach((output, i) => {
      const tensor = output === null ? undefined : graph.tensors[output];
      if (output === null || tensor === undefined || tensor.data !== undefined) return;
      values[output] = reconciled(tensor, results[i] ?? UNKNOWN);
    });
  }
  return { ...graph, tensors: graph.tensors.map((tensor, id) => typed(tensor, values[id] ?? UNKNOWN)) };
}

function applied(graph: Graph, node: Node, values: readonly Value[]): readonly Value[] {
  const rule = RULES.get(node.domain)?.get(node.op);
  if (rule === undefined) return [];
  const opset = graph.opsets.get(node.domain) ?? graph.opsets.get('') ?? 1;
  const inputs = node.inputs.map((id) => (id === null ? undefined : (values[id] ?? UNKNOWN)));
  return rule({ node, opset, inputs });
}

/** What inference found, with what the file adds to it. */
function reconciled(tensor: Tensor, found: Value): Value {
  const shape = mostSpecific(sane(found.shape), sane(tensor.shape));
  const dtype = found.dtype ?? tensor.dtype;
  return { dtype, shape, elements: smallDims(shape) && found.elements };
}

/**
 * Rules give dims as they come out of the model's numbers; what is no extent is unknown, and so is a shape of a rank
 * that no runtime has, also of the file: what walks shapes later need not fear it.
 */
function sane(shape: Shape | undefined): Shape | undefined {
  if (shape === undefined || shape.length > MAX_RANK) return undefined;
  return shape.map((dim) => (typeof dim === 'number' ? toDim(dim) : dim));
}

function mostSpecific(found: Shape | undefined, file: Shape | undefined): Shape | undefined {
  if (found === undefined || file === undefined) return found ?? file;
  if (found.length !== file.length) return found;
  return found.map((dim, i): Dim => {
    const noted = file[i] ?? null;
    return typeof dim === 'number' || noted === null || (dim !== null && typeof noted !== 'number')
      ? dim
      : noted;
  });
}

function typed(tensor: Tensor, value: Value): Tensor {
  return { ...tensor, dtype: value.dtype, shape: value.shape };
}
