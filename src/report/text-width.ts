/** Cells that text takes on a terminal, and text cut to so many. */

const PLAIN = /^[\u0020-\u007e]*$/;
/** East Asian Width W and F, and what terminals show as emoji: https://www.unicode.org/reports/tr11/ */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
/** Marks, and the vowels and finals of Hangul syllables, that stand on what is before them. */
const STANDS_ON = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u;
const GRAPHEMES = new Intl.Segmenter();
/** UTF-16 units of a cell that are looked at: marks can be piled up without end. */
const LONGEST_CLUSTER = 16;
/** UTF-16 units that are segmented at once. */
const PIECE = 1000;

/** Terminal cells of a text without control characters: East Asian wide characters and emoji take two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const cluster of clustersOf(text)) width += cellsOf(cluster);
  return width;
}

/**
 * Clusters of a text. In pieces, since a segmenter takes time by the square of what it is given; a cluster at the end of a piece
 * begins the next one, where it may go on.
 */
function* clustersOf(text: string): Generator<string> {
  for (let from = 0, done = 0; from < text.length; from += done) {
    // Half a character would be one of its own.
    const isHalved = (text.codePointAt(from + PIECE - 1) ?? 0) > 0xffff;
    const piece = text.slice(from, from + PIECE + (isHalved ? 1 : 0));
    const isLast = from + piece.length >= text.length;
    for (const { segment, index } of GRAPHEMES.segment(piece)) {
      if (!isLast && index > 0 && index + segment.length === piece.length) break;
      done = index + segment.length;
      yield segment;
    }
  }
}

/** Of a cluster: letters joined in one each have their cell; a mark that nothing carries has one, too. */
function cellsOf(cluster: string): number {
  if (EMOJI.test(cluster)) return 2;
  let cells = 0;
  for (const character of cluster) {
    if (!STANDS_ON.test(character)) cells += WIDE.test(character) ? 2 : 1;
  }
  return Math.max(1, cells);
}

/** The longest beginning of at most `width` cells; no character is cut in two. */
export function headOf(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, width);
  let head = '';
  let taken = 0;
  for (const { segment } of GRAPHEMES.segment(text.slice(0, (width + 1) * LONGEST_CLUSTER))) {
    taken += cellsOf(segment);
    if (taken > width) break;
    head += segment;
  }
  return head;
}

/** The longest end of at most `width` cells. */
export function tailOf(text: string, width: number): string {
  if (width <= 0) return '';
  if (PLAIN.test(text)) return text.slice(-width);
  const clusters = [...GRAPHEMES.segment(text.slice(-(width + 1) * LONGEST_CLUSTER))].reverse();
  let tail = '';
  let taken = 0;
  for (const { segment } of clusters) {
    taken += cellsOf(segment);
    if (taken > width) break;
    tail = segment + tail;
  }
  return tail;
}

/** `text` with blanks in front of it or behind it, of `width` cells at least. */
export function paddedTo(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return side === 'right' ? blanks + text : text + blanks;
}
