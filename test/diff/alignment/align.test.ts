import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import { align, questions, type Alignment } from '../../../src/diff/alignment/index.js';
import { nodeOf, tensorOf, type Graph, type TensorId } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { viewed } from '../../../src/ir/view.js';
import { openSession } from '../../../src/run/runtime.js';
import { graph, tensorNamed } from '../../support/graph-builder.js';
import { liteTwin, numbersOf, torchTwin, type LiteStyle, type Twin } from './twin-networks.js';

/** Parts of the twins that the alignment says are the same, as "reference = candidate". */
function aligned(reference: Twin, candidate: Twin, { edges }: Alignment): string[] {
  const nameIn = ({ graph: of, parts }: Twin, id: TensorId): string | undefined => {
    const { name } = tensorOf(of, id);
    return [...parts].find(([, tensor]) => tensor === name)?.[0];
  };
  return edges.flatMap((edge) => {
    const [a, b] = [nameIn(reference, edge.reference), nameIn(candidate, edge.candidate)];
    return a === undefined && b === undefined ? [] : [`${a ?? '?'} = ${b ?? '?'}`];
  });
}

async function valuesOf(
  of: Graph,
  tensors: readonly TensorId[],
  data: Float32Array,
): Promise<Float32Array[]> {
  const { model, positions } = inferenceProgram(of, FLOAT_LANE, tensors);
  const session = await openSession(model, { threads: 1, optimization: 'none' });
  const input = tensorOf(of, of.inputs[0]!);
  const dims = input.shape as number[];
  const outputs = await session.run(new Map([[input.name, { dtype: 'float32' as const, dims, data }]]));
  await session.close();
  return positions.map((position) => outputs[position] as Float32Array);
}

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const [x, y] = [value - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return ab / Math.sqrt(aa * bb);
}

/** Correlations of the weights of all matched layers. */
function weightsOf(alignment: Alignment): number[] {
  return alignment.operators.flatMap(({ constants }) =>
    constants.filter(({ role }) => role === 'weight').map((constant) => constant.correlation ?? 0),
  );
}

const ALL = 11;
const reference = torchTwin();

describe('two exports of one network that share no name, layout, operator, order or folding', () => {
  const candidate = liteTwin();
  const alignment = align(reference, candidate);

  it('have every compute operator matched', () => {
    expect(alignment.coverage).toEqual({ matched: ALL, total: ALL });
    expect(alignment.unmatched).toEqual({ reference: [], candidate: [] });
  });

  it('have the end of each part matched with the end of the same part', () => {
    const pairs = aligned(reference, candidate, alignment);
    const ends = ['stem', 'depthwise', 'pointwise', 'sum', 'a', 'b', 'c', 'joined', 'small', 'squeeze'];
    for (const end of [...ends, 'gated', 'flat', 'hidden', 'classes', 'boxes']) {
      expect(pairs).toContain(`${end} = ${end}`);
    }
  });

  it('compute the same at every edge, seen through its view', async () => {
    const data = Float32Array.from(numbersOf('picture', 192));
    const view = alignment.inputs[0]?.view;
    expect(view).toEqual({ dims: [3, 64], perm: [1, 0] });
    const left = await valuesOf(
      reference.graph,
      alignment.edges.map((edge) => edge.reference),
      data,
    );
    const right = await valuesOf(
      candidate.graph,
      alignment.edges.map((edge) => edge.candidate),
      viewed(data, view!),
    );
    alignment.edges.forEach((edge, i) => {
      const there = edge.view === undefined ? left[i]! : viewed(left[i]!, edge.view);
      const name = tensorOf(reference.graph, edge.reference).name;
      expect([name, correlation(there, right[i]!)]).toEqual([name, expect.closeTo(1, 3)]);
    });
  });

  it('have outputs in another order', () => {
    expect(alignment.outputs).toEqual([
      { reference: 1, candidate: 0 },
      { reference: 0, candidate: 1 },
    ]);
  });

  it('have weights and biases that correlate, features of a flattened picture in the order of each', () => {
    const constants = alignment.operators.flatMap((operator) => operator.constants);
    expect(constants).toHaveLength(2 * ALL);
    for (const constant of constants) expect(constant.correlation).toBeGreaterThan(0.999);
    expect(constants.flatMap(({ view }) => (view === undefined ? [] : [view]))).toContainEqual({
      dims: [16, 12, 16],
      perm: [2, 1, 0],
    });
  });

  it('give what the reference has in the place of each constant of the candidate', () => {
    for (const { constants } of alignment.operators) {
      for (const constant of constants) {
        const own = tensorOf(candidate.graph, constant.candidate).data!;
        const bytes = own.bytes();
        const stored = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
        const most = stored.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        constant.values()!.forEach((value, i) => {
          expect(Math.abs(value - stored[i]!)).toBeLessThanOrEqual(most / 200);
        });
      }
    }
  });

  it('leave no question open', () => {
    expect(questions(reference, candidate, alignment)).toEqual({ reference: [], candidate: [] });
  });
});

