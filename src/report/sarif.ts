/**
 * Findings and failed checks of the gate as SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/
 *
 * The builder fills in indices; its own text output is not used, since it throws on a model with SARIF_BUILDER_INVALID in a name.
 */
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from 'node-sarif-builder';
import type { GateCheck } from '../diff/gate/gate.js';
import type { Finding } from '../doctor/finding.js';
import { besideText, safeName, safeText, toldCheck, wellFormed } from './document-text.js';
import { placeOf, type JudgedReport, type Suppressed } from './evaluated.js';
import { metricName } from './evaluated-text.js';
import { ruleHelp, ruleText } from './sarif-rules.js';
import type { ReportedModel } from './report.js';

type SarifResult = SarifResultBuilder['result'];
type SarifLocation = NonNullable<SarifResult['locations']>[number];

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

export function renderSarif(report: JudgedReport): string {
  const { models, tool, findings, suppressed = [], gate, createdAt, verdict } = report;
  const subject = models.find(({ role }) => role === 'candidate') ?? models[0];
  const uri = uriOf(subject?.path ?? 'model');
  const identify = identifier();
  const results = [
    ...(gate?.checks ?? []).flatMap((check) => checkResults(check, uri, identify)),
    ...findings.map((finding) => findingResult(finding, uri, identify)),
    ...suppressed.map((accepted) => suppressedResult(accepted, uri, identify)),
  ];
  const run = new SarifRunBuilder({
    columnKind: 'utf16CodeUnits',
    invocations: [
      { executionSuccessful: true, ...(createdAt === undefined ? {} : { endTimeUtc: createdAt }) },
    ],
    artifacts: models.map(artifactOf),
    properties: {
      verdict: safeText(verdict.summary),
      ...(gate === undefined ? {} : { gate: gate.verdict }),
      ...accuracyProperties(report),
    },
  });
  run.setToolDriverName(tool.name);
  run.setToolDriverVersion(tool.version);
  for (const id of [...new Set(results.map(({ ruleId = '' }) => ruleId))].sort(byCodeUnits)) {
    const help = ruleHelp(id);
    run.addRule(
      new SarifRuleBuilder({
        id,
        shortDescription: { text: ruleText(id) },
        ...(help === undefined
          ? {}
          : { fullDescription: { text: `${help.what} ${help.why}` }, help: { text: help.instead } }),
      }),
    );
  }
  for (const result of results) run.addResult(new SarifResultBuilder(result));
  const log = new SarifBuilder({ $schema: SCHEMA });
  log.addRun(run);
  return `${JSON.stringify(log.buildSarifOutput(), null, 1)}\n`;
}

/** Agreement is a word on accuracy only where there are no labels. */
function accuracyProperties({ accuracy, agreement }: JudgedReport): Record<string, string> {
  return {
    ...(accuracy === undefined
      ? {}
      : { accuracy: safeText(`${metricName(accuracy.metric)}: ${accuracy.summary}`) }),
    ...(agreement === undefined
      ? {}
      : { agreement: safeText(accuracy?.labels === undefined ? agreement.summary : besideText(agreement)) }),
  };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function artifactOf({ path, sha256, bytes }: ReportedModel): {
  location: { uri: string };
  length: number;
  hashes: Record<string, string>;
  roles: ['analysisTarget'];
} {
  return {
    location: { uri: uriOf(path) },
    length: bytes,
    hashes: { 'sha-256': sha256 },
    roles: ['analysisTarget'],
  };
}

function findingResult(finding: Finding, uri: string, identify: Identifier): SarifResult {
  const { rule, severity, subject, message, fix } = finding;
  const tried = fix === undefined ? '' : ` Try: ${fix.edit} (${fix.title}).`;
  return {
    ruleId: safeName(rule),
    level: severity,
    message: { text: safeText(`${sentence(message)}${tried}`) },
    locations: [location(uri, subject)],
    partialFingerprints: identify(`${rule}\n${placeOf(finding) ?? ''}`),
  };
}

function suppressedResult(
  { finding, reason, expires }: Suppressed,
  uri: string,
  identify: Identifier,
): SarifResult {
  const until = expires === undefined ? '' : ` (until ${expires})`;
  return {
    ...findingResult(finding, uri, identify),
    suppressions: [{ kind: 'external', status: 'accepted', justification: safeText(`${reason}${until}`) }],
  };
}

/** A check that passes is no result: viewers list all results as problems. Layers that fail have one each. */
function checkResults(check: GateCheck, uri: string, identify: Identifier): SarifResult[] {
  const { name, verdict, where, layers = [] } = check;
  if (verdict === 'pass') return [];
  const ruleId = safeName(`gate.${name.split(' ')[0] ?? name}`);
  const level: NonNullable<SarifResult['level']> = verdict === 'fail' ? 'error' : 'warning';
  const others = layers.filter((layer) => layer.verdict === 'fail' && layer.tensor !== where);
  const place = layers.find(({ tensor }) => tensor === where);
  return [
    {
      ruleId,
      level,
      message: {
        text: safeText(sentence(`${verdict === 'fail' ? '' : 'inconclusive: '}${toldCheck(check)}`)),
      },
      locations: [location(uri, place ?? {})],
      partialFingerprints: identify(`${name}\n`),
    },
    ...others.map((layer) => ({
      ruleId,
      level,
      message: {
        text: safeText(
          sentence(
            `${name}: ${layer.observed === undefined ? 'nothing to observe' : `${layer.observed} ${check.unit}`} at ${layer.tensor}, threshold ${check.threshold} ${check.unit} (${check.source})`,
          ),
        ),
      },
      locations: [location(uri, layer)],
      partialFingerprints: identify(`${name}\n${layer.tensor}`),
    })),
  ];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** GitHub shows results only at a line of a file; a model has none, so all are at its first. */
function location(
  uri: string,
  { node, tensor }: { readonly node?: string; readonly tensor?: string },
): SarifLocation {
  const named = (name: string, kind: string): { name: string; fullyQualifiedName: string; kind: string } => ({
    name: safeName(name),
    fullyQualifiedName: safeName(name),
    kind,
  });
  const logical = [
    ...(node === undefined || node === '' ? [] : [named(node, 'function')]),
    ...(tensor === undefined || tensor === '' ? [] : [named(tensor, 'variable')]),
  ];
  return {
    physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } },
    ...(logical.length === 0 ? {} : { logicalLocations: logical }),
  };
}

/**
 * A path as a URI reference: relative ones stay relative, so that code scanning finds the file in the repository and no
 * document holds the machine's folders.
 */
function uriOf(path: string): string {
  const slashed = wellFormed(path)
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/+)+/, '');
  const encoded = slashed.split('/').map(encodeURIComponent).join('/');
  if (/^[A-Za-z]:\//.test(slashed))
    return `file:///${slashed.slice(0, 2)}${encoded.slice(encoded.indexOf('/'))}`;
  return slashed.startsWith('/') ? `file://${encoded}` : encoded;
}

type Identifier = (identity: string) => Record<string, string>;

/**
 * Fingerprints that outlive a run: of rule and place, never of numbers. Code scanning knows a result by
 * `primaryLocationLineHash` alone; it would be the same for all results on one line.
 */
function identifier(): Identifier {
  const met = new Map<string, number>();
  return (identity) => {
    const times = (met.get(identity) ?? 0) + 1;
    met.set(identity, times);
    return { primaryLocationLineHash: `${fnv1a(identity)}:${times}` };
  };
}

/** FNV-1a, 64 bits: names of any length in 16 digits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
