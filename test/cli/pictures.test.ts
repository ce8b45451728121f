import { describe, expect, it } from 'vitest';
import { accuracyRequest } from '../../src/cli/requests.js';
import { workspace } from '../support/workspace.js';
import { parsed } from './parsed.js';

const files = workspace();

describe('--pictures', () => {
  it.each(['analyze', 'compare', 'doctor'])('is a number from 0 to 64 for %s', async (command) => {
    const models = command === 'compare' ? ['a.onnx', 'b.onnx'] : ['a.onnx'];
    const given = (count: string, printed: string[] = []) =>
      parsed([command, ...models, '--pictures', count], printed);
    expect((await given('0')).options).toMatchObject({ pictures: 0 });
    expect((await given('64')).options).toMatchObject({ pictures: 64 });
    for (const wrong of ['65', '-1', '1.5', 'all']) {
      const printed: string[] = [];
      await expect(given(wrong, printed)).rejects.toThrow();
      expect(printed.join('')).toMatch(/--pictures <N>.*whole number from 0 to 64/);
    }
  });

  it('is no flag of sweep, whose report shows none', async () => {
    await expect(parsed(['sweep', 'a.onnx', '--pictures', '1'])).rejects.toThrow(/unknown option/);
  });

  it('is a key of the configuration file', async () => {
    const config = files.file('qdbg.config.json', '{ "pictures": 3 }');
    expect((await parsed(['analyze', 'a.onnx', '--config', config])).options).toMatchObject({ pictures: 3 });
    // One file serves all commands.
    expect((await parsed(['sweep', 'a.onnx', '--config', config])).options).not.toHaveProperty('pictures');
  });

  it('is 8 when not given', () => {
    expect(accuracyRequest({}, false).pictures).toBe(8);
    expect(accuracyRequest({ pictures: 0 }, false).pictures).toBe(0);
  });

  it('says in its help that copies of the images are in the reports', async () => {
    const printed: string[] = [];
    await expect(parsed(['analyze', '--help'], printed)).rejects.toThrow();
    expect(printed.join('').replace(/\s+/g, ' ')).toMatch(/--pictures <N>.*copies of your images/);
  });
});
