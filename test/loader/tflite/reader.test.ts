/** What the reader says of files, beside what the code that flatc generated for Python, and the TFLite interpreter, say of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { LoadError, QdbgError, UnsupportedError } from '../../../src/errors.js';
import { BUILTIN_OPERATORS } from '../../../src/loader/tflite/flatbuffer/operators.js';
import * as words from '../../../src/loader/tflite/flatbuffer/words.js';
import type { TfliteModel, TfliteTensor } from '../../../src/loader/tflite/model.js';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { modelBytes } from './flat-model.js';
import type { ModelSpec } from './flat-model.js';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/tflite/reader');
const SHARED = join(import.meta.dirname, '../../../../shared');

function fixture(name: string): Buffer {
  return readFileSync(join(FIXTURES, name));
}

function expected(name: string): unknown {
  return JSON.parse(fixture(`${name}.json`).toString());
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function plainTensor({ data, quantization, ...tensor }: TfliteTensor): unknown {
  return {
    ...tensor,
    ...(quantization && { quantization: { ...quantization, scale: [...quantization.scale] } }),
    ...(data && data.byteLength > 0 && { data: hex(data.bytes()) }),
  };
}

/** As the recipe writes it. */
function plain({ subgraphs, signatures, metadata, ...model }: TfliteModel): unknown {
  return {
    ...model,
    subgraphs: subgraphs.map(({ tensors, operators, ...subgraph }) => ({
      ...subgraph,
      tensors: tensors.map(plainTensor),
      operators: operators.map(({ customOptions, ...operator }) => ({
        ...operator,
        customOptions: hex(customOptions),
      })),
    })),
    signatures: signatures.map(({ inputs, outputs, ...signature }) => ({
      ...signature,
      inputs: Object.fromEntries(inputs),
      outputs: Object.fromEntries(outputs),
    })),
    metadata: Object.fromEntries([...metadata].map(([name, bytes]) => [name, hex(bytes)])),
  };
}

function tensorNamed(model: TfliteModel, name: string): TfliteTensor {
  const found = model.subgraphs[0]!.tensors.find((tensor) => tensor.name === name);
  if (found === undefined) throw new Error(`no tensor ${name}`);
  return found;
}

describe('the schema', () => {
  const { enums, operators } = expected('operators') as {
    enums: Record<string, string[]>;
    operators: [op: string, version: number, options: object][];
  };

  it.each<[string, readonly string[]]>([
    ['BuiltinOperator', BUILTIN_OPERATORS.map(([name]) => name)],
    ['TensorType', words.TENSOR_TYPES],
    ['Padding', words.PADDINGS],
    ['ActivationFunctionType', words.ACTIVATIONS],
    ['MirrorPadMode', words.MIRROR_PAD_MODES],
    ['LSHProjectionType', words.LSH_PROJECTION_TYPES],
    ['FullyConnectedOptionsWeightsFormat', words.WEIGHTS_FORMATS],
    ['LSTMKernelType', words.LSTM_KERNEL_TYPES],
    ['CombinerType', words.COMBINER_TYPES],
    ['ReduceWindowFunction', words.REDUCE_WINDOW_FUNCTIONS],
    ['CustomOptionsFormat', words.CUSTOM_OPTIONS_FORMATS],
    ['RngAlgorithm', words.RNG_ALGORITHMS],
    ['StablehloComparisonDirection', words.COMPARISON_DIRECTIONS],
    ['StablehloComparisonType', words.COMPARISON_TYPES],
  ])('has the words of %s', (name, known) => {
    expect(known).toEqual(enums[name]);
  });

  it('has every option of every builtin operator, with its values and its default', () => {
    const read = readTflite(fixture('operators.tflite')).subgraphs[0]!.operators;
    expect(read).toHaveLength(2 * (BUILTIN_OPERATORS.length - 1)); // CUSTOM has none
    expect(read.map(({ op, version, options }) => [op, version, options])).toEqual(operators);
  });
});

