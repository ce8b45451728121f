/**
 * A recipe for AI Edge Quantizer (ai-edge-quantizer 0.10, recipe_manager.py and qtyping.py): rules in order, of which the last
 * that matches an operator decides. A rule's regular expression is searched in the names of the tensors that an operator
 * writes, each with a semicolon behind it.
 */
import { UsageError } from '../../../errors.js';
import type { Graph } from '../../../ir/graph.js';
import type { Operator } from '../../../ir/operators.js';
import { bitsOf } from '../../../quant/affine.js';
import type { Scheme, TensorScheme } from '../../../quant/scheme.js';
import type { Decision, Exported } from './decision.js';
import {
  fileOperators,
  floatLayers,
  lostFixes,
  sharedTensorNames,
  wideLayers,
  writtenTensors,
} from './decided-layers.js';

interface TensorConfig {
  readonly num_bits: number;
  readonly symmetric: boolean;
  readonly granularity: 'TENSORWISE' | 'CHANNELWISE';
  readonly dtype: 'INT';
}

/** The document is a list of these, plain JSON. */
export interface RecipeRule {
  /** Python's. */
  readonly regex: string;
  readonly operation: '*' | 'INPUT' | 'OUTPUT';
  readonly algorithm_key: 'min_max_uniform_quantize' | 'no_quantize';
  /** Absent of no_quantize. */
  readonly op_config?: {
    readonly activation_tensor_config?: TensorConfig;
    readonly weight_tensor_config: TensorConfig;
    readonly compute_precision: 'INTEGER' | 'FLOAT';
    readonly explicit_dequantize: boolean;
    readonly skip_checks: false;
    readonly min_weight_elements: 0;
  };
}

const TOOL = 'AI Edge Quantizer';

/** Beyond it the quantizer cuts the names of an operator's tensors off. */
const SCOPE_LIMIT = 10_000;

/** @throws UsageError where the quantizer cannot do what the scheme says, whatever the search decides */
export function checkAiEdge({ graph, scheme }: Pick<Decision, 'graph' | 'scheme'>): void {
  if (graph.format !== 'tflite') {
    throw new UsageError(`--export ai-edge is for .tflite models; this one is ${graph.format}`, {
      hint: '--export ort=FILE or --export qdq=FILE',
    });
  }
  const { weights, activations } = scheme;
  const problem =
    weights === 'float'
      ? 'quantized weights'
      : !['int8', 'int4'].includes(weights.dtype) || !weights.symmetric
        ? 'symmetric int8 or int4 weights'
        : activations !== 'float' && !isKernelType(activations)
          ? 'asymmetric int8 or symmetric int16 activations'
          : undefined;
  if (problem === undefined) return;
  throw new UsageError(`scheme ${scheme.name} is not what AI Edge Quantizer makes; it wants ${problem}`, {
    hint: '--scheme tflite',
  });
}

function isKernelType({ dtype, symmetric }: TensorScheme): boolean {
  return (dtype === 'int8' && !symmetric) || (dtype === 'int16' && symmetric);
}

/** @throws UsageError as `checkAiEdge` */
export function exportAiEdge(decision: Decision): Exported {
  checkAiEdge(decision);
  const { graph, scheme, lane } = decision;
  const lost: string[] = [];
  const float = fileOperators(graph, floatLayers(decision));
  const wide = fileOperators(graph, wideLayers(decision));
  const isWhole = scheme.activations !== 'float' && scheme.activations.dtype === 'int16';
  const rules: RecipeRule[] = [
    rule('.*', scheme),
    ...(isWhole ? [] : scopesOf(graph, wide, lost).map((scope) => rule(scope, scheme, 16))),
    ...scopesOf(graph, float, lost).map((scope) => kept(scope, '*')),
  ];
  // Ends of the network are operators of their own, one for all inputs and one for all outputs.
  const isFloat = (ids: Graph['inputs']): boolean => ids.every((id) => !lane.tensors.has(id));
  if (isFloat(graph.inputs)) rules.push(kept('.*', 'INPUT'));
  if (isFloat(graph.outputs)) rules.push(kept('.*', 'OUTPUT'));
  for (const operators of [float, wide]) {
    const names = operators.flatMap((operator) => writtenTensors(graph, operator).map(({ name }) => name));
    lost.push(
      ...sharedTensorNames(graph, operators, names).map(
        (name) => `'${name}' is written by another operator, too: the recipe's rule is for both`,
      ),
    );
  }
  if (wide.length > 0 && !isWhole) {
    lost.push(
      `16 bits for all who read a 16-bit tensor: ${TOOL} converts it to 8 bits for operators of 8 bits`,
    );
  }
  if (scheme.activations !== 'float' && scheme.activations.observer.kind !== 'minmax') {
    lost.push(
      `ranges by ${scheme.activations.observer.kind}: ${TOOL} calibrates the smallest and largest value`,
    );
  }
  return {
    content: `${JSON.stringify(rules, null, 2)}\n`,
    note: 'a recipe: ai_edge_quantizer.quantizer.Quantizer(MODEL, FILE), then calibrate and quantize',
    lost: [...lost, ...lostFixes(decision, TOOL)],
  };
}

function rule(regex: string, { weights, activations }: Scheme, bits?: number): RecipeRule {
  if (weights === 'float') throw new RangeError('a recipe wants quantized weights');
  const activationBits = activations === 'float' ? undefined : (bits ?? bitsOf(activations.dtype));
  return {
    regex,
    operation: '*',
    algorithm_key: 'min_max_uniform_quantize',
    op_config: {
      ...(activationBits === undefined
        ? {}
        : { activation_tensor_config: tensorConfig(activationBits, activationBits === 16, 'TENSORWISE') }),
      weight_tensor_config: tensorConfig(
        bitsOf(weights.dtype),
        true,
        weights.granularity === 'per-axis' ? 'CHANNELWISE' : 'TENSORWISE',
      ),
      compute_precision: activationBits === undefined ? 'FLOAT' : 'INTEGER',
      explicit_dequantize: activationBits === undefined,
      skip_checks: false,
      min_weight_elements: 0,
    },
  };
}

function kept(regex: string, operation: RecipeRule['operation']): RecipeRule {
  return { regex, operation, algorithm_key: 'no_quantize' };
}

function tensorConfig(
  num_bits: number,
  symmetric: boolean,
  granularity: TensorConfig['granularity'],
): TensorConfig {
  return { num_bits, symmetric, granularity, dtype: 'INT' };
}

/** An expression for each operator that matches the names of its tensors and nothing else; none for operators without names. */
function scopesOf(graph: Graph, operators: readonly Operator[], lost: string[]): string[] {
  return [
    ...new Set(
      operators.flatMap((operator) => {
        const scope = writtenTensors(graph, operator)
          .flatMap(({ name }) => (name === '' ? [] : [`${name};`]))
          .join('');
        if (scope === '' || scope.length > SCOPE_LIMIT) {
          lost.push(
            `${operator.main.origin.op}#${operator.main.origin.index}: ${TOOL} goes by names of tensors, and it has ${scope === '' ? 'none' : 'too long ones'}`,
          );
          return [];
        }
        return [`^${escaped(scope)}\\Z`];
      }),
    ),
  ];
}

/** The text itself as a Python regular expression, which refuses a backslash before a letter. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
