/** What the networks of an evaluation hand out: as their files call it, in their order, as values. */
import { describe, expect, it } from 'vitest';
import { networkPair } from '../../src/commands/network-pair.js';
import { computedOutputs, evaluationProgram } from '../../src/compile/evaluation-program.js';
import { OPAQUE_DOMAIN, tensorOf, type Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import type { Feed } from '../../src/run/data/dataset.js';
import { openSession } from '../../src/run/runtime.js';
import { Random } from '../quant/samples.js';
import { graph } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { feedOf, ONE_THREAD, samplesOf } from '../support/measured-networks.js';
import { projectPath } from '../support/tflite-network.js';

type Program = ReturnType<typeof evaluationProgram>;

/** For each network: name, dims, values and array type of its outputs. */
async function answers({ model, networks }: Program, feeds: ReadonlyMap<string, Feed>) {
  const session = await openSession(model, ONE_THREAD);
  try {
    const fetched = await session.fetch(feeds, 'sample');
    return networks.map((outputs) =>
      outputs.map(({ name, at }) => {
        const { data, dims } = fetched[at]!;
        return {
          name,
          dims: [...dims],
          values: Array.from(data as Float32Array),
          type: data.constructor.name,
        };
      }),
    );
  } finally {
    await session.close();
  }
}

/** Three outputs, declared in another order than they are computed in; one of them is the class, int64. */
function threeOutputs(): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 4])
      .constant('one', 'float32', [1], [1])
      .node('Add', { inputs: ['x', 'one'], outputs: ['sum'] })
      .node('Neg', { inputs: ['sum'], outputs: ['negative'] })
      .node('ArgMax', { inputs: ['negative'], outputs: ['class'], attrs: { axis: 1, keepdims: 0 } })
      .output('class', 'int64', [1])
      .output('negative', 'float32', [1, 4])
      .output('sum', 'float32', [1, 4])
      .build(),
  );
}

const X = new Map([['x', feedOf('float32', [1, 4], [0.3, -1.2, 2.6, 0.9])]]);

