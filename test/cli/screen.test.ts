import { describe, expect, it } from 'vitest';
import { screenOf } from '../../src/cli/screen.js';

const screen = (
  environment: Record<string, string>,
  {
    isTTY = true,
    columns = 100,
    color = true,
    platform = 'linux',
  }: { isTTY?: boolean; columns?: number; color?: boolean; platform?: NodeJS.Platform } = {},
): ReturnType<typeof screenOf> => screenOf({ isTTY, columns }, color, environment, platform);

describe('the screen', () => {
  it('is as wide as the terminal, within 40 and 160, and 110 where nobody knows', () => {
    expect([20, 40, 97, 400].map((columns) => screen({}, { columns }).width)).toEqual([40, 40, 97, 160]);
    expect(screen({}, { columns: 0 }).width).toBe(110);
    expect(screen({}, { isTTY: false, columns: 60 }).width).toBe(110);
  });

  it('has colour on a terminal that can and may', () => {
    expect(screen({ TERM: 'xterm' }).color).toBe(true);
    expect(screen({ NO_COLOR: '' }).color).toBe(true);
    for (const environment of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect(screen(environment).color).toBe(false);
    expect(screen({}, { isTTY: false }).color).toBe(false);
    expect(screen({}, { color: false }).color).toBe(false);
  });

  it('has more than ASCII unless the locale, or the kind of terminal, says no', () => {
    for (const environment of [
      {},
      { LANG: 'de_DE.UTF-8' },
      { LANG: 'C.utf8' },
      { LC_ALL: '', LANG: 'en_US.UTF-8' },
    ])
      for (const isTTY of [true, false]) expect(screen(environment, { isTTY }).unicode).toBe(true);
    for (const environment of [
      { LANG: 'C' },
      { LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' },
      { LC_CTYPE: 'de_DE.ISO-8859-1' },
    ])
      for (const isTTY of [true, false])
        expect(screen(environment as Record<string, string>, { isTTY }).unicode).toBe(false);
    expect(screen({ TERM: 'linux' }).unicode).toBe(false);
    // What is written to a file is read elsewhere.
    expect(screen({ TERM: 'linux' }, { isTTY: false }).unicode).toBe(true);
    expect(screen({}, { platform: 'win32' }).unicode).toBe(false);
    expect(screen({ WT_SESSION: 'x' }, { platform: 'win32' }).unicode).toBe(true);
  });
});
