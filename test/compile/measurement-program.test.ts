/** What a measuring program consists of: shared where lanes agree, and nothing that no probe needs. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { declareInputs, LaneValues } from '../../src/compile/lane-values.js';
import {
  ERROR_KINDS,
  gainOf,
  inferenceProgram,
  measurementProgram,
  type ErrorKind,
  type MeasurementProgram,
} from '../../src/compile/measurement-program.js';
import { ModelWriter } from '../../src/compile/model-writer.js';
import type { Graph } from '../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { compiled } from '../support/compiled.js';
import { tensorNamed } from '../support/graph-builder.js';
import { laneOf, perTensor } from '../support/lanes.js';
import { bells, images, smallNetwork } from '../support/measured-networks.js';

const g = smallNetwork(17, bells);
const CONVOLUTIONS = 3;
const samples = images(2, bells);

function programOf(
  lane: Lane,
  kinds: readonly ErrorKind[] = ERROR_KINDS,
  fusedAway: readonly string[] = [],
): MeasurementProgram {
  const fused = new Set(fusedAway.map((name) => tensorNamed(g, name).id));
  const { edges } = edgesOf(g, fused);
  return measurementProgram(g, lane, edges, fused, { kinds, clipping: new Set(), guarded: false });
}

/** Kinds by tensor name. */
function kindsOf({ kinds }: MeasurementProgram): Record<string, Record<string, string>> {
  const { edges } = edgesOf(g, new Set());
  return Object.fromEntries(
    edges.map(({ tensor }, i) => [g.tensors[tensor]!.name, Object.fromEntries(kinds[i]!)]),
  );
}

describe('lanes that agree up to an edge', () => {
  it('share every node before it: each convolution exists once per value that it reads', () => {
    const last = laneOf(g, { 'project.weight': perTensor('int8', 0.01) });
    expect(compiled(programOf(last, ['cumulative']).model).count('Conv')).toBe(CONVOLUTIONS + 1);
    const first = laneOf(g, { image: perTensor('int8', 0.01) });
    expect(compiled(programOf(first, ['cumulative']).model).count('Conv')).toBe(2 * CONVOLUTIONS);
  });

  it('cost one convolution more for local than for cumulative, where the inputs of the two differ', async () => {
    const { lane } = await calibratedLane(g, SCHEMES['ort']!, samples);
    const convolutions = (kinds: readonly ErrorKind[]): number =>
      compiled(programOf(lane, kinds, ['conv1:out', 'depthwise:out', 'add:out']).model).count('Conv');
    expect(convolutions(['self'])).toBe(CONVOLUTIONS);
    expect(convolutions(['self', 'cumulative'])).toBe(2 * CONVOLUTIONS);
    // conv1 reads the quantized image in both.
    expect(convolutions(ERROR_KINDS)).toBe(3 * CONVOLUTIONS - 1);
  });

  it('share biases that are quantized ahead of time', async () => {
    const { lane } = await calibratedLane(g, SCHEMES['ort']!, samples);
    const writer = new ModelWriter(g.opsets, g.irVersion);
    const inputs = declareInputs(writer, g);
    const [one, other] = [
      { ...lane, name: 'one' },
      { ...lane, name: 'other' },
    ].map((same) => new LaneValues(writer, g, same, inputs));
    const logits = tensorNamed(g, 'logits').id;
    expect(one!.value(logits)).toBe(other!.value(logits));
  });

  it('are found equal by what they compute: the kinds of their edges are exact', () => {
    const lane = laneOf(g, {
      'project.weight': perTensor('int8', 0.01),
      'relu3:out': perTensor('uint8', 0.1),
    });
    const exact = { local: 'exact', cumulative: 'exact' };
    expect(kindsOf(programOf(lane))).toEqual({
      image: { cumulative: 'exact' },
      'conv1:out': exact,
      'relu1:out': exact,
      'depthwise:out': exact,
      'relu2:out': exact,
      'project:out': { local: 'measured', cumulative: 'measured' },
      'add:out': { local: 'exact', cumulative: 'measured' },
      'relu3:out': { self: 'measured', local: 'measured', cumulative: 'measured' },
      'pool:out': { local: 'measured', cumulative: 'measured' },
      flat: { local: 'exact', cumulative: 'measured' },
      logits: { local: 'exact', cumulative: 'measured' },
    });
  });

  it('have nothing to measure when nothing is quantized, and run the network once', () => {
    const program = programOf(FLOAT_LANE);
    expect(new Set(program.slots.map(({ name }) => name))).toEqual(new Set(['sumXX']));
    const model = compiled(program.model);
    expect(model.count('Conv')).toBe(CONVOLUTIONS);
    expect(model.count('QuantizeLinear')).toBe(0);
    expect(model.count('Sub')).toBe(0);
  });
});

