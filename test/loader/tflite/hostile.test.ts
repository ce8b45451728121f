/** TFLite files that no converter made: whatever they hold, the answer is a model or an error that names the problem, and soon. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Builder } from 'flatbuffers';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { LoadError, UnsupportedError } from '../../../src/errors.js';
import { metadataEntries, readMetadata } from '../../../src/loader/tflite/metadata.js';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { modelBytes } from './flat-model.js';

const SEEDS = ['operators', 'parts', 'outside', 'sparse', 'metadata'];
const LIMIT_MS = 1000;
const MUTANTS = 400;

function seed(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, `../../../fixtures/tflite/reader/${name}.tflite`));
}

/** mulberry32: the same mutations in every run. */
function random(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Reads the file and everything that is read on demand. */
function exercise(bytes: Uint8Array): 'model' | 'refused' {
  const start = performance.now();
  try {
    const model = readTflite(bytes);
    for (const { tensors } of model.subgraphs) for (const { data } of tensors) data?.bytes();
    metadataEntries(readMetadata(model, bytes));
    return 'model';
  } catch (error) {
    if (error instanceof LoadError || error instanceof UnsupportedError) return 'refused';
    throw error;
  } finally {
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  }
}

describe('a damaged file', () => {
  it.each(SEEDS)('%s, cut at every 64th of its length, is refused', (name) => {
    const bytes = seed(name);
    // Metadata end in an archive that a model runs without.
    const end = name === 'metadata' ? bytes.indexOf('PK\x03\x04') : bytes.length;
    for (let part = 0; part < 64; part++) {
      expect(exercise(bytes.subarray(0, Math.floor((end * part) / 64)))).toBe('refused');
    }
  });

  it.each(SEEDS)('%s with changed bytes is a model or refused', (name) => {
    const original = seed(name);
    const next = random(original.length);
    const outcomes = { model: 0, refused: 0 };
    for (let mutant = 0; mutant < MUTANTS; mutant++) {
      const bytes = Buffer.from(original);
      for (let flips = 1 + Math.floor(next() * 4); flips > 0; flips--) {
        const at = Math.floor(next() * bytes.length);
        bytes[at] = next() < 0.5 ? bytes[at]! ^ (1 << Math.floor(next() * 8)) : Math.floor(next() * 256);
      }
      outcomes[exercise(bytes)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(MUTANTS / 4);
    expect(outcomes.model).toBeGreaterThan(0);
  });

  it('of noise is refused', () => {
    const next = random(1);
    for (let round = 0; round < 1000; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(next() * 200) }, () => Math.floor(next() * 256));
      expect(exercise(bytes)).toBe('refused');
    }
  });
});

describe('a file whose tables share storage', () => {
  /** Subgraphs of one table, tensors of one table, each with the same long name: all but the vectors is there once. */
  function shared(subgraphs: number, tensors: number, nameLength: number): Uint8Array {
    const builder = new Builder(1024);
    const repeated = (at: number, count: number): number => {
      builder.startVector(4, count, 4);
      for (let i = 0; i < count; i++) builder.addOffset(at);
      return builder.endVector();
    };
    const name = builder.createString('n'.repeat(nameLength));
    builder.startObject(11);
    builder.addFieldOffset(3, name, 0);
    const tensorsAt = repeated(builder.endObject(), tensors);
    builder.startObject(6);
    builder.addFieldOffset(0, tensorsAt, 0);
    const subgraphsAt = repeated(builder.endObject(), subgraphs);
    builder.startObject(10);
    builder.addFieldInt32(0, 3, 0);
    builder.addFieldOffset(2, subgraphsAt, 0);
    builder.finish(builder.endObject(), 'TFL3');
    return builder.asUint8Array();
  }

  it('is read where that adds up to little', () => {
    expect(readTflite(shared(3, 5, 20)).subgraphs.map(({ tensors }) => tensors.length)).toEqual([5, 5, 5]);
  });

  it.each([
    ['tensors', shared(1, 300_000, 0)],
    ['subgraphs of tensors', shared(3000, 3000, 0)],
    ['names', shared(1, 3000, 100_000)],
  ])('is refused soon where it adds up to a multitude of %s', (_name, bytes) => {
    const start = performance.now();
    expect(() => readTflite(bytes)).toThrow(/describes far more than its \d+ bytes can hold/);
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  });

  it('is refused soon where its constants share a buffer of a multitude of strings', () => {
    const count = 50_000;
    const bytes = new Uint8Array(4 * (count + 2));
    new Int32Array(bytes.buffer).fill(bytes.length).fill(count, 0, 1);
    const tensors = Array.from({ length: 200 }, () => ({ type: 5, shape: [count], buffer: 1 }));
    const start = performance.now();
    expect(() => readTflite(modelBytes({ tensors, buffers: [bytes] }))).toThrow(
      /describes far more than its \d+ bytes can hold/,
    );
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  });
});

describe('a file with a sparse constant of a multitude of zeros', () => {
  it('is refused without making it dense', () => {
    const bytes = seed('sparse');
    const shape = Buffer.from(Int32Array.of(2, 5, 4).buffer); // the only tensor of 5 x 4 with both of its levels sparse
    expect(bytes.includes(shape)).toBe(true);
    for (let at = bytes.indexOf(shape); at >= 0; at = bytes.indexOf(shape))
      bytes.writeInt32LE(2 ** 30, at + 8);
    const start = performance.now();
    expect(() => readTflite(bytes)).toThrow(UnsupportedError);
    expect(() => readTflite(bytes)).toThrow(/take 5368709\d+ bytes when dense; up to 536870912 are read/);
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  });
});

describe('a file with an archive of far more than its own size', () => {
  it('is read without expanding it', () => {
    const labels = new Uint8Array(2 ** 26).fill(10);
    const bytes = Buffer.concat([seed('parts'), zipSync({ 'labels.txt': labels })]);
    const model = readTflite(bytes);
    // The name of the file stands in the fixture's own metadata.
    const described = {
      ...model,
      metadata: new Map([['TFLITE_METADATA', readTflite(seed('metadata')).metadata.get('TFLITE_METADATA')!]]),
    };
    const start = performance.now();
    const { outputs } = readMetadata(described, bytes);
    expect(outputs[0]?.files.map(({ name, lines }) => [name, lines])).toEqual([
      ['scores.csv', undefined],
      ['labels.txt', undefined],
    ]);
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  });
});
