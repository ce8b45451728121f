/** Which reports a command cannot give, and what to ask for instead. */
import { UsageError } from '../errors.js';
import type { AnyReport } from './any-report.js';

interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

const NOTHING_MEASURED = {
  reason: 'qdbg inspect measures nothing and has terminal and json only',
  hint: '--report json=FILE',
};

/** Reports that a command cannot give. */
const REFUSED: Readonly<Record<AnyReport['command'], Readonly<Record<string, Refusal>>>> = {
  analyze: {},
  compare: {},
  inspect: {
    junit: NOTHING_MEASURED,
    sarif: NOTHING_MEASURED,
    github: NOTHING_MEASURED,
    md: NOTHING_MEASURED,
    csv: NOTHING_MEASURED,
  },
  doctor: {
    csv: {
      reason: 'it is a table of tensors, and qdbg doctor lists findings',
      hint: 'qdbg analyze or qdbg compare with --report csv=FILE',
    },
  },
  sweep: {
    junit: {
      reason:
        'it lists checks that pass or fail, and qdbg sweep judges nothing: it has terminal, json, md, csv and github',
      hint: 'qdbg analyze with --max-drop 1pt --report junit=FILE',
    },
    sarif: {
      reason: 'it lists faults, and qdbg sweep looks for none: it has terminal, json, md, csv and github',
      hint: 'qdbg doctor or qdbg analyze with --report sarif=FILE',
    },
  },
};

/**
 * Before a run, that no hour is lost on it.
 *
 * @throws UsageError for a report that the command cannot give
 */
export function checkReporter(command: AnyReport['command'], reporter: string): void {
  const refused = REFUSED[command][reporter];
  if (refused === undefined) return;
  throw new UsageError(`--report ${reporter}: ${refused.reason}`, { hint: refused.hint });
}
