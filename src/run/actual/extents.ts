/** Whether an array of some shape can hold a tensor of another: dumps are flattened, or have axes in another order. */

/** Beyond so many axes only neighbours are tried. */
const MOST_AXES = 6;

/**
 * @param dumped dims of one sample of the array
 * @param dims of the tensor
 * @param maySplit axes of the tensor may be several in the array, as those of what was flattened behind it
 */
export function canHold(dumped: readonly number[], dims: readonly number[], maySplit: boolean): boolean {
  const [given, wanted] = [dumped, dims].map((extents) => extents.filter((extent) => extent !== 1)) as [
    number[],
    number[],
  ];
  if (areNeighbours(wanted, given) || (maySplit && areNeighbours(given, wanted))) return true;
  return wanted.length <= MOST_AXES && areGroups(given, wanted);
}

/** Whether each of `whole` is the product of the next of `parts`. */
function areNeighbours(parts: readonly number[], whole: readonly number[]): boolean {
  let at = 0;
  for (const extent of whole) {
    let product = 1;
    while (product < extent && at < parts.length) product *= parts[at++]!;
    if (product !== extent) return false;
  }
  return at === parts.length;
}

/** Whether each of `products` is that of some of `factors`, which are used once each. */
function areGroups(products: readonly number[], factors: readonly number[]): boolean {
  const [product, ...others] = products;
  if (product === undefined) return factors.length === 0;
  for (let chosen = 1; chosen < 2 ** factors.length; chosen++) {
    const isChosen = (at: number): boolean => (chosen & (1 << at)) !== 0;
    const found = factors.reduce((made, factor, at) => (isChosen(at) ? made * factor : made), 1);
    if (found !== product) continue;
    if (
      areGroups(
        others,
        factors.filter((_, at) => !isChosen(at)),
      )
    )
      return true;
  }
  return false;
}