describe('a fault of the candidate does not hide where it is', () => {
  const with_ = (style: LiteStyle): { candidate: Twin; alignment: Alignment } => {
    const candidate = liteTwin(style);
    return { candidate, alignment: align(reference, candidate) };
  };
  const only = (layer: string, change: (weights: number[]) => number[]): LiteStyle => ({
    fault: (name, weights) => (name === layer ? change(weights) : weights),
  });
  const turned = (weights: number[]): number[] =>
    weights.map((_, i) => weights[(i % 8) * 8 + Math.floor(i / 8)]!);

  it.each([
    ['transposed', only('pointwise', turned), 0.6],
    ['sign-flipped', only('pointwise', (weights) => weights.map((value) => -value)), -0.99],
    ['those of no layer', only('b', (weights) => numbersOf('other', weights.length)), 0.3],
    ['those of another layer', only('c', () => numbersOf('a', 32)), 0.7],
    ['zero', only('b', (weights) => weights.map(() => 0)), 0],
  ])('weights that are %s are aligned with those they should be, and do not correlate', (_, style, most) => {
    const { candidate, alignment } = with_(style);
    expect(alignment.coverage.matched).toBe(ALL);
    const pairs = aligned(reference, candidate, alignment);
    for (const part of ['stem', 'pointwise', 'a', 'b', 'c', 'hidden'])
      expect(pairs).toContain(`${part} = ${part}`);
    const low = weightsOf(alignment).filter((value) => value < 0.9);
    expect(low).toHaveLength(1);
    expect(low[0]).toBeLessThanOrEqual(most);
  });

  it.each(['stem', 'sum', 'b', 'hidden'])(
    'an activation function that is gone from %s is listed, and its end aligned',
    (part) => {
      const { candidate, alignment } = with_({ withoutActivation: [part] });
      expect(aligned(reference, candidate, alignment)).toContain(`${part} = ${part}`);
      const names = alignment.unmatched.reference.map((id) => nodeOf(reference.graph, id).origin.name);
      expect(names).toEqual([`${part}.relu_Relu`]);
      expect(alignment.unmatched.candidate).toEqual([]);
    },
  );

  it('a Softmax that is gone is listed, and its output is not that of the reference', () => {
    const { alignment } = with_({ withSoftmax: false });
    expect(alignment.unmatched.reference.map((id) => nodeOf(reference.graph, id).op)).toEqual(['Softmax']);
    expect(alignment.outputs[1]).toEqual({ reference: undefined, candidate: 1 });
  });

  it('a normalization that is in one network only is listed, and the inputs are aligned before it', () => {
    const network = (isNormalized: boolean): Graph => {
      const builder = graph().input('x', 'float32', [1, 3, 4, 4]);
      if (isNormalized) {
        builder
          .constant('mean', 'float32', [1, 3, 1, 1], [120, 110, 100])
          .constant('std', 'float32', [1, 3, 1, 1], [58, 57, 56])
          .node('Sub', { inputs: ['x', 'mean'], outputs: ['centred'] })
          .node('Div', { inputs: ['centred', 'std'], outputs: ['n'] });
      }
      return inferShapes(
        builder
          .constant('w', 'float32', [4, 3, 3, 3], numbersOf('w', 108))
          .node('Conv', { inputs: [isNormalized ? 'n' : 'x', 'w'], outputs: ['y'] })
          .output('y')
          .build(),
      );
    };
    const [a, b] = [network(true), network(false)];
    const alignment = align({ graph: a }, { graph: b });
    expect(alignment.unmatched.reference.map((id) => nodeOf(a, id).op)).toEqual(['Sub', 'Div']);
    expect(
      alignment.edges.map(({ reference: one, candidate }) => [
        tensorOf(a, one).name,
        tensorOf(b, candidate).name,
      ]),
    ).toEqual([
      ['x', 'x'],
      ['y', 'y'],
    ]);
  });

  it('a range of integers that starts at zero stands for the activation function that the graph has not', () => {
    const candidate = liteTwin({ withoutActivation: ['stem'] });
    const stem = tensorNamed(candidate.graph, candidate.parts.get('stem')!).id;
    const params = {
      dtype: 'uint8' as const,
      qmin: 0,
      qmax: 255,
      granularity: { kind: 'per-tensor' as const },
      scale: Float32Array.of(0.02),
      zeroPoint: Int32Array.of(0),
      source: 'file' as const,
    };
    const lane = { name: 'file', tensors: new Map([[stem, params]]), uses: new Map() };
    const alignment = align(reference, { graph: candidate.graph, lane });
    expect(aligned(reference, candidate, alignment)).toContain('stem = stem');
    expect(alignment.unmatched.reference).toEqual([]);
  });

  it('weights of seven levels still say whose they are', () => {
    const { candidate, alignment } = with_({ levels: 7 });
    expect(alignment.coverage.matched).toBe(ALL);
    expect(aligned(reference, candidate, alignment)).toContain('hidden = hidden');
  });
});

