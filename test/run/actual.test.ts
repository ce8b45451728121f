/** Tensors that the TFLite interpreter and ONNX Runtime gave for the digits networks, as devices would dump them. */
import { symlinkSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { readActual, runActual } from '../../src/run/actual/index.js';
import type { OtherRun } from '../../src/run/other-run.js';
import { dumpsOf, expected, FILES, openTriage, type Dump, type Triage } from '../support/dumped.js';
import { archive, npyOf } from '../support/golden-archive.js';
import { npy } from '../support/npy.js';
import { workspace } from '../support/workspace.js';

const work = workspace();
const dumps = { tflite: dumpsOf('tflite'), qdq: dumpsOf('qdq') };
const open: { tflite?: Triage; qdq?: Triage } = {};
let folders = 0;

beforeAll(async () => {
  open.tflite = await openTriage(FILES.tflite, [1, 1, 8, 8]);
  open.qdq = await openTriage(FILES.qdq, [1, 1, 8, 8]);
});

type Files = Readonly<Record<string, Uint8Array>>;

function folderOf(files: Files): string {
  const name = `dump${folders++}`;
  for (const [path, bytes] of Object.entries(files)) work.file(`${name}/${path}`, bytes);
  return `${work.folder}/${name}`;
}

async function compare(network: 'tflite' | 'qdq', path: string): Promise<OtherRun> {
  const { candidate, samples } = open[network]!;
  const actual = await readActual(path, candidate, expected.samples);
  return runActual(actual, candidate, samples, { threads: 1, watch: () => undefined });
}

/** Every tensor of every sample under the name that `name` makes. */
function filesOf(
  network: 'tflite' | 'qdq',
  name: (tensor: string, sample: number) => string,
  bytes: (dump: Dump) => Uint8Array = codesOf,
  keep: (tensor: string) => boolean = (tensor) =>
    network === 'tflite' || tensor.endsWith('QuantizeLinear_Output'),
): Files {
  return Object.fromEntries(
    dumps[network].flatMap((tensors, sample) =>
      [...tensors]
        .filter(([tensor]) => keep(tensor))
        .map(([tensor, dump]) => [name(tensor, sample), bytes(dump)]),
    ),
  );
}

function codesOf({ descr, dims, values }: Dump): Uint8Array {
  return npyOf(descr, dims, descr === '|u1' ? Uint8Array.from(values) : Int8Array.from(values));
}

/** One [samples, ...] array of each tensor. */
function stacked(
  network: 'tflite' | 'qdq',
  bytes: (dims: readonly number[], values: readonly number[], tensor: string) => Uint8Array,
): Files {
  const [first] = dumps[network];
  return Object.fromEntries(
    [...first!].flatMap(([tensor, { dims, descr }]) => {
      if (descr === '<f4') return [];
      const all = dumps[network].flatMap((tensors) => tensors.get(tensor)?.values ?? []);
      return [
        [
          `${encodeURIComponent(tensor)}.npy`,
          bytes([expected.samples.length, ...dims.slice(1)], all, tensor),
        ],
      ];
    }),
  );
}

/** No code differs in any sample of any tensor. */
function expectEqual({ tensors, samples, skipped, firstDeparture }: OtherRun, count: number, seen = 3): void {
  expect(skipped).toEqual([]);
  expect(samples).toBe(seen);
  expect(tensors).toHaveLength(count);
  for (const { tensor, differing, maxCodes, simulated } of tensors) {
    expect({ tensor, differing, maxCodes, simulated }).toEqual({
      ...{ tensor, differing: 0, maxCodes: 0 },
      simulated: { exact: true },
    });
  }
  expect(firstDeparture).toBeUndefined();
}

const TFLITE_TENSORS = 12;

describe('codes of the TFLite interpreter equal the simulation', () => {
  const plain = (tensor: string): string => tensor.replaceAll('/', '_');
  const order = [...dumps.tflite[0]!.keys()];

  it.each<[string, (tensor: string, sample: number) => string]>([
    ['in a folder for each sample by number', (tensor, sample) => `${sample}/${tensor}.npy`],
    ['in folders counted from 1', (tensor, sample) => `Result_${sample + 1}/${plain(tensor)}.npy`],
    [
      'in folders called as samples are, names counted and with dots for slashes',
      (tensor, sample) =>
        `${expected.samples[sample]!.replace('.png', '')}/0${order.indexOf(tensor)}_${tensor.replaceAll('/', '.')}.npy`,
    ],
    ['in a folder for each tensor', (tensor, sample) => `${plain(tensor)}/${sample}.npy`],
    [
      'with URL escapes and a port',
      (tensor, sample) => `dump/${sample}/${encodeURIComponent(`${tensor}:0`)}.npy`,
    ],
    ['in capitals', (tensor, sample) => `${sample}/${plain(tensor).toUpperCase()}.npy`],
  ])('%s', async (_, name) => {
    const run = await compare('tflite', folderOf(filesOf('tflite', name)));
    expectEqual(run, TFLITE_TENSORS);
    expect(new Set(run.tensors.map(({ read }) => read))).toEqual(new Set(['raw codes (int8)']));
  });

  it('in an archive for each sample, in one for all, and in one alone', async () => {
    const entries = (sample: number): Files =>
      Object.fromEntries(
        [...dumps.tflite[sample]!].map(([tensor, dump]) => [`${tensor}.npy`, codesOf(dump)]),
      );
    const each = folderOf(
      Object.fromEntries([0, 1, 2].map((sample) => [`${sample}.npz`, archive(entries(sample))])),
    );
    expectEqual(await compare('tflite', each), TFLITE_TENSORS);
    const all = archive(filesOf('tflite', (tensor, sample) => `t${sample}/${tensor}.npy`));
    expectEqual(await compare('tflite', folderOf({ 'all.npz': all })), TFLITE_TENSORS);
    expectEqual(await compare('tflite', work.file('alone.npz', all)), TFLITE_TENSORS);
  });

  it('by the numbers that the interpreter gives tensors', async () => {
    const { graph } = open.tflite!.candidate;
    const number = (tensor: string): number => graph.tensors.findIndex(({ name }) => name === tensor);
    expectEqual(
      await compare(
        'tflite',
        folderOf(filesOf('tflite', (tensor, sample) => `${sample}/${number(tensor)}.npy`)),
      ),
      TFLITE_TENSORS,
    );
  });

  it('as one array of all samples, of bytes, floats or wide integers', async () => {
    const types: [string, (values: readonly number[]) => Parameters<typeof npy>[1]][] = [
      ['raw codes (int8)', (values) => Int8Array.from(values)],
      ['raw codes (float32)', (values) => Float32Array.from(values)],
      ['raw codes (int64)', (values) => BigInt64Array.from(values, BigInt)],
      ['raw codes (float64)', (values) => Float64Array.from(values)],
    ];
    for (const [read, as] of types) {
      const run = await compare(
        'tflite',
        folderOf(stacked('tflite', (dims, values) => npy(dims, as(values)))),
      );
      expectEqual(run, TFLITE_TENSORS);
      expect(new Set(run.tensors.map((tensor) => tensor.read))).toEqual(new Set([read]));
    }
  });

  it('as the bits or the shifted codes of the other sign', async () => {
    const wrapped = folderOf(stacked('tflite', (dims, values) => npy(dims, Uint8Array.from(values))));
    const shifted = folderOf(
      stacked('tflite', (dims, values) =>
        npy(
          dims,
          values.map((code) => code + 128),
        ),
      ),
    );
    const asWrapped = await compare('tflite', wrapped);
    expectEqual(asWrapped, TFLITE_TENSORS);
    const asShifted = await compare('tflite', shifted);
    expectEqual(asShifted, TFLITE_TENSORS);
    const readAs = ({ tensors }: OtherRun): (string | undefined)[] => tensors.map(({ read }) => read);
    expect(readAs(asWrapped)).toContain('raw codes (uint8), bits of int8 read with the other sign');
    expect(readAs(asShifted)).toContain('raw codes (float32), half the range too high');
  });

  it('in Fortran order', async () => {
    const columns = ({ dims, values }: Dump): Uint8Array =>
      npyOf('|i1', dims, Int8Array.from(fortran(values, dims)), true);
    const files = filesOf('tflite', (tensor, sample) => `${sample}/${tensor}.npy`, columns);
    expectEqual(await compare('tflite', folderOf(files)), TFLITE_TENSORS);
  });

  it('with the channels first, dumped with their extents or flat', async () => {
    for (const flat of [false, true]) {
      const bytes = ({ dims, values }: Dump): Uint8Array => {
        const moved = dims.length === 4 ? transposed(values, dims, [0, 3, 1, 2]) : values;
        const extents = dims.length === 4 ? [0, 3, 1, 2].map((axis) => dims[axis]!) : dims;
        return npyOf('|i1', flat ? [values.length] : extents, Int8Array.from(moved));
      };
      const files = filesOf('tflite', (tensor, sample) => `${sample}/${tensor}.npy`, bytes);
      const run = await compare('tflite', folderOf(files));
      expectEqual(run, TFLITE_TENSORS);
      const conv = run.tensors.find(({ tensor }) => tensor === 'stem/conv');
      expect(conv?.read).toBe('raw codes (int8), axes of the file in the order 3, 1, 2');
    }
  });
});

describe('values that codes stand for', () => {
  it('are recognised and set beside the codes', async () => {
    const { graph, lane } = open.tflite!.candidate;
    const values = (dims: readonly number[], codes: readonly number[], tensor: string): Uint8Array => {
      const { scale, zeroPoint } = lane.tensors.get(graph.tensors.find(({ name }) => name === tensor)!.id)!;
      return npy(
        dims,
        codes.map((code) => (code - zeroPoint[0]!) * scale[0]!),
      );
    };
    const run = await compare('tflite', folderOf(stacked('tflite', values)));
    expect(run.tensors).toHaveLength(TFLITE_TENSORS);
    for (const { differing, read, simulated } of run.tensors) {
      expect({ differing, read }).toEqual({ differing: 0, read: 'dequantized values (float32)' });
      expect(simulated.exact ?? simulated.sqnrDb! > 120).toBe(true);
    }
  });

  it('of a QDQ file may be those before they are quantized', async () => {
    const files = filesOf(
      'qdq',
      (tensor, sample) => `${sample}/${tensor.replace(/[/:]/g, '_')}.npy`,
      ({ dims, values }) => npy(dims, values),
      (tensor) => !tensor.endsWith('QuantizeLinear_Output'),
    );
    const run = await compare('qdq', folderOf(files));
    expect(run.samples).toBe(1);
    expect(run.tensors.length).toBeGreaterThan(8);
    for (const { differing, values, maxCodes, read } of run.tensors) {
      expect(differing / values).toBeLessThan(0.002);
      expect(maxCodes).toBeLessThanOrEqual(1);
      expect(read).toBe('dequantized values (float32)');
    }
  });
});

describe('codes of ONNX Runtime for a QDQ file', () => {
  it('equal the simulation, under the names of the file or those that a dumper makes of them', async () => {
    for (const name of [
      (tensor: string, sample: number) => `${sample}/${tensor}.npy`,
      (tensor: string, sample: number) => `${sample}/${tensor.replace(/[/:.]/g, '_')}.npy`,
    ]) {
      const run = await compare('qdq', folderOf(filesOf('qdq', name)));
      expect(run.tensors).toHaveLength([...dumps.qdq[1]!].length);
      expect(run.skipped).toEqual([]);
      for (const { differing, values, maxCodes } of run.tensors) {
        expect(differing / values).toBeLessThan(0.002);
        expect(maxCodes).toBeLessThanOrEqual(1);
      }
    }
  });

  it('win over the values of the same tensor', async () => {
    const files = filesOf(
      'qdq',
      (tensor, sample) => `${sample}/${tensor}.npy`,
      (dump) => (dump.descr === '<f4' ? npy(dump.dims, dump.values) : codesOf(dump)),
      () => true,
    );
    const run = await compare('qdq', folderOf(files));
    expect(run.tensors.every(({ read }) => read === 'raw codes (uint8)')).toBe(true);
    expect(run.skipped).toContainEqual({
      subject: '0/stem/relu:out.npy',
      reason: 'stem/relu:out is read from 0/stem/relu:out_QuantizeLinear_Output.npy',
    });
  });
});

describe('a tensor and others that the file calls so', () => {
  // The output is read back from the codes of what the Gemm writes.
  const codes = [0, 1, 2].flatMap((sample) => dumps.qdq[sample]!.get('logits_QuantizeLinear_Output')!.values);

  it('is compared under its own name, from codes and from what they stand for', async () => {
    const { graph, lane } = open.qdq!.candidate;
    const { scale, zeroPoint } = lane.tensors.get(graph.outputs[0]!)!;
    const values = codes.map((code) => (code - zeroPoint[0]!) * scale[0]!);
    for (const [read, bytes] of [
      ['raw codes (uint8)', npyOf('|u1', [3, 10], Uint8Array.from(codes))],
      ['dequantized values (float32)', npy([3, 10], values)],
    ] as const) {
      const run = await compare('qdq', folderOf({ 'logits.npy': bytes }));
      expect(run.tensors.map((tensor) => [tensor.tensor, tensor.read])).toEqual([['logits', read]]);
      expect(run.tensors[0]).toMatchObject({ values: 30, differing: 0 });
      expect(run.skipped).toEqual([]);
    }
  });

  it('is compared beside the tensor with the codes when both were dumped', async () => {
    const bytes = npyOf('|u1', [3, 10], Uint8Array.from(codes));
    const run = await compare(
      'qdq',
      folderOf({ 'logits.npy': bytes, 'logits_QuantizeLinear_Input.npy': bytes }),
    );
    expect(run.tensors.map(({ tensor, differing }) => [tensor, differing])).toEqual([
      ['logits_QuantizeLinear_Input', 0],
      ['logits', 0],
    ]);
  });
});

describe('a fault', () => {
  it('is counted as numpy counts it, and named as the first departure', async () => {
    const { tensor: faulty, ...counts } = expected.fault;
    const files = stacked('tflite', (dims, values, tensor) => {
      const codes = values.map((code, i) =>
        tensor === faulty && i % 7 === 0 ? Math.min(code + 3, 127) : code,
      );
      return npy(dims, Int8Array.from(codes));
    });
    const run = await compare('tflite', folderOf(files));
    const { simulated, ...found } = run.tensors.find(({ tensor }) => tensor === faulty)!;
    const { sqnrDb, ...wanted } = counts;
    expect(found).toMatchObject({ ...wanted, inputsDiffer: false });
    expect(simulated.sqnrDb).toBeCloseTo(sqnrDb, 3);
    expect(run.firstDeparture).toBe(faulty);
    expect(run.tensors.filter(({ differing }) => differing > 0)).toHaveLength(1);
  });

  it('that travels on is told from one of the operator itself, over tensors that were not dumped', async () => {
    const faulty = ['stem/conv', 'block2/expand', 'head/classifier'];
    const kept = [...faulty, 'image', 'block1/pool'];
    const files = Object.fromEntries(
      kept.map((tensor) => {
        const { dims, values } = dumps.tflite[0]!.get(tensor)!;
        const codes = values.map((code) => (faulty.includes(tensor) ? Math.max(-128, code - 9) : code));
        return [`0/${tensor}.npy`, npyOf('|i1', dims, Int8Array.from(codes))];
      }),
    );
    const run = await compare('tflite', folderOf(files));
    expect(run.samples).toBe(1);
    expect(run.tensors.map(({ tensor, inputsDiffer }) => [tensor, inputsDiffer])).toEqual([
      ['image', undefined],
      ['stem/conv', false],
      ['block1/pool', undefined],
      ['block2/expand', false],
      ['head/classifier', true],
    ]);
    expect(run.firstDeparture).toBe('stem/conv');
  });

  it('of values that are not finite is counted', async () => {
    const { dims, values } = dumps.tflite[0]!.get('probabilities')!;
    const floats = values.map((code, i) => (i === 1 ? NaN : i === 2 ? Infinity : (code + 128) / 256));
    const run = await compare('tflite', folderOf({ '0/probabilities.npy': npy(dims, floats) }));
    const counted = { differing: 2, beyondTwoCodes: 2, maxCodes: 0, nonFinite: 2 };
    expect(run.tensors[0]).toMatchObject(counted);
    expect(run.tensors[0]?.simulated).toEqual({});
  });
});

describe('what does not fit', () => {
  const image = dumps.tflite[0]!.get('image')!;
  const stem = dumps.tflite[0]!.get('stem/conv')!;

  it('is listed with its reason, all at once', async () => {
    const stack = (count: number): Uint8Array =>
      npyOf(
        '|i1',
        [count, 8, 8, 1],
        Int8Array.from({ length: 64 * count }, (_, i) => image.values[i % 64]!),
      );
    const run = await compare(
      'tflite',
      folderOf({
        '0/image.npy': codesOf(image),
        '1/image.npy': stack(2),
        'image.npy': stack(4),
        '0/stem/conv.npy': npyOf('|i1', [3, 5], new Int8Array(15)),
        '0/nothing.npy': codesOf(image),
        '0/probabilities.npy': 'not an array' as never,
        '0/notes.txt': new Uint8Array(3),
        '0/block1/pool.npy': npyOf('|i1', [1, 4, 4, 24], new Int8Array(10)),
        '0/empty.npy': npyOf('|i1', [0, 8], new Int8Array(0)),
        'broken.npz': new Uint8Array(40),
      }),
    );
    expect(run.tensors.map(({ tensor }) => tensor)).toEqual(['image']);
    const reasons = Object.fromEntries(run.skipped.map(({ subject, reason }) => [subject, reason]));
    expect(reasons).toEqual({
      '0/notes.txt': 'it is neither .npy nor .npz',
      '0/empty.npy': 'its shape is [0, 8]: it is empty',
      '0/block1/pool.npy': 'it has 138 bytes; its shape [1, 4, 4, 24] of int8 takes 512',
      '0/probabilities.npy': 'it is not a .npy file (it does not begin with \\x93NUMPY)',
      'broken.npz': 'it is not a zip archive, or a truncated one',
      '0/nothing.npy': 'no tensor of the network is called so',
      '0/stem/conv.npy': 'its shape is [3, 5]; stem/conv is [1, 16, 8, 8] in one sample',
      '1/image.npy': 'it holds 2 samples of image and lies in the folder of one (5/0035.png)',
      'image.npy': 'it holds 4 samples of image; the data has 3',
    });
  });

  it('is refused when nothing fits, with what was found and what was wanted', async () => {
    const path = folderOf({ 'conv.npy': codesOf(stem), 'readme.txt': new Uint8Array(1) });
    const error: unknown = await compare('tflite', path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    const { message, places, hint } = error as UsageError;
    expect(message).toBe(`--actual ${path}: no array in it is a tensor of the network`);
    expect(places).toContain('found conv.npy: int8 [1, 8, 8, 16]');
    expect(places).toContain('wanted image [1, 1, 8, 8]');
    expect(hint).toContain('--actual DIR');
  });

  it('is refused with the reason where no file could be read', async () => {
    const huge = npyOf('|i1', [10 ** 12, 8, 8, 1], new Int8Array(10));
    const path = folderOf({ 'image.npy': huge, 'stem/conv.npy': 'root:x:0:0' as never });
    symlinkSync('nowhere', `${path}/probabilities.npy`);
    const error: unknown = await compare('tflite', path).catch((thrown: unknown) => thrown);
    const { places } = error as UsageError;
    expect(places.filter((line) => line.startsWith('found'))).toEqual([
      'found 1 entry: a device, a pipe or a link that leads nowhere',
      `found image.npy: it has ${huge.length} bytes; its shape [1000000000000, 8, 8, 1] of int8 takes ${64 * 10 ** 12 + huge.length - 10}`,
      'found stem/conv.npy: it is not a .npy file (it does not begin with \\x93NUMPY)',
    ]);
  });

  it('is an array of as many elements in another shape', async () => {
    const files = (dims: readonly number[]): Files => ({
      '0/stem/conv.npy': npyOf('|i1', dims, Int8Array.from(stem.values)),
    });
    for (const dims of [[8, 8, 16], [1, 16, 64], [128, 8], [1024], [1, 8, 8, 1, 16], [16, 2, 4, 8]]) {
      const run = await compare('tflite', folderOf(files(dims)));
      expect(run.tensors.map(({ tensor }) => tensor)).toEqual(['stem/conv']);
    }
    for (const dims of [
      [32, 32],
      [1, 4, 16, 16],
      [8, 8, 4, 4],
    ]) {
      await expect(compare('tflite', folderOf(files(dims)))).rejects.toThrow(/no array in it is a tensor/);
    }
    // Three samples of which each has half the channels twice over.
    const halves = npyOf('|i1', [6, 8, 8, 8], new Int8Array(6 * 512));
    await expect(compare('tflite', folderOf({ 'stem/conv.npy': halves }))).rejects.toMatchObject({
      places: expect.arrayContaining([
        'stem/conv.npy: its shape is [6, 8, 8, 8]; stem/conv is [1, 16, 8, 8] in one sample',
      ]) as string[],
    });
  });

  it('is refused when the folder is empty or not there', async () => {
    await expect(compare('tflite', `${work.folder}/nowhere`)).rejects.toThrow(/it does not exist/);
    await expect(compare('tflite', folderOf({ 'a.txt': new Uint8Array(1) }))).rejects.toThrow(UsageError);
  });

  it('is given up when an archive is damaged behind its directory', async () => {
    const bytes = archive({ 'stem/conv.npy': codesOf(stem), 'image.npy': codesOf(image) });
    const damaged = bytes.slice();
    // Somewhere in the compressed elements of the first entry, behind its header of 30 bytes, name and numpy header.
    damaged.fill(0xff, 150, 400);
    const run = await compare('tflite', folderOf({ '0.npz': damaged }));
    expect(run.tensors.map(({ tensor }) => tensor)).toEqual(['image']);
    expect(run.skipped).toHaveLength(1);
    expect(run.skipped[0]?.subject).toContain('stem/conv');
    expect(run.skipped[0]?.reason).toMatch(/decompress|too early|\.npy/);
  });
});

function transposed(values: readonly number[], dims: readonly number[], perm: readonly number[]): number[] {
  const extents = perm.map((axis) => dims[axis]!);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  return values.map((_, at) => {
    let rest = at;
    let from = 0;
    for (let k = perm.length - 1; k >= 0; k--) {
      from += (rest % extents[k]!) * strides[perm[k]!]!;
      rest = Math.floor(rest / extents[k]!);
    }
    return values[from]!;
  });
}

/** First index fastest: the order of the reversed axes. */
function fortran(values: readonly number[], dims: readonly number[]): number[] {
  return transposed(
    values,
    dims,
    dims.map((_, axis) => dims.length - 1 - axis),
  );
}