describe('a file', () => {
  it('is read with all of its parts', () => {
    expect(plain(readTflite(fixture('parts.tflite')))).toEqual(expected('parts'));
  });

  it('is read when its buffers and custom options lie behind the FlatBuffer', () => {
    expect(plain(readTflite(fixture('outside.tflite')))).toEqual(expected('outside'));
  });

  it('is read at any position in memory', () => {
    const file = fixture('parts.tflite');
    const moved = new Uint8Array(file.length + 3);
    moved.set(file, 3);
    expect(plain(readTflite(moved.subarray(3)))).toEqual(expected('parts'));
  });

  it('has constants of the type they are stored in', () => {
    const model = readTflite(fixture('parts.tflite'));
    const dtypes = Object.fromEntries(
      words.TENSOR_TYPES.filter((type) => type !== 'STRING').map((type) => [
        type,
        tensorNamed(model, `${type} constant`).data?.dtype,
      ]),
    );
    expect(dtypes).toEqual({
      FLOAT32: 'float32',
      FLOAT16: 'float16',
      INT32: 'int32',
      UINT8: 'uint8',
      INT64: 'int64',
      BOOL: 'bool',
      INT16: 'int16',
      COMPLEX64: 'complex64',
      INT8: 'int8',
      FLOAT64: 'float64',
      COMPLEX128: 'complex128',
      UINT64: 'uint64',
      RESOURCE: undefined,
      VARIANT: undefined,
      UINT32: 'uint32',
      UINT16: 'uint16',
      INT4: 'int4',
      BFLOAT16: 'bfloat16',
      INT2: 'int2',
      UINT4: 'uint4',
      FLOAT8_E4M3FN: 'float8e4m3fn',
      FLOAT8_E5M2: 'float8e5m2',
    });
    expect(tensorNamed(model, 'scalar').data?.dims).toEqual([]);
  });

  it('has the strings of constants of strings', () => {
    const { data } = tensorNamed(readTflite(fixture('parts.tflite')), 'words');
    expect(data?.dims).toEqual([2, 2]);
    expect(data?.strings?.map((string) => Buffer.from(string).toString())).toEqual([
      'a',
      '',
      'ö',
      'long text',
    ]);
  });

  it('has a constant for what is read, has no elements and is written by nothing', () => {
    const { data } = tensorNamed(readTflite(fixture('parts.tflite')), 'no elements');
    expect(data).toMatchObject({ dtype: 'int32', dims: [0], byteLength: 0 });
    expect(data?.bytes()).toHaveLength(0);
  });

  it('has sparse constants as the DENSIFY operator of the interpreter makes them', () => {
    const { tensors } = readTflite(fixture('sparse.tflite')).subgraphs[0]!;
    const sparse = tensors.filter(({ data }) => data !== undefined);
    expect(sparse.map(({ data }) => hex(data!.bytes()))).toEqual(expected('sparse'));
    expect(sparse.map(({ data }) => data?.byteLength)).toEqual(
      sparse.map(({ data }) => data!.bytes().length),
    );
  });
});

