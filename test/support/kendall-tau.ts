/** Tau-b, the agreement of two rankings of the same things: ties count, those of both alike. 1: the same order; 0: unrelated. */
export function kendallTau(a: readonly number[], b: readonly number[]): number {
  let [both, ofA, ofB] = [0, 0, 0];
  a.forEach((x, i) => {
    b.slice(0, i).forEach((y, j) => {
      const [da, db] = [Math.sign(x - a[j]! || 0), Math.sign(b[i]! - y || 0)];
      both += da * db;
      ofA += da * da;
      ofB += db * db;
    });
  });
  return both / Math.sqrt(ofA * ofB);
}
