/**
 * Hybrid kernels: float activations, stored codes of weights. Reference values are what the TFLite interpreter's builtin kernels
 * computed (fixtures/tflite/cases_hybrid.py and the hybrid cases of cases_conv.py and cases_matmul.py).
 */
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../parity/compare.js';
import { compareOutputs } from '../../../parity/end-to-end.js';
import { openGolden } from '../../../parity/golden.js';
import { openNetwork as openForParity } from '../../../parity/network.js';
import { compareOperators } from '../../../parity/operators.js';
import { edgesOf } from '../../../src/compile/edges.js';
import { inferenceProgram, measurementProgram } from '../../../src/compile/measurement-program.js';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { tensorOf } from '../../../src/ir/graph.js';
import type { Lane } from '../../../src/ir/lane.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { compiled } from '../../support/compiled.js';
import { HAS_SHARED, openNetwork, projectPath } from '../../support/tflite-network.js';

const OPS = 'fixtures/tflite/ops';
const OPTIONS = { threads: 1 };

interface OutputOf {
  readonly name: string;
  /** Values that are the interpreter's to the last bit, of so many. */
  readonly equal: number;
  readonly values: number;
  readonly error: number;
}

/** Outputs of the operators that have hybrid kernels, each computed from the interpreter's own inputs. */
async function outputsOf(fixture: string): Promise<OutputOf[]> {
  const network = await openForParity(projectPath(`${OPS}/${fixture}.tflite`));
  const golden = await openGolden(projectPath(`${OPS}/${fixture}.npz`));
  const outputs: OutputOf[] = [];
  for await (const { operator, measured, failure } of compareOperators(network, golden, OPTIONS)) {
    expect(failure).toBeUndefined();
    if (network.lane.hybrid?.has(network.nodesOf(operator).main.id) !== true) continue;
    for (const { tensor, difference } of measured) {
      const { equal, values } = difference;
      outputs.push({ name: network.tensor(tensor).name, equal, values, error: relativeError(difference) });
    }
  }
  return outputs;
}

describe('a hybrid kernel', () => {
  it.each([
    ['conv_hybrid', 11],
    ['conv_hybrid_kinds', 10],
    ['conv_hybrid_unsigned', 2],
    ['depthwise_hybrid', 12],
    ['depthwise_hybrid_kinds', 5],
    ['fully_connected_hybrid', 15],
    ['fully_connected_hybrid_blocks', 2],
    ['batch_matmul_hybrid', 2],
    ['batch_matmul_hybrid_kinds', 23],
    ['hybrid_network', 4],
  ])("gives the interpreter's floats to the last bit: %s", async (fixture, operators) => {
    const outputs = await outputsOf(fixture);
    expect(outputs).toHaveLength(operators);
    expect(outputs.filter(({ equal, values }) => equal !== values)).toEqual([]);
  });

  it('of FULLY_CONNECTED does so but behind tanh, which is computed in another way', async () => {
    const outputs = await outputsOf('fully_connected_hybrid_kinds');
    expect(outputs).toHaveLength(14);
    const others = outputs.filter(({ equal, values }) => equal !== values);
    expect(others.map(({ name }) => name)).toEqual(['tanh']);
    expect(others[0]!.error).toBeLessThan(3e-7);
  });

  it('of TRANSPOSE_CONV adds up scaled products: as close as sums of floats in another order are', async () => {
    const outputs = await outputsOf('transpose_conv_hybrid');
    expect(outputs).toHaveLength(13);
    expect(Math.max(...outputs.map(({ error }) => error))).toBeLessThan(2e-7);
  });

  it('hands on what the next one takes its range from, to the end of a network', async () => {
    const network = await openForParity(projectPath(`${OPS}/hybrid_network.tflite`));
    const golden = await openGolden(projectPath(`${OPS}/hybrid_network.npz`));
    const { measured } = await compareOutputs(network, golden, OPTIONS);
    expect(golden.samples).toBe(4);
    expect(measured.map(({ difference }) => difference)).toMatchObject([{ values: 40, equal: 40 }]);
  });
});

describe('the lane of a file with hybrid kernels', () => {
  it('leaves weights that the file makes float to float', async () => {
    const { graph, lane } = await openNetwork(`${OPS}/weights_dequantized.tflite`);
    const quantizing = operatorsOf(graph).filter(
      (operator) => compiled(operatorProgram(graph, lane, operator).model).count('ReduceMin') > 0,
    );
    expect(quantizing.map(({ main }) => tensorOf(graph, main.outputs[0]!).name)).toEqual(['codes']);
    expect(quantizing.map(({ main }) => main.id)).toEqual([...lane.hybrid!.keys()]);
  });

  it('measures what they cost beside the same weights in float, and nothing on other operators', async () => {
    const { graph, lane } = await openNetwork(`${OPS}/hybrid_network.tflite`);
    const fusedAway = graph.inner ?? new Set();
    const { edges } = edgesOf(graph, fusedAway);
    const options = {
      kinds: ['self', 'local', 'cumulative'] as const,
      clipping: new Set<never>(),
      guarded: false,
    };
    const { kinds } = measurementProgram(graph, lane, edges, fusedAway, options);
    const found = edges.map(({ tensor }, i) => [tensorOf(graph, tensor).name, Object.fromEntries(kinds[i]!)]);
    const both = { local: 'measured', cumulative: 'measured' };
    expect(found).toEqual([
      ['x', { cumulative: 'exact' }],
      ['first', both],
      ['depthwise', both],
      ['second', both],
      ['pooled', { local: 'exact', cumulative: 'measured' }],
      ['dense', both],
    ]);
  });

  it('computes in float without quantizers of the weights, or without the arithmetic', async () => {
    const { graph, lane } = await openNetwork(`${OPS}/hybrid_network.tflite`);
    const float: Lane = { name: lane.name, tensors: lane.tensors, uses: lane.uses, hybrid: lane.hybrid! };
    const bare: Lane = { ...lane, tensors: new Map(), codes: new Map() };
    const count = (of: Lane): number =>
      compiled(inferenceProgram(graph, of, graph.outputs).model).count('Floor');
    expect(count(lane)).toBeGreaterThan(0);
    expect([count(float), count(bare)]).toEqual([0, 0]);
  });
});

describe.skipIf(!HAS_SHARED)('dynamic-range models of ../shared', () => {
  it.each([
    ['digits/digits_dynamic', 3],
    ['mlperf-kws/dscnn_dynamic_range', 5],
  ])('%s has hybrid kernels where its weights are codes', async (name, count) => {
    const { graph, lane } = await openNetwork(`../shared/models/${name}.tflite`);
    const hybrid = operatorsOf(graph).filter(({ main }) => lane.hybrid?.has(main.id));
    expect(new Set(hybrid.map(({ main }) => main.origin.op))).toEqual(new Set(['CONV_2D']));
    expect(hybrid).toHaveLength(count);
  });
});
