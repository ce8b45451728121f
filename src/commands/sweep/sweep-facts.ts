/** What the results of a sweep depend on, for the file that keeps them. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { runtimeVersion } from '../../run/runtime.js';
import { VERSION } from '../../version.js';
import type { SweepFacts } from './trials/journal.js';
import type { Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';
import type { SweptGround } from './swept-ground.js';

export async function sweepFacts(
  { accuracy, data, selection, threads }: SweepRequest,
  { loaded, calib, evaluation, extents, simulated, isScored }: Prepared,
  { description: { noise } }: SweptGround,
): Promise<SweepFacts> {
  const used = [calib, ...(evaluation === undefined ? [] : [evaluation])];
  const contents = await Promise.all(used.map((dataset) => dataset.sha256()));
  const inputs = [...extents].map(([name, dims]) => `${name}=${dims.join('x')}`);
  return {
    'version of qdbg': VERSION,
    runtime: `${await runtimeVersion()}, ${threads} threads`,
    model: await loaded.sha256(),
    data: digest([contents, inputs, data.preprocessing, noise.request.samples]),
    scheme: JSON.stringify(simulated.simulation.scheme),
    selection: digest(selection),
    metric: isScored ? digest([accuracy, await filesOf(accuracy)]) : 'none',
  };
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Contents of the files that labels, metrics and decoders are read from; what is no file is told by its name. */
async function filesOf({ labels, decode, classes, metrics }: SweepRequest['accuracy']): Promise<string[]> {
  const paths = [labels, decode, classes, ...metrics].filter((path) => path !== undefined);
  return Promise.all(
    paths.map(async (path) => {
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return path;
      const hash = createHash('sha256');
      await pipeline(createReadStream(path), hash);
      return hash.digest('hex');
    }),
  );
}
