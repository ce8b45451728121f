/** Parameters that runtimes refuse, and files made to be slow. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel, type LoadedModel } from '../../../src/loader/index.js';
import { TestModel } from './qoperator-model.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'qdbg-qdq-'));
afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

let files = 0;

async function loaded(model: TestModel): Promise<LoadedModel> {
  const path = join(FOLDER, `${files++}.onnx`);
  writeFileSync(path, model.bytes());
  return loadModel(path);
}

/** x [2, 3, 4] through QuantizeLinear and DequantizeLinear with `scale` and `zeroPoint`, then Relu. */
function pair(
  scale: readonly number[],
  zeroPoint: readonly number[],
  attrs: Record<string, number> = {},
): TestModel {
  return new TestModel()
    .input('x', [2, 3, 4], Array<number>(24).fill(1))
    .constant('s', 'float32', scale.length === 1 ? [] : [scale.length], scale)
    .constant('z', 'uint8', zeroPoint.length === 1 ? [] : [zeroPoint.length], zeroPoint)
    .node('QuantizeLinear', ['x', 's', 'z'], ['q'], attrs)
    .node('DequantizeLinear', ['q', 's', 'z'], ['d'], attrs)
    .node('Relu', ['d'], ['y'])
    .output('y', 'float32');
}

async function faultsOf(model: TestModel): Promise<string[]> {
  const { lane, graph } = await loaded(model);
  return (lane?.faults ?? []).map(({ tensor, kind }) => `${graph.tensors[tensor]!.name} ${kind}`);
}

describe('parameters that no runtime accepts are kept and named', () => {
  it.each([
    ['an axis that is outside', [0.1, 0.2, 0.3], [0, 0, 0], 5, ['x axis']],
    ['an axis of another extent', [0.1, 0.2, 0.3], [0, 0, 0], 2, ['x axis-extent']],
    ['a count of scales that no axis has', [0.1, 0.2, 0.3, 0.4, 0.5], [0, 0, 0, 0, 0], 1, ['x scale-count']],
    ['other zero points than scales', [0.1, 0.2, 0.3], [0, 1], 1, ['x zero-point-count']],
    ['nothing', [0.1, 0.2, 0.3], [0, 1, 2], -2, []],
  ] as const)('%s', async (_, scale, zeroPoint, axis, wanted) => {
    const faults = await faultsOf(pair(scale, zeroPoint, { axis }));
    expect([...new Set(faults)]).toEqual(wanted);
  });

  it('a zero point of another type than the codes', async () => {
    const model = new TestModel()
      .constant('codes', 'int8', [2], [1, 2])
      .constant('s', 'float32', [], [0.1])
      .constant('z', 'uint8', [], [3])
      .node('DequantizeLinear', ['codes', 's', 'z'], ['d'])
      .node('Relu', ['d'], ['y'])
      .output('y', 'float32');
    const { lane, graph } = await loaded(model);
    expect(lane?.faults).toMatchObject([{ kind: 'zero-point-type' }]);
    expect(lane?.tensors.get(graph.tensors.find(({ name }) => name === 'codes')!.id)).toMatchObject({
      dtype: 'int8',
      zeroPoint: Int32Array.of(3),
    });
  });

  it.each([0, -1, NaN, Infinity])('scale %d is passed on as it is', async (scale) => {
    const { lane, graph } = await loaded(pair([scale], [0]));
    expect(lane?.tensors.get(graph.inputs[0]!)?.scale).toEqual(Float32Array.of(scale));
  });
});

describe('codes that no operator writes', () => {
  it.each(['int32', 'int64'] as const)('%s: the quantizer stays a node, with the reason', async (dtype) => {
    const model = new TestModel()
      .input('x', [2], [1, 2])
      .constant('s', 'float32', [], [0.1])
      .constant('z', dtype, [], [0])
      .node('QuantizeLinear', ['x', 's', 'z'], ['q'])
      .node('DequantizeLinear', ['q', 's', 'z'], ['d'])
      .node('Relu', ['d'], ['y'])
      .output('y', 'float32');
    const { lane, graph } = await loaded(model);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['QuantizeLinear', 'DequantizeLinear', 'Relu']);
    expect(lane?.unfolded?.[0]?.reason).toBe(`it writes codes of ${dtype}`);
    expect(lane?.tensors.size).toBe(0);
  });
});

describe('files made to be slow', () => {
  it('one large scale for thousands of tensors is compared once', async () => {
    const count = 100_000;
    const model = new TestModel().constant('s', 'float32', [count], Array<number>(count).fill(0.1));
    const outputs = Array.from({ length: 2000 }, (_, i) => {
      model.constant(`c${i}`, 'int8', [1], [i % 100]).node('DequantizeLinear', [`c${i}`, 's'], [`d${i}`]);
      return `d${i}`;
    });
    const start = performance.now();
    await loaded(model.node('Max', outputs, ['y']).output('y', 'float32'));
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('weights are not read', async () => {
    const { graph, lane } = await loaded(
      pair([0.1], [0]).constant('w', 'int8', [8], [1, 2, 3, 4, 5, 6, 7, 8]),
    );
    expect(lane?.tensors.size).toBe(1);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Relu']);
  });
});
