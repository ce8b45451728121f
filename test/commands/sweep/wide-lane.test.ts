/** Lanes in which some layers compute with 16 bits. */
import { describe, expect, it } from 'vitest';
import { outcomesOf } from '../../../src/commands/sweep/trials/local-runner.js';
import type { Simulated } from '../../../src/commands/sweep/part-lanes.js';
import { wideLane, wideScheme } from '../../../src/commands/sweep/search/wide-lane.js';
import { calibratedLane, planSimulation } from '../../../src/commands/simulation.js';
import { edgesOf } from '../../../src/compile/edges.js';
import { topologyOf, type Graph } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import type { Lane, QuantParams } from '../../../src/ir/lane.js';
import { sqnr } from '../../../src/ir/sums.js';
import { loadModel } from '../../../src/loader/index.js';
import { layersOf, type Layer } from '../../../src/quant/layers.js';
import { overrideScheme, SCHEMES } from '../../../src/quant/presets.js';
import type { Scheme } from '../../../src/quant/scheme.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { calibrate } from '../../../src/run/calibrate.js';
import type { Samples } from '../../../src/run/samples.js';
import { Random } from '../../quant/samples.js';
import { graph, tensorNamed } from '../../support/graph-builder.js';
import {
  bells,
  images,
  ONE_THREAD,
  samplesOf,
  smallNetwork,
  UNWATCHED,
} from '../../support/measured-networks.js';
import { fixture } from './swept-ground.js';

const NETWORK = smallNetwork(17, bells);
const SAMPLES = images(4, bells);

async function simulatedAs(
  scheme: Scheme,
  network: Graph = NETWORK,
  samples: Samples = SAMPLES,
): Promise<Simulated> {
  const simulation = { ...planSimulation(network, scheme, NO_SELECTION), scheme };
  const passes = { ...ONE_THREAD, histograms: true, momentum: 0.99 };
  const { edges } = edgesOf(network, new Set(network.inner ?? []));
  const calibration = await calibrate(network, edges, samples, passes, UNWATCHED);
  return { simulation, calibration, selection: NO_SELECTION, lane: calibratedLane(simulation, calibration) };
}

function layersNamed({ simulation }: Simulated, ...names: string[]): Layer[] {
  const layers = layersOf(simulation.graph, simulation.plan);
  return names.map((name) => {
    const layer = layers.find((one) => one.name === name);
    if (layer === undefined) throw new Error(`no layer ${name} in ${layers.map((one) => one.name).join()}`);
    return layer;
  });
}

function widened(simulated: Simulated, ...names: string[]): Lane {
  const lane = wideLane(simulated, layersNamed(simulated, ...names));
  if (lane === undefined) throw new Error('no lane');
  return lane;
}

const paramsOf = ({ simulation }: Simulated, lane: Lane, name: string): QuantParams | undefined =>
  lane.tensors.get(tensorNamed(simulation.graph, name).id);

/** Names of tensors whose quantizer is another object than in the lane of the simulation. */
function changed(simulated: Simulated, lane: Lane): string[] {
  const { tensors } = simulated.simulation.graph;
  return tensors
    .filter(({ id }) => lane.tensors.get(id) !== simulated.lane.tensors.get(id))
    .map(({ name }) => name)
    .sort();
}

async function outputDb({ simulation }: Simulated, lane: Lane): Promise<number> {
  const ends = simulation.edges.filter(({ tensor }) => simulation.graph.outputs.includes(tensor));
  const [outcome] = await outcomesOf(
    { graph: simulation.graph, ends, samples: SAMPLES, threads: 1 },
    [{ id: 'one', lane }],
    { noise: true, score: false },
    () => undefined,
  );
  const { sumXX, sumEE } = outcome!.noise![0]!;
  return sqnr(sumXX, sumEE).sqnrDb!;
}

