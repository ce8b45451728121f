/** A horizontal bar in eighths of a character. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** @param share of `width`, 0 to 1; what is not 0 shows at least an eighth */
export function bar(share: number, width: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(8 * width * Math.min(share, 1))) : 0;
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}
