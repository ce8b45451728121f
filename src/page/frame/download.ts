/** What a reader takes away: tables as CSV, charts as SVG. */

export function download(file: string, type: string, content: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = file;
  link.click();
  // After the click has been dealt with; some browsers read the address later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export type Cell = string | number | undefined;

/** RFC 4180. A spreadsheet takes text that starts like a formula for one: a quote in front keeps it text. */
export function csvOf(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [titles, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The drawing as a file of its own: colours that the page names by variables are written out. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const style = getComputedStyle(svg);
  const background = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  background.setAttribute('width', '100%');
  background.setAttribute('height', '100%');
  background.setAttribute('fill', style.getPropertyValue('--surface').trim());
  const box = svg.viewBox.baseVal;
  if (box !== null) {
    background.setAttribute('x', String(box.x));
    background.setAttribute('y', String(box.y));
  }
  copy.prepend(background);
  copy.setAttribute('color', style.color);
  copy.setAttribute('font-family', style.fontFamily);
  return new XMLSerializer()
    .serializeToString(copy)
    .replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => style.getPropertyValue(name).trim());
}

/** Name of a file that any system takes. */
export function fileName(...parts: readonly string[]): string {
  const name = parts.map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[-.]+|-+$/g, ''));
  return name
    .filter((part) => part !== '')
    .join('-')
    .slice(0, 100);
}