describe.skipIf(!existsSync(join(SHARED, 'golden')))('a real model', () => {
  interface Meta {
    model: string;
    tensors: Record<
      string,
      { name: string; shape: number[]; scale: number[]; zero_point: number[]; axis: number }
    >;
    ops: { op: string; inputs: number[]; outputs: number[] }[];
  }
  const folder = join(SHARED, 'golden');
  const archives = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.npz')) : [];
  const models = new Map(
    existsSync(folder)
      ? readdirSync(join(SHARED, 'models'), { recursive: true, encoding: 'utf8' }).map((path) => [
          path.split(/[\\/]/).at(-1),
          join(SHARED, 'models', path),
        ])
      : [],
  );

  it.each(archives)('of %s has the tensors and operators that the interpreter has', (archive) => {
    const entries = unzipSync(readFileSync(join(folder, archive)), {
      filter: ({ name }) => name.startsWith('meta.json'),
    });
    const stored = Buffer.from(Object.values(entries)[0]!).toString('latin1');
    const meta = JSON.parse(stored.slice(stored.indexOf('{"model"'))) as Meta;
    const { tensors, operators } = readTflite(readFileSync(models.get(meta.model)!)).subgraphs[0]!;
    expect(operators.map(({ op, inputs, outputs }) => ({ op, inputs, outputs }))).toEqual(
      meta.ops.map(({ op, inputs, outputs }) => ({ op, inputs, outputs })),
    );
    for (const { index, name, shape, quantization } of tensors) {
      const seen = meta.tensors[index];
      if (seen === undefined) continue;
      expect(name).toBe(seen.name);
      // Where the file has none, the operator finds it.
      if (shape.length > 0) expect(shape).toEqual(seen.shape);
      expect([...(quantization?.scale ?? [])]).toEqual(seen.scale);
      if (seen.scale.length > 0) {
        expect([quantization?.zeroPoint, quantization?.quantizedDimension]).toEqual([
          seen.zero_point,
          seen.axis,
        ]);
      }
    }
  });
});

function refusal(bytes: Uint8Array): QdbgError {
  try {
    readTflite(bytes);
  } catch (error) {
    if (error instanceof QdbgError) return error;
    throw error;
  }
  throw new Error('it was read');
}

/** 0 -> RELU -> 1, with parts replaced. */
function reluWith(spec: ModelSpec): Uint8Array {
  return modelBytes({
    tensors: [{ name: 'x' }, { name: 'y' }],
    inputs: [0],
    outputs: [1],
    operators: [{ inputs: [0], outputs: [1] }],
    ...spec,
  });
}

