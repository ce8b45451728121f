/** The rules of quantize_static: what is left in float by name, what has an override, and what it cannot be told. */
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../../src/commands/sweep/export/decision.js';
import {
  exportOnnxRuntime,
  type QuantizeStaticArguments,
} from '../../../../src/commands/sweep/export/onnxruntime.js';
import { UsageError } from '../../../../src/errors.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { useKey, type QuantParams } from '../../../../src/ir/lane.js';
import { overrideScheme, SCHEMES } from '../../../../src/quant/presets.js';
import { decide, type Ranges } from '../../../support/decisions.js';
import { constantData, graph, producerOf, tensorNamed } from '../../../support/graph-builder.js';
import { perTensor } from '../../../support/lanes.js';

const ORT = SCHEMES['ort']!;
const RANGES: Ranges = { x: [-1, 1], a: [-2, 3], b: [0, 5], c: [-4, 4] };

/** x -> MatMul `first` -> a -> MatMul `second` -> b and MatMul `third` -> c. */
function network(names: readonly string[] = ['first', 'second', 'third']): Graph {
  let builder = graph().input('x', 'float32', [1, 4]);
  for (const name of ['u', 'v', 'w'])
    builder = builder.constant(
      name,
      'float32',
      [4, 4],
      Array.from({ length: 16 }, (_, i) => (i - 7) / 8),
    );
  return inferShapes(
    builder
      .node('MatMul', { name: names[0]!, inputs: ['x', 'u'], outputs: ['a'] })
      .node('MatMul', { name: names[1]!, inputs: ['a', 'v'], outputs: ['b'] })
      .node('MatMul', { name: names[2]!, inputs: ['a', 'w'], outputs: ['c'] })
      .output('b')
      .output('c')
      .build(),
  );
}

function argumentsOf(decision: Decision): QuantizeStaticArguments {
  const { content } = exportOnnxRuntime(decision);
  return JSON.parse(content as string) as QuantizeStaticArguments;
}

function overridesOf(decision: Decision): QuantizeStaticArguments['extra_options']['TensorQuantOverrides'] {
  return argumentsOf(decision).extra_options.TensorQuantOverrides;
}

/** The decision with one reader of a tensor, or all, reading it through another quantizer. */
function withQuantizers(
  decision: Decision,
  own: Readonly<Record<string, QuantParams>>,
  uses: readonly (readonly [writes: string, slot: number, params: QuantParams])[] = [],
): Decision {
  const { graph: g, lane } = decision;
  const tensors = new Map(lane.tensors);
  for (const [name, params] of Object.entries(own)) tensors.set(tensorNamed(g, name).id, params);
  const ofUses = new Map(lane.uses);
  for (const [writes, slot, params] of uses) ofUses.set(useKey(producerOf(g, writes).id, slot), params);
  return { ...decision, lane: { ...lane, tensors, uses: ofUses } };
}

describe('the arguments', () => {
  it('say what the scheme says', () => {
    const scheme = overrideScheme(ORT, {
      activations: 'int8',
      symmetric: true,
      granularity: 'per-axis',
      observer: 'entropy',
    });
    const plain = decide(network(), ORT, RANGES);
    expect(argumentsOf({ ...plain, scheme })).toMatchObject({
      quant_format: 'QDQ',
      activation_type: 'QInt8',
      weight_type: 'QInt8',
      per_channel: true,
      calibrate_method: 'Entropy',
      extra_options: { ActivationSymmetric: true, WeightSymmetric: true, QuantizeBias: true },
    });
  });

  it('have every scale to the last bit of its float32, and every zero point', () => {
    const decision = decide(network(), ORT, RANGES);
    const overrides = overridesOf(decision);
    for (const [id, params] of decision.lane.tensors) {
      const [entry] = overrides[decision.graph.tensors[id]!.name]!;
      expect(Float32Array.of(entry!.scale)).toEqual(params.scale);
      expect(entry!.zero_point).toBe(params.zeroPoint[0]);
      expect(Object.keys(entry!)).toEqual(['quant_type', 'scale', 'zero_point']);
    }
    expect(Object.keys(overrides)).toHaveLength(decision.lane.tensors.size);
  });

  it('have a list entry for each index of the axis, of which the first has the axis', () => {
    const decision = decide(network(), overrideScheme(ORT, { granularity: 'per-axis' }), RANGES);
    const entries = overridesOf(decision)['v']!;
    expect(entries.map(({ axis }) => axis)).toEqual([1, undefined, undefined, undefined]);
    expect(Float32Array.from(entries, ({ scale }) => scale)).toEqual(
      decision.lane.tensors.get(tensorNamed(decision.graph, 'v').id)!.scale,
    );
  });

  it('are the same bytes every time', () => {
    const make = (): unknown => exportOnnxRuntime(decide(network(), ORT, RANGES)).content;
    expect(make()).toBe(make());
  });
});

