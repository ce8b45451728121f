import { CommanderError } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { parsed } from './parsed.js';

const ANALYZE = ['analyze', 'model.onnx'];

describe('the flags of analyze', () => {
  it('come out as values of their types', async () => {
    const flags =
      '--calib a=x --calib y --samples 12 --seed 0 --mean 0.5,1,-2 --std 1 --color bgr --layout nhwc';
    const more =
      '--percentile 99.9 --momentum 0 --only a* --only op:Conv --report json=f --top 3 --threads 2';
    expect(
      await parsed([...ANALYZE, ...flags.split(' '), ...more.split(' '), '--per-axis', '--quiet']),
    ).toEqual({
      command: 'analyze',
      positional: ['model.onnx'],
      options: {
        calib: ['a=x', 'y'],
        samples: 12,
        seed: 0,
        mean: [0.5, 1, -2],
        std: [1],
        color: 'bgr',
        layout: 'nhwc',
        percentile: 99.9,
        momentum: 0,
        only: ['a*', 'op:Conv'],
        report: ['json=f'],
        top: 3,
        threads: 2,
        perAxis: true,
        quiet: true,
      },
    });
  });

  it('keep --no-color apart from --color, which orders channels', async () => {
    expect((await parsed([...ANALYZE, '--no-color', '--color', 'rgb'])).options).toEqual({
      noColor: true,
      color: 'rgb',
    });
    expect((await parsed(ANALYZE)).options).toEqual({});
  });

  it('may stand before and after the model, and behind an equals sign', async () => {
    const { positional, options } = await parsed(['analyze', '--calib=x', 'm.onnx', '--scheme=tflite']);
    expect([positional, options]).toEqual([['m.onnx'], { calib: ['x'], scheme: 'tflite' }]);
  });

  it.each([
    ['--samples', '0'],
    ['--samples', '1.5'],
    ['--samples', '-1'],
    ['--samples', '1e3'],
    ['--seed', '-1'],
    ['--top', '0'],
    ['--threads', 'many'],
    ['--percentile', '101'],
    ['--percentile', '49.9'],
    ['--percentile', ''],
    ['--momentum', '1'],
    ['--momentum', 'NaN'],
    ['--mean', '1,x'],
    ['--mean', '1,,2'],
    ['--std', ''],
    ['--weights', 'int9'],
    ['--activations', 'INT8'],
    ['--observer', 'max'],
    ['--color', 'cmyk'],
    ['--layout', 'chw'],
    ['--resize', 'crop'],
    ['--interpolation', 'sinc'],
  ])('refuse %s %j, naming the flag', async (flag, value) => {
    const printed: string[] = [];
    const error = await parsed([...ANALYZE, `${flag}=${value}`], printed).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(CommanderError);
    expect((error as CommanderError).exitCode).not.toBe(0);
    expect(printed.join('')).toContain(flag);
  });

  it.each([
    [['--per-axis', '--per-tensor'], /cannot be used with/],
    [['--symmetric', '--asymmetric'], /cannot be used with/],
    [['--nonsense'], /unknown option '--nonsense'/],
    [['another.onnx'], /too many arguments/],
    [['--calib'], /argument missing/],
  ])('refuse %s', async (args, said) => {
    const printed: string[] = [];
    await expect(parsed([...ANALYZE, ...args], printed)).rejects.toBeInstanceOf(CommanderError);
    expect(printed.join('')).toMatch(said);
  });

  it('are all in its help', async () => {
    const printed: string[] = [];
    await parsed(['analyze', '--help'], printed).catch(() => undefined);
    const data =
      '--calib --eval --samples --seed --shape --preset --resize --interpolation --mean --std --color --layout';
    const scheme =
      '--scheme --weights --activations --per-axis --per-tensor --symmetric --asymmetric --observer';
    const rest =
      '--percentile --momentum --only --skip --report --top --quiet --no-color --verbose --threads --config';
    const missing = `${data} ${scheme} ${rest}`
      .split(' ')
      .filter((flag) => !printed.join('').includes(`${flag} `));
    expect(missing).toEqual([]);
  });
});

describe('the commands', () => {
  it('take one model or several', async () => {
    expect(await parsed(['inspect', 'a.onnx', 'b.onnx', '--node', 'n'])).toEqual({
      command: 'inspect',
      positional: ['a.onnx', 'b.onnx'],
      options: { node: 'n' },
    });
  });

  it.each([[['analyze']], [['inspect']], [['nonsense']], [[]], [['--nonsense']]])(
    'are refused as %j',
    async (args) => {
      const error = await parsed(args).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(CommanderError);
      expect((error as CommanderError).exitCode).not.toBe(0);
    },
  );
});
