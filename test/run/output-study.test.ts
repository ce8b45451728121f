/** What comes out over several samples, beside plain loops over the same values. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import type { ReferenceNetwork } from '../../src/compile/reference.js';
import { tensorOf, type Graph, type TensorId } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { fakeQuantize } from '../../src/quant/affine.js';
import {
  OutputWatch,
  studyOutputs,
  type OutputStudy,
  type StudiedNetwork,
} from '../../src/run/output-study.js';
import type { Samples } from '../../src/run/samples.js';
import { Random } from '../quant/samples.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { bells, ONE_THREAD, samplesOf } from '../support/measured-networks.js';

const CLASSES = 5;

/** x -> hidden = x * gain -> y = hidden + offset, all of one row of five values. */
function network(dims: readonly number[] = [1, CLASSES], softmax = false): Graph {
  const builder = graph()
    .input('x', 'float32', dims)
    .constant('gain', 'float32', [1], [2])
    .constant('offset', 'float32', [1], [0.25])
    .node('Mul', { name: 'mul', inputs: ['x', 'gain'], outputs: ['hidden'] })
    .node('Add', { name: 'add', inputs: ['hidden', 'offset'], outputs: ['y'] });
  if (softmax)
    builder.node('Softmax', { name: 'softmax', inputs: ['y'], outputs: ['p'], attrs: { axis: 1 } });
  return inferShapes(builder.output(softmax ? 'p' : 'y').build());
}

function studied(g: Graph, lane: Lane, other?: ReferenceNetwork): StudiedNetwork {
  const { edges } = edgesOf(g, new Set());
  return { graph: g, lane, edges, ends: new Set(g.outputs), ...(other === undefined ? {} : { other }) };
}

function drawn(count: number, dims: readonly number[] = [1, CLASSES]): number[][] {
  const random = new Random(3);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: count }, () => bells(random, size));
}

function study(
  g: Graph,
  lane: Lane,
  values: readonly number[][],
  dims: readonly number[] = [1, CLASSES],
): Promise<OutputStudy> {
  return studyOutputs(studied(g, lane), samplesOf('x', dims, values), ONE_THREAD);
}

function varianceOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

describe('an output over several samples', () => {
  const g = network();
  const params = perTensor('int8', 0.125);
  const values = drawn(8);
  const float = values.map((row) => row.map((x) => Math.fround(Math.fround(2 * x) + 0.25)));
  const quantized = float.map((row) => [...fakeQuantize(Float32Array.from(row), [1, CLASSES], params)]);

  it('has the variance between samples of a plain loop, in LSB squared', async () => {
    const { outputs, samples } = await study(g, laneOf(g, { y: params }), values);
    const mean = (rows: readonly number[][]): number =>
      rows[0]!.map((_, c) => varianceOf(rows.map((row) => row[c]!))).reduce((a, b) => a + b, 0) / CLASSES;
    expect(samples).toBe(8);
    expect(outputs[0]?.variance.float).toBeCloseTo(mean(float) / 0.125 ** 2, 6);
    expect(outputs[0]?.variance.quantized).toBeCloseTo(mean(quantized) / 0.125 ** 2, 6);
  });

  it('counts noise, levels and different values', async () => {
    const [output] = (await study(g, laneOf(g, { y: params }), values)).outputs;
    const errors = float.flatMap((row, n) => row.map((value, c) => (quantized[n]![c]! - value) ** 2));
    expect(output?.noise).toBeCloseTo(errors.reduce((a, b) => a + b, 0) / errors.length, 9);
    expect(output?.codes).toBe(new Set(quantized.flat()).size);
    const sorted = float.flat().sort((a, b) => a - b);
    const at = (p: number): number => {
      const position = ((sorted.length - 1) * p) / 100;
      const low = sorted[Math.floor(position)]!;
      return low + (position % 1) * ((sorted[Math.floor(position) + 1] ?? low) - low);
    };
    expect(output?.levels).toBeCloseTo((at(99) - at(1)) / 0.125, 4);
  });

  it('counts the answers of both', async () => {
    const [output] = (await study(g, laneOf(g, { y: perTensor('int8', 1) }), values)).outputs;
    const leader = (row: readonly number[]): number => row.indexOf(Math.max(...row));
    const coarse = float.map((row) => [
      ...fakeQuantize(Float32Array.from(row), [1, CLASSES], perTensor('int8', 1)),
    ]);
    // Rows of less than 4 LSB between the largest and the smallest score do not choose.
    const kept = float.flatMap((row, n) => (Math.max(...row) - Math.min(...row) >= 4 ? [n] : []));
    expect(output?.answers).toMatchObject({
      count: kept.length,
      changed: kept.filter((n) => leader(float[n]!) !== leader(coarse[n]!)).length,
      different: { float: new Set(kept.map((n) => leader(float[n]!))).size },
      ties: {
        quantized: kept.filter((n) => coarse[n]!.filter((v) => v === Math.max(...coarse[n]!)).length > 1)
          .length,
      },
    });
  });

  it('has the cosine of each sample, and how the distances between samples are kept', async () => {
    const [output] = (await study(g, laneOf(g, { y: params }), values)).outputs;
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, v, i) => sum + v * b[i]!, 0);
    const cosines = float.map((row, n) => {
      const other = quantized[n]!;
      return dot(row, other) / Math.sqrt(dot(row, row) * dot(other, other));
    });
    expect(output?.cosine?.mean).toBeCloseTo(cosines.reduce((a, b) => a + b, 0) / 8, 9);
    expect(output?.cosine?.min).toBeCloseTo(Math.min(...cosines), 9);
    expect(output?.cosine?.isUnit).toBe(false);
    expect(output?.cosine?.ranks).toBeGreaterThan(0.9);
  });

  it('does not collapse', async () => {
    const { outputs, dead } = await study(g, laneOf(g, { y: params }), values);
    expect(outputs[0]).toMatchObject({ moving: CLASSES, stuck: 0 });
    expect(outputs[0]?.collapse).toBeUndefined();
    expect(dead).toBeUndefined();
  });

  it('leaves out elements that are not finite in one sample, and only those', async () => {
    const broken = values.map((row, n) => row.map((x, c) => (n === 2 && c === 1 ? Infinity : x)));
    const [output] = (await study(g, laneOf(g, { y: params }), broken)).outputs;
    expect(output).toMatchObject({ moving: CLASSES - 1 });
    expect(Number.isFinite(output?.variance.float)).toBe(true);
    expect(Number.isFinite(output?.range.max)).toBe(true);
    expect(Number.isFinite(output?.noise)).toBe(true);
  });
});