describe('nodes_to_exclude', () => {
  it('has the nodes of float layers and those that the user left out of the sweep', () => {
    const decision = decide(network(), ORT, RANGES, { float: ['second'] });
    const layers = decision.layers.filter(({ name }) => name !== 'third');
    expect(argumentsOf(decision).nodes_to_exclude).toEqual(['second']);
    expect(argumentsOf({ ...decision, layers }).nodes_to_exclude).toEqual(['second', 'third']);
  });

  it('never has the empty name, which would be that of all nodes without one', () => {
    const decision = decide(network(['first', '', '']), ORT, RANGES, { float: ['MatMul#1'] });
    expect(argumentsOf(decision).nodes_to_exclude).toEqual([]);
    expect(exportOnnxRuntime(decision).lost).toEqual([
      expect.stringMatching(/^MatMul#1 stays in float: it has no name of its own/),
    ]);
  });

  it('says of a name that a quantized node has, too, that both stay in float', () => {
    const decision = decide(network(['first', 'same', 'other']), ORT, RANGES, { float: ['same'] });
    const nodes = decision.graph.nodes.map((node) =>
      node.origin.name === 'other' ? { ...node, origin: { ...node.origin, name: 'same' } } : node,
    );
    const { lost } = exportOnnxRuntime({ ...decision, graph: { ...decision.graph, nodes } });
    expect(lost).toContainEqual(expect.stringMatching(/^'same' is the name of a quantized node, too/));
  });

  it('names absorbed nodes, and weights as quant_pre_process calls the folded ones', () => {
    const decision = decide(network(), ORT, RANGES, { float: ['second'] });
    const nodes = decision.graph.nodes.map((node) => ({
      ...node,
      origin: { ...node.origin, absorbed: [`${node.origin.name}_bn`] },
    }));
    const folded = { ...decision, graph: { ...decision.graph, nodes } };
    expect(argumentsOf(folded).nodes_to_exclude).toEqual(['second', 'second_bn']);
    expect(Object.keys(overridesOf(folded))).toEqual(expect.arrayContaining(['ConvBnFusion_W_u', 'x']));
    expect(exportOnnxRuntime(folded).lost).toContainEqual(expect.stringMatching(/quant_pre_process/));
  });
});

describe('mixed precision', () => {
  const narrow = perTensor('uint8', 1 / 16, 100);
  const wide = perTensor('uint16', 1 / 4096, 30000);

  it('converts the finer codes to the coarser, whoever owns the tensor', () => {
    const decision = decide(network(), ORT, RANGES);
    const wideUse = withQuantizers(decision, { a: narrow }, [['c', 0, wide]]);
    const narrowUse = withQuantizers(decision, { a: wide }, [['c', 0, narrow]]);
    const entry = (recv_nodes: string[]): object => ({
      quant_type: 'QUInt16',
      scale: 1 / 4096,
      zero_point: 30000,
      convert: { quant_type: 'QUInt8', scale: 1 / 16, zero_point: 100, recv_nodes },
    });
    expect(overridesOf(wideUse)['a']).toEqual([entry(['second'])]);
    expect(overridesOf(narrowUse)['a']).toEqual([entry(['third'])]);
  });

  it('says so where a type would be converted to itself, which is refused', () => {
    const other = perTensor('uint8', 1 / 8, 90);
    const decision = withQuantizers(decide(network(), ORT, RANGES), { a: narrow }, [['c', 0, other]]);
    expect(overridesOf(decision)['a']![0]).not.toHaveProperty('convert');
    expect(exportOnnxRuntime(decision).lost).toContainEqual(
      expect.stringMatching(/^'a' has two quantizers of type QUInt8/),
    );
  });

  it('says so where readers have no name', () => {
    const plain = decide(network(['first', '', '']), ORT, RANGES);
    const decision = withQuantizers(plain, { a: narrow }, [['c', 0, wide]]);
    expect(overridesOf(decision)['a']![0]).not.toHaveProperty('convert');
    expect(exportOnnxRuntime(decision).lost).toContainEqual(expect.stringMatching(/readers without a name/));
  });
});

describe('what cannot be told', () => {
  it('is quantizers that are not where quantize_static puts them', () => {
    const decision = decide(network(), ORT, RANGES);
    const tensors = new Map(decision.lane.tensors);
    tensors.delete(tensorNamed(decision.graph, 'c').id);
    expect(exportOnnxRuntime(decision).lost).toEqual([]);
    expect(exportOnnxRuntime({ ...decision, lane: { ...decision.lane, tensors } }).lost).toEqual([
      "'c' in float: quantize_static quantizes them",
    ]);
    expect(exportOnnxRuntime({ ...decision, float: decision.layers }).lost).toContainEqual(
      expect.stringMatching(/^quantizers of 'x', 'u', .*: quantize_static puts none there$/),
    );
  });

  it('is other values of constants', () => {
    const decision = decide(network(), ORT, RANGES);
    const values = new Map([
      [tensorNamed(decision.graph, 'u').id, constantData('float32', [4, 4], Array<number>(16).fill(1))],
    ]);
    expect(exportOnnxRuntime({ ...decision, lane: { ...decision.lane, values } }).lost).toEqual([
      "other values of a constant ('u'): quantize_static reads those of the file; --export qdq=FILE carries them",
    ]);
  });

  it.each([
    ['a TFLite model', { ...network(), format: 'tflite' as const }, ORT],
    ['float activations', network(), { ...ORT, activations: 'float' as const }],
    ['float weights', network(), { ...ORT, weights: 'float' as const }],
  ])('is refused where it is everything: %s', (_, g, scheme) => {
    const decision = decide(network(), ORT, RANGES);
    expect(() => exportOnnxRuntime({ ...decision, graph: g, scheme })).toThrow(UsageError);
  });
});

describe('names', () => {
  const HOSTILE = [
    '__proto__',
    'constructor',
    'a "b" \'c\'\\',
    '\u0000\n\u2028',
    'ünï·コード',
    '12',
    '[.*]+$',
  ];

  it.each(HOSTILE)('%j come back from the file as they are', (name) => {
    const g = network([name, 'second', 'third']);
    const tensors = g.tensors.map((tensor) => (tensor.name === 'a' ? { ...tensor, name } : tensor));
    const renamed: Graph = { ...g, tensors };
    const ranges = Object.fromEntries([...Object.entries(RANGES), [name, RANGES['a']!]]) as Ranges;
    const read = argumentsOf(decide(renamed, ORT, ranges, { float: ['second'] }));
    const all = argumentsOf({ ...decide(renamed, ORT, ranges), layers: [] });
    expect(Object.keys(read.extra_options.TensorQuantOverrides)).toContain(name);
    expect(all.nodes_to_exclude).toContain(name);
  });
});
