import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { layersOf } from '../../src/quant/layers.js';
import { planOfLane } from '../../src/quant/placement/lane-plan.js';
import type { QuantPlan } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION, type Selection } from '../../src/quant/select.js';
import { graphRows } from '../../src/report/graph-rows.js';
import { Places } from '../../src/report/places.js';
import type { ReportedGraph } from '../../src/report/report-graph.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { bells, smallNetwork } from '../support/measured-networks.js';

const FIXTURES = [
  ['fixtures/digits/digits.onnx', 'ort'],
  ['fixtures/segmentation/segmentation.onnx', 'ort'],
  ['fixtures/detection/detection.onnx', 'tensorrt'],
  ['fixtures/tflite/digits_float.tflite', 'tflite'],
  ['fixtures/tflite/digits_int8.tflite', 'tflite'],
] as const;

const SHARED = [
  ['../shared/models/resnet20/resnet20_float.onnx', 'ort'],
  ['../shared/models/pcb/simple_cnn_qdq.onnx', 'ort'],
  ['../shared/models/tinymobilenet/model_qoperator.onnx', 'ort'],
  ['../shared/models/rtmdet/rtmdet_nano_float.onnx', 'ort'],
  ['../shared/models/deeplab/deeplab_float.tflite', 'tflite'],
  ['../shared/models/ssd/ssd_mobilenet_v1_uint8.tflite', 'tflite'],
  ['../shared/models/mlperf-kws/dscnn_dynamic_range.tflite', 'tflite'],
] as const;

async function planned(
  path: string,
  scheme: string,
): Promise<{ network: Graph; plan: QuantPlan; isFloat: boolean }> {
  const loaded = await loadModel(path);
  const extents = new Map(
    loaded.graph.inputs.map((id): [string, number[]] => {
      const { name, shape = [] } = loaded.graph.tensors[id]!;
      return [name, shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis < 2 ? 1 : 64))];
    }),
  );
  const network = inferShapes(bindInputs(loaded.graph, extents));
  const plan =
    loaded.lane === undefined
      ? planQuantization(network, SCHEMES[scheme]!, NO_SELECTION)
      : planOfLane(network, loaded.lane);
  return { network, plan, isFloat: loaded.lane === undefined };
}

function drawn(network: Graph, plan: QuantPlan): ReportedGraph {
  return graphRows(network, new Places(network, plan), plan);
}

/** A plan of a network whose shapes are inferred, and how it is drawn. */
function drawnFrom(built: Graph, selection: Selection = NO_SELECTION): ReportedGraph {
  const network = inferShapes(built);
  return drawn(network, planQuantization(network, SCHEMES.ort!, selection));
}

/** Every tensor is read behind the one node that writes it, or is an input. */
function expectConnected({ inputs, outputs, nodes }: ReportedGraph): void {
  const known = new Set(inputs);
  for (const node of nodes) {
    expect(node.inputs.filter((name) => !known.has(name))).toEqual([]);
    expect(node.outputs.filter((name) => known.has(name))).toEqual([]);
    for (const name of node.outputs) known.add(name);
  }
  expect(outputs.filter((name) => !known.has(name))).toEqual([]);
  expect(new Set(nodes.map(({ node }) => node)).size).toBe(nodes.length);
}

