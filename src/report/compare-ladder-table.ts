/** The ladder from a float reference to a finished file, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { columns, type Column, type Row } from './columns.js';
import { ladderSentence } from './compare-ladder.js';
import { NAME_IN_TEXT } from './compare-layers.js';
import type { CompareReport, LadderRung } from './compare-report.js';
import { count, decibels, labelled, plural, printable, shortened, wrapped } from './format.js';
import { groupBy } from './group.js';
import { INDENT, legend, right, SHORTEST_NAME, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Outputs of a network that are listed at every step. */
const MOST_OUTPUTS = 4;

const MEANING: Readonly<Record<LadderRung['rung'], string>> = {
  graph: "its graph, the reference's weights",
  weights: 'its graph and its weights, in float',
  activations: "its quantizers, reference's weights",
  everything: 'the candidate as it is, simulated',
  runtime: 'the file, run by ONNX Runtime',
};

const LEGEND = 'same argmax: rows (samples, pixels) with the largest element at the same index.';

export function ladderSection(
  { ladder, tensors, data }: Pick<CompareReport, 'ladder' | 'tensors' | 'data'>,
  style: ChalkInstance,
  { width, top = MOST_OUTPUTS }: Room,
): string[] {
  const [first] = ladder;
  const listed = listedOutputs(ladder, top);
  if (first === undefined) return [];
  const isSameData = ladder.every(({ samples }) => samples === first.samples);
  const all = data.data?.samples ?? first.samples;
  const part = first.samples < all ? `${count(first.samples)} of ` : '';
  const over = isSameData ? ` over ${part}${plural(all, 'sample')}` : '';
  const place = `${placeText(ladder, listed)}${over}`;
  const reading = ladderSentence(ladder);
  return [
    ...wrapped(`LADDER  SQNR at ${place} beside the float reference, in dB, higher is better`, width),
    ...(reading === undefined ? [] : labelled(INDENT, reading, width, style.bold)),
    ...table(ladder, listed, isSameData, style, width),
    ...remarkLines(ladder, width),
    ...worstSample(tensors, first.samples, width),
  ];
}

function placeText(ladder: readonly LadderRung[], listed: ReadonlySet<string>): string {
  const all = new Set(ladder.flatMap(({ outputs }) => outputs.map(({ tensor }) => tensor)));
  const [only] = listed;
  if (listed.size < all.size) return `the ${listed.size} worst of ${all.size} outputs`;
  return listed.size === 1 && only !== undefined ? shortened(only, NAME_IN_TEXT) : 'the outputs';
}

function table(
  ladder: readonly LadderRung[],
  listed: ReadonlySet<string>,
  isSameData: boolean,
  style: ChalkInstance,
  width: number,
): string[] {
  const isOne = listed.size < 2;
  const decided = ladder.some(({ outputs }) =>
    outputs.some(({ tensor, agreement }) => listed.has(tensor) && agreement !== undefined),
  );
  const titles: Column[] = [
    { title: `${INDENT}step` },
    { title: 'of the candidate', expendable: 2 },
    ...(isOne ? [] : [{ title: 'output', least: SHORTEST_NAME }]),
    right('SQNR'),
    ...(decided ? [right('same argmax')] : []),
    ...(isSameData ? [] : [{ ...right('samples'), expendable: 1 }]),
  ];
  const rows = ladder.flatMap(({ rung, samples, outputs }) => {
    const shown = outputs.filter(({ tensor }) => listed.has(tensor));
    const lines = shown.length === 0 ? [undefined] : shown;
    return lines.map((output, i): Row => [
      `${INDENT}${i === 0 ? rung : ''}`,
      i === 0 ? MEANING[rung] : '',
      ...(isOne ? [] : [printable(output?.tensor ?? '-')]),
      { text: decibels(output), paint: style.bold },
      ...(decided ? [share(output?.agreement)] : []),
      ...(isSameData ? [] : [count(samples)]),
    ]);
  });
  return [...columns(titles, rows, width), ...(decided ? legend(LEGEND, width) : [])];
}

/** What several steps have in common is said once. */
function remarkLines(ladder: readonly LadderRung[], width: number): string[] {
  const remarked = groupBy(
    ladder.filter(({ remark }) => remark !== undefined),
    ({ remark }) => remark ?? '',
  );
  return [...remarked].flatMap(([remark, rungs]) =>
    labelled(`${INDENT}${rungs.map(({ rung }) => rung).join(', ')}: `, prose(remark), width),
  );
}

/** Pooled energies hide a sample; the one that the outputs keep worst. */
function worstSample(tensors: CompareReport['tensors'], samples: number, width: number): string[] {
  const [worst] = tensors
    .flatMap(({ role, tensor, cumulative }) =>
      role === 'output' && cumulative?.worstSample !== undefined && cumulative.worstSqnrDb !== undefined
        ? [{ tensor, sample: cumulative.worstSample, db: cumulative.worstSqnrDb }]
        : [],
    )
    .sort((a, b) => a.db - b.db);
  if (worst === undefined) return [];
  const text = `worst of ${plural(samples, 'sample')}: ${prose(worst.sample)}, ${worst.db.toFixed(1)} dB cumulative SQNR at ${shortened(worst.tensor, NAME_IN_TEXT)}`;
  return labelled(INDENT, text, width);
}

/** Names of the outputs that the whole candidate keeps worst, in the order of the file. */
function listedOutputs(ladder: readonly LadderRung[], top: number): ReadonlySet<string> {
  const whole = ladder.find(({ rung }) => rung === 'everything') ?? ladder.at(-1);
  const worst = [...(whole?.outputs ?? [])]
    .sort((a, b) => (a.sqnrDb ?? Infinity) - (b.sqnrDb ?? Infinity))
    .slice(0, top);
  return new Set(worst.map(({ tensor }) => tensor));
}

/** Rounded down: what is not all never reads as all. */
function share(agreement: number | undefined): string {
  return agreement === undefined ? '-' : `${Math.floor(1000 * agreement) / 10} %`;
}
