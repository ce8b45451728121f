import { describe, expect, it } from 'vitest';
import { guardedNodes } from '../../src/quant/requantized.js';
import type { Graph } from '../../src/ir/graph.js';
import type { QuantParams } from '../../src/ir/lane.js';
import { graph } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';

const BYTE = perTensor('int8', 0.1);

/** input -> Conv -> Relu -> Add with itself, in float. */
function network(bias = 1, opset = 17): Graph {
  return graph({ opset })
    .input('x', 'float32', [1, 1, 4, 4])
    .constant('w', 'float32', [1, 1, 1, 1], [1])
    .constant('b', 'float32', [1], [bias])
    .node('Conv', { name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['c'] })
    .node('Relu', { name: 'relu', inputs: ['c'], outputs: ['r'] })
    .node('Add', { name: 'add', inputs: ['r', 'r'], outputs: ['y'] })
    .output('y')
    .build();
}

function guarded(g: Graph, tensors: Readonly<Record<string, QuantParams>>): string[] {
  return guardedNodes(g, laneOf(g, tensors)).map(({ origin }) => origin.name);
}

describe('a product with float constants', () => {
  it('between two quantizers is guarded, with what the runtime merges or moves between them', () => {
    expect(guarded(network(), { x: BYTE, c: BYTE })).toEqual(['conv']);
    expect(guarded(network(), { x: BYTE, r: BYTE })).toEqual(['conv']);
    expect(guarded(network(), { x: BYTE, y: BYTE })).toEqual(['conv']);
  });

  it('with a quantizer on one side only is not', () => {
    expect(guarded(network(), { x: BYTE })).toEqual([]);
    expect(guarded(network(), { r: BYTE })).toEqual([]);
    expect(guarded(network(), {})).toEqual([]);
  });

  it('whose weight is quantized is not, unless its bias would overflow', () => {
    expect(guarded(network(), { x: BYTE, w: BYTE, c: BYTE })).toEqual([]);
    const fine = perTensor('int16', 1e-5);
    expect(guarded(network(1000), { x: fine, w: fine, c: BYTE })).toEqual(['conv']);
    expect(guarded(network(1000), { x: fine, w: fine, b: perTensor('int32', 1e-3), c: BYTE })).toEqual([]);
  });

  it('whose bias would get scales that its opset has no operator for is guarded', () => {
    const tensors = { x: BYTE, w: perAxis('int8', 0, [0.1]), c: BYTE };
    expect(guarded(network(1, 12), tensors)).toEqual(['conv']);
    expect(guarded(network(1, 13), tensors)).toEqual([]);
  });
});