describe('activations of the same samples', () => {
  /** Two networks whose square pictures come out of operators that say nothing about axes. */
  const square = (perm: readonly number[]): Graph =>
    inferShapes(
      graph()
        .input('x', 'float32', [4, 4])
        .node('Einsum', {
          inputs: ['x'],
          outputs: [perm[0] === 0 ? 'y' : 'z'],
          attrs: { equation: perm[0] === 0 ? 'ij->ij' : 'ij->ji' },
        })
        .output(perm[0] === 0 ? 'y' : 'z', 'float32', [4, 4])
        .build(),
    );
  const [plain, turned] = [square([0, 1]), square([1, 0])];
  const values = Float32Array.from(numbersOf('values', 32));
  const swapped = values.map(
    (_, i) => values[16 * Math.floor(i / 16) + (i % 4) * 4 + Math.floor((i % 16) / 4)]!,
  );

  it('add pairs of tensors that structure does not tell', () => {
    const softmax = inferShapes(
      graph()
        .input('x', 'float32', [4, 4])
        .node('Exp', { inputs: ['x'], outputs: ['e'] })
        .node('CumSum', { inputs: ['e'], outputs: ['s'] })
        .node('LpNormalization', { inputs: ['s'], outputs: ['p'] })
        .output('p')
        .build(),
    );
    const other = inferShapes(
      graph()
        .input('x', 'float32', [4, 4])
        .node('Softmax', { inputs: ['x'], outputs: ['q'] })
        .output('q')
        .build(),
    );
    const [a, b] = [{ graph: softmax }, { graph: other }];
    const first = align(a, b);
    const asked = questions(a, b, first);
    const [p, q] = [tensorNamed(softmax, 'p').id, tensorNamed(other, 'q').id];
    expect(asked.reference).toContain(p);
    expect(asked.candidate).toContain(q);
    const known = {
      reference: new Map([[p, values]]),
      candidate: new Map([[q, values.map((value) => 2 * value)]]),
    };
    expect(align(a, b, known).edges).toContainEqual({ reference: p, candidate: q, ground: 'behaviour' });
    const unlike = { ...known, candidate: new Map([[q, Float32Array.from(numbersOf('unlike', 32))]]) };
    expect(align(a, b, unlike).edges.map((edge) => edge.ground)).toEqual(['input']);
  });

  it('never take back what structure tells', () => {
    const [a, b] = [{ graph: plain }, { graph: turned }];
    const [y, z] = [tensorNamed(plain, 'y').id, tensorNamed(turned, 'z').id];
    const noise = Float32Array.from(numbersOf('noise', 32));
    const known = { reference: new Map([[y, values]]), candidate: new Map([[z, noise]]) };
    expect(align(a, b, known).edges).toEqual(align(a, b).edges);
  });

  it('settle an order of axes that was a guess', () => {
    const flat = inferShapes(
      graph()
        .input('x', 'float32', [1, 4, 4])
        .node('Gather', { inputs: ['x'], outputs: ['y'], attrs: { axis: 0 } })
        .output('y', 'float32', [4, 4])
        .build(),
    );
    const [a, b] = [{ graph: plain }, { graph: flat }];
    const [x, u] = [plain.inputs[0]!, flat.inputs[0]!];
    expect(questions(a, b, align(a, b)).candidate).toContain(u);
    const known = { reference: new Map([[x, values]]), candidate: new Map([[u, swapped]]) };
    expect(align(a, b, known).inputs[0]?.view).toEqual({ dims: [4, 4], perm: [1, 0] });
  });
});

