/** How wide texts of drawings are. */

/** As drawings write. */
const SIZE = '12px';
/** Of a character, on average, where nothing can be measured. */
const CHARACTER = 6.5;

let context: CanvasRenderingContext2D | null | undefined;

/** CSS pixels, of drawings' type in bold: labels may be emphasized. */
export function textWidth(text: string): number {
  if (context === undefined) {
    context = document.createElement('canvas').getContext('2d');
    if (context !== null) context.font = `600 ${SIZE} ${getComputedStyle(document.body).fontFamily}`;
  }
  return context === null ? text.length * CHARACTER : context.measureText(text).width;
}

/** Of an axis of whole numbers: nothing between them. */
export function wholeText(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : '';
}
