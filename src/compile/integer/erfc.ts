/** The complementary error function, which JavaScript lacks. No package in use here has it. */

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);

/**
 * 1 - erf(x) to about 1e-13 of itself. Series for small |x|, continued fraction for large
 * (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14).
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  return x < 2 ? 1 - erfBySeries(x) : erfcByFraction(x);
}

/** erf(x) = 2/sqrt(pi) exp(-x²) sum of 2^n x^(2n+1) / (1·3·…·(2n+1)); all terms are positive. */
function erfBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > (sum * Number.EPSILON) / 4; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * Math.exp(-x * x) * sum;
}

/** erfc(x) = exp(-x²)/sqrt(pi) · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …)))), from the far end. */
function erfcByFraction(x: number): number {
  let tail = x;
  for (let n = 120; n >= 1; n--) tail = x + n / 2 / tail;
  return (Math.exp(-x * x) / tail) * (TWO_OVER_SQRT_PI / 2);
}
