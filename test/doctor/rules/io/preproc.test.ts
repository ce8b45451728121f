import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Diagnosed } from '../../../../src/doctor/finding.js';
import { preproc } from '../../../../src/doctor/rules/io/preproc.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { FLOAT_LANE, type QuantParams } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import { dataStudy, inputStudy } from '../../../support/data-studies.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const PLAIN: Graph = inferShapes(
  graph()
    .input('x', 'float32', [1, 3, 8, 8])
    .constant('w', 'float32', [4, 3, 1, 1])
    .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'] })
    .output('y')
    .build(),
);

/** A network with (x - mean) / std in front. */
function normalizing(mean: readonly number[], std: readonly number[]): Graph {
  const dims = mean.length === 1 ? [1] : [1, mean.length, 1, 1];
  return inferShapes(
    graph()
      .input('x', 'float32', [1, 3, 8, 8])
      .constant('mean', 'float32', dims, mean)
      .constant('std', 'float32', dims, std)
      .constant('w', 'float32', [4, 3, 1, 1])
      .node('Sub', { name: 'sub', inputs: ['x', 'mean'], outputs: ['a'] })
      .node('Div', { name: 'div', inputs: ['a', 'std'], outputs: ['b'] })
      .node('Conv', { name: 'conv', inputs: ['b', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
}

const TF_INSIDE = normalizing([127.5], [127.5]);
const IMAGENET_INSIDE = normalizing([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

const UNIT = perTensor('uint8', 1 / 255, 0);
const TF = perTensor('uint8', 1 / 127.5, 128);
const RAW = perTensor('uint8', 1, 0);
const IMAGENET = perTensor('uint8', 4.758 / 255, 114);
/** Of a layer behind: makes the scheme an asymmetric one. */
const RELU = perTensor('uint8', 0.02, 0);

function said(g: Graph, input: QuantParams | undefined, rest: Partial<Evidence>): readonly Diagnosed[] {
  const lane = input === undefined ? FLOAT_LANE : laneOf(g, { x: input, y: RELU });
  return preproc.check({ graph: g, lane, ...rest });
}

const fed = (min: number, max: number, rest: Parameters<typeof dataStudy>[1] = {}) => ({
  data: dataStudy([inputStudy('x', min, max)], rest),
});

const severities = (findings: readonly Diagnosed[]) => findings.map(({ severity }) => severity);

describe('data beside the range of an input quantizer', () => {
  it.each([
    ['0 to 1 for -1 to 1', TF, 0, 1],
    ['0 to 1 for ImageNet', IMAGENET, 0, 1],
    ['-1 to 1 for ImageNet', IMAGENET, -1, 1],
    ['-1 to 1 for 0 to 1', UNIT, -1, 1],
    ['0 to 255 for -1 to 1', TF, 0, 255],
    ['0 to 1 for 0 to 255', RAW, 0, 1],
    ['ImageNet for 0 to 1', UNIT, -2.118, 2.64],
  ])('%s is an error, whatever the SQNR', (_, params, min, max) => {
    expect(severities(said(PLAIN, params, fed(min, max)))).toEqual(['error']);
  });

  it.each([
    ['the same', TF, -1, 1],
    ['the same, not quite to the ends', TF, -0.97, 0.93],
    ['dark pictures', TF, -1, -0.1],
    ['bright pictures', IMAGENET, -0.9, 2.64],
    ['a little beyond', UNIT, -0.02, 1.03],
    ['of a narrower data set', IMAGENET, -1.9, 2.05],
  ])('is silent about %s', (_, params, min, max) => {
    expect(said(PLAIN, params, fed(min, max))).toEqual([]);
  });

  it('warns of statistics of another data set, which are near, where the data reach their ends', () => {
    const cifar = perTensor('uint8', 4.115 / 255, 123);
    const ends = [-0.485 / 0.229, (1 - 0.406) / 0.225] as const;
    expect(severities(said(PLAIN, cifar, fed(...ends)))).toEqual(['warning']);
    expect(said(PLAIN, cifar, fed(-2.05, 2.4))).toEqual([]);
  });

  it('names both ranges, what they are, and the line that mends it', () => {
    const [finding] = said(PLAIN, TF, fed(0, 1));
    expect(finding).toMatchObject({ rule: 'io.preproc', subject: { node: 'conv', tensor: 'x' } });
    expect(finding!.message).toBe(
      "the input's quantizer is made for -1.004 to 0.9961 (scale 0.007843, zero point 128: pixel / 127.5 - 1); the data are 0 to 1 (pixel / 255)",
    );
    expect(finding!.fix?.edit).toBe('x = img / 127.5 - 1');
    // What else is odd about the input follows from it.
    expect(finding!.explains).toEqual(['x']);
  });

  it('names the preset for images, and says what was guessed', () => {
    const [finding] = said(
      PLAIN,
      TF,
      fed(0, 1, {
        kind: 'images',
        assumed: [{ what: 'normalization', value: 'pixel / 255', from: 'default' }],
      }),
    );
    expect(finding!.fix?.edit).toBe('--preset tf');
    expect(finding!.message).toMatch(
      /because nothing says how to normalize them and pixel \/ 255 was taken$/,
    );
  });

  it('names mean and std where there is no preset', () => {
    const cifar = perTensor('uint8', 4.115 / 255, 123);
    const [finding] = said(PLAIN, cifar, fed(0, 1, { kind: 'images' }));
    expect(finding!.fix?.edit).toBe('--mean 125.307,122.961,113.858 --std 62.985,62.0925,66.708');
  });

  it('has nothing to say of random data', () => {
    expect(said(PLAIN, TF, fed(0, 1, { kind: 'random' }))).toEqual([]);
  });

  it('takes a symmetric range for one of values of any sign, where the whole file is symmetric', () => {
    const evidence = { graph: PLAIN, ...fed(0, 1) };
    const centred = perTensor('uint8', 1 / 127.5, 128);
    const lane = laneOf(PLAIN, { x: centred, y: perTensor('uint8', 0.1, 128) });
    expect(preproc.check({ ...evidence, lane })).toEqual([]);
    expect(preproc.check({ ...evidence, lane: laneOf(PLAIN, { x: centred, y: RELU }) })).toHaveLength(1);
  });

  it('warns of a quarter of the range, and tells an error where few codes are left', () => {
    const odd = perTensor('uint8', 0.1, 0);
    expect(severities(said(PLAIN, odd, fed(0, 5)))).toEqual(['warning']);
    expect(severities(said(PLAIN, odd, fed(0, 1.2)))).toEqual(['error']);
    expect(severities(said(PLAIN, odd, fed(0, 7)))).toEqual([]);
  });

  it('does not mind a range that is used little where 16 bits leave codes enough', () => {
    expect(said(PLAIN, perTensor('int16', 0.1, 0), fed(0, 50))).toEqual([]);
  });

  it('does not call it an error where every value has a code of its own', () => {
    const edges = [
      edgeMeasurement(PLAIN, 'x', { self: errorOf('exact') }, { quant: RAW, range: { min: 0, max: 1 } }),
    ];
    // Planes of 0 and 1: no preprocessing of pixels.
    const data = dataStudy([inputStudy('x', 0, 2, { isWhole: true, distinct: 3 })]);
    const planes = [{ ...edges[0]!, range: { min: 0, max: 2 } }];
    expect(severities(said(PLAIN, RAW, { edges: planes, data }))).toEqual(['warning']);
  });

  it('has nothing to say of the ranges that a simulation takes from the data', () => {
    expect(said(PLAIN, TF, { scheme: SCHEMES.ort!, ...fed(0, 1) })).toEqual([]);
  });

  it('tells data that are measured on from data that set the ranges', () => {
    const calib = dataStudy([inputStudy('x', 0, 1)], { flag: '--calib' });
    const data = dataStudy([inputStudy('x', -1, 1)], { flag: '--eval' });
    const [finding] = said(PLAIN, undefined, { scheme: SCHEMES.ort!, calib, data });
    expect(finding).toMatchObject({ severity: 'error' });
    expect(finding!.message).toMatch(/come from data of 0 to 1 .* --eval, is -1 to 1/);
    expect(said(PLAIN, undefined, { scheme: SCHEMES.ort!, calib, data: calib })).toEqual([]);
  });

  it('leaves to io.int-input what that has told', () => {
    const told: Diagnosed = {
      rule: 'io.int-input',
      severity: 'error',
      subject: { tensor: 'x' },
      message: '',
      args: {},
    };
    expect(preproc.check({ graph: PLAIN, lane: laneOf(PLAIN, { x: TF }), ...fed(0, 255) }, [told])).toEqual(
      [],
    );
  });
});

describe('a network that normalizes its input itself', () => {
  it.each([
    ['-1 to 1 into / 127.5 - 1', TF_INSIDE, TF],
    ['0 to 1 into / 127.5 - 1', TF_INSIDE, UNIT],
    ['ImageNet into ImageNet', IMAGENET_INSIDE, IMAGENET],
    ['0 to 255 into ImageNet of 0 to 1', IMAGENET_INSIDE, RAW],
  ])('and was calibrated with what was normalized before: %s', (_, g, params) => {
    const findings = said(g, params, {});
    expect(severities(findings)).toEqual(['error']);
    expect(findings[0]!.message).toContain('(sub, div)');
    expect(findings[0]!.message).toMatch(/normalized twice$/);
  });

  it.each([
    ['0 to 255 into / 127.5 - 1', TF_INSIDE, RAW],
    ['0 to 1 into ImageNet', IMAGENET_INSIDE, UNIT],
    ['0 to 1, symmetric, into ImageNet', IMAGENET_INSIDE, perTensor('int8', 1 / 127, 0)],
    ['a range of no known preprocessing', TF_INSIDE, perTensor('uint8', 0.37, 3)],
  ])('is sound with %s', (_, g, params) => {
    expect(said(g, params, {})).toEqual([]);
  });

  it('is judged by the quantizer behind it where the input has none', () => {
    const behind = (params: QuantParams) =>
      preproc.check({ graph: TF_INSIDE, lane: laneOf(TF_INSIDE, { b: params, y: RELU }) });
    // Pixels of 0 to 1 become -1 to -0.992; every range has 0 in it.
    expect(severities(behind(perTensor('uint8', 1 / 255, 255)))).toEqual(['error']);
    expect(behind(TF)).toEqual([]);
  });

  it.each([
    ['-1 to 1', TF_INSIDE, -1, 1, 'x = img'],
    ['0 to 1', TF_INSIDE, 0, 1, 'x = img'],
    ['ImageNet', IMAGENET_INSIDE, -2.118, 2.64, 'x = img / 255'],
    ['0 to 255', IMAGENET_INSIDE, 0, 255, 'x = img / 255'],
  ])('and is fed, in float, with %s', (_, g, min, max, line) => {
    const calib = dataStudy([inputStudy('x', min, max)], { flag: '--calib' });
    const [finding, ...more] = preproc.check({ graph: g, calib });
    expect(finding).toMatchObject({ severity: 'error', fix: { edit: line } });
    expect(finding!.message).toContain('normalizes its input itself (sub, div)');
    expect(more).toEqual([]);
  });

  it('is fed rightly', () => {
    const of = (g: Graph, min: number, max: number) =>
      preproc.check({ graph: g, calib: dataStudy([inputStudy('x', min, max)]) });
    expect(of(TF_INSIDE, 0, 255)).toEqual([]);
    expect(of(TF_INSIDE, 3, 180)).toEqual([]);
    expect(of(IMAGENET_INSIDE, 0, 1)).toEqual([]);
    expect(of(IMAGENET_INSIDE, 0.02, 0.9)).toEqual([]);
  });

  it('says nothing where its constants are those of no known preprocessing: they may stand for anything', () => {
    const g = normalizing([12.3], [7.1]);
    expect(said(g, TF, {})).toEqual([]);
    expect(preproc.check({ graph: g, calib: dataStudy([inputStudy('x', -1, 1)]) })).toEqual([]);
    const identity = normalizing([0], [1]);
    expect(said(identity, TF, {})).toEqual([]);
  });
});
