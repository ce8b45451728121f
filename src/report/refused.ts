/** Which reports a command cannot give, and what to ask for instead. */
import { UsageError } from '../errors.js';
import type { AnyReport } from './any-report.js';

interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

const NOTHING_MEASURED = {
  reason: 'qdbg inspect measures nothing and has terminal, json, html, md and csv only',
  hint: '--report json=FILE',
};

const NODE_DATA = ['model-explorer', 'model-explorer-self', 'model-explorer-cumulative'];

/** Reports that a command cannot give. */
const REFUSED: Readonly<Record<AnyReport['command'], Readonly<Record<string, Refusal>>>> = {
  analyze: {},
  compare: {},
  inspect: {
    junit: NOTHING_MEASURED,
    sarif: NOTHING_MEASURED,
    github: NOTHING_MEASURED,
    ...each(NODE_DATA, NOTHING_MEASURED),
  },
  doctor: {
    ...each(NODE_DATA, {
      reason: 'it has a number for every layer, and qdbg doctor lists findings',
      hint: 'qdbg analyze or qdbg compare with --report model-explorer=FILE',
    }),
  },
  sweep: {
    junit: {
      reason:
        'it lists checks that pass or fail, and qdbg sweep judges nothing: it has terminal, json, html, md, csv, github and model-explorer',
      hint: 'qdbg analyze with --max-drop 1pt --report junit=FILE',
    },
    sarif: {
      reason:
        'it lists faults, and qdbg sweep looks for none: it has terminal, json, html, md, csv, github and model-explorer',
      hint: 'qdbg doctor or qdbg analyze with --report sarif=FILE',
    },
    ...each(NODE_DATA.slice(1), {
      reason: 'qdbg sweep measures what each layer alone costs the outputs, which model-explorer has',
      hint: '--report model-explorer=FILE',
    }),
  },
};

function each(reporters: readonly string[], refusal: Refusal): Readonly<Record<string, Refusal>> {
  return Object.fromEntries(reporters.map((reporter) => [reporter, refusal]));
}

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
