/** What the parameters of a quantized file say without running it: each rule on a fault put in on purpose, and on sound files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { diagnose } from '../../src/doctor/index.js';
import type { Graph } from '../../src/ir/graph.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { buildGraph } from '../../src/loader/tflite/lower/build-graph.js';
import { HAS_SHARED, openNetwork, projectPath } from '../support/tflite-network.js';
import {
  CONV,
  DENSE,
  DEPTHWISE,
  HandmadeSubgraph,
  POOL,
  type TensorSpec,
} from '../support/tflite-subgraph.js';

function diagnosed(net: HandmadeSubgraph, ...outputs: readonly number[]): readonly Finding[] {
  const { graph, lane = FLOAT_LANE } = buildGraph(net.build(...outputs));
  const whole: Graph = { ...graph, metadata: new Map(), producer: '' };
  return ofParameters(diagnose({ graph: whole, lane }).findings);
}

/** What is said of the parameters: not of the layout of the inputs, or of what stays in float. */
function ofParameters(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ rule }) =>
    ['w.axis', 'w.spec', 'w.bias-overflow', 'q.degenerate'].includes(rule),
  );
}

const INT8: TensorSpec = { type: 'INT8', scale: 0.5 };

/** One operator on one activation. */
function unary(
  op: string,
  input: TensorSpec,
  output: TensorSpec,
  shape: readonly number[] = [1, 4],
): readonly Finding[] {
  const net = new HandmadeSubgraph();
  const x = net.input(shape, { name: 'x', ...input });
  const y = net.tensor(shape, { name: 'y', ...output });
  net.op(op, [x], [y], { beta: 1 });
  return diagnosed(net, y);
}

interface Convolution {
  readonly x: TensorSpec;
  readonly w: TensorSpec;
  readonly b: TensorSpec;
  readonly y: TensorSpec;
  readonly codes: readonly number[];
}

/** A sound convolution of two channels with some of it changed. */
function conv(changes: Partial<Convolution>): readonly Finding[] {
  const net = new HandmadeSubgraph();
  const x = net.input([1, 4, 4, 2], { ...INT8, name: 'x', ...changes.x });
  const w = net.constant([2, 1, 1, 2], 1, { type: 'INT8', scale: [0.5, 0.25], name: 'w', ...changes.w });
  const b = net.constant([2], changes.codes ?? [7, -7], {
    type: 'INT32',
    scale: [0.25, 0.125],
    name: 'b',
    ...changes.b,
  });
  const y = net.tensor([1, 4, 4, 2], { ...INT8, name: 'y', ...changes.y });
  net.op('CONV_2D', [x, w, b], [y], CONV);
  return diagnosed(net, y);
}

function told({ rule, severity, subject }: Finding): string {
  return [severity, rule, subject.node, subject.tensor].join(' ');
}

describe('a sound file', () => {
  it('has no findings', () => {
    expect(conv({})).toEqual([]);
    expect(unary('RELU', INT8, INT8)).toEqual([]);
  });

  it.each(['digits_int8', 'digits_rescaled_int8'])('%s of the fixtures has none', async (name) => {
    const { graph, lane } = await openNetwork(`fixtures/tflite/${name}.tflite`);
    expect(ofParameters(diagnose({ graph, lane }).findings)).toEqual([]);
  });
});

const OPS = readdirSync(projectPath('fixtures/tflite/ops')).filter((name) => name.endsWith('.tflite'));

describe('files that the interpreter reads', () => {
  it.each(OPS)('%s has no parameters that it would refuse', async (name) => {
    const { graph, lane } = await openNetwork(`fixtures/tflite/ops/${name}`);
    const findings = ofParameters(diagnose({ graph, lane }).findings);
    expect(findings.filter(({ rule }) => rule !== 'w.spec').map(told)).toEqual([]);
  });
});

