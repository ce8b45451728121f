/** How an error looks to the user, and which exit code it has. */
import { QdbgError } from '../errors.js';
import { printable, shortened } from '../report/format.js';
import { VERSION } from '../version.js';

/** A bug in qdbg (sysexits.h EX_SOFTWARE). */
const EXIT_BUG = 70;

const MOST_PLACES = 20;
/** Characters of a line; names of ten thousand letters are as little use as none. */
const LONGEST_LINE = 600;

export function failure(error: unknown): { text: string; exitCode: number } {
  if (error instanceof QdbgError) {
    const shown = error.places.slice(0, MOST_PLACES).map((place) => `  ${line(place)}\n`);
    const more = error.places.length > MOST_PLACES ? `  and ${error.places.length - MOST_PLACES} more\n` : '';
    const hint = error.hint === undefined ? '' : `  hint: ${line(error.hint)}\n`;
    return {
      text: `qdbg: ${line(error.message)}\n${shown.join('')}${more}${hint}`,
      exitCode: error.exitCode,
    };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: `qdbg: this is a bug in qdbg ${VERSION} (node ${process.version}, ${process.platform} ${process.arch})\n${stack.split('\n').map(printable).join('\n')}\n`,
    exitCode: EXIT_BUG,
  };
}

/** What the parser of the command line has to say, in the form of all other messages. */
export function usageFailure(message: string, command: string): string {
  const [what = '', suggestion = ''] = message.trim().split('\n');
  const meant = /^\(Did you mean (?:one of )?(.*?)\?\)$/.exec(suggestion)?.[1];
  const hint = meant ?? `${command} --help`;
  return `qdbg: ${line(what.replace(/^error: /, '').replace(/\.$/, ''))}\n  hint: ${line(hint)}\n`;
}

function line(text: string): string {
  return shortened(text, LONGEST_LINE);
}
