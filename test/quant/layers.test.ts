import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeOf, type Graph, type NodeId } from '../../src/ir/graph.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { layersOf } from '../../src/quant/layers.js';
import type { QuantPlan } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION, type Selection } from '../../src/quant/select.js';
import { graph } from '../support/graph-builder.js';

const FIXTURES = [
  ['fixtures/digits/digits.onnx', 'ort'],
  ['fixtures/digits/digits_rescaled.onnx', 'tensorrt'],
  ['fixtures/segmentation/segmentation.onnx', 'ort'],
  ['fixtures/detection/detection.onnx', 'ort'],
  ['fixtures/tflite/digits_float.tflite', 'tflite'],
] as const;

const SHARED = [
  ['../shared/models/resnet20/resnet20_float.onnx', 'ort'],
  ['../shared/models/deeplab/deeplab_float.tflite', 'tflite'],
  ['../shared/models/mobilenet-qat/mobilenet_v1_0.25_float.tflite', 'tflite'],
] as const;

async function planned(path: string, scheme: string): Promise<{ graph: Graph; plan: QuantPlan }> {
  const loaded = await loadModel(path);
  const extents = new Map(
    loaded.graph.inputs.map((id): [string, number[]] => {
      const { name, shape = [] } = loaded.graph.tensors[id]!;
      return [name, shape.map((dim) => (typeof dim === 'number' ? dim : 1))];
    }),
  );
  const bound = inferShapes(bindInputs(loaded.graph, extents));
  return { graph: bound, plan: planQuantization(bound, SCHEMES[scheme]!, NO_SELECTION) };
}

describe('layers of a plan', () => {
  it.each([...FIXTURES, ...SHARED.filter(([path]) => existsSync(path))])(
    'every node that %s computes with integers under %s is in one layer, and a layer has one output that is seen',
    async (path, scheme) => {
      const { graph: network, plan } = await planned(path, scheme);
      const layers = layersOf(network, plan);
      const members = layers.flatMap(({ nodes }) => nodes);
      expect(new Set(members).size).toBe(members.length);
      const isLayout = (node: NodeId): boolean => nodeOf(network, node).origin.part === 'layout';
      expect(plan.quantizedNodes.filter((node) => !members.includes(node) && !isLayout(node))).toEqual([]);
      const hidden = new Set(plan.fusedAway);
      expect(
        layers.filter(({ output }) => hidden.has(output) && network.inner?.has(output) !== true),
      ).toEqual([]);
      expect(layers.map(({ output }) => output)).toEqual([...new Set(layers.map(({ output }) => output))]);
      for (const { nodes, output } of layers) {
        expect(nodes.some((node) => nodeOf(network, node).outputs.includes(output))).toBe(true);
      }
    },
  );

  it('a convolution and the Relu behind it are one layer, called after the convolution', () => {
    const built = graph({ opset: 17 })
      .input('x', 'float32', [1, 3, 8, 8])
      .constant('w', 'float32', [4, 3, 3, 3])
      .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
      .node('Relu', { name: 'relu', inputs: ['y'], outputs: ['z'] })
      .node('MaxPool', { name: 'pool', inputs: ['z'], outputs: ['p'], attrs: { kernel_shape: [2, 2] } })
      .output('p')
      .build();
    const g = inferShapes(built);
    const plan = planQuantization(g, SCHEMES.ort!, NO_SELECTION);
    expect(layersOf(g, plan).map(({ name, op, nodes }) => [name, op, nodes.length])).toEqual([
      ['conv', 'Conv+Relu', 2],
      ['pool', 'MaxPool', 1],
    ]);
  });

  it('what the scheme leaves in float is no layer', () => {
    const g = graph({ opset: 17 })
      .input('x', 'float32', [1, 4])
      .node('Erf', { name: 'erf', inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build();
    expect(layersOf(g, planQuantization(g, SCHEMES.ort!, NO_SELECTION))).toEqual([]);
  });

  it('copies in another order of axes go with the operators that read them: the input of a TFLite file with its first layer', async () => {
    const path = 'fixtures/tflite/digits_float.tflite';
    const { graph: network } = await planned(path, 'tflite');
    const quantized = (selection: Selection): boolean => {
      const { quantizers } = planQuantization(network, SCHEMES.tflite!, selection);
      return quantizers.some(({ tensor }) => tensor === network.inputs[0]);
    };
    expect(quantized({ only: ['CONV_2D#0'], skip: [] })).toBe(true);
    expect(quantized({ only: ['CONV_2D#2'], skip: [] })).toBe(false);
    expect(quantized({ only: [], skip: ['CONV_2D#0'] })).toBe(false);
    expect(quantized({ only: [], skip: ['CONV_2D#2'] })).toBe(true);
  });
});