describe('a file that contradicts itself', () => {
  it('is not what the parts replaced below are parts of', () => {
    expect(readTflite(reluWith({})).subgraphs[0]?.operators[0]?.op).toBe('RELU');
  });

  it.each<[string, ModelSpec, RegExp]>([
    ['has no subgraph', { tensors: undefined } as unknown as ModelSpec, /the model has no subgraph/],
    ['has no tensors', { tensors: [], inputs: [], outputs: [], operators: [] }, /the model has no tensors/],
    ['has an input beyond its tensors', { inputs: [7] }, /subgraph 0 has input tensor 7; .* 0 to 1/],
    ['has an output that is left out', { outputs: [-1] }, /subgraph 0 has output tensor -1/],
    ['lists an input twice', { inputs: [0, 0] }, /lists an input twice/],
    [
      'has an operator that reads beyond its tensors',
      { operators: [{ inputs: [2], outputs: [1] }] },
      /operator #0 \(RELU\) reads tensor 2; the subgraph has tensors 0 to 1/,
    ],
    [
      'has an operator without its output',
      { operators: [{ inputs: [0], outputs: [-1] }] },
      /operator #0 \(RELU\) writes tensor -1/,
    ],
    [
      'has an operator of no code',
      { operators: [{ code: 1, inputs: [0], outputs: [1] }] },
      /operator #0 has operator code number 1; the file has 1/,
    ],
    [
      'has a custom operator without a name',
      { codes: [{ builtin: 32 }] },
      /operator #0 is a custom operator without a name/,
    ],
    [
      'reads what is written later',
      {
        tensors: [{}, { name: 'y' }, {}],
        operators: [
          { inputs: [1], outputs: [2] },
          { inputs: [0], outputs: [1] },
        ],
      },
      /operator #0 \(RELU\) reads tensor 1 \("y"\), which operator #1 \(RELU\) writes/,
    ],
    [
      'reads what it writes',
      { operators: [{ inputs: [1], outputs: [1] }] },
      /operator #0 \(RELU\) reads tensor 1 \("y"\), which operator #0 \(RELU\) writes/,
    ],
    [
      'reads what nothing writes',
      { tensors: [{}, {}, { name: 'z' }], operators: [{ inputs: [2], outputs: [1] }] },
      /operator #0 \(RELU\) reads tensor 2 \("z"\), which nothing writes/,
    ],
    [
      'writes a tensor twice',
      {
        operators: [
          { inputs: [0], outputs: [1] },
          { inputs: [0], outputs: [1] },
        ],
      },
      /operator #1 \(RELU\) writes tensor 1 \("y"\), which operator #0 \(RELU\) has written/,
    ],
    [
      'writes an input',
      { inputs: [0, 1] },
      /operator #0 \(RELU\) writes tensor 1 \("y"\), which is an input/,
    ],
    [
      'writes a constant',
      { tensors: [{}, { name: 'y', buffer: 1 }], buffers: [new Uint8Array(4)] },
      /operator #0 \(RELU\) writes tensor 1 \("y"\), which is a constant/,
    ],
    [
      'has an output that nothing writes',
      { operators: [] },
      /the output tensor 1 \("y"\) is written by nothing/,
    ],
    [
      'has a constant of another length than its shape',
      { tensors: [{ name: 'w', shape: [2, 3], buffer: 1 }, {}], buffers: [new Uint8Array(20)] },
      /tensor 0 \("w"\) \(FLOAT32, dims \[2, 3\]\) takes 24 bytes; the file has 20/,
    ],
    [
      'has a constant with a negative extent',
      { tensors: [{ name: 'w', shape: [-1, -1], buffer: 1 }, {}], buffers: [new Uint8Array(4)] },
      /tensor 0 \("w"\) is a constant of dims \[-1, -1\]/,
    ],
    [
      'has a tensor of more elements than can be counted',
      { tensors: [{ name: 'x', shape: [2 ** 30, 2 ** 30] }, {}] },
      /tensor 0 \("x"\) has dims .*more than 2\^53 elements/,
    ],
    [
      'has a tensor of 33 dimensions',
      { tensors: [{ name: 'x', shape: new Array<number>(33).fill(1) }, {}] },
      /tensor 0 \("x"\) has 33 dimensions/,
    ],
    [
      'has a tensor of no buffer',
      { tensors: [{ name: 'x', buffer: 9 }, {}] },
      /tensor 0 \("x"\) has buffer 9; the file has 1/,
    ],
    [
      'has a buffer behind its end',
      { tensors: [{ name: 'w', buffer: 1 }, {}], buffers: [1e12] },
      /tensor 0 \("w"\) has its 4 bytes at byte 1000000000000 of the file, which ends at \d+/,
    ],
    [
      'has a variable with data',
      { tensors: [{ name: 's', buffer: 1, isVariable: true }, {}], buffers: [new Uint8Array(4)] },
      /tensor 0 \("s"\) is a variable and has data/,
    ],
    [
      'has more strings than fit into their buffer',
      { tensors: [{ type: 5, buffer: 1 }, {}], buffers: [Uint8Array.of(255, 255, 255, 127)] },
      /holds strings, 2147483647 of them in 4 bytes/,
    ],
    [
      'has strings that lie behind their buffer',
      {
        tensors: [{ type: 5, buffer: 1 }, {}],
        buffers: [Uint8Array.of(1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0)],
      },
      /holds strings, number 0 from byte 12 to 13 of 12/,
    ],
    [
      'has another number of strings than its shape',
      { tensors: [{ type: 5, buffer: 1 }, {}], buffers: [Uint8Array.of(0, 0, 0, 0, 8, 0, 0, 0)] },
      /takes 1 strings; the file has 0/,
    ],
    [
      'has a signature of no subgraph',
      { signature: [0, 3] },
      /signature "serve" is of subgraph 3; the file has 1/,
    ],
    [
      'has a signature of no tensor',
      { signature: [5, 0] },
      /signature "serve" calls tensor 5 "x"; its subgraph has 2/,
    ],
    ['has metadata in no buffer', { metadata: 4 }, /metadata "note" has buffer 4; the file has 1/],
  ])('is refused: it %s', (_name, spec, message) => {
    const error = refusal(reluWith(spec));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
  });

  it('is refused with everything that is wrong with it', () => {
    const bytes = reluWith({
      tensors: [{ name: 'a', shape: [3], buffer: 1 }, { name: 'b', shape: [5], buffer: 1 }, {}],
      outputs: [2],
      operators: [{ inputs: [2], outputs: [2] }],
      buffers: [new Uint8Array(4)],
    });
    const { message, places } = refusal(bytes);
    expect(message).toMatch(/broken in 3 places/);
    expect(places.join('\n')).toMatch(/"a".*takes 12 bytes.*\n.*"b".*takes 20 bytes.*\n.*which operator #0/);
  });

  it('is read when a variable is read before it is written, as state is', () => {
    const bytes = reluWith({
      tensors: [{}, {}, { isVariable: true }],
      operators: [{ inputs: [0, 2, -1], outputs: [1] }],
    });
    expect(readTflite(bytes).subgraphs[0]?.operators[0]?.inputs).toEqual([0, 2, -1]);
  });
});

describe('a file that is newer than the reader', () => {
  it('is refused with all of its unknown operators', () => {
    const error = refusal(
      reluWith({
        codes: [{ builtin: 900, deprecated: 127 }, { builtin: 19 }, { builtin: 210, deprecated: 127 }],
        tensors: [{}, {}, {}, {}],
        operators: [
          { code: 0, inputs: [0], outputs: [1] },
          { code: 1, inputs: [0], outputs: [2] },
          { code: 2, inputs: [0], outputs: [3] },
        ],
      }),
    );
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/2 things/);
    expect(error.places).toEqual([
      'operator #0 has builtin operator code 900; 0 to 209 are known',
      'operator #2 has builtin operator code 210; 0 to 209 are known',
    ]);
  });

  it.each<[string, ModelSpec, RegExp]>([
    ['a tensor type', { tensors: [{ name: 'x', type: 23 }, {}] }, /tensor 0 \("x"\) has type 23; 0 to 22/],
    [
      'a word in options',
      {
        codes: [{ builtin: 3, deprecated: 3 }],
        operators: [{ inputs: [0], outputs: [1], padding: 2 }],
      },
      /operator #0 \(CONV_2D\) has padding 2; 0 to 1 are known \(SAME, VALID\)/,
    ],
    ['data in other files', { tensors: [{ externalBuffer: 1 }, {}] }, /tensor 0 .* \(external buffer\)/],
    ['scales along several axes', { tensors: [{ details: 3 }, {}] }, /quantized along several axes/],
    ['another schema version', { version: 4 }, /schema version 4; 3 is read/],
  ])('is refused for %s', (_name, spec, message) => {
    const error = refusal(reluWith(spec));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(message);
  });
});

describe('an operator code', () => {
  it.each([
    [{ builtin: 0, deprecated: 19 }, 'RELU'],
    [{ builtin: 150, deprecated: 127 }, 'GELU'],
    [{ builtin: 19, deprecated: 0 }, 'RELU'],
    [{ builtin: 32, deprecated: 32, custom: 'Mine' }, 'Mine'],
  ])('%j is %s', (code, op) => {
    expect(readTflite(reluWith({ codes: [code] })).subgraphs[0]?.operators[0]).toMatchObject({
      op,
      custom: op === 'Mine',
      version: 1,
    });
  });

  it('whose operators have no options table reads zeros, as the interpreter does', () => {
    const [conv] = readTflite(reluWith({ codes: [{ builtin: 3 }] })).subgraphs[0]!.operators;
    expect(conv?.options).toMatchObject({ padding: 'SAME', strideW: 0, dilationWFactor: 0 });
  });
});
