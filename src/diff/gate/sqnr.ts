/** `--min-sqnr`: the least SQNR of the model's outputs, and of layers by name or operator. */
import { UsageError } from '../../errors.js';
import { isNamedBy, suggestionsOf, type Nameable } from '../../quant/select.js';
import type { GateCheck, GateLayer } from './gate.js';
import { difference, exceeds, several, tidy } from './margin.js';
import type { SqnrMeasure, SqnrRule } from './thresholds.js';

/** As of an ErrorMeasurement. */
export interface MeasuredSqnr {
  readonly sqnrDb?: number;
  readonly exact?: true;
  readonly nonFinite?: number;
}

/** A row of a report's tensors. */
export interface GateTensor {
  readonly tensor: string;
  /** As the other file calls it. */
  readonly reference?: string;
  readonly node: string;
  /** `Conv+Relu` of fused operators. */
  readonly op: string;
  readonly self?: MeasuredSqnr;
  readonly local?: MeasuredSqnr;
  readonly cumulative?: MeasuredSqnr;
}

/** An output of the model, cumulative; without SQNR and `exact` it could not be measured. */
export interface GateOutput extends MeasuredSqnr {
  readonly tensor: string;
}

/** Parts of a report that tell its outputs, of any command that measures. */
export interface OutputRows {
  readonly tensors: readonly (GateTensor & { readonly role: string })[];
  /** Of `compare`: measured on all samples. */
  readonly outputs?: { readonly outputs: readonly GateOutput[] };
  readonly alignment?: {
    readonly outputs: readonly { readonly candidate: string; readonly reference?: string }[];
  };
}

/** The model's outputs, those too that could not be compared. */
export function outputsOf({ tensors, outputs, alignment }: OutputRows): GateOutput[] {
  if (outputs === undefined) {
    return tensors
      .filter(({ role }) => role === 'output')
      .map(({ tensor, cumulative }) => ({ ...cumulative, tensor }));
  }
  const measured = new Set(outputs.outputs.map(({ tensor }) => tensor));
  const others = alignment?.outputs.filter(({ candidate }) => !measured.has(candidate)) ?? [];
  return [...outputs.outputs, ...others.map(({ candidate }) => ({ tensor: candidate }))];
}

/**
 * One check per rule that is not overruled altogether, in the order given. The last rule of a measure that names a tensor
 * decides for it; `off` exempts. The plain threshold of the outputs stands beside all of them: only `off` lifts it.
 *
 * @throws UsageError with every pattern that names nothing measured, and when nothing is left to judge
 */
export function sqnrChecks(
  rules: readonly SqnrRule[],
  tensors: readonly GateTensor[],
  outputs: readonly GateOutput[],
): GateCheck[] {
  requireMatches(rules, tensors, outputs);
  // As of every flag that is given once: the last one counts.
  const ofOutputs = rules.findLast(({ kind }) => kind === 'outputs');
  const checks = rules.flatMap((rule): GateCheck[] => {
    if (rule.kind === 'outputs')
      return rule === ofOutputs ? [outputCheck(rule, rules, tensors, outputs)] : [];
    return rule.kind === 'layers' ? [layerCheck(rule, rules, tensors)] : [];
  });
  return checks;
}

type LayerRule = Extract<SqnrRule, { kind: 'layers' }>;
type OutputRule = Extract<SqnrRule, { kind: 'outputs' }>;

function nameable({ tensor, reference, node, op }: GateTensor): Nameable {
  const names = [tensor, node, ...(reference === undefined ? [] : [reference])];
  const isGiven = (name: string): boolean => name !== '';
  return { names: names.filter(isGiven), ops: [op, ...op.split('+')].filter(isGiven) };
}

/** An output is named as its row is; one that has none, by its own name. */
function nameableOutput({ tensor }: GateOutput, tensors: readonly GateTensor[]): Nameable {
  const row = tensors.find((other) => other.tensor === tensor);
  return row === undefined ? { names: [tensor], ops: [] } : nameable(row);
}

function requireMatches(
  rules: readonly SqnrRule[],
  tensors: readonly GateTensor[],
  outputs: readonly GateOutput[],
): void {
  const outputNames = outputs.map((output) => nameableOutput(output, tensors));
  const misses = rules.flatMap((rule): string[] => {
    if (rule.kind === 'outputs') return [];
    const { pattern, measure } = rule;
    const found = tensors.filter((row) => isNamedBy(pattern, nameable(row)));
    if (rule.kind === 'off') {
      const any = found.length > 0 || outputNames.some((output) => isNamedBy(pattern, output));
      return any ? [] : [`'${pattern}'${suggestionsOf(pattern, [...tensors.map(nameable), ...outputNames])}`];
    }
    if (found.some((row) => row[rule.measure] !== undefined)) return [];
    const measured = tensors.filter((row) => row[rule.measure] !== undefined).map(nameable);
    const but = found.length === 0 ? '' : `: ${several(found.length, 'tensor')}, none with a ${measure} SQNR`;
    return [`'${pattern}'${but}${suggestionsOf(pattern, measured)}`];
  });
  if (misses.length === 0) return;
  const what =
    misses.length === 1 ? 'a pattern of --min-sqnr names' : `${misses.length} patterns of --min-sqnr name`;
  throw new UsageError(`${what} nothing that was measured`, {
    places: misses,
    hint: 'qdbg inspect MODEL lists the names; * stands for any characters, op:Conv for all convolutions',
  });
}

