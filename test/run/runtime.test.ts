import { describe, expect, it } from 'vitest';
import { ModelWriter, type CompiledModel } from '../../src/compile/model-writer.js';
import { rangeProgram } from '../../src/compile/calibration-program.js';
import { edgesOf } from '../../src/compile/edges.js';
import { RunError, UnsupportedError } from '../../src/errors.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { Feed, Sample } from '../../src/run/data/dataset.js';
import { openSession, runtimeVersion } from '../../src/run/runtime.js';
import { SheetRunner } from '../../src/run/sheet-runner.js';
import { graph } from '../support/graph-builder.js';
import { feedOf } from '../support/measured-networks.js';

function model(build: (writer: ModelWriter) => ReturnType<ModelWriter['op']>[]): CompiledModel {
  const writer = new ModelWriter(new Map([['', 17]]), 8);
  return writer.encode(build(writer));
}

const one = { threads: 1 };
const feeds = (values: Readonly<Record<string, Feed>>): ReadonlyMap<string, Feed> =>
  new Map(Object.entries(values));

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

describe('a session', () => {
  it('gives the outputs in the order of the model, whatever they are called', async () => {
    const session = await openSession(
      model((w) => {
        const x = w.input('x', 'float32', [2]);
        const last = w.op('Neg', [x]);
        const first = w.op('Abs', [x]);
        return [first, last];
      }),
      one,
    );
    const [abs, negative] = await session.run(feeds({ x: feedOf('float32', [2], [-1, 2]) }));
    expect([abs, negative]).toEqual([Float32Array.of(1, 2), Float32Array.of(1, -2)]);
    expect(session.openedInMs).toBeGreaterThan(0);
    await session.close();
  });

  it('takes feeds that the model does not read, and needs those that it does', async () => {
    const session = await openSession(
      model((w) => [w.op('Neg', [w.input('x', 'float32', [1])])]),
      one,
    );
    const x = feedOf('float32', [1], [1]);
    await expect(session.run(feeds({ x, other: x }))).resolves.toEqual([Float32Array.of(-1)]);
    await expect(session.run(feeds({ other: x }))).rejects.toThrow(/no feed for input x/);
    await session.close();
  });

  it.each(['float16', 'float64', 'int64', 'bool'] as const)('takes %s', async (dtype) => {
    const session = await openSession(
      model((w) => [w.op('Cast', [w.input('x', dtype, [2])], { to: 1 })]),
      one,
    );
    await expect(session.run(feeds({ x: feedOf(dtype, [2], [0, 1]) }))).resolves.toEqual([
      Float32Array.of(0, 1),
    ]);
    await session.close();
  });

  it('keeps quantize and dequantize pairs as they are, with and without optimizations', async () => {
    const quantized = model((w) => {
      const x = w.input('x', 'float32', [1, 1, 1, 4]);
      const pair = (value: ReturnType<ModelWriter['op']>, scale: number) => {
        const params = [w.literal('float32', [scale], []), w.literal('int8', [0], [])];
        return w.op('DequantizeLinear', [w.op('QuantizeLinear', [value, ...params]), ...params]);
      };
      const weight = pair(w.literal('float32', [1, 2, 3, 4], [1, 1, 1, 4]), 1);
      return [pair(w.op('Conv', [pair(x, 0.5), weight]), 0.25)];
    });
    for (const optimization of ['none', 'all'] as const) {
      const session = await openSession(quantized, { ...one, optimization });
      // 0.3 -> 0.5, 0.74 -> 0.5, 1.26 -> 1.5, -0.2 -> 0: 0.5 + 1 + 4.5 = 6
      const result = await session.run(
        feeds({ x: feedOf('float32', [1, 1, 1, 4], [0.3, 0.74, 1.26, -0.2]) }),
      );
      expect(result).toEqual([Float32Array.of(6)]);
      await session.close();
    }
  });

  it('says in one line which operator the runtime lacks', async () => {
    const error = await failure(
      openSession(
        model((w) => [w.op('Mystery', [w.input('x', 'float32', [1])])]),
        one,
      ),
    );
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as Error).message).toMatch(/^ONNX Runtime cannot run this network: .*Mystery/);
    expect((error as Error).message).not.toContain('\n');
  });

  it('says what the runtime refuses, and what fails while it runs', async () => {
    const refused = await failure(
      openSession(
        model((w) => [w.op('Concat', [w.input('x', 'float32', [1])], { axis: 5 })]),
        one,
      ),
    );
    expect(refused).toBeInstanceOf(RunError);
    const session = await openSession(
      model((w) => [w.op('Reshape', [w.input('x', 'float32', [4]), w.input('shape', 'int64', [1])])]),
      one,
    );
    const failed = await failure(
      session.run(feeds({ x: feedOf('float32', [4], [1, 2, 3, 4]), shape: feedOf('int64', [1], [3]) })),
    );
    expect(failed).toBeInstanceOf(RunError);
    expect((failed as Error).message).toMatch(/^the network failed while running: /);
    expect((failed as Error).cause).toBeInstanceOf(Error);
    await session.close();
  });

  it('is of a known version', async () => {
    expect(await runtimeVersion()).toMatch(/^onnxruntime-node \d+\.\d+\.\d+/);
  });
});

describe('a runner of sheets', () => {
  const g = inferShapes(
    graph()
      .input('x', 'float32', [1, 2])
      .node('Log', { inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  const { edges } = edgesOf(g, new Set());
  const sample = (id: string, ...values: number[]): Sample => ({
    id,
    index: 0,
    feeds: feeds({ x: feedOf('float32', [1, 2], values) }),
  });

  it('runs the dearer form for those samples only that need it, and builds it for the first of them', async () => {
    const built: boolean[] = [];
    const runner = new SheetRunner(
      (guarded) => {
        built.push(guarded);
        return rangeProgram(g, edges, guarded);
      },
      17,
      one,
    );
    const slotNames = async (id: string, ...values: number[]): Promise<Set<string>> =>
      new Set((await runner.run(sample(id, ...values))).slots.map(({ name }) => name));
    const plain = new Set(['min', 'max', 'sumXX']);
    expect(await slotNames('sound', 1, 2)).toEqual(plain);
    expect(built).toEqual([false]);
    expect(await slotNames('broken', 1, -2)).toEqual(new Set([...plain, 'nonFinite']));
    expect(await slotNames('sound again', 1, 2)).toEqual(plain);
    expect(await slotNames('broken again', 0, -2)).toEqual(new Set([...plain, 'nonFinite']));
    expect(built).toEqual([false, true]);
    await runner.close();
  });
});
