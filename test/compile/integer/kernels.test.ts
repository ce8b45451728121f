/**
 * Convolutions and matrix products against the TFLite interpreter, on sums that often lie between two codes: see
 * fixtures/tflite/cases_rounding.py.
 */
import { describe, expect, it } from 'vitest';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { tensorOf, type Graph } from '../../../src/ir/graph.js';
import type { Lane } from '../../../src/ir/lane.js';
import { operatorsOf, type Operator } from '../../../src/ir/operators.js';
import { openSession } from '../../../src/run/runtime.js';
import { compiled } from '../../support/compiled.js';
import { recorded, type Recorded } from '../../support/interpreter-codes.js';
import { openNetwork, projectPath } from '../../support/tflite-network.js';

async function codesOf(graph: Graph, lane: Lane, operator: Operator, archive: Recorded): Promise<number[][]> {
  const { model, inputs, outputs } = operatorProgram(graph, lane, operator);
  const session = await openSession(model, { threads: 1 });
  const feeds = new Map(
    inputs.map(({ name, tensor }) => {
      const data = archive.codes(0, tensor) ?? new Float32Array();
      const dims = tensorOf(graph, tensor).shape as number[];
      return [name, { dtype: 'float32' as const, dims, data }];
    }),
  );
  const fetched = await session.run(feeds);
  await session.close();
  return outputs.map(({ position }) => Array.from(fetched[position] as Float32Array));
}

describe.each(['int8', 'uint8', 'int16'])('kernels on %s activations', (kind) => {
  const path = `fixtures/tflite/ops/rounding_${kind}`;

  it("give the interpreter's codes, every one", async () => {
    const { graph, lane } = await openNetwork(`${path}.tflite`);
    const archive = recorded(projectPath(`${path}.npz`), graph);
    const operators = operatorsOf(graph);
    expect(operators.length).toBeGreaterThan(10);
    for (const operator of operators) {
      const [output] = operator.nodes.at(-1)?.outputs ?? [];
      const { name } = tensorOf(graph, output!);
      const [codes] = await codesOf(graph, lane, operator, archive);
      expect({ name, codes }).toEqual({ name, codes: Array.from(archive.codes(0, output!) ?? []) });
    }
  });

  it('compute on integers: no operator is done between a dequantizer and a quantizer', async () => {
    const { graph, lane } = await openNetwork(`${path}.tflite`);
    for (const operator of operatorsOf(graph)) {
      const { model } = operatorProgram(graph, lane, operator);
      expect(compiled(model).count('QuantizeLinear')).toBe(0);
    }
  });
});
