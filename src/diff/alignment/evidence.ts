/** Whether what structure alone has matched is one network twice, or two networks that have some layers of the same form. */
import { kernelCorrelation } from './correlation.js';
import type { Matching } from './matching.js';
import type { Unit } from './units.js';

/** Weights of fewer values correlate by chance. */
const FEWEST_VALUES = 32;
/** From here on weights are the same ones, however coarsely quantized. */
const CONFIRMED = 0.5;
/** Share of all compute operators, of both networks, that must match when the weights do not say it. */
const ALL_BUT_FEW = 0.9;

/**
 * Takes back what was matched by structure alone when most of the matched weights are others and much of the networks is not
 * matched: the same form everywhere is a network trained again, the same form here and there is chance.
 */
export function requireEvidence(matching: Matching): void {
  const compute = ({ units }: { readonly units: readonly Unit[] }): number =>
    units.filter(({ isCompute }) => isCompute).length;
  let [matched, weighed, confirmed] = [0, 0, 0];
  for (const { reference, candidate, ground } of matching.matches()) {
    const [a, b] = [matching.reference.units[reference], matching.candidate.units[candidate]];
    if (a === undefined || b === undefined || !b.isCompute) continue;
    matched++;
    if (b.kernel === undefined || b.kernel.channels * b.kernel.features < FEWEST_VALUES) continue;
    weighed++;
    if (ground === 'weights' || Math.abs(kernelCorrelation(a, b, 'named') ?? 0) >= CONFIRMED) confirmed++;
  }
  if (weighed > 0 ? confirmed * 2 >= weighed : matched === 0) return;
  const most = Math.max(compute(matching.reference), compute(matching.candidate));
  if (matched >= ALL_BUT_FEW * most) return;
  matching.keep(({ ground }) => ground === 'weights' || ground === 'input');
}
