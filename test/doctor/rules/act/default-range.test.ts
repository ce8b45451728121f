import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import { defaultRange } from '../../../../src/doctor/rules/act/default-range.js';
import { tensorOf, type Graph, type Node } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const SHAPE = [1, 2, 4, 4];

/** Six convolutions in a row, each with that function behind it when there is one. */
function row(behind?: string): Graph {
  const builder = graph().input('x', 'float32', SHAPE);
  let at = 'x';
  for (let i = 0; i < 6; i++) {
    builder.constant(`w${i}`, 'float32', [2, 2, 1, 1]);
    builder.value(`y${i}`, 'float32', SHAPE).value(`c${i}`, 'float32', SHAPE);
    builder.node('Conv', { inputs: [at, `w${i}`], outputs: [behind === undefined ? `y${i}` : `c${i}`] });
    if (behind !== undefined) builder.node(behind, { inputs: [`c${i}`], outputs: [`y${i}`] });
    at = `y${i}`;
  }
  return builder.output(at).build();
}

function all(params: (i: number) => QuantParams): Record<string, QuantParams> {
  return Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`y${i}`, params(i)]));
}

function said(g: Graph, quantizers: Record<string, QuantParams>, rest: Partial<Evidence> = {}): string[] {
  return defaultRange
    .check({ graph: g, lane: laneOf(g, quantizers), ...rest })
    .map(({ severity, message }) => `${severity}: ${message}`);
}

const SIX = perTensor('uint8', 6 / 255, 0);
const EITHER = perTensor('uint8', 12 / 255, 128);

describe('act.default-range', () => {
  it('warns of one default for layers in a row', () => {
    expect(
      said(
        row(),
        all((i) => (i < 3 ? EITHER : perTensor('uint8', 0.01 * (i + 1), 100))),
      ),
    ).toEqual([
      'warning: 3 of 6 activations (50 %) have the same range -6.024 to 5.976, a default that no operator has: y0, y1, y2',
    ]);
    expect(
      said(
        row(),
        all(() => SIX),
      ),
    ).toEqual([expect.stringContaining('6 of 6 activations (100 %)')]);
  });

  it('says nothing where an operator bounds them: Relu6, Sigmoid, HardSwish', () => {
    for (const op of ['Clip', 'HardSwish'])
      expect(
        said(
          row(op),
          all(() => SIX),
        ),
      ).toEqual([]);
    expect(
      said(
        row('Sigmoid'),
        all(() => perTensor('uint8', 1 / 255, 0)),
      ),
    ).toEqual([]);
  });

  it('warns of a scale that layers share by no reason, and not where powers of two make it likely', () => {
    expect(
      said(
        row(),
        all((i) => (i < 5 ? perTensor('uint8', 0.0371, 77) : SIX)),
      ),
    ).toEqual([expect.stringContaining('which nothing makes them share: y0, y1, y2 and 2 more')]);
    expect(
      said(
        row(),
        all(() => perTensor('int8', 2 ** -5, 0)),
      ),
    ).toEqual([]);
    expect(
      said(
        row(),
        all((i) => perTensor('uint8', 0.03 + i / 1000, 77)),
      ),
    ).toEqual([]);
  });

  it('says nothing of operands and sums that share one scale, nor of what only moves codes', () => {
    const builder = graph().input('x', 'float32', SHAPE);
    let at = 'x';
    for (let i = 0; i < 6; i++) {
      builder.constant(`w${i}`, 'float32', [2, 2, 1, 1]);
      builder.node('Conv', { inputs: [at, `w${i}`], outputs: [`c${i}`] });
      builder.node('Add', { inputs: [`c${i}`, at], outputs: [`y${i}`] });
      at = `y${i}`;
    }
    const g = builder.output(at).build();
    const one = perTensor('int8', 0.043, 3);
    const shared = {
      ...all(() => one),
      ...Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`c${i}`, one])),
    };
    expect(said(g, shared)).toEqual([]);
    const moved = graph().input('x', 'float32', SHAPE);
    for (let i = 0; i < 6; i++)
      moved.node('Transpose', { inputs: [i === 0 ? 'x' : `y${i - 1}`], outputs: [`y${i}`] });
    expect(
      said(
        moved.output('y5').build(),
        all(() => SIX),
      ),
    ).toEqual([]);
  });

  it('says nothing of branches that happen to agree', () => {
    const builder = graph().input('x', 'float32', SHAPE);
    for (let i = 0; i < 6; i++) builder.node('Neg', { inputs: ['x'], outputs: [`y${i}`] }).output(`y${i}`);
    expect(
      said(
        builder.build(),
        all(() => EITHER),
      ),
    ).toEqual([]);
  });

  it('believes data: an error where values do not fit, nothing where they do', () => {
    const g = row();
    const edges = (max: number, db: number): NonNullable<Evidence['edges']> =>
      Array.from({ length: 6 }, (_, i) =>
        edgeMeasurement(g, `y${i}`, { self: errorOf(db) }, { quant: EITHER, range: { min: -max, max } }),
      );
    expect(
      said(
        g,
        all(() => EITHER),
        { edges: edges(40, 4) },
      ),
    ).toEqual([expect.stringMatching(/^error: .*; y0 really goes from -40 to 40$/)]);
    expect(
      said(
        g,
        all(() => EITHER),
        { edges: edges(1, 24) },
      ),
    ).toEqual([expect.stringMatching(/^warning: /)]);
    expect(
      said(
        g,
        all(() => EITHER),
        { edges: edges(5.5, 40) },
      ),
    ).toEqual([]);
  });
});