describe('a collapsed output', () => {
  const g = network();
  const values = drawn(8);

  it('stands still behind a tensor whose range nothing reaches, and that tensor is named', async () => {
    const lane = laneOf(g, { hidden: perTensor('int8', 1000), y: perTensor('int8', 0.125) });
    const { outputs, dead } = await study(g, lane, values);
    expect(outputs[0]).toMatchObject({ collapse: 'values', moving: CLASSES, stuck: CLASSES });
    expect(dead).toMatchObject({ name: 'hidden', node: 'mul', ratio: 0 });
  });

  it('names the input where that stands still already', async () => {
    const lane = laneOf(g, { x: perTensor('int8', 1000), y: perTensor('int8', 0.125) });
    const { dead } = await study(g, lane, values);
    expect(dead?.name).toBe('x');
    expect(dead?.node).toBeUndefined();
  });

  it('is seen where another network says what it should be', async () => {
    const other = {
      graph: g,
      lane: FLOAT_LANE,
      counterparts: new Map(
        ['x', 'hidden', 'y'].map((name) => [tensorNamed(g, name).id, { tensor: tensorNamed(g, name).id }]),
      ),
    };
    const lane = laneOf(g, { hidden: perTensor('int8', 1000), y: perTensor('int8', 0.125) });
    const found = await studyOutputs(
      studied(g, lane, other),
      samplesOf('x', [1, CLASSES], values),
      ONE_THREAD,
    );
    expect(found.outputs[0]?.collapse).toBe('values');
    expect(found.dead?.name).toBe('hidden');
  });

  it('is not one where the float network stands still as well', async () => {
    const same = Array.from({ length: 8 }, () => values[0]!);
    const lane = laneOf(g, { hidden: perTensor('int8', 1000), y: perTensor('int8', 0.125) });
    const { outputs, dead } = await study(g, lane, same);
    expect(outputs[0]).toMatchObject({ moving: 0 });
    expect(outputs[0]?.collapse).toBeUndefined();
    expect(dead).toBeUndefined();
  });

  it('is not one where float moves by less than 2 LSB', async () => {
    const near = values.map((row) => row.map((x) => 3 + x / 100));
    const { outputs } = await study(g, laneOf(g, { y: perTensor('int8', 0.125) }), near);
    expect(outputs[0]?.collapse).toBeUndefined();
  });

  it('is one whose elements move while always the same class is answered', async () => {
    const tall = values.map((row, n) => row.map((x, c) => x / 10 + (c === n % CLASSES ? 3 : 0)));
    const h = inferShapes(
      graph()
        .input('x', 'float32', [1, CLASSES])
        .constant('bias', 'float32', [1, CLASSES], [50, 0, 0, 0, 0])
        .constant('none', 'float32', [1, CLASSES], [0, 0, 0, 0, 0])
        .node('Add', { inputs: ['x', 'none'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const bias = tensorOf(h, tensorNamed(h, 'bias').id).data;
    const lane = { ...laneOf(h, {}), values: new Map([[tensorNamed(h, 'none').id, bias!]]) };
    const { outputs, dead } = await study(h, lane, tall);
    expect(outputs[0]).toMatchObject({ stuck: 0, collapse: 'answers' });
    expect(dead).toBeUndefined();
  });
});

describe('rows that sum to 1 in float', () => {
  const g = network([1, CLASSES], true);
  const values = drawn(8);

  it('are held against 1 as integers', async () => {
    const [sound] = (await study(g, laneOf(g, { p: perTensor('uint8', 1 / 256) }), values)).outputs;
    expect(sound?.sums?.lane?.departure).toBeLessThan(0.02);
    const [cut] = (await study(g, laneOf(g, { p: perTensor('uint8', 1 / 1024) }), values)).outputs;
    expect(cut?.sums?.lane?.departure).toBeGreaterThan(0.1);
  });

  it('are found along whatever axis they lie', async () => {
    const dims = [1, 3, 2, 4];
    const h = inferShapes(
      graph()
        .input('x', 'float32', dims)
        .node('Softmax', { inputs: ['x'], outputs: ['p'], attrs: { axis: 2 } })
        .output('p')
        .build(),
    );
    const [output] = (await study(h, laneOf(h, { p: perTensor('uint8', 1 / 256) }), drawn(4, dims), dims))
      .outputs;
    expect(output?.answers).toMatchObject({ classes: 2, rowsPerSample: 12 });
    expect(output?.sums?.rows).toBe(4 * 12);
  });

  it('say nothing where rounding alone leaves too little', async () => {
    const dims = [1, 1000];
    const h = inferShapes(
      graph()
        .input('x', 'float32', dims)
        .node('Softmax', { inputs: ['x'], outputs: ['p'], attrs: { axis: 1 } })
        .output('p')
        .build(),
    );
    const flat = drawn(4, dims).map((row) => row.map((x) => x / 10));
    const [output] = (await study(h, laneOf(h, { p: perTensor('uint8', 1 / 256) }), flat, dims)).outputs;
    expect(output?.sums).toEqual({ rows: 0 });
  });
});

describe('the step of an output', () => {
  it('is that of the quantizer in front of operators that only move elements', async () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 6])
        .constant('shape', 'int64', [2], [2, 3])
        .node('Neg', { inputs: ['x'], outputs: ['n'] })
        .node('Reshape', { inputs: ['n', 'shape'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const [output] = (await study(g, laneOf(g, { n: perTensor('int8', 0.5) }), drawn(3, [1, 6]), [1, 6]))
      .outputs;
    expect(output?.lsb).toBe(0.5);
  });

  it('is unknown, as are levels, behind an operator that computes', async () => {
    const g = network();
    const [output] = (await study(g, laneOf(g, { hidden: perTensor('int8', 0.5) }), drawn(3))).outputs;
    expect(output?.lsb).toBeUndefined();
    expect(output?.levels).toBeUndefined();
  });
});

describe('samples', () => {
  const g = network();
  const lane = laneOf(g, { y: perTensor('int8', 0.125) });

  function counted(samples: Samples): { samples: Samples; read: () => number } {
    let read = 0;
    return {
      read: () => read,
      samples: {
        count: samples.count,
        async *samples() {
          for await (const sample of samples.samples()) {
            read++;
            yield sample;
          }
        },
      },
    };
  }

  it('are 16 at most, one in eight, and 8 at least', async () => {
    for (const [count, taken] of [
      [3, 3],
      [8, 8],
      [40, 8],
      [96, 12],
      [300, 16],
    ] as const) {
      expect((await study(g, lane, drawn(count))).samples).toBe(taken);
    }
  });

  it('are run beside another pass, the first one only, and read once', async () => {
    const { samples, read } = counted(samplesOf('x', [1, CLASSES], drawn(20)));
    const watch = new OutputWatch(studied(g, lane), ONE_THREAD);
    const beside = watch.beside(samples);
    const ids: string[] = [];
    for (let pass = 0; pass < 2; pass++) for await (const { id } of beside.samples()) ids.push(id);
    expect(read()).toBe(40);
    expect(ids).toHaveLength(40);
    expect((await watch.result()).samples).toBe(8);
    await watch.close();
  });

  it('give the same study whatever there is in between', async () => {
    const values = drawn(24);
    expect(await study(g, lane, values)).toEqual(await study(g, lane, values));
  });
});

describe('a large output', () => {
  it('is followed at some of its rows, which are whole', async () => {
    const dims = [1, 3, 400, 400];
    const g = inferShapes(
      graph()
        .input('x', 'float32', dims)
        .node('Softmax', { inputs: ['x'], outputs: ['p'], attrs: { axis: 1 } })
        .output('p')
        .build(),
    );
    const [output] = (await study(g, laneOf(g, { p: perTensor('uint8', 1 / 256) }), drawn(2, dims), dims))
      .outputs;
    expect(output?.elements).toBeLessThanOrEqual(2 ** 18);
    expect(output?.elements).toBeGreaterThan(2 ** 17);
    expect(output?.answers?.classes).toBe(3);
    expect(output?.sums?.lane?.departure).toBeLessThan(0.01);
  });
});

describe('outputs without a counterpart', () => {
  it('are not studied, and nothing is run', async () => {
    const g = network();
    const x = tensorNamed(g, 'x').id;
    const other = {
      graph: g,
      lane: FLOAT_LANE,
      counterparts: new Map<TensorId, { tensor: TensorId }>([[x, { tensor: x }]]),
    };
    const found = await studyOutputs(
      studied(g, laneOf(g, { y: perTensor('int8', 0.125) }), other),
      samplesOf('x', [1, CLASSES], drawn(3)),
      ONE_THREAD,
    );
    expect(found).toEqual({ samples: 0, outputs: [] });
  });
});
