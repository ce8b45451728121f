import { QdbgError } from '../errors.js';
import { loadModel } from '../loader/index.js';

/** Files with the external data of these models; none of one that cannot be loaded, which the run will say. */
export async function externalFilesOf(models: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const model of models) {
    try {
      files.push(...(await loadModel(model)).externalFiles);
    } catch (error) {
      if (!(error instanceof QdbgError)) throw error;
    }
  }
  return files;
}
