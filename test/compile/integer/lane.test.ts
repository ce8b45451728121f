/** A lane with integer kernels: the network computes what the TFLite interpreter does, tensor by tensor. */
import { describe, expect, it } from 'vitest';
import { declareInputs, LaneValues } from '../../../src/compile/lane-values.js';
import { LocalValues } from '../../../src/compile/local-values.js';
import { ComparedRuns } from '../../../src/compile/reference.js';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { ModelWriter, type CompiledModel, type Value } from '../../../src/compile/model-writer.js';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { tensorOf, type TensorId } from '../../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../../src/ir/lane.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { dequantize, quantize } from '../../../src/quant/affine.js';
import type { Feed } from '../../../src/run/data/dataset.js';
import { openSession } from '../../../src/run/runtime.js';
import { compiled } from '../../support/compiled.js';
import { recorded } from '../../support/interpreter-codes.js';
import { openNetwork, projectPath } from '../../support/tflite-network.js';

const NETWORK = 'fixtures/tflite/digits_int8';
const { graph, lane } = await openNetwork(`${NETWORK}.tflite`);
const archive = recorded(projectPath(`${NETWORK}.npz`), graph);
const [input] = graph.inputs as [TensorId];
/** Of the file, in its order. */
const activations = operatorsOf(graph)
  .flatMap(({ nodes }) => nodes.flatMap(({ outputs }) => outputs))
  .filter((id): id is TensorId => id !== null && graph.inner?.has(id) !== true);

function dimsOf(tensor: TensorId): number[] {
  return tensorOf(graph, tensor).shape as number[];
}

/** What the interpreter's codes of sample 0 stand for. */
function recordedValues(tensor: TensorId): number[] {
  const codes = Int32Array.from(archive.codes(0, tensor)!);
  return Array.from(dequantize(codes, dimsOf(tensor), lane.tensors.get(tensor)!));
}

function feed(tensor: TensorId, data: Float32Array): Feed {
  return { dtype: 'float32', dims: dimsOf(tensor), data };
}

async function run(model: CompiledModel, feeds: ReadonlyMap<string, Feed>): Promise<number[][]> {
  const session = await openSession(model, { threads: 1 });
  const fetched = await session.run(feeds);
  await session.close();
  return fetched.map((values) => Array.from(values as Float32Array));
}

const image = new Map([[tensorOf(graph, input).name, feed(input, Float32Array.from(recordedValues(input)))]]);

describe('a network in the lane of its file', () => {
  it('has the values of the interpreter on every edge', async () => {
    const { model, positions } = inferenceProgram(graph, lane, activations);
    const fetched = await run(model, image);
    activations.forEach((tensor, i) => {
      const { name } = tensorOf(graph, tensor);
      expect({ name, values: fetched[positions[i]!] }).toEqual({ name, values: recordedValues(tensor) });
    });
  });

  it('quantizes its input and nothing else: weights are what their codes stand for, and codes go from kernel to kernel', () => {
    const { model } = inferenceProgram(graph, lane, graph.outputs);
    expect(compiled(model).count('QuantizeLinear')).toBe(1);
    expect(compiled(model).count('DequantizeLinear')).toBe(0);
  });

  it('is computed between dequantizers and quantizers without kernels', () => {
    const { name, tensors, uses, codes } = lane;
    const between: Lane = { name, tensors, uses, ...(codes === undefined ? {} : { codes }) };
    const { model } = inferenceProgram(graph, between, graph.outputs);
    expect(compiled(model).count('QuantizeLinear')).toBeGreaterThan(activations.length / 2);
  });

  it('leaves an operator to float where one of its tensors has no quantizer', () => {
    const [first] = activations as [TensorId];
    const open: Lane = { ...lane, tensors: new Map([...lane.tensors].filter(([id]) => id !== first)) };
    const { model } = inferenceProgram(graph, open, [first]);
    expect(compiled(model).count('Floor')).toBe(0);
  });

  it('is shared by lanes that compute the same', () => {
    const writer = new ModelWriter(graph.opsets, graph.irVersion);
    const inputs = declareInputs(writer, graph);
    const [one, other] = ['one', 'other'].map(
      (name) => new LaneValues(writer, graph, { ...lane, name }, inputs),
    );
    for (const tensor of activations) expect(one!.value(tensor)).toBe(other!.value(tensor));
  });
});

describe('an operator alone', () => {
  it("computes by its kernel on the float run's inputs through their quantizers", async () => {
    const writer = new ModelWriter(graph.opsets, graph.irVersion);
    const runs = new ComparedRuns(writer, graph, new Set(), undefined);
    const local = new LocalValues(graph, runs.lane(lane), runs.reference);
    const values: Value[] = activations.map((tensor) => local.value(tensor));
    const found = await run(writer.encode(values), image);
    const { model, positions } = inferenceProgram(graph, FLOAT_LANE, [input, ...activations]);
    const fetched = await run(model, image);
    const floats = new Map(
      [input, ...activations].map((tensor, i) => [tensor, Float32Array.from(fetched[positions[i]!]!)]),
    );
    for (const operator of operatorsOf(graph)) {
      const program = operatorProgram(graph, lane, operator);
      const feeds = program.inputs.map(({ tensor, name }): [string, Feed] => {
        const codes = quantize(floats.get(tensor)!, dimsOf(tensor), lane.tensors.get(tensor)!);
        return [name, feed(tensor, Float32Array.from(codes))];
      });
      const codes = await run(program.model, new Map(feeds));
      for (const { tensor, position } of program.outputs) {
        const wanted = dequantize(
          Int32Array.from(codes[position]!),
          dimsOf(tensor),
          lane.tensors.get(tensor)!,
        );
        const { name } = tensorOf(graph, tensor);
        const got = found[values.indexOf(values[activations.indexOf(tensor)]!)];
        expect({ name, values: got }).toEqual({ name, values: Array.from(wanted) });
      }
    }
  });

  it('is fed with the tensors of the file, in their codes, whatever order of axes it wants', () => {
    const programs = operatorsOf(graph).map((operator) => operatorProgram(graph, lane, operator));
    const isOfFile = ({ tensor }: { tensor: TensorId }): boolean => graph.inner?.has(tensor) !== true;
    for (const { inputs, outputs } of programs) {
      expect(inputs.length).toBeGreaterThan(0);
      expect([...inputs, ...outputs].every((port) => port.isCodes && isOfFile(port))).toBe(true);
    }
    const [first] = programs;
    expect(first!.inputs.map(({ tensor }) => tensor)).toEqual([input]);
    expect(compiled(first!.model).count('Transpose') + compiled(first!.model).count('Reshape')).toBe(1);
  });

  it('gives values where it has no codes', () => {
    const [first] = operatorsOf(graph);
    const { inputs, outputs } = operatorProgram(graph, FLOAT_LANE, first!);
    expect([...inputs, ...outputs].map(({ isCodes }) => isCodes)).toEqual([false, false]);
  });
});
