/** Known causes that were found, worst first, each with what to do. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Finding, Severity } from '../../doctor/finding.js';
import type { PageReport } from '../../report/html/page-document.js';
import type { Suppressed } from '../../report/evaluated.js';
import { csvOf, download } from '../frame/download.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { CopyText } from './copy-text.js';
import { Measured } from './measured-fix.js';

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

/** Findings of one rule beyond these wait for a click. */
const FIRST = 3;

export function FindingsSection(): JSX.Element | null {
  const { report } = usePage().document;
  const [only, setOnly] = useState<Severity | 'all'>('all');
  const findings = findingsOf(report);
  if (findings === undefined) return null;
  const tally = SEVERITIES.map(
    (severity) => findings.filter((finding) => finding.severity === severity).length,
  );
  const shown = findings.filter(({ severity }) => only === 'all' || severity === only);
  const rules = [...new Set(shown.map(({ rule }) => rule))];
  const isNote = (rule: string): boolean =>
    shown.every((finding) => finding.rule !== rule || finding.severity === 'note');
  // Beside errors and warnings notes are what keeps the eye from the charts.
  const folded = only === 'all' && !rules.every(isNote) ? rules.filter(isNote) : [];
  const open = rules.filter((rule) => !folded.includes(rule));
  const list = (rule: string): JSX.Element => (
    <RuleFindings key={rule} rule={rule} findings={shown.filter((finding) => finding.rule === rule)} />
  );
  return (
    <Section
      id="findings"
      title="Findings"
      lead={
        findings.length === 0 ? 'None of the rules that had what they need found a known cause.' : undefined
      }
    >
      {findings.length === 0 ? null : (
        <div class="table-tools">
          <fieldset class="choices">
            <legend class="visually-hidden">Severity</legend>
            <Choice value="all" label={`all ${findings.length}`} chosen={only} onChoose={setOnly} />
            {SEVERITIES.map((severity, at) =>
              tally[at] === 0 ? null : (
                <Choice
                  key={severity}
                  value={severity}
                  label={plural(tally[at] ?? 0, severity)}
                  chosen={only}
                  onChoose={setOnly}
                />
              ),
            )}
          </fieldset>
          <span class="tools">
            <button
              type="button"
              class="tool"
              aria-label="Findings: save as CSV"
              onClick={() => download('qdbg-findings.csv', 'text/csv', findingsCsv(shown))}
            >
              CSV
            </button>
          </span>
        </div>
      )}
      {open.map(list)}
      {folded.length === 0 ? null : (
        <details class="folded">
          <summary>
            {plural(tally[2] ?? 0, 'note')} of {plural(folded.length, 'kind')}: worth knowing, no cause of a
            loss by themselves
          </summary>
          {folded.map(list)}
        </details>
      )}
      <Accepted suppressed={'suppressed' in report ? (report.suppressed ?? []) : []} />
      <Checked report={report} />
    </Section>
  );
}

function findingsOf(report: PageReport): readonly Finding[] | undefined {
  if (report.command === 'sweep') return undefined;
  if (report.command !== 'inspect') return report.findings;
  const found = report.models.flatMap(({ quantization }) => quantization?.findings ?? []);
  return report.models.some(({ quantization }) => quantization !== undefined) ? found : undefined;
}

function findingsCsv(findings: readonly Finding[]): string {
  const rows = findings.map(({ rule, severity, subject, message, fix }) => [
    rule,
    severity,
    subject.node,
    subject.tensor,
    message,
    fix?.title,
    fix?.edit,
  ]);
  return csvOf(['rule', 'severity', 'node', 'tensor', 'message', 'fix', 'edit'], rows);
}

function Choice<T extends string>({
  value,
  label,
  chosen,
  onChoose,
}: {
  readonly value: T;
  readonly label: string;
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}): JSX.Element {
  return (
    <button type="button" class="tool" aria-pressed={chosen === value} onClick={() => onChoose(value)}>
      {label}
    </button>
  );
}

const MARKS: Readonly<Record<Severity, string>> = { error: '✖', warning: '▲', note: '●' };

function RuleFindings({
  rule,
  findings,
}: {
  readonly rule: string;
  readonly findings: readonly Finding[];
}): JSX.Element {
  const { rules = {} } = usePage().document;
  const [all, setAll] = useState(false);
  const told = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
  const severity =
    SEVERITIES.find((level) => findings.some((finding) => finding.severity === level)) ?? 'note';
  const shown = all ? findings : findings.slice(0, FIRST);
  return (
    <article
      class={`rule ${severity}`}
      id={`rule-${visible(rule)}`}
      aria-label={`${severity}: ${visible(rule)}`}
    >
      <h3>
        <span class="severity">
          <span aria-hidden="true">{MARKS[severity]}</span> {severity}
        </span>{' '}
        {told?.title ?? visible(rule)} <code class="quiet">{visible(rule)}</code>
      </h3>
      <ul class="found">
        {shown.map((finding, at) => (
          <li key={at}>
            <Place finding={finding} />
            {visible(finding.message)}
            {isRepeated(finding, shown[at - 1]) ? null : <Remedy finding={finding} />}
          </li>
        ))}
      </ul>
      {shown.length === findings.length ? null : (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {plural(findings.length - shown.length, 'more place')}
        </button>
      )}
      {told === undefined ? null : (
        <details>
          <summary>Why it matters, and what to do instead</summary>
          <p>{told.what}</p>
          <p>{told.why}</p>
          <p>{told.instead}</p>
        </details>
      )}
    </article>
  );
}

function Place({ finding: { subject } }: { readonly finding: Finding }): JSX.Element | null {
  const names = [...new Set([subject.node, subject.tensor])].filter((name) => name !== undefined);
  if (names.length === 0) return null;
  return (
    <span class="place">
      {names.map((name, at) => (
        <span key={name}>
          {at === 0 ? '' : ' › '}
          <LayerName name={name} />
        </span>
      ))}
      :{' '}
    </span>
  );
}

function Remedy({ finding: { fix } }: { readonly finding: Finding }): JSX.Element | null {
  if (fix === undefined) return null;
  return (
    <div class="remedy">
      Try: {visible(fix.title)} <CopyText text={fix.edit} />
      <Measured fix={fix} />
    </div>
  );
}

/** The same advice three times in a row is read once. */
function isRepeated(finding: Finding, before: Finding | undefined): boolean {
  return (
    finding.fix !== undefined &&
    finding.fix.measured === undefined &&
    finding.fix.edit === before?.fix?.edit &&
    finding.fix.title === before.fix.title
  );
}

function Accepted({ suppressed }: { readonly suppressed: readonly Suppressed[] }): JSX.Element | null {
  if (suppressed.length === 0) return null;
  return (
    <details>
      <summary>{plural(suppressed.length, 'accepted finding')}</summary>
      <ul>
        {suppressed.map(({ finding, reason, expires }, at) => (
          <li key={at}>
            <code>{visible(finding.rule)}</code> <Place finding={finding} />
            {visible(reason)}
            {expires === undefined ? '' : `, until ${visible(expires)}`}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Checked({ report }: { readonly report: PageReport }): JSX.Element | null {
  if (!('rules' in report)) return null;
  const { checked, skipped } = report.rules;
  return (
    <details>
      <summary>
        {plural(checked.length, 'rule')} checked, {skipped.length} could not be
      </summary>
      <p>
        Checked: <code>{checked.join(', ')}</code>
      </p>
      <ul>
        {skipped.map(({ rule, missing }) => (
          <li key={rule}>
            <code>{rule}</code> needs {missing}
          </li>
        ))}
      </ul>
    </details>
  );
}
