import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { workspace } from '../support/workspace.js';
import { parsed, type Parsed } from './parsed.js';

const files = workspace();
let count = 0;

/** Options of the command line with a configuration file of this content. */
function withConfig(config: unknown, ...argv: string[]): Promise<Parsed> {
  const content = typeof config === 'string' ? config : JSON.stringify(config);
  const path = files.file(`config${count++}/settings.json`, content);
  return parsed([...(argv.length === 0 ? ['analyze', 'm.onnx'] : argv), '--config', path]);
}

/** The same without the name of the file, and with the folder it lies in taken out of paths. */
async function optionsWith(config: unknown, ...flags: string[]): Promise<Record<string, unknown>> {
  const folder = join(realpathSync(files.folder), `config${count}`);
  const { options } = await withConfig(config, 'analyze', 'm.onnx', ...flags);
  const { config: _path, ...rest } = options;
  expect(_path).toBeDefined();
  return JSON.parse(JSON.stringify(rest).replaceAll(folder, 'FOLDER')) as Record<string, unknown>;
}

async function refusal(config: unknown): Promise<UsageError> {
  const error = await withConfig(config).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UsageError);
  return error as UsageError;
}

describe('a configuration file', () => {
  it('gives flags the values that they would have from the command line', async () => {
    expect(
      await optionsWith({
        samples: 5,
        perAxis: true,
        mean: [0.5, 1],
        std: '1,2',
        only: 'a*',
        skip: ['x', 'y'],
        percentile: '99.9',
        noColor: true,
        quiet: false,
      }),
    ).toEqual({
      samples: 5,
      perAxis: true,
      mean: [0.5, 1],
      std: [1, 2],
      only: ['a*'],
      skip: ['x', 'y'],
      percentile: 99.9,
      noColor: true,
      quiet: false,
    });
  });

  it('has its paths from where it lies, whatever flag they are of; names of schemes and standard output are no paths', async () => {
    expect(
      await optionsWith({
        calib: 'imgs',
        eval: ['ids=a.npy', '../mask.npy', 'random'],
        scheme: 'mine.json',
        report: ['json=out/r.json', 'terminal', 'json=-'],
      }),
    ).toEqual({
      calib: ['FOLDER/imgs'],
      eval: ['ids=FOLDER/a.npy', expect.stringMatching(/^[^F].*mask\.npy$/) as string, 'random'],
      scheme: 'FOLDER/mine.json',
      report: ['json=FOLDER/out/r.json', 'terminal', 'json=-'],
    });
    expect(await optionsWith({ scheme: 'tflite-16x8', calib: '/data/x.npy' })).toEqual({
      scheme: 'tflite-16x8',
      calib: ['/data/x.npy'],
    });
  });

  it('loses to the command line, flag by flag', async () => {
    expect(
      await optionsWith({ scheme: 'tflite', samples: 5, skip: ['a'] }, '--samples', '2', '--skip', 'b'),
    ).toEqual({
      scheme: 'tflite',
      samples: 2,
      skip: ['b'],
    });
  });

  it('loses to the opposite of a flag, and to another observer with all that belongs to it', async () => {
    expect(await optionsWith({ perTensor: true, asymmetric: true }, '--per-axis', '--symmetric')).toEqual({
      perAxis: true,
      symmetric: true,
    });
    expect(await optionsWith({ perAxis: true }, '--per-tensor')).toEqual({ perTensor: true });
    const observer = { observer: 'percentile', percentile: 99.9 };
    expect(await optionsWith(observer, '--observer', 'mse')).toEqual({ observer: 'mse' });
    expect(await optionsWith(observer, '--percentile', '99')).toEqual({ percentile: 99 });
    expect(await optionsWith(observer, '--momentum', '0.5')).toEqual({ momentum: 0.5 });
    expect(await optionsWith(observer, '--top', '1')).toEqual({ ...observer, top: 1 });
  });

  it('serves all commands: flags of another one are passed over', async () => {
    const { options } = await withConfig({ calib: 'x', scheme: 'tflite', top: 3 }, 'inspect', 'm.onnx');
    expect(options).toMatchObject({ top: 3 });
    expect(options).not.toHaveProperty('scheme');
    expect(await optionsWith({ node: 'n', top: 1 })).toEqual({ top: 1 });
  });

  it('is refused as a whole, with every setting that cannot be used', async () => {
    const wrong = {
      color: 'cmyk',
      samples: 0,
      mean: ['x'],
      quiet: 'yes',
      noColor: 1,
      nonsense: 1,
      config: 'other.json',
      preset: null,
      resize: { mode: 'stretch' },
      only: [['a']],
      top: true,
      perAxis: true,
      perTensor: true,
    };
    const { message, places } = await refusal(wrong);
    expect(message).toContain('settings.json has settings that cannot be used');
    expect(places.map((place) => place.split(':')[0]).sort()).toEqual(
      ['perAxis and perTensor', ...Object.keys(wrong).filter((key) => !key.startsWith('per'))].sort(),
    );
  });

  it('cannot reach what is no flag', async () => {
    const { places } = await refusal('{ "__proto__": { "x": 1 }, "constructor": 1, "perAxis ": true }');
    expect(places).toHaveLength(3);
  });

  it.each(['[1]', '"text"', 'null', '7'])('must be an object, not %s', async (content) => {
    const { message, hint } = await refusal(content);
    expect(message).toMatch(/settings\.json/);
    expect(hint).toBeDefined();
  });

  it('that cannot be read is named, with the reason', async () => {
    expect((await refusal('{ "scheme": ')).message).toMatch(/cannot read .*settings\.json: /);
    const missing = await parsed(['analyze', 'm', '--config', 'no-such.json']).catch(
      (cause: unknown) => cause,
    );
    expect((missing as UsageError).message).toContain('no-such.json');
    const folder = join(files.folder, 'folder.json');
    mkdirSync(folder);
    expect(
      await parsed(['analyze', 'm', '--config', folder]).catch((cause: unknown) => cause),
    ).toBeInstanceOf(UsageError);
  });

  it.each(['js', 'mjs'])('may be a module: %s', async (ending) => {
    const path = files.file(
      `module-${ending}/settings.${ending}`,
      `export default { scheme: ['tf', 'lite'].join('') };`,
    );
    writeFileSync(join(files.folder, `module-${ending}/package.json`), '{"type":"module"}');
    expect((await parsed(['analyze', 'm', '--config', path])).options).toMatchObject({ scheme: 'tflite' });
  });
});