describe('evaluationProgram', () => {
  it('gives every network all outputs of the file, in its order and under its names', async () => {
    const g = threeOutputs();
    const program = evaluationProgram(g, [laneOf(g, { x: perTensor('int8', 1) })], FLOAT_LANE);
    expect(program.networks.map((outputs) => outputs.map(({ name }) => name))).toEqual([
      ['class', 'negative', 'sum'],
      ['class', 'negative', 'sum'],
    ]);
    const [float, lane] = await answers(program, X);
    expect(float!.map(({ dims }) => dims)).toEqual([[1], [1, 4], [1, 4]]);
    float![2]!.values.forEach((value, i) => expect(value).toBeCloseTo([1.3, -0.2, 3.6, 1.9][i]!, 6));
    expect(lane![2]!.values).toEqual([1, 0, 4, 2]);
    expect(lane![1]!.values.map((value) => value + 0)).toEqual([-1, 0, -4, -2]);
  });

  it('gives integers as float64, and what is float32 as it is', async () => {
    const g = threeOutputs();
    const [float] = await answers(evaluationProgram(g, [], FLOAT_LANE), X);
    expect(float!.map(({ type }) => type)).toEqual(['Float64Array', 'Float32Array', 'Float32Array']);
    expect(float![0]!.values).toEqual([1]);
  });

  it('runs several lanes on the same bytes, each with its own quantizers', async () => {
    const g = threeOutputs();
    const scales = [1, 0.5, 0.25];
    const lanes = scales.map((scale) => laneOf(g, { x: perTensor('int8', scale) }));
    const networks = await answers(evaluationProgram(g, lanes, FLOAT_LANE), X);
    expect(networks).toHaveLength(4);
    const x = [0.3, -1.2, 2.6, 0.9];
    scales.forEach((scale, i) =>
      expect(networks[i + 1]![2]!.values).toEqual(x.map((value) => Math.round(value / scale) * scale + 1)),
    );
  });

  it('takes any lane for the reference', async () => {
    const g = threeOutputs();
    const lane = laneOf(g, { x: perTensor('int8', 1) });
    const [reference, candidate] = await answers(evaluationProgram(g, [FLOAT_LANE], lane), X);
    expect(reference![2]!.values).toEqual([1, 0, 4, 2]);
    expect(candidate![2]!.values[0]).toBeCloseTo(1.3, 6);
  });

  it('gives outputs the extents that each sample makes', async () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 4])
        .node('NonZero', { inputs: ['x'], outputs: ['at'] })
        .output('at', 'int64')
        .build(),
    );
    const program = evaluationProgram(g, [laneOf(g, { x: perTensor('int8', 1) })], FLOAT_LANE);
    const of = (values: readonly number[]) =>
      answers(program, new Map([['x', feedOf('float32', [1, 4], values)]]));
    expect((await of([1, 2, 0, 3])).map(([at]) => at!.dims)).toEqual([
      [2, 3],
      [2, 3],
    ]);
    // 0.4 is one of the zeros of the lane only.
    const [float, lane] = await of([0.4, 0, 0, 3]);
    expect(float![0]).toMatchObject({ dims: [2, 2], values: [0, 0, 0, 3] });
    expect(lane![0]).toMatchObject({ dims: [2, 1], values: [0, 3] });
  });

  it('leaves out what is behind an operator that nothing computes', async () => {
    const g = inferShapes(
      graph({ opsets: { [OPAQUE_DOMAIN]: 1 } })
        .input('x', 'float32', [1, 4])
        .node('Relu', { inputs: ['x'], outputs: ['known'] })
        .node('Mystery', { domain: OPAQUE_DOMAIN, inputs: ['known'], outputs: ['unknown'] })
        .output('unknown', 'float32', [1, 4])
        .output('known', 'float32', [1, 4])
        .build(),
    );
    expect(computedOutputs(g).map((id) => tensorOf(g, id).name)).toEqual(['known']);
    const [float] = await answers(evaluationProgram(g, [], FLOAT_LANE), X);
    expect(float!.map(({ name }) => name)).toEqual(['known']);
  });

  it('hands out what the inputs were fed, before their quantizers', async () => {
    const g = threeOutputs();
    const lane = laneOf(g, { x: perTensor('int8', 1) });
    expect(evaluationProgram(g, [lane], FLOAT_LANE).inputs).toEqual([]);
    const { model, inputs } = evaluationProgram(g, [lane], FLOAT_LANE, true);
    const session = await openSession(model, ONE_THREAD);
    const fetched = await session.fetch(X, 'sample');
    await session.close();
    expect(inputs).toHaveLength(1);
    expect([...(fetched[inputs[0]!]!.data as Float32Array)]).toEqual(
      [0.3, -1.2, 2.6, 0.9].map((value) => Math.fround(value)),
    );
  });

  it('feeds a candidate of another layout what the reference is fed', async () => {
    const random = new Random(3);
    const values = Array.from({ length: 64 }, () => random.integer(0, 16) / 16);
    const samples = samplesOf('image', [1, 1, 8, 8], [values, values]);
    const reference = await loadModel(projectPath('fixtures/digits/digits.onnx'));
    const candidate = await loadModel(projectPath('fixtures/tflite/digits_float.tflite'));
    const extents = new Map([['image', [1, 1, 8, 8]]]);
    const pair = await networkPair({ reference, candidate }, extents, samples, ONE_THREAD);
    const { graph: nhwc, lane } = pair.candidate;
    const program = evaluationProgram(nhwc, [lane], pair.other, true);
    const feeds = new Map([['image', feedOf('float32', [1, 1, 8, 8], values)]]);
    const [first, second] = await answers(program, feeds);
    expect(first![0]).toMatchObject({ name: 'logits', dims: [1, 10] });
    expect(second![0]!.dims).toEqual([1, 10]);
    expect(second![0]!.name).toBe(tensorOf(nhwc, nhwc.outputs[0]!).name);
    // The export ends in a Softmax.
    const powers = first![0]!.values.map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, i) => expect(second![0]!.values[i]).toBeCloseTo(power / sum, 5));
    expect(Math.max(...second![0]!.values)).toBeGreaterThan(0.2);
    // What the candidate's own file would be fed.
    const session = await openSession(program.model, ONE_THREAD);
    const fetched = await session.fetch(feeds, 'sample');
    await session.close();
    const { dims, data } = fetched[program.inputs[0]!]!;
    expect(dims).toEqual([1, 8, 8, 1]);
    expect([...(data as Float32Array)]).toEqual(values);
  });
});
