/** The files that the benchmark reads. They are generated, too large for the repository and kept in bench/.cache. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeImages } from './make-images.js';
import { makeLarge } from './make-large.js';
import { makeMobilenet, makeMobilenetTflite } from './make-mobilenet.js';

const CACHE = fileURLToPath(new URL('.cache/', import.meta.url));

/** Writes a file under another name first, so that an interrupted run leaves none that looks complete. */
function writeAtomically(path, pieces) {
  const unfinished = `${path}.${process.pid}`;
  try {
    const file = openSync(unfinished, 'w');
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
      }
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/**
 * Creates what is missing (delete bench/.cache after a change to a generator).
 * @returns {{ mobilenet: string, mobilenetHalf: string, mobilenetDouble: string, mobilenetTflite: string, large: string, calib32: string, calib256: string }} paths: a MobileNetV2-class
 *   network with `input` [1,3,224,224], the same with half and twice the blocks, a plain model of 100 MB, and 32 and 256 images for the former as float32 .npy
 */
export function ensureBenchFiles() {
  const recipes = {
    mobilenet: ['mobilenet.onnx', () => [makeMobilenet()]],
    mobilenetHalf: ['mobilenet_half.onnx', () => [makeMobilenet(0.5)]],
    mobilenetDouble: ['mobilenet_double.onnx', () => [makeMobilenet(2)]],
    mobilenetTflite: ['mobilenet.tflite', () => [makeMobilenetTflite()]],
    large: ['large.onnx', () => [makeLarge()]],
    calib32: ['calib_32.npy', () => makeImages(32)],
    calib32Nhwc: ['calib_32_nhwc.npy', () => makeImages(32, 'nhwc')],
    calib256: ['calib_256.npy', () => makeImages(256)],
  };
  mkdirSync(CACHE, { recursive: true });
  const paths = {};
  for (const [key, [name, pieces]] of Object.entries(recipes)) {
    paths[key] = CACHE + name;
    if (!existsSync(paths[key])) writeAtomically(paths[key], pieces());
  }
  return paths;
}