const MODELS = HAS_SHARED
  ? readdirSync(projectPath('../shared/models'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.tflite'),
    )
  : [];

describe.skipIf(!HAS_SHARED)('sound files of ../shared', () => {
  it('are there', () => {
    expect(MODELS.length).toBeGreaterThan(10);
  });

  it.each(MODELS)('%s has no findings but those that are known', async (name) => {
    const { graph, lane } = await openNetwork(join('../shared/models', name));
    // An old converter gave the branch that pools the whole picture one scale before and another behind its resize.
    const known =
      name === join('deeplab', 'deeplab_uint8.tflite')
        ? ['warning w.spec RESIZE_BILINEAR#63 ResizeBilinear']
        : [];
    expect(ofParameters(diagnose({ graph, lane }).findings).map(told)).toEqual(known);
  });
});

describe('q.degenerate', () => {
  it.each([
    ['0', 0],
    ['NaN', NaN],
    ['-0.5', -0.5],
    ['Infinity', Infinity],
  ])('tells of a scale of %s', (text, scale) => {
    const findings = unary('RELU', INT8, { type: 'INT8', scale });
    expect(findings[0]).toMatchObject({
      rule: 'q.degenerate',
      severity: 'error',
      subject: { node: 'RELU#0', tensor: 'y' },
      message: `the scale is ${text}; a positive number is wanted`,
      // A report has no such numbers.
      args: { scale: text },
    });
  });

  it('tells which channel of a weight has it, and how many more', () => {
    const [finding] = conv({ w: { scale: [0.5, 0] } });
    expect(finding).toMatchObject({ rule: 'q.degenerate', subject: { node: 'CONV_2D#0', tensor: 'w' } });
    expect(finding!.message).toBe('the scale of channel 1 is 0; a positive number is wanted');
    const [other] = conv({ w: { scale: [0, 0] } });
    expect(other!.message).toBe(
      'the scale of channel 0 is 0; a positive number is wanted (and 1 more like it)',
    );
  });

  it('warns of a denormal scale, which some hardware reads as 0', () => {
    const [finding] = unary('RELU', INT8, { type: 'INT8', scale: 1e-40 });
    expect(finding).toMatchObject({ rule: 'q.degenerate', severity: 'warning' });
    expect(finding!.message).toMatch(/^the scale is 9\.9\d+e-41: hardware without denormal numbers reads 0$/);
    expect(unary('RELU', INT8, { type: 'INT8', scale: 2 ** -126 })).toEqual([]);
  });

  it.each([
    ['INT8', 200, 'int8 has codes from -128 to 127'],
    ['UINT8', -1, 'uint8 has codes from 0 to 255'],
    ['INT8', 2 ** 40, 'int8 has codes from -128 to 127'],
  ] as const)('tells of a zero point of %s that is no code: %d', (type, zeroPoint, codes) => {
    const [finding] = unary('RELU', { type, scale: 1 }, { type, scale: 1, zeroPoint });
    expect(finding).toMatchObject({ rule: 'q.degenerate', severity: 'error' });
    expect(finding!.message).toContain(`${codes}, so 0 has none`);
  });

  it('tells of each tensor once, not of its copy in another order of axes', () => {
    expect(
      conv({ x: { scale: 0 } })
        .filter(({ rule }) => rule === 'q.degenerate')
        .map(told),
    ).toEqual(['error q.degenerate CONV_2D#0 x']);
  });
});

describe('w.axis', () => {
  it('tells of scales said to lie along a dimension where kernels do not look for them', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4, 4, 2], INT8);
    const w = net.constant([1, 3, 3, 2], 1, { name: 'dw', type: 'INT8', scale: [0.5, 0.25], axis: 0 });
    const y = net.tensor([1, 4, 4, 2], INT8);
    net.op('DEPTHWISE_CONV_2D', [x, w], [y], DEPTHWISE);
    const findings = diagnosed(net, y);
    expect(findings.map(told)).toEqual(['error w.axis DEPTHWISE_CONV_2D#0 dw']);
    expect(findings[0]!.message).toContain(
      'along dimension 0 of 1x3x3x2; kernels apply them along dimension 3, and newer interpreters refuse the file',
    );
    // Where the extents agree by chance, interpreters read the file.
    expect(conv({ w: { axis: 3 } }).map(told)).toEqual(['warning w.axis CONV_2D#0 w']);
  });

  it('tells of scales or zero points whose number is wrong', () => {
    expect(conv({ w: { scale: [1, 2, 3] } }).map(told)).toContain('error w.axis CONV_2D#0 w');
    expect(conv({ x: { zeroPoint: [1, 2] } }).map(told)).toContain('error w.axis CONV_2D#0 x');
    expect(conv({ w: { zeroPoint: [0] } }).map(told)).toEqual(['error w.axis CONV_2D#0 w']);
  });
});