/** The last rule of the measure that names it. */
function deciderOf(rules: readonly SqnrRule[], measure: SqnrMeasure, thing: Nameable): SqnrRule | undefined {
  return rules.findLast(
    (rule) =>
      rule.kind !== 'outputs' &&
      (rule.measure === undefined || rule.measure === measure) &&
      isNamedBy(rule.pattern, thing),
  );
}

function outputCheck(
  rule: OutputRule,
  rules: readonly SqnrRule[],
  tensors: readonly GateTensor[],
  outputs: readonly GateOutput[],
): GateCheck {
  const judged = outputs.filter(
    (output) => deciderOf(rules, 'cumulative', nameableOutput(output, tensors))?.kind !== 'off',
  );
  if (judged.length === 0) {
    const why = outputs.length === 0 ? 'no output was measured' : 'all outputs are off';
    throw new UsageError(`--min-sqnr ${rule.text}: nothing to gate, ${why}`, {
      hint: "--min-sqnr 'GLOB=20'",
    });
  }
  const layers = judged.map((output): GateLayer => {
    const { tensor, exact, nonFinite = 0 } = output;
    const broken = nonFinite > 0 && exact !== true;
    if (!broken) return judgedLayer({ tensor }, output, rule.db);
    return { tensor, verdict: 'fail', note: `${several(nonFinite, 'value')} not finite` };
  });
  return checkOf('min-sqnr', rule, layers, outputs.length - judged.length, 'output');
}

function layerCheck(rule: LayerRule, rules: readonly SqnrRule[], tensors: readonly GateTensor[]): GateCheck {
  const name = `min-sqnr ${rule.text.trim().slice(0, rule.text.trim().lastIndexOf('=')).trim()}`;
  const named = tensors
    .map((row) => ({ row, thing: nameable(row), measured: row[rule.measure] }))
    .filter(({ measured, thing }) => measured !== undefined && isNamedBy(rule.pattern, thing));
  const deciders = named.map(({ thing }) => deciderOf(rules, rule.measure, thing));
  const decided = named.filter((_, i) => deciders[i] === rule);
  const exempt = deciders.filter((decider) => decider?.kind === 'off').length;
  if (decided.length === 0) {
    const note = 'decides for no tensor: later rules name all of them';
    return { name, source: rule.source, threshold: rule.db, unit: 'dB', verdict: 'pass', note };
  }
  // A tensor of zeros has no SQNR, and nothing to lose; one whose values are not finite has lost them.
  const judgeable = decided.filter(({ measured }) => measured !== undefined && !isSilent(measured));
  if (judgeable.length === 0) {
    throw new UsageError(
      `--min-sqnr ${rule.text}: nothing to gate, ${several(decided.length, 'tensor')} without a ${rule.measure} SQNR`,
      { places: decided.slice(0, 5).map(({ row }) => row.tensor), hint: '--min-sqnr with another GLOB' },
    );
  }
  const layers = judgeable.map(({ row: { tensor, node }, measured }) =>
    judgedLayer(node === '' ? { tensor } : { tensor, node }, measured ?? {}, rule.db),
  );
  const silent = decided.length - judgeable.length;
  return checkOf(name, rule, layers, exempt, 'layer', silent === 0 ? [] : [`${silent} without a signal`]);
}

function isSilent({ sqnrDb, exact, nonFinite = 0 }: MeasuredSqnr): boolean {
  return sqnrDb === undefined && exact !== true && nonFinite === 0;
}

function judgedLayer(
  place: { tensor: string; node?: string },
  measured: MeasuredSqnr,
  db: number,
): GateLayer {
  const { sqnrDb, exact, nonFinite = 0 } = measured;
  if (exact === true) return { ...place, verdict: 'pass', note: 'exact' };
  const notFinite = nonFinite === 0 ? [] : [`${several(nonFinite, 'value')} not finite`];
  if (sqnrDb === undefined || !Number.isFinite(sqnrDb)) {
    return { ...place, verdict: 'fail', note: ['could not be measured', ...notFinite].join(': ') };
  }
  return {
    ...place,
    observed: tidy(sqnrDb),
    margin: difference(sqnrDb, db),
    verdict: exceeds(db, sqnrDb) ? 'fail' : 'pass',
    ...(notFinite[0] === undefined ? {} : { note: `${notFinite[0]}, left out` }),
  };
}

/** The check of one rule: what its worst layer shows. */
function checkOf(
  name: string,
  { source, db }: OutputRule | LayerRule,
  layers: readonly GateLayer[],
  exempt: number,
  what: 'output' | 'layer',
  remarks: readonly string[] = [],
): GateCheck {
  const worst = layers.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  const failing = layers.filter(({ verdict }) => verdict === 'fail').length;
  const notes = [
    ...(worst.note === undefined ? [] : [worst.note]),
    ...(failing === 0 || layers.length === 1 ? [] : [`${failing} of ${several(layers.length, what)} fail`]),
    ...remarks,
    ...(exempt === 0 ? [] : [`${exempt} off`]),
  ];
  return {
    name,
    source,
    threshold: db,
    ...(worst.observed === undefined ? {} : { observed: worst.observed }),
    ...(worst.margin === undefined ? {} : { margin: worst.margin }),
    unit: 'dB',
    verdict: failing > 0 ? 'fail' : 'pass',
    where: worst.tensor,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    layers,
  };
}

/** What fails without a number is the worst, what is exact the best. */
function badness({ verdict, margin }: GateLayer): number {
  return margin === undefined ? (verdict === 'fail' ? Infinity : -Infinity) : -margin;
}
