import { describe, expect, it } from 'vitest';
import { intInput } from '../../../../src/doctor/rules/io/int-input.js';
import type { Diagnosed } from '../../../../src/doctor/finding.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import type { OtherRun, OtherTensor } from '../../../../src/run/other-run.js';
import type { InputStudy } from '../../../../src/run/data/study.js';
import { dataStudy, inputStudy } from '../../../support/data-studies.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const NET = graph({ format: 'tflite' })
  .input('x', 'float32', [1, 8, 8, 3])
  .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();

const UINT8 = perTensor('uint8', 1 / 128, 128);
const INT8 = perTensor('int8', 1 / 255, -128);

function said(params: QuantParams, study: InputStudy): readonly Diagnosed[] {
  return intInput.check({
    graph: NET,
    lane: laneOf(NET, { x: params, y: params }),
    data: dataStudy([study]),
  });
}

/** The values that codes stand for, as the data reader gives them. */
function codes(params: QuantParams, low: number, high: number, distinct: number): InputStudy {
  const value = (code: number): number => (code - (params.zeroPoint[0] ?? 0)) * (params.scale[0] ?? 1);
  return inputStudy('x', value(low), value(high), { distinct });
}

describe('codes of an integer input', () => {
  it.each([
    ['0 to 1, cast to uint8', UINT8, 0, 1, 2],
    ['-1 to 1, cast to int8', INT8, -1, 1, 3],
  ])('are too few: %s', (_, params, low, high, distinct) => {
    const [finding, ...more] = said(params, codes(params, low, high, distinct));
    expect(finding).toMatchObject({
      rule: 'io.int-input',
      severity: 'error',
      subject: { node: 'relu', tensor: 'x' },
    });
    expect(finding!.message).toContain(`${distinct} different codes, ${low} to ${high}`);
    expect(more).toEqual([]);
  });

  it('come with the formula for this input', () => {
    expect(said(UINT8, codes(UINT8, 0, 1, 2))[0]!.fix?.edit).toBe(
      'q = np.clip(np.round(x / np.float32(0.0078125)) + 128, 0, 255).astype(np.uint8)',
    );
    expect(said(INT8, codes(INT8, -1, 1, 3))[0]!.fix?.edit).toBe(
      'q = np.clip(np.round(x / np.float32(0.003921569)) - 128, -128, 127).astype(np.int8)',
    );
  });

  it.each([
    ['pictures', UINT8, codes(UINT8, 0, 255, 256)],
    ['black and white', UINT8, codes(UINT8, 0, 255, 2)],
    ['one value', UINT8, codes(UINT8, 7, 7, 1)],
    ['planes of 0 and 1 that are the values', perTensor('uint8', 1), codes(perTensor('uint8', 1), 0, 1, 2)],
  ])('are sound: %s', (_, params, study) => {
    expect(said(params, study)).toEqual([]);
  });

  it('are no matter of a float input, nor of a simulation', () => {
    const study = codes(UINT8, 0, 1, 2);
    const floats = { ...NET, format: 'onnx' as const };
    const lane = laneOf(NET, { x: UINT8 });
    expect(intInput.check({ graph: floats, lane, data: dataStudy([study]) })).toEqual([]);
    expect(intInput.check({ graph: NET, lane, scheme: SCHEMES.tflite!, data: dataStudy([study]) })).toEqual(
      [],
    );
  });
});

describe('whole numbers for an integer input', () => {
  const whole = (min: number, max: number): InputStudy => inputStudy('x', min, max, { isWhole: true });

  it('are codes that were taken for values', () => {
    expect(said(UINT8, whole(0, 255))[0]!.message).toMatch(
      /whole numbers, 0 to 255; as values this input takes -1 to 0\.9922 .*: uint8 codes were taken for values$/,
    );
    expect(said(INT8, whole(-128, 127))[0]!.message).toMatch(/: int8 codes were taken for values$/);
  });

  it('are pixels that were taken for values', () => {
    expect(said(INT8, whole(0, 255))[0]!.message).toMatch(/: pixels were taken for values$/);
  });

  it('are sound where the range has them, and no codes where no byte has', () => {
    expect(said(perTensor('int8', 1, -128), whole(0, 255))).toEqual([]);
    expect(said(INT8, whole(-4000, 9000))).toEqual([]);
    expect(said(perTensor('int8', 1, 0), whole(0, 200))).toEqual([]);
  });
});

describe('what a device has at an integer input', () => {
  const tensor = (name: string, rest: Partial<OtherTensor>): OtherTensor => ({
    tensor: name,
    node: '',
    op: '',
    values: 192,
    differing: 0,
    beyondTwoCodes: 0,
    simulated: { exact: true },
    ...rest,
  });
  const told = (read: string, isWrong: boolean): readonly Diagnosed[] => {
    const actual: OtherRun = {
      source: 'dumps',
      samples: 1,
      tensors: [tensor('x', { read }), tensor('y', isWrong ? { beyondTwoCodes: 150 } : {})],
      skipped: [],
    };
    return intInput.check({ graph: NET, lane: laneOf(NET, { x: UINT8, y: UINT8 }), actual });
  };

  it('is off by half the range, and what follows is wrong', () => {
    expect(told('raw codes (int8), half the range too low', true)[0]).toMatchObject({
      severity: 'error',
      args: { read: 'raw codes (int8), half the range too low' },
    });
  });

  it('is only written so where what follows is right', () => {
    expect(told('raw codes (int8), half the range too low', false)).toEqual([]);
    expect(told('raw codes (uint8)', true)).toEqual([]);
  });
});
