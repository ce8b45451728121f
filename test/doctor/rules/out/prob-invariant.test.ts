/** Probabilities that are none as integers. */
import { describe, expect, it } from 'vitest';
import { probInvariant } from '../../../../src/doctor/rules/out/prob-invariant.js';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Diagnosed } from '../../../../src/doctor/finding.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../../../src/ir/lane.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { edgeMeasurement } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';
import { studiedOutput, studyOf } from '../../../support/studied-outputs.js';

function ending(op: string, format: Graph['format'] = 'onnx', last = op): Graph {
  const builder = graph({ format })
    .input('x', 'float32', [1, 10])
    .node(op, { name: 'head', inputs: ['x'], outputs: ['p'] });
  if (last !== op) builder.node(last, { name: 'last', inputs: ['p'], outputs: ['y'] });
  return inferShapes(builder.output(last === op ? 'p' : 'y').build());
}

const softmax = ending('Softmax');
const sigmoid = ending('Sigmoid');

function found(g: Graph, lane: Lane, rest: Partial<Evidence> = {}): readonly Diagnosed[] {
  return probInvariant.check({ graph: g, lane, ...rest });
}

function measured(g: Graph, rest: Parameters<typeof studiedOutput>[2]): readonly Diagnosed[] {
  const range = { min: 0, max: 1 };
  return found(g, FLOAT_LANE, {
    outputs: studyOf([studiedOutput(g, 'p', { range, lsb: 1 / 256, ...rest })]),
  });
}

describe('out.prob-invariant, measured', () => {
  it('is silent on sound probabilities', () => {
    expect(
      measured(softmax, { sums: { rows: 16, lane: { departure: 0.02, mean: 0.99 } }, outside: 0 }),
    ).toEqual([]);
  });

  it('flags rows that no longer sum to 1', () => {
    const [finding] = measured(softmax, { sums: { rows: 16, lane: { departure: 0.4, mean: 0.6 } } });
    expect(finding).toMatchObject({ severity: 'error', subject: { node: 'head', tensor: 'p' } });
    expect(finding?.message).toContain('sum to 0.6 on average');
  });

  it('flags scores that are all 0.5, and says that the logits are zero', () => {
    const [finding] = measured(sigmoid, { half: { float: 0.01, quantized: 0.97 } });
    expect(finding?.severity).toBe('error');
    expect(finding?.message).toContain('97 % of the scores p are 0.5');
    expect(finding?.message).toContain('the logits are all zero upstream');
  });

  it('notes scores of 0.5 in both networks, behind a Sigmoid only', () => {
    expect(measured(sigmoid, { half: { float: 0.96, quantized: 0.97 } })[0]?.severity).toBe('note');
    expect(measured(ending('Relu'), { half: { float: 0.96, quantized: 0.97 } })).toEqual([]);
  });

  it('takes no 0.5 of an output that is no score', () => {
    expect(measured(sigmoid, { half: { float: 0, quantized: 1 }, range: { min: -4, max: 4 } })).toEqual([]);
  });

  it('flags values outside 0 to 1 behind an operator that gives none, and nowhere else', () => {
    expect(measured(sigmoid, { outside: 0.2 })[0]).toMatchObject({
      severity: 'error',
      args: { outside: 0.2 },
    });
    expect(measured(ending('Relu'), { outside: 0.2 })).toEqual([]);
  });
});

describe('out.prob-invariant, from the file', () => {
  const of = (
    g: Graph,
    params: ReturnType<typeof perTensor>,
    rest: Partial<Evidence> = {},
  ): readonly Diagnosed[] => found(g, laneOf(g, { p: params }), rest);

  it.each([
    ['uint8', 1 / 256, 0],
    ['uint8', 1 / 255, 0],
    ['int8', 1 / 256, -128],
    ['int16', 1 / 32768, 0],
    ['uint8', 0.97 / 255, 0],
  ] as const)('is silent on %s with scale %d and zero point %i', (dtype, scale, zeroPoint) => {
    expect(of(softmax, perTensor(dtype, scale, zeroPoint))).toEqual([]);
  });

  it('notes half of the codes, as symmetric int8 has', () => {
    const [finding] = of(softmax, perTensor('int8', 1 / 127));
    expect(finding).toMatchObject({ severity: 'note', args: { codes: 128 } });
  });

  it('warns of few codes', () => {
    expect(of(sigmoid, perTensor('uint8', 6 / 255))[0]).toMatchObject({
      severity: 'warning',
      args: { codes: 43 },
    });
  });

  it('warns of a range that ends early, more exactly where values are known', () => {
    const early = perTensor('uint8', 0.3 / 255);
    const later = perTensor('uint8', 0.8 / 255);
    expect(of(sigmoid, early)[0]?.severity).toBe('warning');
    expect(of(sigmoid, later)).toEqual([]);
    const seen = (max: number): Partial<Evidence> => ({
      edges: [edgeMeasurement(sigmoid, 'p', {}, { range: { min: 0, max } })],
    });
    expect(of(sigmoid, early, seen(0.29))).toEqual([]);
    expect(of(sigmoid, later, seen(0.99))[0]?.message).toContain('float reaches 0.99');
  });

  it('looks through operators that only move elements, and not into the network', () => {
    const g = ending('Softmax', 'onnx', 'Flatten');
    expect(of(g, perTensor('uint8', 6 / 255))).toHaveLength(1);
    const inner = ending('Softmax', 'onnx', 'Neg');
    expect(of(inner, perTensor('uint8', 6 / 255))).toEqual([]);
  });

  it('leaves TFLite, whose specification prescribes the parameters, to w.spec', () => {
    const g = ending('Softmax', 'tflite');
    expect(of(g, perTensor('uint8', 6 / 255))).toEqual([]);
  });
});

describe('out.prob-invariant, scores that cannot be below 0.5', () => {
  const g = inferShapes(
    graph({ format: 'tflite' })
      .input('x', 'float32', [1, 10])
      .node('Neg', { name: 'layer', inputs: ['x'], outputs: ['logits'] })
      .node('Reshape', { inputs: ['logits', 'shape'], outputs: ['flat'] })
      .constant('shape', 'int64', [2], [1, 10])
      .node('Sigmoid', { name: 'head', inputs: ['flat'], outputs: ['p'] })
      .output('p')
      .build(),
  );
  const lane = (zeroPoint: number): Lane => laneOf(g, { flat: perTensor('int8', 6 / 255, zeroPoint) });

  it('says so of logits whose range begins at 0', () => {
    const [finding, ...others] = found(g, lane(-128));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', subject: { node: 'head', tensor: 'p' } });
    expect(finding!.message).toContain(
      'every score of p is at least 0.5: the range of its logits flat begins at 0',
    );
    expect(found(g, lane(0))).toEqual([]);
  });

  it('believes a reference: an error where its scores are lower, silence where they are not', () => {
    const beside = (min: number): readonly Diagnosed[] =>
      found(g, lane(-128), {
        reference: { graph: g, lane: FLOAT_LANE },
        edges: [edgeMeasurement(g, 'p', {}, { range: { min, max: 1 } })],
      });
    expect(beside(0.01)[0]).toMatchObject({ severity: 'error', args: { lowest: 0.01 } });
    expect(beside(0.5)).toEqual([]);
  });

  it('leaves it to what was measured where all of them are 0.5', () => {
    const outputs = studyOf([
      studiedOutput(g, 'p', { range: { min: 0, max: 1 }, half: { float: 0.01, quantized: 0.97 } }),
    ]);
    const findings = found(g, lane(-128), { outputs });
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('97 % of the scores p are 0.5'),
    ]);
  });
});