describe('w.spec on activations', () => {
  it.each([
    ['SOFTMAX', 'INT8', 1 / 256, -128],
    ['LOGISTIC', 'INT8', 1 / 256, -128],
    ['TANH', 'INT8', 1 / 128, 0],
    ['L2_NORMALIZATION', 'INT8', 1 / 128, 0],
    ['LOG_SOFTMAX', 'INT8', 16 / 256, 127],
    ['SOFTMAX', 'UINT8', 1 / 256, 0],
    ['TANH', 'UINT8', 1 / 128, 128],
    ['LOGISTIC', 'INT16', 1 / 32768, 0],
    ['TANH', 'INT16', 1 / 32768, 0],
  ] as const)('knows the scale that %s of %s writes whatever the file says', (op, type, scale, zeroPoint) => {
    const input = { type, scale: 0.5, zeroPoint: 0 };
    expect(unary(op, input, { type, scale, zeroPoint })).toEqual([]);
    const [wrong] = unary(op, input, { type, scale: 2 * scale, zeroPoint });
    expect(told(wrong!)).toBe(`warning w.spec ${op}#0 y`);
    expect(wrong!.message).toContain(`with scale ${scale} and zero point ${zeroPoint}; the file says `);
    expect(wrong!.args).toMatchObject({ wantedScale: scale, wantedPoint: zeroPoint, scale: 2 * scale });
    if (type === 'INT16') return;
    expect(unary(op, input, { type, scale, zeroPoint: zeroPoint - 1 }).map(told)).toContain(
      `warning w.spec ${op}#0 y`,
    );
  });

  it('tells of an activation with several scales, also at the input', () => {
    const several = { type: 'INT8' as const, scale: [1, 2, 3, 4], axis: 1 };
    expect(unary('RELU', INT8, several).map(told)).toEqual(['error w.spec RELU#0 y']);
    expect(unary('RELU', several, INT8).map(told)).toEqual(['error w.spec RELU#0 x']);
  });

  it('tells of a 16-bit activation whose zero point is not 0, also at the input', () => {
    const [good, bad] = [0, 5].map((zeroPoint) => ({ type: 'INT16' as const, scale: 0.5, zeroPoint }));
    expect(unary('RELU', good!, good!)).toEqual([]);
    const [finding, ...more] = unary('RELU', good!, bad!);
    expect(told(finding!)).toBe('error w.spec RELU#0 y');
    expect(finding!.message).toBe(
      'an int16 activation has zero point 5; kernels of 16-bit activations want 0',
    );
    expect(more).toEqual([]);
    expect(unary('RELU', bad!, good!).map(told)).toEqual(['error w.spec RELU#0 x']);
  });

  it.each([
    ['a pool', 'MAX_POOL_2D', POOL, [1, 4, 4, 2], [1, 2, 2, 2]],
    ['a Reshape', 'RESHAPE', { newShape: [1, 32] }, [1, 4, 4, 2], [1, 32]],
    [
      'a resize',
      'RESIZE_NEAREST_NEIGHBOR',
      { alignCorners: false, halfPixelCenters: false },
      [1, 4, 4, 2],
      [1, 8, 8, 2],
    ],
  ] as const)('warns where %s would change the scale', (_, op, options, from, to) => {
    const run = (output: TensorSpec): string[] => {
      const net = new HandmadeSubgraph();
      const x = net.input(from, INT8);
      // Behind a convolution, so that the operator reads it channels-first.
      const first = net.tensor(from, { ...INT8, zeroPoint: 3 });
      net.op('CONV_2D', [x, net.constant([2, 1, 1, 2], 1, { type: 'INT8', scale: 1 })], [first], CONV);
      const y = net.tensor(to, { name: 'y', ...output });
      const sizes = op === 'RESIZE_NEAREST_NEIGHBOR' ? [net.integers([8, 8])] : [];
      net.op(op, [first, ...sizes], [y], options);
      return diagnosed(net, y).map(told);
    };
    expect(run({ ...INT8, zeroPoint: 3 })).toEqual([]);
    expect(run({ type: 'INT8', scale: 0.25, zeroPoint: 3 })).toEqual([`warning w.spec ${op}#1 y`]);
    expect(run({ ...INT8, zeroPoint: 4 })).toEqual([`warning w.spec ${op}#1 y`]);
  });

  it('looks at all results of an operator', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 4], INT8);
    const parts = [INT8, { ...INT8, scale: 0.25 }].map((spec, i) =>
      net.tensor([1, 2], { ...spec, name: `part${i}` }),
    );
    net.op('SPLIT', [net.constant([], [1], { type: 'INT32' }), x], parts, { numSplits: 2 });
    expect(diagnosed(net, ...parts).map(told)).toEqual(['warning w.spec SPLIT#0 part1']);
  });

  it('wants one scale of all that int8 joins, naming the input that has another; uint8 rescales', () => {
    const joined = (type: 'INT8' | 'UINT8'): string[] => {
      const net = new HandmadeSubgraph();
      const a = net.input([1, 2], { type, scale: 0.5, name: 'a' });
      const b = net.input([1, 2], { type, scale: 0.25, name: 'b' });
      const y = net.tensor([1, 4], { type, scale: 0.5, name: 'y' });
      net.op('CONCATENATION', [a, b], [y], { axis: 1, fusedActivationFunction: 'NONE' });
      return diagnosed(net, y).map(told);
    };
    expect(joined('INT8')).toEqual(['warning w.spec CONCATENATION#0 b']);
    expect(joined('UINT8')).toEqual([]);
  });
});

