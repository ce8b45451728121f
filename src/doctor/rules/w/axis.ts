import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';

/**
 * Per-axis parameters that do not fit the dimension they are said to lie along. Kernels of TFLite index scales by output channel and
 * never look at the axis that the file names; delegates, converters and other runtimes do.
 */
export function axis({ graph, lane }: LaneEvidence): Finding[] {
  return (lane.faults ?? []).map(({ tensor, kind, message }): Finding => ({
    rule: 'w.axis',
    severity: kind === 'axis' ? 'warning' : 'error',
    subject: subjectOf(graph, tensor),
    message,
    args: { kind },
  }));
}
