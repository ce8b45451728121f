/** A simulation with flags of its scheme changed; no sample has to be calibrated on again. */
import type { SchemeChange } from '../../doctor/finding.js';
import type { Lane } from '../../ir/lane.js';
import { overrideScheme } from '../../quant/presets.js';
import type { Selection } from '../../quant/select.js';
import type { Calibration } from '../../run/calibrate.js';
import { calibratedLane, planSimulation, type Simulation } from '../simulation.js';

/** Undefined where the change asks for ranges that calibration did not follow. */
export function changedScheme(
  { graph, scheme }: Simulation,
  calibration: Calibration,
  selection: Selection,
  { overrides, skip = [] }: SchemeChange,
): Lane | undefined {
  if (scheme === 'file') return undefined;
  const changed = planSimulation(graph, overrideScheme(scheme, overrides), {
    ...selection,
    skip: [...selection.skip, ...skip],
  });
  const isKnown = [...changed.observers.keys()].every((tensor) => calibration.edges.has(tensor));
  return isKnown ? calibratedLane(changed, calibration) : undefined;
}
