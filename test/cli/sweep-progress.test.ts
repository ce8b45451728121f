/** What the line on standard error says of passes over samples and of networks that are tried. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { progressOn } from '../../src/cli/progress.js';

function said(
  options: Partial<Parameters<typeof progressOn>[1]> & { readonly environment?: Record<string, string> },
  isTTY: boolean,
  ...passes: readonly string[]
): string {
  let text = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const terminal = Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream;
  const { environment = {}, ...asked } = options;
  const progress = progressOn(terminal, { quiet: false, verbose: false, ...asked }, environment);
  for (const pass of passes) for (const done of [0, 1, 2]) progress.watch(pass, done, 2);
  progress.done();
  stream.read();
  return text;
}

describe('progress', () => {
  it('counts samples in passes over data', () => {
    for (const pass of ['ranges', 'histograms', 'measure', 'evaluate'])
      expect(said({ verbose: true }, false, pass)).toMatch(/^[a-z: ]+: 2 samples, \d+\.\d s\n$/);
  });

  it('counts networks where a sweep tries one after another', () => {
    for (const pass of ['float and quantized', 'layers', 'experiments', 'fixes', 'search'])
      expect(said({ verbose: true }, false, pass)).toMatch(
        new RegExp(`^${pass}: 2 networks, \\d+\\.\\d s\n$`),
      );
  });

  it('is not taken in by names that every object has', () => {
    expect(said({ verbose: true }, false, 'constructor')).toMatch(/^constructor: 2 networks/);
  });

  it('is drawn on a terminal only, and never with --quiet', () => {
    expect(said({}, true, 'layers')).toContain('layers 0/2');
    expect(said({}, false, 'layers')).toBe('');
    // The log of a CI job may well look like a terminal.
    for (const environment of [{ CI: 'true' }, { TERM: 'dumb' }]) {
      expect(said({ environment }, true, 'layers')).toBe('');
      expect(said({ environment, verbose: true }, true, 'layers')).toMatch(
        /^layers: 2 networks, \d+\.\d s\n$/,
      );
    }
    expect(said({ environment: { CI: 'false' } }, true, 'layers')).toContain('\u001b[K');
    for (const isTTY of [true, false])
      expect(said({ quiet: true, verbose: true }, isTTY, 'ranges', 'layers')).toBe('');
  });
});