describe('networks that are not the same', () => {
  it('have nothing in common but the form of their input', () => {
    const other = graph().input('x', 'float32', [1, 3, 8, 8]);
    for (let i = 0; i < 6; i++) {
      const dims = i === 0 ? [8, 3, 3, 3] : [8, 8, 3, 3];
      other
        .constant(
          `w${i}`,
          'float32',
          dims,
          numbersOf(
            `other ${i}`,
            dims.reduce((n, dim) => n * dim, 1),
          ),
        )
        .node('Conv', {
          inputs: [i === 0 ? 'x' : `t${i - 1}`, `w${i}`],
          outputs: [`t${i}`],
          attrs: { pads: [1, 1, 1, 1] },
        });
    }
    const alignment = align(reference, { graph: inferShapes(other.output('t5').build()) });
    expect(alignment.coverage).toEqual({ matched: 0, total: 6 });
    expect(alignment.edges.map((edge) => edge.ground)).toEqual(['input']);
    expect(alignment.unmatched.candidate).toHaveLength(6);
  });

  it('are aligned by structure when every layer has its twin: a network trained again', () => {
    const candidate = liteTwin({ fault: (layer, weights) => numbersOf(`again ${layer}`, weights.length) });
    const alignment = align(reference, candidate);
    expect(alignment.coverage.matched).toBe(ALL);
    expect(aligned(reference, candidate, alignment)).toContain('hidden = hidden');
  });
});

describe('size', () => {
  it('of 10,000 operators costs seconds, also where every layer looks the same', () => {
    const deep = (prefix: string): Graph => {
      const builder = graph().input('x', 'float32', [1, 4, 2, 2]);
      for (let i = 0; i < 2500; i++) {
        const from = i === 0 ? 'x' : `${prefix}s${i - 1}`;
        builder
          .constant(`${prefix}w${i}`, 'float32', [4, 4, 1, 1], numbersOf(`w${i % 50}`, 16))
          .node('Conv', { inputs: [from, `${prefix}w${i}`], outputs: [`${prefix}c${i}`] })
          .node('Relu', { inputs: [`${prefix}c${i}`], outputs: [`${prefix}r${i}`] })
          .node('Add', { inputs: [from, `${prefix}r${i}`], outputs: [`${prefix}a${i}`] })
          .node('Sigmoid', { inputs: [`${prefix}a${i}`], outputs: [`${prefix}s${i}`] });
      }
      return inferShapes(builder.output(`${prefix}s2499`).build());
    };
    const [a, b] = [{ graph: deep('a') }, { graph: deep('b') }];
    const before = process.cpuUsage();
    expect(align(a, b).coverage).toEqual({ matched: 2500, total: 2500 });
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(8);
  });
});
