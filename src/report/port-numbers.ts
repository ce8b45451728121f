/** Numbers of formulas that people copy into their code. */

/** A float32 in as few digits as tell it from its neighbours: 0.0078125, 0.003921569. */
export function exact(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}
