/** What mends a calibration that saw other data than those that are fed. */
import type { Evidence } from './evidence.js';
import type { Diagnosed } from './finding.js';

/** Everything behind a wrong input was calibrated wrongly, too. */
const FOLLOWERS = [
  ...['act.clipped', 'act.wide-range', 'act.shifted-range', 'act.outlier-channel', 'act.outlier-range'],
  ...['act.bias-shift', 'cal.stale'],
];

/**
 * Beside a reference that takes the data, it is the calibration that was wrong; a file alone may as well be fed wrongly.
 *
 * @param fed the line that feeds what the calibration had
 */
export function recalibration(
  { reference, edges = [] }: Evidence,
  fed: string,
): Pick<Diagnosed, 'fix' | 'change' | 'overshadows'> {
  if (reference === undefined) {
    return {
      fix: { title: 'feed what the calibration had, or calibrate again with what is fed', edit: fed },
    };
  }
  const ranges = edges.flatMap(({ edge, quant }) => (quant === undefined ? [] : [edge.tensor]));
  return {
    fix: {
      title: `unless the reference is to be fed otherwise: ${fed}`,
      edit: 'calibrate again on data prepared as they are here',
    },
    change: { kind: 'lane', ranges },
    overshadows: FOLLOWERS,
  };
}