describe('the scheme with 16 bits', () => {
  const { ort, tflite, tensorrt } = SCHEMES as Record<'ort' | 'tflite' | 'tensorrt', Scheme>;
  const types = (scheme: Scheme | undefined): unknown =>
    scheme === undefined
      ? undefined
      : [scheme.activations, scheme.weights].map((of) =>
          of === 'float' ? of : `${of.dtype} ${of.symmetric ? 'symmetric' : 'asymmetric'} ${of.granularity}`,
        );

  it('keeps sign and symmetry in ONNX Runtime, and has 16-bit weights there', () => {
    expect(types(wideScheme(ort))).toEqual(['uint16 asymmetric per-tensor', 'int16 symmetric per-tensor']);
    expect(types(wideScheme(overrideScheme(ort, { activations: 'int8', granularity: 'per-axis' })))).toEqual([
      'int16 asymmetric per-tensor',
      'int16 symmetric per-axis',
    ]);
  });

  it('is 16x8 in TensorFlow Lite, symmetric and without biases that would clamp', () => {
    expect(types(wideScheme(tflite))).toEqual(['int16 symmetric per-tensor', 'int8 symmetric per-axis']);
    expect(wideScheme(tflite)?.bias).toBe('float');
    expect(types(wideScheme(overrideScheme(tflite, { weights: 'int4' })))).toEqual([
      'int16 symmetric per-tensor',
      'int8 symmetric per-axis',
    ]);
  });

  it('does not exist where the target has no such kernels, or has nothing wider', () => {
    expect(wideScheme(tensorrt)).toBeUndefined();
    expect(wideScheme(SCHEMES['tflite-16x8']!)).toBeUndefined();
    expect(wideScheme(overrideScheme(ort, { activations: 'uint16', weights: 'int16' }))).toBeUndefined();
  });

  it('leaves in float what is', () => {
    expect(types(wideScheme(overrideScheme(ort, { activations: 'float' })))).toEqual([
      'float',
      'int16 symmetric per-tensor',
    ]);
  });
});

