/** Zero points for activations that have none. */
import { activationParams, forecastDb, representedRange } from '../../../quant/edits/activations.js';
import type { AffineScheme } from '../../../quant/affine.js';
import type { QuantParams } from '../../../ir/lane.js';
import { schemeProblems } from '../../../quant/presets.js';
import type { Scheme } from '../../../quant/scheme.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import {
  activationFix,
  groundActivations,
  mostWorth,
  rangeText,
  worthOf,
  type ActivationChange,
  type GroundActivation,
} from './ground-activations.js';
import { MARGIN_DB } from './observer.js';

const SINGLE_FIXES = 3;

/** A limit of the present range this close to what was seen is what was seen, but for the rounding of the scale. */
const SAME = 1.001;

interface Candidate extends ActivationChange {
  readonly worth: number;
  readonly made: QuantParams;
}

/** Symmetric activations whose values lie to one side of zero: half of their codes, or many, stand for nothing. */
export function asymmetricFixes(ground: FixGround): LaneFix[] {
  if (!allowsAsymmetric(ground.simulated.simulation.scheme)) return [];
  const candidates = groundActivations(ground).flatMap(candidateOf);
  const all =
    candidates.length < 2
      ? []
      : [
          activationFix(
            ground,
            {
              id: 'asymmetric:all',
              kind: 'asymmetric',
              title: `zero points for ${plural(candidates.length, 'activation')} that use one side of zero more than the other`,
            },
            candidates,
          ),
        ];
  return [...all, ...mostWorth(candidates, SINGLE_FIXES).map((candidate) => single(ground, candidate))];
}

function allowsAsymmetric(scheme: Scheme): boolean {
  const { activations } = scheme;
  if (activations === 'float' || !activations.symmetric) return false;
  const asymmetric = { ...activations, symmetric: false, narrowRange: false };
  return schemeProblems({ ...scheme, activations: asymmetric }).length === 0;
}

function candidateOf(activation: GroundActivation): Candidate[] {
  const { db, stats, planned, scheme } = activation;
  if (planned.range.kind === 'fixed' || db === undefined || !scheme.symmetric) return [];
  const made = withZeroPoint(activation, activation);
  const after = forecastDb(stats, made);
  if (after === undefined || after < db + MARGIN_DB) return [];
  return [
    {
      activation,
      made,
      worth: worthOf(activation, after),
      params: (now) =>
        now.scheme.symmetric && now.params.dtype === activation.params.dtype
          ? withZeroPoint(activation, now)
          : undefined,
    },
  ];
}

/** Over what was seen, where the present range does not cut it. */
function withZeroPoint(
  { stats }: GroundActivation,
  { scheme, params }: { readonly scheme: AffineScheme; readonly params: QuantParams },
): QuantParams {
  const present = representedRange(params);
  const limit = (reach: number, seen: number): number => (seen <= reach * SAME ? seen : reach);
  const range = { rmin: -limit(-present.rmin, -stats.min), rmax: limit(present.rmax, stats.max) };
  return activationParams(range, { ...scheme, symmetric: false, narrowRange: false });
}

function single(ground: FixGround, candidate: Candidate): LaneFix {
  const { activation, made } = candidate;
  const { name, params } = activation;
  return activationFix(
    ground,
    {
      id: `asymmetric:${name}`,
      kind: 'asymmetric',
      title: `a zero point for ${name}: ${rangeText(representedRange(made))} instead of ${rangeText(representedRange(params))}`,
    },
    [candidate],
  );
}
