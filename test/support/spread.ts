/** Numbers of either sign between -largest and largest that follow no grid, the same each time. */
export function spread(count: number, largest: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const turn = ((i + 1) * Math.SQRT2 * 1.618033988) % 2;
    return largest * (turn - 1);
  });
}
