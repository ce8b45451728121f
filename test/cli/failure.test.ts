import { describe, expect, it } from 'vitest';
import { failure } from '../../src/cli/failure.js';
import { DataError, LoadError, RunError, UnsupportedError, UsageError } from '../../src/errors.js';
import { VERSION } from '../../src/version.js';

describe('an error that the user can act on', () => {
  it.each([UsageError, LoadError, UnsupportedError, DataError, RunError])('exits 2: %s', (Kind) => {
    expect(failure(new Kind('it is wrong'))).toEqual({ text: 'qdbg: it is wrong\n', exitCode: 2 });
  });

  it('has its places, one a line, and one hint', () => {
    const { text } = failure(
      new DataError('two files are wrong', {
        places: ['a.png: cut', 'b.png: empty'],
        hint: '--skip-unreadable',
      }),
    );
    expect(text).toBe('qdbg: two files are wrong\n  a.png: cut\n  b.png: empty\n  hint: --skip-unreadable\n');
  });

  it('lists twenty places and counts the others', () => {
    const places = Array.from({ length: 25 }, (_, i) => `place ${i}`);
    const lines = failure(new DataError('many', { places })).text.trimEnd().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('  and 5 more');
  });

  it('lets no name of a file steer the terminal', () => {
    const name = 'a\u001b[2Jb\r\u202ec\u0007';
    const { text } = failure(new DataError(name, { places: [name], hint: name }));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('any other error', () => {
  it('is a bug: exit 70, with the version and the stack', () => {
    const { text, exitCode } = failure(new TypeError('x is not a function'));
    expect(exitCode).toBe(70);
    expect(text).toContain(`this is a bug in qdbg ${VERSION}`);
    expect(text).toMatch(/TypeError: x is not a function\n\s+at /);
  });

  it('is one even when it is no error', () => {
    expect(failure('thrown text')).toMatchObject({ exitCode: 70 });
    expect(failure(undefined).text).toContain('undefined');
  });
});