describe('w.spec on weights and biases', () => {
  it('tells of int8 weights with a zero point', () => {
    const [finding, ...more] = conv({ w: { zeroPoint: [0, 4] } });
    expect(told(finding!)).toBe('error w.spec CONV_2D#0 w');
    expect(finding!.message).toBe(
      'int8 weights have zero point 4; the specification wants 0, and kernels take it for 0 or refuse the file',
    );
    expect(more).toEqual([]);
  });

  it('knows uint8 weights with one', () => {
    const findings = conv({
      x: { type: 'UINT8' },
      y: { type: 'UINT8' },
      w: { type: 'UINT8', scale: 0.5, zeroPoint: 128 },
      b: { scale: 0.25 },
    });
    expect(findings).toEqual([]);
  });

  it('tells of a zero point beside float activations, where bytes are signed, and not where weights were made float', () => {
    const beside = (type: 'INT8' | 'UINT8', isMadeFloat = false): string[] => {
      const net = new HandmadeSubgraph();
      const x = net.input([1, 4]);
      const stored = net.constant([2, 4], 1, { type, scale: 0.5, zeroPoint: 100, name: 'w' });
      const made = net.tensor([2, 4], { name: 'made' });
      if (isMadeFloat) net.op('DEQUANTIZE', [stored], [made]);
      const y = net.tensor([1, 2]);
      net.op('FULLY_CONNECTED', [x, isMadeFloat ? made : stored, -1], [y], DENSE);
      return diagnosed(net, y).map((found) => `${told(found)}: ${found.message}`);
    };
    expect(beside('UINT8')).toEqual([
      'error w.spec FULLY_CONNECTED#0 w: uint8 weights have zero point 100; beside float activations kernels take their bytes for signed codes around 0',
    ]);
    expect(beside('INT8')).toEqual([expect.stringContaining('int8 weights have zero point 100; the spec')]);
    expect(beside('INT8', true)).toEqual([]);
  });

  it('warns of a bias whose scale is not that of the accumulator', () => {
    const [finding, ...more] = conv({ b: { scale: [0.25, 0.25] } });
    expect(told(finding!)).toBe('warning w.spec CONV_2D#0 b');
    expect(finding!.message).toBe(
      'the bias has scale 0.25 in channel 1; the accumulator it is added to has 0.125 (input times weight)',
    );
    expect(more).toEqual([]);
    // What rounding to float32 changes is no fault.
    expect(conv({ b: { scale: [0.25 * (1 + 1e-6), 0.125] } })).toEqual([]);
  });

  it('does so behind an input that has to be flattened first', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 1, 1, 2], INT8);
    const w = net.constant([3, 2], 1, { type: 'INT8', scale: 0.5 });
    const b = net.constant([3], 1, { type: 'INT32', scale: 0.5, name: 'b' });
    const y = net.tensor([1, 3], INT8);
    net.op('FULLY_CONNECTED', [x, w, b], [y], DENSE);
    expect(diagnosed(net, y).map(told)).toEqual(['warning w.spec FULLY_CONNECTED#0 b']);
  });

  it('is silent on 16-bit probabilities of 8-bit values, which have codes of their own', () => {
    const wide = { type: 'INT16', scale: 1 / 65536, zeroPoint: -32768 } as const;
    expect(unary('SOFTMAX', INT8, wide)).toEqual([]);
    expect(unary('SOFTMAX', { type: 'INT16', scale: 0.5 }, wide)).not.toEqual([]);
  });

  it('is silent on a bias without a scale of its own', () => {
    expect(conv({ b: { scale: [] } })).toEqual([]);
  });

  it('tells of a bias with a zero point', () => {
    const [finding] = conv({ b: { zeroPoint: [0, 1] } });
    expect(told(finding!)).toBe('error w.spec CONV_2D#0 b');
  });

  it.each([[2 ** 31 - 1], [-(2 ** 31)]])('tells of a bias that was cut off: %d', (code) => {
    const [finding, ...more] = conv({ codes: [7, code] });
    expect(told(finding!)).toBe('error w.bias-overflow CONV_2D#0 b');
    expect(finding!.message).toContain('the bias of channel 1 is at the limit of int32');
    expect(more).toEqual([]);
  });
});

