/**
 * The numbers nearest to the wanted ones, in the sense of least squares, that do not fall: isotonic regression by pooling neighbours
 * that violate the order (Barlow et al. 1972), in linear time.
 */
export function nearestInOrder(wanted: readonly number[]): number[] {
  const pools: { mean: number; size: number }[] = [];
  for (const value of wanted) {
    let pool = { mean: value, size: 1 };
    for (let last = pools.at(-1); last !== undefined && last.mean > pool.mean; last = pools.at(-1)) {
      const size = last.size + pool.size;
      pool = { mean: (last.mean * last.size + pool.mean * pool.size) / size, size };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools.flatMap(({ mean, size }) => new Array<number>(size).fill(mean));
}