describe('a lane with layers at 16 bits', () => {
  it('widens what they read and write, their weights and their biases, and nothing else', async () => {
    const simulated = await simulatedAs(SCHEMES['ort']!);
    const lane = widened(simulated, 'depthwise');
    // The biases of others that read what it writes follow its scale; `project` has none.
    expect(changed(simulated, lane)).toEqual([
      'depthwise.bias',
      'depthwise.weight',
      'relu1:out',
      'relu2:out',
    ]);
    expect(paramsOf(simulated, lane, 'relu1:out')).toMatchObject({ dtype: 'uint16', qmin: 0, qmax: 65535 });
    expect(paramsOf(simulated, lane, 'depthwise.weight')).toMatchObject({ dtype: 'int16' });
    const [input, weight, bias] = ['relu1:out', 'depthwise.weight', 'depthwise.bias'].map((name) =>
      paramsOf(simulated, lane, name)!,
    );
    expect(bias!.dtype).toBe('int32');
    expect(bias!.scale[0]).toBe(Math.fround(input!.scale[0]! * weight!.scale[0]!));
    expect(wideLane(simulated, [])).toBe(simulated.lane);
  });

  it('widens tensors that share parameters with one of these', async () => {
    const simulated = await simulatedAs(SCHEMES['ort']!);
    const lane = widened(simulated, 'fc');
    // flat = pool:out = relu3:out in other shapes: one quantizer for all of them.
    for (const name of ['flat', 'pool:out', 'relu3:out', 'logits', 'fc.weight'])
      expect(paramsOf(simulated, lane, name)?.dtype, name).toMatch(/16$/);
    expect(paramsOf(simulated, lane, 'flat')!.scale).toEqual(paramsOf(simulated, lane, 'relu3:out')!.scale);
    expect(changed(simulated, lane)).not.toContain('relu1:out');
  });

  it('is the 16-bit scheme itself when it has all layers', async () => {
    for (const name of ['ort', 'tflite'] as const) {
      const simulated = await simulatedAs(SCHEMES[name]!);
      const all = wideLane(simulated, layersOf(simulated.simulation.graph, simulated.simulation.plan))!;
      const whole = (await simulatedAs(wideScheme(SCHEMES[name]!)!)).lane;
      const sorted = ({ tensors }: Lane): unknown => [...tensors].sort(([a], [b]) => a - b);
      expect(sorted(all), name).toEqual(sorted(whole));
    }
  });

  it('is that too where the loader has put tensors into another order of axes', async () => {
    const { graph: loaded } = await loadModel(fixture('tflite/digits_float.tflite'));
    const network = inferShapes(loaded);
    const { name, shape } = network.tensors[network.inputs[0]!]!;
    const dims = (shape ?? []).map(Number);
    const values = Array.from({ length: 3 }, (_, seed) =>
      bells(
        new Random(seed),
        dims.reduce((a, b) => a * b, 1),
      ),
    );
    const fed = samplesOf(name, dims, values);
    const simulated = await simulatedAs(SCHEMES['tflite']!, network, fed);
    const all = wideLane(simulated, layersOf(simulated.simulation.graph, simulated.simulation.plan))!;
    const whole = (await simulatedAs(wideScheme(SCHEMES['tflite']!)!, network, fed)).lane;
    const read = ({ tensors }: Lane): unknown => [...tensors].sort(([a], [b]) => a - b);
    expect(read(all)).toEqual(read(whole));
  });

  it('keeps 8-bit weights and drops biases in TensorFlow Lite', async () => {
    const simulated = await simulatedAs(SCHEMES['tflite']!);
    const lane = widened(simulated, 'depthwise');
    expect(paramsOf(simulated, lane, 'relu2:out')).toMatchObject({ dtype: 'int16', qmin: -32768 });
    expect([...paramsOf(simulated, lane, 'relu2:out')!.zeroPoint]).toEqual([0]);
    expect(paramsOf(simulated, lane, 'depthwise.bias')).toBeUndefined();
    expect(paramsOf(simulated, simulated.lane, 'depthwise.bias')).toBeDefined();
    // Widened where its bias needed that at 8 bits, so not always the very object.
    expect(paramsOf(simulated, lane, 'depthwise.weight')!.dtype).toBe('int8');
    expect(paramsOf(simulated, lane, 'conv1.bias')).toBe(paramsOf(simulated, simulated.lane, 'conv1.bias'));
  });

  it('has the prescribed parameters of 16 bits where the target prescribes them', async () => {
    const network = graph()
      .input('image', 'float32', [1, 3, 8, 8])
      .node('Softmax', { name: 'softmax', inputs: ['image'], outputs: ['p'], attrs: { axis: 3 } })
      .node('Reshape', { name: 'reshape', inputs: ['p', 'shape'], outputs: ['y'] })
      .constant('shape', 'int64', [2], [1, 192])
      .output('y')
      .build();
    const simulated = await simulatedAs(SCHEMES['tflite']!, inferShapes(network));
    const lane = widened(simulated, 'softmax');
    expect(paramsOf(simulated, simulated.lane, 'p')).toMatchObject({ dtype: 'int8' });
    for (const name of ['p', 'y']) {
      expect(paramsOf(simulated, lane, name), name).toMatchObject({ dtype: 'int16', source: 'fixed' });
      expect(paramsOf(simulated, lane, name)!.scale[0]).toBe(1 / 32768);
    }
  });

  it('chooses its range for 16 bits where the observer goes by the type', async () => {
    const scheme = overrideScheme(SCHEMES['ort']!, { observer: 'mse' });
    const simulated = await simulatedAs(scheme);
    const lane = widened(simulated, 'depthwise');
    const span = (of: Lane): number => {
      const { scale, qmax, qmin } = paramsOf(simulated, of, 'relu2:out')!;
      return scale[0]! * (qmax - qmin);
    };
    // With more codes less has to be cut off.
    expect(span(lane)).toBeGreaterThanOrEqual(span(simulated.lane));
  });

  it('loses less with every layer, next to nothing with all', async () => {
    const simulated = await simulatedAs(SCHEMES['ort']!);
    const layers = layersOf(simulated.simulation.graph, simulated.simulation.plan);
    const none = await outputDb(simulated, simulated.lane);
    const some = await outputDb(simulated, wideLane(simulated, layers.slice(0, 3))!);
    const all = await outputDb(simulated, wideLane(simulated, layers)!);
    expect(some).toBeGreaterThan(none);
    // Eight bits more of each are 48 dB.
    expect(all).toBeGreaterThan(none + 40);
  });

  it('does not exist where the target has no 16-bit kernels', async () => {
    const simulated = await simulatedAs(SCHEMES['tensorrt']!);
    const layers = layersOf(simulated.simulation.graph, simulated.simulation.plan);
    expect(wideLane(simulated, layers)).toBeUndefined();
  });

  it('reads through the quantizer of its own use where it has one', async () => {
    // Concat in TensorFlow Lite hands its parameters up; what another layer reads too is requantized for one of them.
    const network = graph()
      .input('image', 'float32', [1, 3, 8, 8])
      .node('Relu', { name: 'a', inputs: ['image'], outputs: ['a:out'] })
      .node('Tanh', { name: 'b', inputs: ['image'], outputs: ['b:out'] })
      .node('Concat', { name: 'both', inputs: ['a:out', 'b:out'], outputs: ['y'], attrs: { axis: 1 } })
      .node('Concat', { name: 'twice', inputs: ['a:out', 'a:out'], outputs: ['z'], attrs: { axis: 1 } })
      .output('y')
      .output('z')
      .build();
    const simulated = await simulatedAs(SCHEMES['tflite']!, inferShapes(network));
    const lane = widened(simulated, 'both');
    expect([...lane.uses.keys()].sort()).toEqual([...simulated.lane.uses.keys()].sort());
    const { uses } = topologyOf(network);
    const read = (name: string, node: number): string | undefined => {
      const id = tensorNamed(network, name).id;
      const use = uses[id]!.find((one) => one.node === node)!;
      return (lane.uses.get(`${use.node}:${use.slot}`) ?? lane.tensors.get(id))?.dtype;
    };
    for (const name of ['a:out', 'b:out']) expect(read(name, 2), name).toBe('int16');
    expect(paramsOf(simulated, lane, 'y')!.dtype).toBe('int16');
  });
});