/** Convolutions in a row with 0 to 6 behind each, by a function of the file or by the range alone; then what reads the last. */
function bottlenecks(
  isStated: (i: number) => boolean,
  last: string,
  format: Graph['format'] = 'tflite',
): Graph {
  const builder = graph({ format }).input('x', 'float32', SHAPE);
  let at = 'x';
  for (let i = 0; i < 6; i++) {
    builder.constant(`w${i}`, 'float32', [2, 2, 1, 1]);
    builder.value(`c${i}`, 'float32', SHAPE).value(`y${i}`, 'float32', SHAPE);
    builder.node('Conv', { inputs: [at, `w${i}`], outputs: [`c${i}`] });
    builder.node('Clip', { inputs: [`c${i}`], outputs: [`y${i}`] });
    at = `y${i}`;
  }
  builder.node('Reshape', { inputs: [at], outputs: ['flat'] });
  builder.node(last, { inputs: ['flat'], outputs: ['z'] });
  const built = builder.output('z').build();
  const nodes = built.nodes.map((node): Node => {
    if (node.op !== 'Clip') return node;
    const index = Number(tensorOf(built, node.outputs[0]!).name.slice(1));
    const origin = { ...node.origin, part: 'step' as const };
    return { ...node, origin: isStated(index) ? origin : { ...origin, implied: true as const } };
  });
  return { ...built, nodes };
}

describe('act.default-range behind functions that only a range stands for', () => {
  const sixes = all(() => SIX);

  it('believes them where nothing speaks against it', () => {
    expect(
      said(
        bottlenecks(() => false, 'Relu'),
        sixes,
      ),
    ).toEqual([]);
    expect(
      said(
        bottlenecks(() => false, 'GlobalAveragePool'),
        sixes,
      ),
    ).toEqual([]);
  });

  it('does not where the last one feeds a Sigmoid, moved: logits are of either sign', () => {
    expect(
      said(
        bottlenecks(() => false, 'Sigmoid'),
        sixes,
      ),
    ).toEqual([
      expect.stringMatching(
        /^error: 6 of 6 .* since scores before a Sigmoid and encoded boxes are of either sign/,
      ),
    ]);
  });

  it('does not where other layers of a TFLite file with that range have their function written', () => {
    expect(
      said(
        bottlenecks((i) => i % 3 > 0, 'Relu'),
        sixes,
      ),
    ).toEqual([]);
    const g = bottlenecks((i) => i > 3, 'Neg');
    expect(said(g, sixes)).toEqual([
      expect.stringMatching(
        /^warning: 4 of 6 .* of layers with that range only others have a RELU6: y0, y1, y2 and 1 more$/,
      ),
    ]);
    expect(
      said(
        bottlenecks((i) => i > 3, 'Neg', 'onnx'),
        sixes,
      ),
    ).toEqual([]);
  });

  it('asks the reference: an error where its layers end in nothing, silence where they end in a Relu6', () => {
    const g = bottlenecks(() => false, 'Neg');
    const beside = (reference: Graph): string[] =>
      said(g, sixes, {
        reference: { graph: reference, lane: laneOf(reference, {}) },
        alignment: {
          ...{ inputs: [], operators: [], outputs: [], unmatched: { reference: [], candidate: [] } },
          coverage: { matched: 6, total: 6 },
          edges: Array.from({ length: 6 }, (_, i) => ({
            reference: tensorNamed(reference, `y${i}`).id,
            candidate: tensorNamed(g, `y${i}`).id,
            ground: 'weights' as const,
          })),
        },
      });
    expect(beside(row())).toEqual([
      expect.stringMatching(/^error: 6 of 6 .* the reference bounds nothing there/),
    ]);
    expect(beside(row('Clip'))).toEqual([]);
  });
});
