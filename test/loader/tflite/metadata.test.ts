import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { LoadError } from '../../../src/errors.js';
import { packedFiles } from '../../../src/loader/tflite/archive.js';
import { metadataEntries, readMetadata } from '../../../src/loader/tflite/metadata.js';
import type { TfliteMetadata } from '../../../src/loader/tflite/metadata.js';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { modelBytes } from './flat-model.js';

const FILE = readFileSync(join(import.meta.dirname, '../../../fixtures/tflite/reader/metadata.tflite'));

function metadataOf(bytes: Uint8Array): TfliteMetadata {
  return readMetadata(readTflite(bytes), bytes);
}

// What is wanted is what the fixture's recipe wrote with the code that flatc generated.
describe('metadata of a model', () => {
  const metadata = metadataOf(FILE);

  it('say what the model is', () => {
    expect(metadata).toMatchObject({
      name: 'Sorter',
      description: 'Sorts images',
      version: '2.1',
      author: 'An author',
      license: 'MIT',
      minRuntimeVersion: '2.3.0',
    });
  });

  it('say how inputs are prepared', () => {
    expect(metadata.inputs).toEqual([
      {
        name: 'image',
        description: 'the image',
        dimensionNames: ['batch', 'height', 'width', 'channel'],
        content: 'image',
        color: 'rgb',
        normalization: {
          mean: [123.675, 116.28, 103.53].map(Math.fround),
          std: [58.395, 57.12, 57.375].map(Math.fround),
        },
        processUnits: ['normalization'],
        min: [0],
        max: [255, 128],
        files: [],
      },
      {
        name: 'mask',
        description: 'the mask',
        dimensionNames: [],
        content: 'image',
        color: 'gray',
        processUnits: [],
        min: [],
        max: [],
        files: [],
      },
    ]);
  });

  it('say what outputs are, with the lines of their label files', () => {
    expect(metadata.outputs.map(({ name, content, processUnits }) => [name, content, processUnits])).toEqual([
      ['scores', 'feature', ['score-thresholding', 'score-calibration']],
      ['boxes', 'bounding-box', []],
    ]);
    expect(metadata.outputs.map(({ files }) => files)).toEqual([
      [
        {
          name: 'scores.csv',
          description: 'about scores.csv',
          type: 'tensor-axis-score-calibration',
          locale: '',
        },
        {
          name: 'labels.txt',
          description: 'about labels.txt',
          type: 'tensor-axis-labels',
          locale: 'en',
          lines: ['cat', 'dog', 'narrow-gauge  line'],
        },
      ],
      [{ name: 'missing.txt', description: 'about missing.txt', type: 'tensor-value-labels', locale: '' }],
    ]);
  });

  it('name the files of the whole model, and read compressed ones', () => {
    expect(metadata.files.map(({ name, type, lines }) => [name, type, lines?.length])).toEqual([
      ['readme.txt', 'descriptions', undefined],
      ['words.txt', 'vocabulary', 400],
    ]);
  });

  it('become entries under fixed keys, numbers in as few digits as float32 needs', () => {
    expect(Object.fromEntries(metadataEntries(metadata))).toEqual({
      name: 'Sorter',
      description: 'Sorts images',
      version: '2.1',
      author: 'An author',
      license: 'MIT',
      minRuntimeVersion: '2.3.0',
      'tflite.input.0.name': 'image',
      'tflite.input.0.mean': '123.675,116.28,103.53',
      'tflite.input.0.std': '58.395,57.12,57.375',
      'tflite.input.0.color': 'rgb',
      'tflite.input.1.name': 'mask',
      'tflite.input.1.color': 'gray',
      'tflite.output.0.name': 'scores',
      'tflite.output.0.classes': 'cat\ndog\nnarrow-gauge  line',
      'tflite.output.0.labels': 'labels.txt',
      'tflite.output.1.name': 'boxes',
      'tflite.output.1.labels': 'missing.txt',
    });
  });

  it('are empty for a file without any', () => {
    const bytes = modelBytes({ tensors: [{}], inputs: [0], outputs: [0] });
    expect(metadataOf(bytes)).toMatchObject({ name: '', inputs: [], outputs: [], files: [] });
    expect(metadataEntries(metadataOf(bytes)).size).toBe(0);
  });

  it('are there without their files when the archive is cut off', () => {
    const cut = FILE.subarray(0, FILE.length - 40);
    expect(metadataOf(cut).outputs[0]?.files[1]).toEqual({
      name: 'labels.txt',
      description: 'about labels.txt',
      type: 'tensor-axis-labels',
      locale: 'en',
    });
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'of another kind',
      Buffer.from('\x08\0\0\0M002\0\0\0\0\0\0', 'latin1'),
      /of kind "M002"; "M001" is read/,
    ],
    ['that are cut', Buffer.from('\xff\0\0\0M001', 'latin1'), /the metadata buffer ends at byte 8/],
  ])('%s are refused', (_name, stored, message) => {
    const model = { ...readTflite(FILE), metadata: new Map([['TFLITE_METADATA', stored]]) };
    const read = (): unknown => readMetadata(model, FILE);
    expect(read).toThrow(LoadError);
    expect(read).toThrow(message);
  });
});

