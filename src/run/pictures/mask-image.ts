/** Masks as PNG images to lay over a picture. */
import { IGNORED } from '../labels/truth.js';
import { hexOf, PALETTE } from './palette.js';
import type { SmallMask } from './small-mask.js';

/** Classes that are listed. */
const MOST_LABELS = 64;
const BACKGROUND = /^[\s_-]*(back[\s_-]?ground|bg|void|nothing|none|others?|unlabell?ed|ignored?)[\s_-]*$/i;

export interface MaskImage {
  readonly png: Uint8Array;
  /** Classes that have a colour, the largest first; shares are of all pixels. */
  readonly labels: readonly { readonly label: number; readonly color: string; readonly share: number }[];
}

/** Whether a class is that nothing is there: by its name, and where it has none, by the custom that it is class 0. */
export function isBackground(label: number, names: ReadonlyMap<number, string>): boolean {
  const name = names.get(label);
  return name === undefined ? label === 0 : BACKGROUND.test(name);
}

/** One opaque colour a class; transparent where there is none, or the background. */
export async function maskImage(
  { width, height, data }: SmallMask,
  names: ReadonlyMap<number, string>,
): Promise<MaskImage> {
  const counts = new Map<number, number>();
  for (const label of data) counts.set(label, (counts.get(label) ?? 0) + 1);
  const shown = [...counts.keys()].filter((label) => label !== IGNORED && !isBackground(label, names));
  const indices = new Map(shown.map((label) => [label, 1 + (label % PALETTE.length)]));
  const { encode } = await import('fast-png');
  const png = encode({
    width,
    height,
    channels: 1,
    depth: 8,
    data: Uint8Array.from(data, (label) => indices.get(label) ?? 0),
    palette: [[0, 0, 0, 0], ...PALETTE.map((color) => [...color, 255])],
  });
  const labels = shown
    .map((label) => ({
      label,
      color: hexOf(PALETTE[label % PALETTE.length]!),
      share: counts.get(label)! / data.length,
    }))
    .sort((a, b) => b.share - a.share || a.label - b.label)
    .slice(0, MOST_LABELS);
  return { png, labels };
}
