/** How an error looks to the user, and which exit code it has. */
import { QdbgError } from '../errors.js';
import { printable } from '../report/format.js';
import { VERSION } from '../version.js';

/** A bug in qdbg (sysexits.h EX_SOFTWARE). */
const EXIT_BUG = 70;

const MOST_PLACES = 20;

export function failure(error: unknown): { text: string; exitCode: number } {
  if (error instanceof QdbgError) {
    const shown = error.places.slice(0, MOST_PLACES).map((place) => `  ${printable(place)}\n`);
    const more = error.places.length > MOST_PLACES ? `  and ${error.places.length - MOST_PLACES} more\n` : '';
    const hint = error.hint === undefined ? '' : `  hint: ${printable(error.hint)}\n`;
    return {
      text: `qdbg: ${printable(error.message)}\n${shown.join('')}${more}${hint}`,
      exitCode: error.exitCode,
    };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: `qdbg: this is a bug in qdbg ${VERSION} (node ${process.version}, ${process.platform} ${process.arch})\n${stack}\n`,
    exitCode: EXIT_BUG,
  };
}
