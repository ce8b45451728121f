/** The fix of a finding, for what the network is: a simulation that flags change, or a file that another tool made. */
import type { SchemeOverrides } from '../quant/presets.js';
import type { Evidence } from './evidence.js';
import type { Diagnosed, LaneChange } from './finding.js';

export interface Remedy {
  readonly title: string;
  /** For a simulation: flags of `qdbg analyze`, and what they change. */
  readonly flags?: string;
  readonly overrides?: SchemeOverrides;
  readonly skip?: readonly string[];
  /** For a finished file: a line for the tool that makes such files. */
  readonly onnx?: string;
  readonly tflite?: string;
  /** For a finished file: what stands for that line when its gain is measured. */
  readonly change?: Omit<LaneChange, 'kind'>;
}

/** Nothing where the network is of the other kind than the remedy. */
export function remedy(
  { graph, scheme }: Pick<Evidence, 'graph' | 'scheme'>,
  { title, flags, overrides, skip, onnx, tflite, change }: Remedy,
): Pick<Diagnosed, 'fix' | 'change'> {
  if (scheme !== undefined) {
    if (flags === undefined) return {};
    const isMeasurable = overrides !== undefined || skip !== undefined;
    return {
      fix: { title, edit: flags },
      ...(isMeasurable
        ? { change: { kind: 'scheme', overrides: overrides ?? {}, ...(skip === undefined ? {} : { skip }) } }
        : {}),
    };
  }
  const edit = graph.format === 'tflite' ? tflite : onnx;
  return {
    ...(edit === undefined ? {} : { fix: { title, edit } }),
    ...(change === undefined ? {} : { change: { kind: 'lane', ...change } }),
  };
}
