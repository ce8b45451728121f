import { copyFileSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelFile, sha256 } from '../../src/loader/model-file.js';
import { fixture, temporaryFolder } from './model-files.js';

const folder = temporaryFolder();
const ONNX = fixture('shapes.onnx');
const TFLITE = join(import.meta.dirname, '../../fixtures/tflite/reader/parts.tflite');

describe('a model file', () => {
  it.each([
    [ONNX, 'model.onnx', 'onnx'],
    [ONNX, 'model.tflite', 'onnx'],
    [ONNX, 'model', 'onnx'],
    [TFLITE, 'model.tflite', 'tflite'],
    [TFLITE, 'model.onnx', 'tflite'],
    [TFLITE, 'model.TFLITE.bak', 'tflite'],
  ])('%s, called %s, is read as %s', async (source, name, wanted) => {
    const path = join(folder, name);
    copyFileSync(source, path);
    const { bytes, kind } = await readModelFile(path);
    expect(kind).toBe(wanted);
    expect(bytes.equals(readFileSync(source))).toBe(true);
  });

  it('is hashed together with the files that belong to it', async () => {
    const first = readFileSync(ONNX);
    const wanted = createHash('sha256').update(first).update(readFileSync(TFLITE)).digest('hex');
    expect(await sha256(first, [TFLITE])).toBe(wanted);
  });
});
