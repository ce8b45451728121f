/** What TensorFlow Lite's converter and AI Edge Quantizer are told: names of tensors that operators write. */
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../../src/commands/sweep/export/decision.js';
import { exportAiEdge, type RecipeRule } from '../../../../src/commands/sweep/export/ai-edge.js';
import { exportTflite, type DenylistedNodes } from '../../../../src/commands/sweep/export/tflite.js';
import { UsageError } from '../../../../src/errors.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { decide } from '../../../support/decisions.js';
import { graph } from '../../../support/graph-builder.js';

const TFLITE = SCHEMES['tflite']!;

/** x -> first -> second -> third, each a fully connected operator that writes a tensor of the given name. */
function network(names: readonly [string, string, string]): Graph {
  const internal = ['t0', 't1', 't2'];
  let builder = graph({ format: 'tflite' }).input('x', 'float32', [1, 4]);
  internal.forEach((name, i) => {
    const values = Array.from({ length: 16 }, (_, k) => (k - 7) / 8);
    builder = builder
      .constant(`w${i}`, 'float32', [4, 4], values)
      .node('MatMul', { inputs: [i === 0 ? 'x' : internal[i - 1]!, `w${i}`], outputs: [name] });
  });
  const g = inferShapes(builder.output('t2').build());
  const tensors = g.tensors.map((tensor) => {
    const at = internal.indexOf(tensor.name);
    return at < 0 ? tensor : { ...tensor, name: names[at]! };
  });
  return { ...g, tensors };
}

function decisionOf(
  names: readonly [string, string, string],
  parts: { float?: readonly string[]; wide?: readonly string[] },
  scheme: Scheme = TFLITE,
): Decision {
  const range = [-1, 1] as const;
  const ranges = Object.fromEntries(['x', ...names].map((name) => [name, range] as const));
  return decide(network(names), scheme, ranges, parts);
}

const denylist = (decision: Decision): DenylistedNodes =>
  JSON.parse(exportTflite(decision).content as string) as DenylistedNodes;
const recipe = (decision: Decision): RecipeRule[] =>
  JSON.parse(exportAiEdge(decision).content as string) as RecipeRule[];

describe('denylisted_nodes', () => {
  it('are the tensors that operators in float write', () => {
    const decision = decisionOf(['a', '__proto__', 'c'], { float: ['MatMul#1'] });
    expect(denylist(decision).denylisted_nodes).toEqual(['__proto__']);
    expect(exportTflite(decision).lost).toEqual([]);
  });

  it('hold what the user left out of the sweep, too', () => {
    const decision = decisionOf(['a', 'b', 'c'], { float: ['MatMul#1'] });
    const layers = decision.layers.slice(0, 2);
    expect(denylist({ ...decision, layers }).denylisted_nodes).toEqual(['b', 'c']);
  });

  it('say what they take with them, and what they cannot say', () => {
    const twice = decisionOf(['same', 'b', 'same'], { float: ['MatMul#0'] });
    expect(exportTflite(twice).lost).toEqual([
      "'same' is written by a quantized operator, too: denylisted_nodes leaves both in float",
    ]);
    const nameless = decisionOf(['a', '', 'c'], { float: ['MatMul#1'] });
    expect(denylist(nameless).denylisted_nodes).toEqual([]);
    expect(exportTflite(nameless).lost).toEqual([expect.stringMatching(/a tensor without a name/)]);
    const wide = decisionOf(['a', 'b', 'c'], { wide: ['MatMul#2'] });
    expect(exportTflite(wide).lost).toEqual([expect.stringMatching(/^16 bits for .*'MatMul#2'/)]);
  });

  it('are for .tflite models only', () => {
    const decision = decisionOf(['a', 'b', 'c'], {});
    expect(() => exportTflite({ ...decision, graph: { ...decision.graph, format: 'onnx' } })).toThrow(
      UsageError,
    );
  });
});

describe('a recipe', () => {
  it('quantizes everything, then widens, then leaves in float: the last rule that matches decides', () => {
    const rules = recipe(decisionOf(['a', 'b', 'c'], { float: ['MatMul#0'], wide: ['MatMul#2'] }));
    const short = rules.map(({ regex, operation, algorithm_key, op_config }) => [
      regex,
      operation,
      algorithm_key,
      op_config?.activation_tensor_config?.num_bits,
    ]);
    expect(short).toEqual([
      ['.*', '*', 'min_max_uniform_quantize', 8],
      ['^b;\\Z', '*', 'min_max_uniform_quantize', 16],
      ['^c;\\Z', '*', 'min_max_uniform_quantize', 16],
      ['^a;\\Z', '*', 'no_quantize', undefined],
      ['.*', 'INPUT', 'no_quantize', undefined],
    ]);
    expect(rules[2]!.op_config).toEqual({
      activation_tensor_config: { num_bits: 16, symmetric: true, granularity: 'TENSORWISE', dtype: 'INT' },
      weight_tensor_config: { num_bits: 8, symmetric: true, granularity: 'CHANNELWISE', dtype: 'INT' },
      compute_precision: 'INTEGER',
      explicit_dequantize: false,
      skip_checks: false,
      min_weight_elements: 0,
    });
  });

  it.each([
    '.*',
    'a|c',
    '(a)',
    'a[0]{2}+?',
    '^a$',
    'a\\d',
    'x;a',
    'line\nbreak',
    '\u0000',
    '__proto__',
    'ünï·コード',
  ])('names the tensor %j and no other', (name) => {
    const [, rule] = recipe(decisionOf(['a', name, 'c'], { float: ['MatMul#1'] }));
    // Python's \Z is JavaScript's $; nothing else in these differs.
    const pattern = new RegExp(rule!.regex.replace(/\\Z$/, '$'));
    expect(pattern.test(`${name};`)).toBe(true);
    for (const other of ['a;', 'c;', `${name};b;`, `b;${name};`, `${name}b;`, `b${name};`, 'a\nd;'])
      expect(pattern.test(other)).toBe(false);
  });

  it('of weights alone computes in float', () => {
    const [rule] = recipe(decisionOf(['a', 'b', 'c'], {}, { ...TFLITE, activations: 'float' }));
    expect(rule!.op_config).toMatchObject({ compute_precision: 'FLOAT', explicit_dequantize: true });
    expect(rule!.op_config).not.toHaveProperty('activation_tensor_config');
  });

  it.each([
    ['an ONNX model', TFLITE, 'onnx' as const],
    ['uint8 activations', SCHEMES['ort']!, 'tflite' as const],
    ['float weights', { ...TFLITE, weights: 'float' as const }, 'tflite' as const],
  ])('is refused for %s', (_, scheme, format) => {
    const decision = decisionOf(['a', 'b', 'c'], {});
    expect(() => exportAiEdge({ ...decision, scheme, graph: { ...decision.graph, format } })).toThrow(
      UsageError,
    );
  });

  it('says that a fix of parameters is lost', () => {
    const decision = decisionOf(['a', 'b', 'c'], {});
    const fix = {
      id: 'observer:x',
      kind: 'observer',
      title: 'range of x: -1 to 1',
      places: ['x'],
      tensors: [],
    } as const;
    const fixes = [{ ...fix, apply: () => decision.lane }];
    expect(exportAiEdge({ ...decision, fixes }).lost).toEqual([
      expect.stringMatching(/^range of x: -1 to 1: /),
    ]);
    expect(exportTflite({ ...decision, fixes }).lost).toEqual([
      expect.stringMatching(/^range of x: -1 to 1: /),
    ]);
  });
});
