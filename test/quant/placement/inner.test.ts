/** Schemes on networks whose operators are several nodes here, and one in the file. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import { planQuantization } from '../../../src/quant/placement/planner.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { coverageOf } from '../../../src/report/assemble.js';
import { CONV, DENSE, HandmadeSubgraph } from '../../support/tflite-subgraph.js';
import { nodeNames } from '../../support/plan-view.js';

/** x -> convolution (RELU6) -> hard swish -> flattened -> classifier (RELU): changes of axes at the input and before the Reshape. */
function network(): Graph {
  const net = new HandmadeSubgraph();
  const x = net.input([1, 4, 4, 3], { name: 'x' });
  const conv = net.tensor([1, 4, 4, 2], { name: 'conv' });
  const [w, b] = [net.constant([2, 3, 3, 3], 1, { name: 'w' }), net.constant([2], 1, { name: 'b' })];
  net.op('CONV_2D', [x, w, b], [conv], { ...CONV, fusedActivationFunction: 'RELU6' });
  const swish = net.tensor([1, 4, 4, 2], { name: 'swish' });
  net.op('HARD_SWISH', [conv], [swish]);
  const flat = net.tensor([1, 32], { name: 'flat' });
  net.op('RESHAPE', [swish, net.integers([1, 32])], [flat], { newShape: [1, 32] });
  const y = net.tensor([1, 2], { name: 'y' });
  const [fc, fb] = [net.constant([2, 32], 1, { name: 'fc' }), net.constant([2], 1, { name: 'fb' })];
  net.op('FULLY_CONNECTED', [flat, fc, fb], [y], { ...DENSE, fusedActivationFunction: 'RELU' });
  return inferShapes({ ...buildGraph(net.build(y)).graph, metadata: new Map(), producer: '' });
}

describe.each(['tflite', 'tflite-16x8', 'ort', 'tensorrt'])('scheme %s on a TFLite network', (name) => {
  const graph = network();
  const plan = planQuantization(graph, SCHEMES[name]!, NO_SELECTION);

  it('places no quantizer of its own on what the file does not have', () => {
    const inner = plan.quantizers.filter(({ tensor }) => graph.inner!.has(tensor));
    // A copy in another order of axes may follow what it is a copy of, which changes nothing.
    for (const { range } of inner) {
      expect(range.kind).toBe('same-as');
      expect(range.kind === 'same-as' && graph.inner!.has(range.tensor)).toBe(false);
    }
    expect(plan.quantizers.length).toBeGreaterThan(inner.length);
  });

  it('counts neither steps nor changes of axes among the operators', () => {
    const { ops, islands } = coverageOf(graph, plan);
    expect(ops.total).toBe(4);
    const told = [...nodeNames(graph, plan.quantizedNodes), ...islands.flatMap(({ nodes }) => nodes)];
    const operators = ['CONV_2D#0', 'HARD_SWISH#1', 'RESHAPE#2', 'FULLY_CONNECTED#3'];
    expect(new Set(told)).toEqual(new Set(operators));
  });

  it('measures nothing that the file does not have', () => {
    for (const id of graph.inner!) expect(plan.fusedAway).toContain(id);
  });
});

describe('scheme tflite on a TFLite network', () => {
  it('quantizes what the converter would: every activation of the file, weights and biases', () => {
    const graph = network();
    const plan = planQuantization(graph, SCHEMES['tflite']!, NO_SELECTION);
    const names = plan.quantizers
      .filter(({ tensor }) => !graph.inner!.has(tensor))
      .map(({ tensor }) => graph.tensors[tensor]!.name);
    expect(names.sort()).toEqual(['b', 'conv', 'fb', 'fc', 'flat', 'swish', 'w', 'x', 'y']);
    expect(coverageOf(graph, plan)).toMatchObject({ ops: { quantized: 4, total: 4 }, islands: [] });
  });
});
