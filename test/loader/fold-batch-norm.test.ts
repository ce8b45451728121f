import { describe, expect, it } from 'vitest';
import { toFloat32 } from '../../src/ir/elements.js';
import type { Graph } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import { expectedValues, fixture, nodeNamed } from './model-files.js';

const EXPECTED = (
  expectedValues() as { 'conv-batch-norm': Record<string, { weight: number[]; bias: number[] }> }
)['conv-batch-norm'];

function inputNames(graph: Graph, node: string): (string | undefined)[] {
  return nodeNamed(graph, node).inputs.map((id) => (id === null ? undefined : graph.tensors[id]!.name));
}

function operators(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op);
}

describe('batch normalization behind a convolution', () => {
  it.each(Object.entries(EXPECTED))(
    '%s: is folded into weights and bias as numpy folds it',
    async (name, expected) => {
      const { graph } = await loadModel(fixture('conv-batch-norm.onnx'));
      const conv = nodeNamed(graph, `${name}.conv`);
      const [, weight, bias] = conv.inputs.map((id) => graph.tensors[id!]!);
      expect([...toFloat32(weight!.data!)]).toEqual(expected.weight);
      expect([...toFloat32(bias!.data!)]).toEqual(expected.bias);
      expect(conv.origin.absorbed).toEqual([`${name}.bn`]);
      expect(graph.tensors[conv.outputs[0]!]!.name).toBe(`${name}.out`);
    },
  );

  it('is folded by two when two stand behind each other', async () => {
    const { graph } = await loadModel(fixture('conv-batch-norm.onnx'));
    expect(nodeNamed(graph, 'twice.conv').origin.absorbed).toEqual(['twice.bn', 'twice.bn2']);
  });

  it('leaves the names of constants that only the convolution reads', async () => {
    const { graph } = await loadModel(fixture('conv-batch-norm.onnx'));
    expect(inputNames(graph, 'grouped.conv')).toEqual(['x', 'grouped.weight', 'grouped.bias']);
    expect(inputNames(graph, 'plain.conv')).toEqual(['x', 'plain.weight', 'plain.weight_bias']);
    expect(inputNames(graph, 'shared_a.conv')).toEqual(['x', 'shared.weight_folded', 'shared.weight_bias']);
  });

  it('takes its own constants out of the graph', async () => {
    const { graph } = await loadModel(fixture('conv-batch-norm.onnx'));
    const constants = graph.tensors.filter(({ data }) => data !== undefined).map(({ name }) => name);
    expect(
      constants.filter((name) => name.startsWith('plain.') || name.startsWith('shared.')).sort(),
    ).toEqual([
      'plain.weight',
      'plain.weight_bias',
      'shared.weight_bias',
      'shared.weight_bias_2',
      'shared.weight_folded',
      'shared.weight_folded_2',
    ]);
  });

  it.each(['read_twice', 'is_output'])(
    '%s: stays when others see the result of the convolution',
    async (name) => {
      const { graph } = await loadModel(fixture('conv-batch-norm.onnx'));
      expect(nodeNamed(graph, `${name}.bn`).op).toBe('BatchNormalization');
      expect(inputNames(graph, `${name}.conv`)).toEqual(['x', `${name}.weight`]);
    },
  );

  it('is folded in opset 7 where it is per channel, and stays where it is per element', async () => {
    expect(operators((await loadModel(fixture('batch-norm-opset7.onnx'))).graph)).toEqual(['Conv']);
    const { graph } = await loadModel(fixture('batch-norm-opset7-spatial0.onnx'));
    expect(operators(graph)).toEqual(['Conv', 'BatchNormalization']);
  });

  it('stays in training mode', async () => {
    const { graph } = await loadModel(fixture('batch-norm-training.onnx'));
    expect(operators(graph)).toEqual(['Conv', 'BatchNormalization']);
  });

  it('stays when folding is switched off', async () => {
    const { graph } = await loadModel(fixture('batch-norm-opset7.onnx'), { foldBatchNorm: false });
    expect(operators(graph)).toEqual(['Conv', 'BatchNormalization']);
  });
});
