import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/doctor/finding.js';
import { findingsByLayer, worstSeverity } from '../../../src/page/layers/finding-places.js';
import type { Layer } from '../../../src/page/layers/layer.js';

function layer(tensor: string, node: string, constants: readonly string[]): Layer {
  const row = { node, op: 'Conv', order: 0, shape: [] };
  return {
    tensor,
    node,
    op: 'Conv',
    activation: { ...row, tensor, role: 'activation' },
    constants: constants.map((name) => ({ ...row, tensor: name, role: 'weight' as const })),
    weights: [],
  };
}

function finding(subject: Finding['subject'], severity: Finding['severity'] = 'note'): Finding {
  return { rule: 'w.rule', severity, subject, message: '', args: {} };
}

describe('findingsByLayer', () => {
  const layers = [layer('a:out', 'a', ['a.weight']), layer('b:out', 'b', [])];
  const named = (name: string): Layer | undefined =>
    layers.find(({ tensor, node }) => tensor === name || node === name);

  it('places findings by tensor, by constant, or by node', () => {
    const [byTensor, byWeight, byNode, ofAll] = [
      finding({ tensor: 'b:out', node: 'inside of b' }),
      finding({ tensor: 'a.weight', node: 'unknown' }),
      finding({ node: 'a' }),
      finding({}),
    ];
    const found = findingsByLayer(layers, [byTensor, byWeight, byNode, ofAll], named);
    expect(found.get('a:out')).toEqual([byWeight, byNode]);
    expect(found.get('b:out')).toEqual([byTensor]);
    expect(found.size).toBe(2);
  });
});

describe('worstSeverity', () => {
  it('is the worst of all, whatever their order', () => {
    expect(worstSeverity([finding({}, 'note'), finding({}, 'error'), finding({}, 'warning')])).toBe('error');
    expect(worstSeverity([])).toBeUndefined();
  });
});
