/** Models with QuantizeLinear and DequantizeLinear, as exporters and as people write them. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../../src/loader/index.js';
import { comparedWith, readReference } from '../../support/qdq-reference.js';

const FOLDER = fileURLToPath(new URL('../../../fixtures/quantized-onnx/', import.meta.url));
const MODELS = readdirSync(FOLDER).flatMap((file) => /^qdq_(.*)\.onnx$/.exec(file)?.[1] ?? []);

describe('a loaded lane computes what ONNX Runtime does, tensor by tensor', () => {
  it.each(MODELS)('%s', async (name) => {
    const { graph, lane } = await loadModel(`${FOLDER}qdq_${name}.onnx`);
    const compared = await comparedWith({ graph, lane: lane! }, readReference(`${FOLDER}qdq_${name}.json`));
    const apart = compared.filter(({ unit, distance }) => !(distance <= (unit === 'relative' ? 1e-5 : unit === 'codes' ? 1 : 1.001)));
    console.log(name, compared.length, compared.filter((c) => c.unit !== 'relative').length, Math.max(...compared.filter(c=>c.unit!=='relative').map(c=>c.distance)));
    expect(apart).toEqual([]);
    expect(compared.filter(({ unit }) => unit !== 'relative').length).toBeGreaterThan(0);
  });
});
