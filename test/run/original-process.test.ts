/** A user's file in ONNX Runtime, in a process that may be lost. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunError } from '../../src/errors.js';
import { onnx, type GraphProto, type TensorProto, type ValueInfoProto } from '../../src/onnx/proto.js';
import { describeProcessor } from '../../src/run/original/cpu.js';
import { isFetchable, openOriginal, type Original } from '../../src/run/original/process.js';
import { fileTensors, outputsAppended } from '../../src/run/original/taps.js';
import type { Feed } from '../../src/run/data/dataset.js';
import { FILES } from '../support/dumped.js';
import { workspace } from '../support/workspace.js';

const work = workspace();
const OPTIONS = { threads: 1, optimization: 'none' } as const;

interface Made {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A file of nodes on one input x of 4 values; `types` are those of the outputs by their numbers in ONNX. */
function modelFile(
  name: string,
  type: number,
  nodes: readonly Made[],
  outputs: Readonly<Record<string, number>>,
  constants: readonly TensorProto[] = [],
): string {
  const value = (of: string, elemType: number): ValueInfoProto => ({
    name: of,
    type: { tensorType: { elemType, shape: { dim: [{ dimValue: 4 }] } } },
  });
  const bytes = onnx.ModelProto.encode({
    irVersion: 10,
    opsetImport: [{ domain: '', version: 21 }],
    graph: {
      name: 'made',
      node: nodes.map(({ op, inputs, outputs: out }) => ({
        opType: op,
        input: [...inputs],
        output: [...out],
      })),
      input: [value('x', type)],
      output: Object.entries(outputs).map(([of, elemType]) => value(of, elemType)),
      initializer: [...constants],
    },
  }).finish();
  return work.file(name, bytes);
}

const FLOAT = 1;
const INT64 = 7;
const INT4 = 22;

async function opened<T>(
  path: string,
  names: readonly string[],
  use: (original: Original) => Promise<T>,
): Promise<T> {
  const original = await openOriginal(path, work.folder, outputsAppended(names), OPTIONS);
  try {
    return await use(original);
  } finally {
    await original.close();
  }
}

const feed = (data: Feed['data'], dtype: Feed['dtype'] = 'float32'): ReadonlyMap<string, Feed> =>
  new Map([['x', { dtype, dims: [data.length], data }]]);

describe('a file in a process of its own', () => {
  it('gives tensors inside it, whose types nothing states, beside its outputs', async () => {
    const path = modelFile(
      'chain.onnx',
      FLOAT,
      [
        { op: 'Neg', inputs: ['x'], outputs: ['a'] },
        { op: 'Abs', inputs: ['a'], outputs: ['b'] },
        { op: 'Sqrt', inputs: ['b'], outputs: ['y'] },
      ],
      { y: FLOAT },
    );
    const { outputs, written } = await fileTensors(path);
    expect(outputs).toEqual(['y']);
    expect([...written]).toEqual(['a', 'b', 'y']);
    const results = await opened(path, ['a', 'b'], async (original) => {
      expect([...original.outputs]).toEqual([
        ['y', 'float32'],
        ['a', 'float32'],
        ['b', 'float32'],
      ]);
      return original.run(feed(Float32Array.of(1, 4, -9, 16)), ['a', 'y']);
    });
    expect([...results.keys()].sort()).toEqual(['a', 'y']);
    expect(results.get('a')).toMatchObject({ type: 'float32', dims: [4] });
    expect(Array.from(results.get('a')!.data, Number)).toEqual([-1, -4, 9, -16]);
    expect(Array.from(results.get('y')!.data, Number)).toEqual([1, 2, 3, 4]);
  });

  it('gives every tensor of a QDQ file, run after run', async () => {
    const { written, outputs } = await fileTensors(FILES.qdq);
    const names = [...written].filter((name) => !outputs.includes(name));
    await opened(FILES.qdq, names, async (original) => {
      const image: Feed = { dtype: 'float32', dims: [1, 1, 8, 8], data: new Float32Array(64).fill(0.5) };
      const run = (): ReturnType<Original['run']> => original.run(new Map([['image', image]]), names);
      const [first, second] = [await run(), await run()];
      expect(first.size).toBe(names.length);
      for (const [name, { data }] of first) expect(second.get(name)?.data, name).toEqual(data);
    });
  });

  it('takes and gives 64-bit integers', async () => {
    const path = modelFile('wide.onnx', INT64, [{ op: 'Neg', inputs: ['x'], outputs: ['y'] }], { y: INT64 });
    const { data } = await opened(path, [], async (original) => {
      const results = await original.run(feed(BigInt64Array.of(1n, -2n, 2n ** 60n, 0n), 'int64'), ['y']);
      return results.get('y')!;
    });
    expect(data).toEqual(BigInt64Array.of(-1n, 2n, -(2n ** 60n), 0n));
  });

  it('reads external data beside it', async () => {
    const constant = {
      name: 'c',
      dims: [4],
      dataType: FLOAT,
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: 'weights.bin' }],
    };
    work.file('weights.bin', new Uint8Array(Float32Array.of(10, 20, 30, 40).buffer));
    const path = modelFile(
      'external.onnx',
      FLOAT,
      [
        { op: 'Add', inputs: ['x', 'c'], outputs: ['a'] },
        { op: 'Neg', inputs: ['a'], outputs: ['y'] },
      ],
      { y: FLOAT },
      [constant],
    );
    const results = await opened(path, ['a'], (original) =>
      original.run(feed(Float32Array.of(1, 2, 3, 4)), ['a']),
    );
    expect(Array.from(results.get('a')!.data, Number)).toEqual([11, 22, 33, 44]);
  });
});

