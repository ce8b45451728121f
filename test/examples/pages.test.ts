/** Every command of the pages in fixtures/examples, run as a reader would, prints what the page shows. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandsOf, exampleFolder, examples, notPrinted } from '../support/example-pages.js';

const NAMES = readdirSync(exampleFolder('.'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const PAGES = NAMES.map((name) => ({
  name,
  commands: commandsOf(readFileSync(join(exampleFolder(name), 'README.md'), 'utf8')),
}));
const ask = examples();

describe('the examples', () => {
  it('are the five situations, each with a recipe and what is known of it without qdbg', () => {
    expect(NAMES).toEqual(['qat-vs-float', 'salsanext', 'ssd-uint8', 'vendor-checklist', 'weight-outliers']);
    for (const name of NAMES)
      expect(readdirSync(exampleFolder(name))).toEqual(
        expect.arrayContaining(['expected.json', 'recipe.py']),
      );
    const index = readFileSync(exampleFolder('README.md'), 'utf8');
    for (const name of NAMES) expect(index).toContain(`${name}/README.md`);
  });

  it('are small: together less than 2.5 MB', () => {
    const paths = readdirSync(exampleFolder('.'), { recursive: true, encoding: 'utf8' });
    const bytes = paths.map((path) => statSync(join(exampleFolder('.'), path)));
    expect(bytes.reduce((sum, each) => sum + (each.isFile() ? each.size : 0), 0)).toBeLessThan(2.5e6);
  });

  it.each(PAGES)('$name has commands, and shows what each prints', ({ commands }) => {
    expect(commands.length).toBeGreaterThan(2);
    for (const { shown } of commands) expect(shown.join('').replaceAll('.', '')).not.toBe('');
  });
});

describe.each(PAGES)('the page of $name', ({ name, commands }) => {
  it.each(commands)('line $line: qdbg $text', async ({ text, exitCode, shown }) => {
    const { code, out, err } = await ask(name, text);
    expect(code, err).toBe(exitCode);
    expect(notPrinted(shown, out), out).toEqual([]);
  });
});