describe('the graph of a report', () => {
  it.each([...FIXTURES, ...SHARED.filter(([path]) => existsSync(path))])(
    'of %s has every edge that is measured, on the node of its row, and none that hangs',
    async (path, scheme) => {
      const { network, plan, isFloat } = await planned(path, scheme);
      const places = new Places(network, plan);
      const whole = graphRows(network, places, plan);
      expectConnected(whole);
      const writers = new Map(whole.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
      const { edges } = edgesOf(network, new Set(plan.fusedAway));
      expect(edges.length).toBeGreaterThan(5);
      for (const { tensor, producer } of edges) {
        const { name } = network.tensors[tensor]!;
        const { node, op } = places.of(tensor);
        if (producer === undefined) expect(whole.inputs).toContain(name);
        else expect(writers.get(name), name).toMatchObject({ node, op });
      }
      for (const { name, op, output } of isFloat ? layersOf(network, plan) : []) {
        expect(writers.get(network.tensors[output]!.name), name).toMatchObject({ node: name, op });
      }
      // Every operator of the file is in one node.
      const file = network.nodes.filter(({ origin }) => origin.part === undefined).length;
      const drawnNodes = whole.nodes.flatMap(({ node, members = [node] }) => members);
      const absorbed = network.nodes.flatMap(({ origin }) => origin.absorbed ?? []);
      expect(drawnNodes).toHaveLength(file + absorbed.length);
    },
  );

  it('draws a fused operator as one node, and says what is in it and what it costs', () => {
    const whole = drawnFrom(smallNetwork(17, bells));
    expect(whole).toEqual({
      inputs: ['image'],
      outputs: ['logits'],
      nodes: [
        {
          node: 'conv1',
          op: 'Conv+Relu',
          inputs: ['image'],
          outputs: ['relu1:out'],
          macs: 6912,
          index: 0,
          members: ['conv1', 'relu1'],
        },
        {
          node: 'depthwise',
          op: 'Conv+Relu',
          inputs: ['relu1:out'],
          outputs: ['relu2:out'],
          macs: 2304,
          index: 2,
          members: ['depthwise', 'relu2'],
        },
        {
          node: 'project',
          op: 'Conv',
          inputs: ['relu2:out'],
          outputs: ['project:out'],
          macs: 1024,
          index: 4,
        },
        {
          node: 'add',
          op: 'Add+Relu',
          inputs: ['project:out', 'relu1:out'],
          outputs: ['relu3:out'],
          macs: 0,
          index: 5,
          members: ['add', 'relu3'],
        },
        { node: 'pool', op: 'MaxPool', inputs: ['relu3:out'], outputs: ['pool:out'], macs: 0, index: 7 },
        { node: 'flatten', op: 'Flatten', inputs: ['pool:out'], outputs: ['flat'], macs: 0, index: 8 },
        { node: 'fc', op: 'Gemm', inputs: ['flat'], outputs: ['logits'], macs: 320, index: 9 },
      ],
    });
  });

  it('says why a node stays in float', () => {
    const { nodes } = drawnFrom(smallNetwork(17, bells), { only: [], skip: ['conv1', 'fc'] });
    const reasons = nodes.flatMap(({ node, float }) => (float === undefined ? [] : [[node, float]]));
    expect(reasons).toEqual(
      expect.arrayContaining([
        ['conv1', 'left out by --only or --skip'],
        ['fc', 'left out by --only or --skip'],
      ]),
    );
    expect(reasons.map(([node]) => node)).not.toContain('depthwise');
  });

  it('leaves out what only moves axes in a TFLite file: one node for each of its operators that nothing is fused into', async () => {
    const { network, plan } = await planned('fixtures/tflite/digits_float.tflite', 'tflite');
    expect(network.nodes.some(({ origin }) => origin.part === 'layout')).toBe(true);
    const { nodes } = drawn(network, plan);
    const operators = new Set(network.nodes.map(({ origin }) => origin.index)).size;
    expect(nodes).toHaveLength(operators);
    expect(nodes.map(({ op }) => op)).not.toContain('TRANSPOSE');
  });

  it('numbers tensors and nodes that the file calls the same', () => {
    const built = graph()
      .input('x', 'float32', [1, 4])
      .node('Sigmoid', { name: 'act', inputs: ['x'], outputs: ['a'] })
      .node('Sigmoid', { name: 'act', inputs: ['a'], outputs: ['b'] })
      .node('Sigmoid', { name: 'act (2)', inputs: ['b'], outputs: ['c'] })
      .node('Sigmoid', { name: 'act', inputs: ['c'], outputs: ['d'] })
      .output('d')
      .build();
    const same: Graph = { ...built, tensors: built.tensors.map((tensor) => ({ ...tensor, name: 't' })) };
    const { inputs, outputs, nodes } = drawnFrom(same);
    expect(nodes.map(({ node }) => node)).toEqual(['act', 'act (3)', 'act (2)', 'act (4)']);
    expect(inputs).toEqual(['t']);
    expect(outputs).toEqual(['t (5)']);
    expect(nodes.map((node) => [...node.inputs, ...node.outputs].join())).toEqual([
      't,t (2)',
      't (2),t (3)',
      't (3),t (4)',
      't (4),t (5)',
    ]);
    expect(nodes[1]?.members).toEqual(['act']);
  });

  it('shows a tensor inside a fused operator where something else reads it', () => {
    const network = inferShapes(smallNetwork(17, bells));
    const plan = planQuantization(network, SCHEMES.ort!, NO_SELECTION);
    const inside = tensorNamed(network, 'conv1:out').id;
    expect(plan.fusedAway).toContain(inside);
    const read: Graph = { ...network, outputs: [...network.outputs, inside] };
    const whole = drawn(read, plan);
    expectConnected(whole);
    expect(whole.outputs).toEqual(['logits', 'conv1:out']);
    expect(whole.nodes[0]).toMatchObject({ node: 'conv1', outputs: ['conv1:out', 'relu1:out'] });
  });

  it('has what nested graphs read, and leaves out outputs that are constants and inputs that are optional', () => {
    const captured = 0 as TensorId;
    const body = { captures: [captured], encode: () => new Uint8Array() };
    const built = graph()
      .input('x', 'float32', [1, 4])
      .input('choose', 'bool', [])
      .constant('c', 'float32', [1])
      .constant('upper', 'float32', [], [1])
      .node('If', {
        name: 'if',
        inputs: ['choose'],
        outputs: ['y'],
        attrs: { then_branch: { type: 'graph', value: body }, else_branch: { type: 'graph', value: body } },
      })
      .node('Clip', { name: 'clip', inputs: ['y', '', 'upper'], outputs: ['z', null] })
      .output('z')
      .output('c')
      .build();
    const whole = drawnFrom(built);
    expectConnected(whole);
    expect(whole.outputs).toEqual(['z']);
    expect(whole.nodes.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([
      [['choose', 'x'], ['y']],
      [['y'], ['z']],
    ]);
  });
});