describe('a measuring program', () => {
  it('holds no node and no constant that its sheet does not need', async () => {
    const { lane } = await calibratedLane(g, SCHEMES['ort']!, samples);
    const model = compiled(programOf(lane, ['self']).model);
    const read = new Set(model.nodes.flatMap(({ inputs }) => inputs));
    const [last] = model.nodes.slice(-1);
    for (const { outputs } of model.nodes) {
      expect(outputs.some((output) => read.has(output)) || outputs[0] === last!.outputs[0]).toBe(true);
    }
    expect(model.initializers.filter((name) => !read.has(name))).toEqual([]);
    // No weight is quantized for `self` of activations.
    const { edges } = edgesOf(g, new Set());
    const quantized = edges.filter(({ tensor }) => lane.tensors.has(tensor)).length;
    expect(model.count('QuantizeLinear')).toBe(quantized);
  });

  it('says of every slot where it lies, without gaps and without overlaps', async () => {
    const { lane } = await calibratedLane(g, SCHEMES['ort']!, samples);
    const { slots, length } = programOf(lane);
    let next = 0;
    for (const { offset, length: size } of slots) {
      expect(offset).toBe(next);
      next += size;
    }
    expect(next).toBe(length);
    expect(new Set(slots.map(({ edge, name }) => `${edge} ${name}`)).size).toBe(slots.length);
  });

  it('names every node that comes from the network after it, once', async () => {
    const { lane } = await calibratedLane(g, SCHEMES['ort']!, samples);
    const names = compiled(programOf(lane).model).nodes.flatMap(({ name }) => (name === '' ? [] : [name]));
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.startsWith('depthwise~'))).toHaveLength(3);
  });
});

describe('an inference program', () => {
  it('computes what is asked for and nothing behind it', () => {
    const asked = ['relu1:out', 'image', 'relu1:out'].map((name) => tensorNamed(g, name).id);
    const { model, positions } = inferenceProgram(g, FLOAT_LANE, asked);
    expect(positions).toEqual([0, 1, 0]);
    expect(compiled(model).count('Conv')).toBe(1);
  });
});

describe('the gain of an edge', () => {
  it('is a power of two that brings extreme values near 1, and none for usual ones', () => {
    for (const usual of [0, 1, 1e-9, 65504, 1e12, Infinity]) expect(gainOf(usual)).toBeUndefined();
    for (const extreme of [1e-38, 1e-20, 2e-10, 1e15, 3.4e38]) {
      const gain = gainOf(extreme)!;
      expect(Number.isInteger(Math.log2(gain))).toBe(true);
      expect(extreme * gain).toBeGreaterThanOrEqual(0.5);
      expect(extreme * gain).toBeLessThanOrEqual(4);
      expect(Math.fround(gain)).toBe(gain);
    }
  });
});

describe('a graph in a lane', () => {
  it('runs where its own names look like those of the program', () => {
    const rename = (graph: Graph, names: Readonly<Record<string, string>>): Graph => ({
      ...graph,
      tensors: graph.tensors.map((tensor) => ({ ...tensor, name: names[tensor.name] ?? tensor.name })),
    });
    const named = rename(g, { image: '~1', logits: '~0' });
    const { model } = inferenceProgram(named, FLOAT_LANE, named.outputs);
    const { nodes, initializers } = compiled(model);
    const written = ['~1', ...initializers, ...nodes.flatMap(({ outputs }) => outputs)];
    expect(written.filter((name, i) => written.indexOf(name) !== i)).toEqual([]);
  });
});