describe('files packed into a model', () => {
  const text = (content: string): Uint8Array => Buffer.from(content);
  const archive = zipSync({ 'a.txt': text('a'.repeat(5000)), 'b.txt': [text('b'), { level: 0 }] });

  function contents(bytes: Uint8Array, limit = 1e6): Record<string, string | undefined> {
    return Object.fromEntries(
      [...packedFiles(bytes)].map(([name, file]) => {
        const content = file.read(limit);
        return [name, content && Buffer.from(content).toString()];
      }),
    );
  }

  it('are found whether their offsets count from the file or from the archive', () => {
    const whole = { 'a.txt': 'a'.repeat(5000), 'b.txt': 'b' };
    expect(contents(archive)).toEqual(whole);
    expect(contents(Buffer.concat([new Uint8Array(1000), archive]))).toEqual(whole);
  });

  it('are not read beyond a limit', () => {
    expect(contents(archive, 4999)).toEqual({ 'a.txt': undefined, 'b.txt': 'b' });
  });

  it('are not expanded beyond the size that the archive says', () => {
    const lying = Buffer.from(archive);
    lying.writeUInt32LE(10, lying.indexOf('PK\x01\x02') + 24);
    expect(contents(lying)).toEqual({ 'a.txt': undefined, 'b.txt': 'b' });
  });

  it.each<[string, (bytes: Buffer, directory: number, end: number) => void]>([
    ['whose directory is elsewhere', (bytes, _, end) => bytes.writeUInt32LE(0xfffffff0, end + 16)],
    ['whose directory is larger than it', (bytes, _, end) => bytes.writeUInt32LE(0xfffffff0, end + 12)],
    ['whose first file lies behind its end', (bytes, directory) => bytes.writeUInt32LE(1e9, directory + 42)],
    ['whose first file is longer than it', (bytes, directory) => bytes.writeUInt32LE(1e9, directory + 20)],
    ['whose first name is longer than it', (bytes, directory) => bytes.writeUInt16LE(0xffff, directory + 28)],
    ['that is encrypted', (bytes, directory) => bytes.writeUInt16LE(1, directory + 8)],
    ['that is packed in a way of its own', (bytes, directory) => bytes.writeUInt16LE(93, directory + 10)],
  ])('of an archive %s are left out', (_name, damage) => {
    const bytes = Buffer.from(archive);
    damage(bytes, bytes.indexOf('PK\x01\x02'), bytes.lastIndexOf('PK\x05\x06'));
    expect(contents(bytes)['a.txt']).toBeUndefined();
  });
});
