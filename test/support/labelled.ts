/** Small labelled data sets out of the fixtures. */
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from './tflite-network.js';

const EVAL = projectPath('fixtures/digits/eval');

/**
 * Images of digits in class folders.
 *
 * @param each images of a digit
 * @param nameOf the folder of a digit
 * @returns `folder`
 */
export function digitFolders(
  folder: string,
  digits: readonly number[],
  each: number,
  nameOf: (digit: number) => string = String,
): string {
  for (const digit of digits) {
    const to = join(folder, nameOf(digit));
    mkdirSync(to, { recursive: true });
    for (const name of imagesOf(digit).slice(0, each))
      cpSync(join(EVAL, String(digit), name), join(to, name));
  }
  return folder;
}

/** File names, sorted. */
export function imagesOf(digit: number): readonly string[] {
  return readdirSync(join(EVAL, String(digit))).sort();
}
