import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { SCHEMES, overrideScheme, schemeProblems } from '../../src/quant/presets.js';
import type { SchemeOverrides } from '../../src/quant/presets.js';
import { parseScheme } from '../../src/quant/scheme-file.js';

const ORT = SCHEMES['ort']!;
const TFLITE = SCHEMES['tflite']!;
const TENSORRT = SCHEMES['tensorrt']!;

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.places;
    throw error;
  }
  return [];
}

describe('SCHEMES', () => {
  it.each(Object.entries(SCHEMES))('%s has its own name and is what its target has', (name, scheme) => {
    expect(scheme.name).toBe(name);
    expect(schemeProblems(scheme)).toEqual([]);
  });
});

describe('overrideScheme', () => {
  it('changes nothing without overrides', () => {
    expect(overrideScheme(ORT, {})).toEqual(ORT);
  });

  it.each([
    [{ weights: 'uint8' }, { weights: { dtype: 'uint8', symmetric: false, narrowRange: false } }],
    [
      { weights: 'uint8', granularity: 'per-axis' },
      { weights: { symmetric: true, granularity: 'per-axis' } },
    ],
    [{ weights: 'int16' }, { weights: { dtype: 'int16', symmetric: true, narrowRange: true } }],
    [{ weights: 'int4' }, { weights: { dtype: 'int4', symmetric: true, narrowRange: false } }],
    [{ weights: 'float' }, { weights: 'float' }],
    [{ activations: 'int8' }, { activations: { dtype: 'int8', symmetric: false, narrowRange: false } }],
    [{ activations: 'int8', symmetric: true }, { activations: { symmetric: true, narrowRange: true } }],
    [{ activations: 'int16' }, { activations: { dtype: 'int16', symmetric: true, narrowRange: true } }],
    [{ symmetric: true }, { activations: { dtype: 'uint8', symmetric: true, narrowRange: false } }],
    [{ activations: 'float' }, { activations: 'float' }],
    [{ granularity: 'per-axis' }, { weights: { granularity: 'per-axis' } }],
    [
      { observer: 'mse' },
      { activations: { observer: { kind: 'mse' } }, weights: { observer: { kind: 'minmax' } } },
    ],
    [{ percentile: 99.9 }, { activations: { observer: { kind: 'percentile', percentile: 99.9 } } }],
    [
      { observer: 'moving-average' },
      { activations: { observer: { kind: 'moving-average', momentum: 0.99 } } },
    ],
  ] as const)('gives ort with %j what ONNX Runtime does with such types', (overrides, expected) => {
    expect(overrideScheme(ORT, overrides)).toMatchObject(expected);
  });

  it('turns tflite with int16 activations into 16x8, with biases that are not clamped', () => {
    const wide = overrideScheme(TFLITE, { activations: 'int16' });
    expect(SCHEMES['tflite-16x8']).toEqual({ ...wide, name: 'tflite-16x8' });
  });

  it.each<[string, SchemeOverrides, RegExp]>([
    ['tflite', { activations: 'uint8' }, /^tflite has no uint8 activations; it has int8, int16$/],
    ['tflite', { weights: 'int16' }, /^tflite has no int16 weights/],
    ['tflite', { activations: 'int16', symmetric: false }, /only symmetric int16 activations/],
    ['tensorrt', { symmetric: false }, /^tensorrt has only symmetric int8 activations$/],
    ['ort', { activations: 'int8', weights: 'uint8' }, /int8 activations with uint8 weights/],
    ['ort', { weights: 'int32' }, /^ort has no int32 weights/],
    [
      'ort',
      { weights: 'float', granularity: 'per-axis' },
      /^--per-axis is about weights, which are float here$/,
    ],
    ['ort', { activations: 'float', symmetric: false }, /^--asymmetric is about activations/],
    ['ort', { activations: 'float', observer: 'mse' }, /^--observer is about activations/],
    ['ort', { observer: 'entropy', percentile: 99 }, /^--percentile belongs to the percentile observer/],
    ['ort', { observer: 'minmax', momentum: 0.9 }, /^--momentum belongs to the moving-average observer/],
    ['ort', { percentile: 99, momentum: 0.9 }, /two different observers/],
    ['ort', { percentile: 40 }, /^--percentile is 40; more than 50 and at most 100/],
    ['ort', { percentile: NaN }, /^--percentile is NaN/],
    ['ort', { momentum: 1 }, /^--momentum is 1; at least 0 and less than 1/],
  ])('refuses %s with %j', (name, overrides, problem) => {
    const problems = problemsOf(() => overrideScheme(SCHEMES[name]!, overrides));
    expect(problems[0]).toMatch(problem);
  });

  it('reports everything that is wrong at once', () => {
    expect(
      problemsOf(() => overrideScheme(TENSORRT, { activations: 'uint8', weights: 'uint8', momentum: 2 })),
    ).toEqual([
      '--momentum is 2; at least 0 and less than 1 is wanted',
      'tensorrt has no uint8 weights; it has int4, int8',
      'tensorrt has no uint8 activations; it has int8',
    ]);
  });
});

describe('parseScheme', () => {
  it('changes a preset in what the file says', () => {
    const file = {
      name: 'mine',
      extends: 'tflite',
      weights: { granularity: 'per-tensor', observer: { kind: 'mse' } },
      bias: 'float',
    };
    expect(parseScheme(file, 'mine.json')).toEqual({
      ...TFLITE,
      name: 'mine',
      weights: { ...(TFLITE.weights as object), granularity: 'per-tensor', observer: { kind: 'mse' } },
      bias: 'float',
    });
  });

  it('refuses what it does not know, all at once, with the place', () => {
    const file = {
      name: '',
      extends: 'ort',
      weights: { dtype: 'int3', axis: 1 },
      activations: 'int8',
      observers: [],
    };
    expect(problemsOf(() => parseScheme(file, 'mine.json'))).toEqual([
      expect.stringMatching(/^name: .*>=1 char/),
      expect.stringMatching(/^weights\.dtype: .*int4.*uint16/),
      expect.stringMatching(/^weights: .*axis/),
      expect.stringMatching(/^activations: .*float/),
      expect.stringMatching(/^scheme: .*observers/),
    ]);
    expect(() => parseScheme(file, 'mine.json')).toThrow('mine.json is not a scheme');
  });

  it.each([null, [], 'ort', 3, { name: 'x' }, { name: 'x', extends: 'constructor' }])(
    'refuses %j',
    (json) => {
      expect(() => parseScheme(json, 'mine.json')).toThrow(UsageError);
    },
  );

  it('refuses a scheme that its target does not have', () => {
    const file = { name: 'mine', extends: 'tensorrt', activations: { symmetric: false } };
    expect(problemsOf(() => parseScheme(file, 'mine.json'))).toEqual([
      'tensorrt has only symmetric int8 activations',
    ]);
  });
});