describe('rules of integer kernels', () => {
  it('say nothing of a lane that no integer kernels compute', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 3], INT8);
    const w = net.constant([2, 3], 1, { type: 'INT8', scale: 0.5, zeroPoint: 3 });
    const y = net.tensor([1, 2], INT8);
    net.op('FULLY_CONNECTED', [x, w, -1], [y], DENSE);
    const { graph, lane } = buildGraph(net.build(y));
    const { arithmetic, ...other } = lane!;
    expect(arithmetic).toBe('tflite');
    const whole: Graph = { ...graph, metadata: new Map(), producer: '' };
    expect(ofParameters(diagnose({ graph: whole, lane: lane! }).findings)).toHaveLength(1);
    expect(ofParameters(diagnose({ graph: whole, lane: other }).findings)).toEqual([]);
  });

  it('tell the worst first', () => {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 2], { ...INT8, name: 'x' });
    const other = net.input([1, 2], { type: 'INT8', scale: 0.25 });
    const joined = net.tensor([1, 4], INT8);
    const y = net.tensor([1, 2], INT8);
    net.op('CONCATENATION', [x, other], [joined], { axis: 1, fusedActivationFunction: 'NONE' });
    const w = net.constant([2, 4], 1, { type: 'INT8', scale: 0.5, zeroPoint: 3 });
    net.op('FULLY_CONNECTED', [joined, w, -1], [y], DENSE);
    expect(diagnosed(net, y).map(({ severity }) => severity)).toEqual(['error', 'warning']);
  });
});
