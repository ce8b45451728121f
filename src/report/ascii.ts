/** What is drawn with characters that not every terminal has, in characters that every one has. */

const ASCII: Readonly<Record<string, string>> = {
  // Sparklines, lowest first; the full block is that of bars, too.
  ...{ '▁': '_', '▂': '.', '▃': ':', '▄': '-', '▅': '=', '▆': '+', '▇': '*', '█': '#' },
  // Ends of bars.
  ...{ '▏': '.', '▎': '.', '▍': ':', '▌': ':', '▋': ':', '▊': '+', '▉': '+' },
  // Box plots.
  ...{ '├': '|', '┤': '|', '─': '-', '▒': '=', '┃': '#', '┊': ':' },
  '…': '~',
};
const DRAWN = new RegExp(`[${Object.keys(ASCII).join('')}]`, 'g');

/** As many cells as before. Names in other scripts stay as they are: they are the user's own. */
export function inAscii(text: string): string {
  return text.replace(DRAWN, (character) => ASCII[character] ?? character);
}
