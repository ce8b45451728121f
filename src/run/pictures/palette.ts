/** Colours of classes, always the same for the same class. */

export type Rgb = readonly [red: number, green: number, blue: number];

/** Okabe and Ito, Color Universal Design (2008), without black: told apart with every kind of colour vision. */
const BASE: readonly Rgb[] = [
  [0xe6, 0x9f, 0x00],
  [0x56, 0xb4, 0xe9],
  [0x00, 0x9e, 0x73],
  [0xf0, 0xe4, 0x42],
  [0x00, 0x72, 0xb2],
  [0xd5, 0x5e, 0x00],
  [0xcc, 0x79, 0xa7],
];
/** Later rounds are nearer to white, then to black: lightness tells them apart. */
const ROUNDS: readonly (readonly [toward: number, share: number])[] = [
  [0, 0],
  [255, 0.5],
  [0, 0.45],
];

/** After as many classes the colours come again. */
export const PALETTE: readonly Rgb[] = ROUNDS.flatMap(([toward, share]) =>
  BASE.map(([red, green, blue]): Rgb => {
    const mixed = (channel: number): number => Math.round(channel + (toward - channel) * share);
    return [mixed(red), mixed(green), mixed(blue)];
  }),
);

/** #rrggbb */
export function hexOf(color: Rgb): string {
  return `#${color.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
