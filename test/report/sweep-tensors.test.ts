import { describe, expect, it } from 'vitest';
import { buildLane } from '../../src/quant/lane.js';
import { layersOf } from '../../src/quant/layers.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { Places } from '../../src/report/places.js';
import { sweptTensorRows } from '../../src/report/sweep-tensors.js';
import { bells, smallNetwork } from '../support/measured-networks.js';
import { unit } from '../support/swept-reports.js';

describe('tensors of a sweep', () => {
  const g = smallNetwork(17, bells);
  const plan = planQuantization(g, SCHEMES['ort']!, NO_SELECTION);
  const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
  const layers = layersOf(g, plan);
  const units = layers.map(({ name, op }, i) => unit(name, op, 0, { outputSqnrDb: i }, { outputSqnrDb: -i }));
  const rows = sweptTensorRows(g, new Places(g, plan), lane, layers, units);

  it('are the quantized activations in graph order, the input first', () => {
    expect(rows[0]).toMatchObject({ tensor: 'image', role: 'input' });
    expect(rows[0]).not.toHaveProperty('alone');
    expect(rows.map(({ order }) => order)).toEqual(rows.map((_, i) => i));
    const names = rows.map(({ tensor }) => tensor);
    expect(names.filter((name) => name.includes('weight') || name.includes('bias'))).toEqual([]);
    expect(names.indexOf('relu1:out')).toBeLessThan(names.indexOf('relu3:out'));
    for (const { quant } of rows) expect(quant?.scale).toHaveLength(1);
  });

  it('show what the layer that writes them shows', () => {
    const at = layers.findIndex(({ name }) => name === 'conv1');
    expect(rows.find(({ tensor }) => tensor === 'relu1:out')).toMatchObject({
      node: 'conv1',
      op: 'Conv+Relu',
      role: 'activation',
      alone: { outputSqnrDb: at },
      restored: { outputSqnrDb: -at },
    });
  });
});
