/** What a quantized file quantizes, as a plan. */
import { describe, expect, it } from 'vitest';
import type { Graph, TensorId } from '../../../src/ir/graph.js';
import type { Lane } from '../../../src/ir/lane.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { TfliteSubgraph } from '../../../src/loader/tflite/model.js';
import { planOfLane } from '../../../src/quant/placement/lane-plan.js';
import { floatReasons, nodeNames } from '../../support/plan-view.js';
import { CONV, DENSE, HandmadeSubgraph, POOL, type TensorSpec } from '../../support/tflite-subgraph.js';

function planned(subgraph: TfliteSubgraph) {
  const { graph, lane } = buildGraph(subgraph);
  const whole: Graph = { ...graph, metadata: new Map(), producer: '' };
  const plan = planOfLane(whole, lane as Lane);
  return { graph: whole, lane: lane as Lane, plan };
}

const INT8: TensorSpec = { type: 'INT8', scale: 0.5, zeroPoint: -3 };
const PICTURE = [1, 4, 4, 2];

function conv(net: HandmadeSubgraph, x: number, output: TensorSpec = INT8, weight: TensorSpec = {}): number {
  const w = net.constant([2, 1, 1, 2], 1, { type: 'INT8', scale: [1, 2], ...weight });
  const b = net.constant([2], 1, { type: 'INT32', scale: [0.5, 1] });
  const y = net.tensor(PICTURE, output);
  net.op('CONV_2D', [x, w, b], [y], { ...CONV, fusedActivationFunction: 'RELU6' });
  return y;
}

describe('an integer file', () => {
  const net = new HandmadeSubgraph();
  const x = net.input(PICTURE, { name: 'x' });
  const q = net.tensor(PICTURE, { ...INT8, name: 'q' });
  net.op('QUANTIZE', [x], [q]);
  const first = conv(net, q);
  const pooled = net.tensor([1, 2, 2, 2], INT8);
  net.op('MAX_POOL_2D', [first], [pooled], POOL);
  const y = net.tensor([1, 2, 2, 2], { name: 'y' });
  net.op('DEQUANTIZE', [pooled], [y]);
  const { graph, lane, plan } = planned(net.build(y));

  it('computes with integers where all edges of the file have codes, whatever lies between its nodes', () => {
    expect(nodeNames(graph, plan.quantizedNodes)).toEqual(['CONV_2D#1', 'MAX_POOL_2D#2']);
    expect(plan.floatNodes).toEqual([]);
  });

  it('has no quantizers but those of the file: none on copies in another order of axes', () => {
    const tensors = plan.quantizers.map(({ tensor }) => tensor);
    expect(tensors.every((id) => graph.inner?.has(id) !== true)).toBe(true);
    expect([...lane.tensors.keys()].filter((id) => graph.inner?.has(id) !== true).sort()).toEqual(
      [...tensors].sort(),
    );
    expect(plan).toMatchObject({ placement: 'file', biasLimit: Infinity, fusedAway: [...graph.inner!] });
  });

  it('has a role and a scheme for each', () => {
    const of = (id: number) => plan.quantizers.find(({ tensor }) => tensor === (id as TensorId))!;
    expect(of(q)).toMatchObject({
      role: 'activation',
      scheme: { dtype: 'int8', symmetric: false, granularity: 'per-tensor' },
      range: { kind: 'fixed', scale: 0.5, zeroPoint: -3 },
    });
    const [weight, bias] = [first - 2, first - 1];
    expect(of(weight)).toMatchObject({
      role: 'weight',
      axis: 0,
      scheme: { dtype: 'int8', symmetric: true, granularity: 'per-axis' },
    });
    expect(of(bias)).toMatchObject({ role: 'bias', axis: 0, scheme: { dtype: 'int32', symmetric: true } });
    expect(plan.quantizers.map(({ tensor }) => tensor as number)).not.toContain(x);
  });
});

describe('codes at the ends of a network', () => {
  it('are its inputs and outputs, also where axes change places before the end', () => {
    const net = new HandmadeSubgraph();
    const x = net.input(PICTURE, INT8);
    const y = conv(net, x);
    const { plan } = planned(net.build(y));
    const role = (id: number) => plan.quantizers.find(({ tensor }) => tensor === (id as TensorId))!.role;
    expect([role(x), role(y)]).toEqual(['input', 'output']);
  });

  it('are symmetric for unsigned types around the middle code', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4], { type: 'UINT8', scale: 1, zeroPoint: 128 });
    const y = net.tensor([1, 4], { type: 'UINT8', scale: 1, zeroPoint: 127 });
    net.op('RELU', [x], [y]);
    const { plan } = planned(net.build(y));
    expect(plan.quantizers.map(({ scheme: { symmetric } }) => symmetric)).toEqual([true, false]);
  });
});

describe('operators in float', () => {
  it('are those that read or write floats, with which of both', () => {
    const reasons = (input: TensorSpec, output: TensorSpec): Record<string, string> => {
      const net = new HandmadeSubgraph();
      const [x, y] = [net.input([1, 3], input), net.tensor([1, 3], output)];
      net.op('RELU', [x], [y]);
      const { graph, plan } = planned(net.build(y));
      expect(plan.quantizedNodes).toEqual([]);
      return floatReasons(graph, plan);
    };
    expect(reasons({}, INT8)).toEqual({ 'RELU#0': 'it reads floats' });
    expect(reasons(INT8, {})).toEqual({ 'RELU#0': 'it writes floats' });
  });

  it('may have integer weights', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 3]);
    const w = net.constant([2, 3], 1, { type: 'INT8', scale: 0.5 });
    const y = net.tensor([1, 2]);
    net.op('FULLY_CONNECTED', [x, w, -1], [y], DENSE);
    const { graph, plan } = planned(net.build(y));
    expect(plan.quantizedNodes).toEqual([]);
    expect(floatReasons(graph, plan)).toEqual({
      'FULLY_CONNECTED#0': 'hybrid: int8 weights, float activations',
    });
  });

  it('are found behind a change of axes too', () => {
    const net = new HandmadeSubgraph();
    const x = net.input(PICTURE);
    const y = conv(net, x);
    const { graph, plan } = planned(net.build(y));
    expect(floatReasons(graph, plan)).toEqual({ 'CONV_2D#0': 'it reads floats' });
    const other = new HandmadeSubgraph();
    const z = conv(other, other.input(PICTURE, INT8), {});
    const written = planned(other.build(z));
    expect(floatReasons(written.graph, written.plan)).toEqual({ 'CONV_2D#0': 'it writes floats' });
  });

  it('are not those that nothing computes', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 3], INT8);
    const y = net.tensor([1, 3]);
    net.op('MyOp', [x], [y], {}, true);
    const { plan } = planned(net.build(y));
    expect([...plan.quantizedNodes, ...plan.floatNodes]).toEqual([]);
  });
});
