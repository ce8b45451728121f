import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadModel } from '../../../src/loader/index.js';
import { comparedWith, readReference } from '../../support/qdq-reference.js';
const FOLDER = process.env['QDQ_FOLDER'] ?? '/tmp/qdq/fuzz/';
const LIMIT = Number(process.env['QDQ_REL'] ?? 1e-5);
const MODELS = readdirSync(FOLDER).flatMap((file) => /^qdq_(.*)\.onnx$/.exec(file)?.[1] ?? []);
it.each(MODELS)('%s', async (name) => {
  const { graph, lane } = await loadModel(`${FOLDER}qdq_${name}.onnx`);
  if (lane === undefined) return;
  const compared = await comparedWith({ graph, lane }, readReference(`${FOLDER}qdq_${name}.json`));
  const apart = compared.filter(({ unit, distance }) => !(distance <= (unit === 'relative' ? LIMIT : unit === 'codes' ? 1 : 1.001)));
  if (process.env['QDQ_SHOW']) console.log(name, compared.length, compared.filter((c) => c.unit === 'codes').length, Math.max(0, ...compared.filter(c=>c.unit!=='relative').map(c=>c.distance)), Math.max(0, ...compared.filter(c=>c.unit==='relative').map(c=>c.distance)), lane.unfolded?.length);
  if (apart.length > 0) throw new Error(JSON.stringify(apart.slice(0, 4)));
});
