/** What the user has asked to hold, and whether it does. Plain data. */

export type GateVerdict = 'pass' | 'fail' | 'inconclusive';

export interface GateCheck {
  /** Such as `max-drop`, `min-sqnr block1/*`, `baseline layers`. */
  readonly name: string;
  /** Where the threshold is written: `command line`, the configuration file, the baseline file, `default`. */
  readonly source: string;
  readonly threshold: number;
  /** Absent where there was nothing to observe. */
  readonly observed?: number;
  /** How much is left; negative when exceeded. */
  readonly margin?: number;
  /** `pt` (points of percent), `%` (relative), `dB`, `samples`, `findings`, `layers`; '' of metrics without a unit. */
  readonly unit: string;
  readonly verdict: GateVerdict;
  /** Tensor, node or rule that decided. */
  readonly where?: string;
  /** What the numbers do not say: the interval, or how many samples would decide. */
  readonly note?: string;
  /** Of checks of layers: every layer that it decides, in graph order. */
  readonly layers?: readonly GateLayer[];
}

export interface GateLayer {
  readonly tensor: string;
  readonly node?: string;
  /** As of the check. */
  readonly observed?: number;
  readonly margin?: number;
  readonly verdict: 'pass' | 'fail';
  readonly note?: string;
}

export interface Gate {
  /** The worst of the checks: fail before inconclusive before pass. */
  readonly verdict: GateVerdict;
  readonly checks: readonly GateCheck[];
}