describe('a file that the runtime does not survive', () => {
  const refused = async (work_: Promise<unknown>): Promise<string> => {
    const error: unknown = await work_.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).message).not.toContain('\n');
    return (error as RunError).message;
  };

  it('ends with one reason when the runtime aborts its process', async () => {
    const zero = { name: 'z', dims: [], dataType: INT4, int32Data: [0] };
    const scale = { name: 's', dims: [], dataType: FLOAT, floatData: [0.5] };
    const path = modelFile(
      'four-bits.onnx',
      FLOAT,
      [{ op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['y'] }],
      { y: INT4 },
      [scale, zero],
    );
    await opened(path, [], async (original) => {
      expect(isFetchable(original.outputs.get('y'))).toBe(false);
      const run = (): Promise<unknown> => original.run(feed(Float32Array.of(1, 2, 3, 4)), ['y']);
      expect(await refused(run())).toMatch(/^ONNX Runtime ended its process \(SIG[A-Z]+\)/);
      expect(await refused(run())).toMatch(/^ONNX Runtime ended its process/);
    });
  });

  it('ends with what the runtime says when it refuses the file or an operator fails', async () => {
    const unknown = modelFile('unknown.onnx', FLOAT, [{ op: 'Frobnicate', inputs: ['x'], outputs: ['y'] }], {
      y: FLOAT,
    });
    expect(await refused(openOriginal(unknown, work.folder, new Uint8Array(0), OPTIONS))).toMatch(
      /^ONNX Runtime refused the file: .*Frobnicate/,
    );
    const shape = { name: 'c', dims: [3], dataType: FLOAT, floatData: [1, 2, 3] };
    const path = modelFile('unequal.onnx', FLOAT, [{ op: 'Add', inputs: ['x', 'c'], outputs: ['y'] }], {}, [
      shape,
    ]);
    expect(await refused(openOriginal(path, work.folder, outputsAppended(['y']), OPTIONS))).toContain(
      'ONNX Runtime',
    );
    expect(
      await refused(openOriginal(join(work.folder, 'gone.onnx'), work.folder, new Uint8Array(0), OPTIONS)),
    ).toContain('no such file');
  });

  it('is ended when it does not finish in time', async () => {
    const limit = { name: 'n', dims: [], dataType: INT64, int64Data: ['9000000000000000000'] };
    const yes = { name: 't', dims: [], dataType: 9, int32Data: [1] };
    const body: GraphProto = {
      name: 'body',
      input: [
        { name: 'i', type: { tensorType: { elemType: INT64, shape: {} } } },
        { name: 'go', type: { tensorType: { elemType: 9, shape: {} } } },
        { name: 'v', type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimValue: 4 }] } } } },
      ],
      node: [
        { opType: 'Identity', input: ['go'], output: ['again'] },
        { opType: 'Neg', input: ['v'], output: ['w'] },
      ],
      output: [
        { name: 'again', type: { tensorType: { elemType: 9, shape: {} } } },
        { name: 'w', type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimValue: 4 }] } } } },
      ],
    };
    const value: ValueInfoProto = {
      name: 'x',
      type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimValue: 4 }] } } },
    };
    const bytes = onnx.ModelProto.encode({
      irVersion: 10,
      opsetImport: [{ domain: '', version: 21 }],
      graph: {
        name: 'endless',
        node: [
          {
            opType: 'Loop',
            input: ['n', 't', 'x'],
            output: ['y'],
            attribute: [{ name: 'body', type: onnx.AttributeProto.AttributeType.GRAPH, g: body }],
          },
        ],
        input: [value],
        output: [{ ...value, name: 'y' }],
        initializer: [limit, yes] as unknown as TensorProto[],
      },
    }).finish();
    const path = work.file('endless.onnx', bytes);
    const original = await openOriginal(path, work.folder, new Uint8Array(0), {
      ...OPTIONS,
      patienceMs: 4000,
    });
    const started = performance.now();
    const run = original.run(feed(Float32Array.of(1, 2, 3, 4)), ['y']);
    expect(await refused(run)).toBe('ONNX Runtime did not finish running the file in 4 s');
    expect(performance.now() - started).toBeLessThan(20_000);
    await original.close();
  });

  it('has nothing but outputs added', () => {
    const appended = outputsAppended(['one', 'two']);
    const { graph, ...rest } = onnx.ModelProto.decode(appended);
    expect(graph?.output?.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(graph?.node).toEqual([]);
    expect(Object.values(rest).flat()).toEqual([]);
    expect(outputsAppended([])).toHaveLength(0);
  });
});

describe('the processor', () => {
  const info = (flags: string): string => `processor : 0\nflags\t\t: fpu ${flags} sse2\nbugs : none\n`;

  it('may saturate products of uint8 with int8 where it has AVX2 or AVX512 without VNNI', () => {
    const { text, saturates } = describeProcessor('x64', info('avx2 avx512f avx512bw'), 'Xeon');
    expect(saturates).toBe(true);
    expect(text).toBe(
      'x64 with AVX512, AVX2, without VNNI: products of uint8 with int8 are added in 16 bits and may saturate',
    );
  });

  it('does not where it has VNNI, or is an Arm', () => {
    expect(describeProcessor('x64', info('avx2 avx_vnni'), '')).toEqual({
      text: 'x64 with AVX-VNNI, AVX2',
      saturates: false,
    });
    const arm = describeProcessor('arm64', 'Features\t: fp asimd asimddp i8mm\n', '');
    expect(arm).toEqual({ text: 'arm64 with I8MM, dot product, NEON', saturates: false });
  });

  it('is not judged where it does not say what it has', () => {
    expect(describeProcessor('x64', '', 'Apple M2').saturates).toBeUndefined();
    expect(describeProcessor('arm64', '', 'Apple M2').text).toContain('Apple M2');
  });
});
