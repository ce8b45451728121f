/** The layers of a candidate beside those of its reference, worst first, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { columns, shownColumns, type Column, type Row } from './columns.js';
import { BROKEN_DB, CLOSE_DB } from './close.js';
import type { ComparedTensor, CompareReport } from './compare-report.js';
import { decibels, labelled, number, plural, printable, shortened, wrapped } from './format.js';
import type { ReportedQuant } from './report.js';
import { falls, INDENT, legend, levelsText, noiseText, right, type TableOptions } from './terminal-layers.js';

/** Characters that a name in a sentence may take. */
export const NAME_IN_TEXT = 48;
const OP_WIDTH = 20;
const SHORTEST_OP = 10;
/** Tensors are told apart by more than layers are: TFLite calls them after all that was fused. */
export const SHORTEST_TENSOR = 24;

/** What the columns are, by title. */
const MEANINGS: Readonly<Record<string, string>> = {
  self: "self: the float values through this tensor's own quantizer.",
  local: "local: this layer alone as the candidate has it, on the reference's values.",
  'cumul.': 'cumul.: the candidate from its inputs up to here. All beside the float reference.',
  'worst ch.': 'worst ch.: lowest local (else self, cumul.) channel, #index.',
  levels: 'levels: steps across 98 % of the values.',
  'clip/round': 'clip/round: shares of the noise.',
};

type Layers = Pick<CompareReport, 'tensors' | 'jumps'>;

/** Worst first, after the first that breaks; then the largest falls. */
export function comparedLayers(
  { tensors, jumps }: Layers,
  style: ChalkInstance,
  { width, top, askedTop }: TableOptions & { readonly askedTop?: number | undefined },
): string[] {
  const measured = measuredOf(tensors);
  if (measured.length === 0) return [];
  const ranked = rankedLayers(measured).slice(0, top);
  if (ranked.length === 0) return layersInShort(tensors, width);
  const title = `LAYERS  ${ranked.length} of ${plural(measured.length, 'aligned tensor')}, by local SQNR in dB, higher is better`;
  const broken = firstBroken(measured);
  return [
    ...wrapped(title, width),
    ...(broken === undefined ? [] : labelled(INDENT, brokenText(broken, jumps), width, style.bold)),
    ...table(ranked, style, width),
    ...(broken === undefined || jumps.length === 0
      ? []
      : ['', ...falls({ jumps }, style, { width, top: askedTop })]),
  ];
}

/** Where no layer is wrong. */
export function layersInShort(tensors: CompareReport['tensors'], width: number): string[] {
  const measured = measuredOf(tensors);
  if (measured.length === 0) return [];
  const aligned = plural(measured.length, 'aligned tensor');
  if (measured.every(isExact))
    return labelled('LAYERS  ', `${aligned}, all exact: not one value differs`, width);
  const lowest = (['cumulative', 'local'] as const).flatMap((kind) => {
    const [worst] = measured
      .filter((tensor) => tensor[kind]?.sqnrDb !== undefined)
      .sort((a, b) => (a[kind]?.sqnrDb ?? 0) - (b[kind]?.sqnrDb ?? 0));
    return worst === undefined
      ? []
      : [`lowest ${kind} SQNR ${decibels(worst[kind])} dB at ${placeText(worst)}`];
  });
  return labelled('LAYERS  ', [aligned, ...lowest].join('; '), width);
}

function measuredOf(tensors: CompareReport['tensors']): ComparedTensor[] {
  return tensors.filter(({ self, local, cumulative }) => (cumulative ?? local ?? self) !== undefined);
}

/** By local SQNR, else self. What has neither follows by its cumulative one, which was made elsewhere. Without those that have none. */
export function rankedLayers(measured: readonly ComparedTensor[]): ComparedTensor[] {
  const ranks = measured.flatMap((tensor) => {
    const { self, local, cumulative } = tensor;
    const own = local?.sqnrDb ?? self?.sqnrDb;
    const db = own ?? cumulative?.sqnrDb;
    return db === undefined ? [] : [{ tensor, db, group: own === undefined ? 1 : 0 }];
  });
  return ranks.sort((a, b) => a.group - b.group || a.db - b.db).map(({ tensor }) => tensor);
}

function table(ranked: readonly ComparedTensor[], style: ChalkInstance, width: number): string[] {
  const isRenamed = ranked.some(({ tensor, reference }) => tensor !== reference);
  const hasLevels = ranked.some(({ levels }) => levels !== undefined);
  const titles: Column[] = [
    { title: `${INDENT}tensor`, least: SHORTEST_TENSOR },
    { title: 'op', least: SHORTEST_OP, expendable: 5 },
    right('self'),
    right('local'),
    right('cumul.'),
    { ...right('worst ch.'), expendable: 6 },
    ...(hasLevels ? [{ ...right('levels'), expendable: 3 }] : []),
    { ...right('clip/round'), expendable: 2 },
    { title: 'type scale zp', expendable: 4 },
    ...(isRenamed ? [{ title: 'in the reference', least: SHORTEST_TENSOR, expendable: 1 }] : []),
  ];
  const rows = ranked.map((tensor): Row => [
    `${INDENT}${printable(tensor.tensor)}`,
    opText(tensor),
    decibels(tensor.self),
    { text: decibels(tensor.local), paint: style.bold },
    decibels(tensor.cumulative),
    channelText(tensor),
    ...(hasLevels ? [levelsText(tensor)] : []),
    noiseText(tensor.self ?? tensor.local),
    quantText(tensor.quant),
    printable(tensor.reference),
  ]);
  const meanings = shownColumns(titles, rows, width).flatMap((at) => MEANINGS[titles[at]?.title ?? ''] ?? []);
  return [...columns(titles, rows, width), ...legend(meanings.join(' '), width)];
}

function isExact({ self, local, cumulative }: ComparedTensor): boolean {
  return [self, local, cumulative].every((error) => error === undefined || error.exact === true);
}

/** Where the damage is first seen, in graph order. */
function firstBroken(
  measured: readonly ComparedTensor[],
): { readonly tensor: ComparedTensor; readonly limit: number } | undefined {
  const inOrder = [...measured].sort((a, b) => a.order - b.order);
  for (const limit of [BROKEN_DB, CLOSE_DB]) {
    const tensor = inOrder.find(({ cumulative }) => (cumulative?.sqnrDb ?? Infinity) < limit);
    if (tensor !== undefined) return { tensor, limit };
  }
  return undefined;
}

function brokenText(
  { tensor, limit }: NonNullable<ReturnType<typeof firstBroken>>,
  jumps: CompareReport['jumps'],
): string {
  const jump = jumps.find((each) => each.tensor === tensor.tensor);
  const before =
    jump === undefined
      ? ''
      : `; ${shortened(jump.from, NAME_IN_TEXT)}, which it reads, ${
          jump.fromDb === undefined ? 'is exact' : `has ${jump.fromDb.toFixed(1)} dB`
        }`;
  return `first below ${limit} dB cumulative: ${placeText(tensor)} with ${decibels(tensor.cumulative)} dB${before}`;
}

function placeText(tensor: ComparedTensor): string {
  return `${shortened(tensor.tensor, NAME_IN_TEXT)} (${opText(tensor)})`;
}

/** A node without a name of its own is called after its operator and its place in the file, which tells which one it is. */
function opText({ node, op, role }: ComparedTensor): string {
  if (op === '' || role === 'input') return role;
  return shortened(/#\d+$/.test(node) ? node : op, OP_WIDTH);
}

function channelText({ local, self, cumulative }: ComparedTensor): string {
  const worst = local?.worstChannel ?? self?.worstChannel ?? cumulative?.worstChannel;
  return worst === undefined ? '-' : `${worst.sqnrDb.toFixed(1)} #${worst.channel}`;
}

/** "int8 0.01 -3"; of several scales, how many. */
function quantText(quant: ReportedQuant | undefined): string {
  if (quant === undefined) return 'float';
  const dtype = shortened(quant.dtype, OP_WIDTH);
  const [scale] = quant.scale;
  if (quant.scale.length !== 1 || scale === undefined) return `${dtype} ${quant.scale.length} scales`;
  return `${dtype} ${number(scale)} ${quant.zeroPoint[0] ?? 0}`;
}
