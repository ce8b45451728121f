/** Tables of the terminal report: layers, their channels, weights. */
import type { ChalkInstance } from 'chalk';
import type { ErrorMeasurement } from '../diff/measurement.js';
import { columns, shownColumns, type Column, type Row } from './columns.js';
import { decibels, labelled, listed, number, percent, printable, shortened, wrapped } from './format.js';
import type { Report, ReportedChannel, ReportedTensor, ReportedWeight } from './report.js';
import { table } from './table.js';

export interface TableOptions {
  /** Columns of the screen. */
  readonly width: number;
  /** Rows per table. */
  readonly top: number;
}

/** Where each table has its own number of rows unless the user says one. */
export interface Room {
  readonly width: number;
  /** As asked for. */
  readonly top?: number | undefined;
}

export const INDENT = '  ';
/** What another setting must gain to be worth a line, dB. */
export const WORTHWHILE_DB = 3;
/** Characters that a name keeps on the narrowest screen. */
export const SHORTEST_NAME = 16;
const MOST_FALLS = 3;

/** Characters that a name keeps where numbers beside it may go instead: what is not told apart is not told. */
export function leastName(width: number): number {
  return Math.max(SHORTEST_NAME, Math.floor(0.36 * width));
}

export function layers({ tensors }: Report, style: ChalkInstance, { width, top }: TableOptions): string[] {
  const measured = tensors.filter(({ cumulative }) => cumulative !== undefined);
  const ranked = worstLayers({ tensors }).slice(0, top);
  if (ranked.length === 0) return [];
  const rows = ranked.map((tensor): Row => [
    ...layerName(tensor),
    decibels(tensor.self),
    { text: decibels(tensor.local), paint: style.bold },
    decibels(tensor.cumulative),
    channelText(tensor),
    levelsText(tensor),
    tensor.lostShare === undefined ? '-' : percent(tensor.lostShare),
    noiseText(tensor.self ?? tensor.local),
    number((tensor.local ?? tensor.self)?.maxAbsError ?? 0),
  ]);
  const titles: Column[] = [
    { title: `${INDENT}layer`, least: SHORTEST_NAME },
    { title: 'op', least: 12, expendable: 4 },
    right('self'),
    right('local'),
    right('cumul.'),
    { ...right('worst ch.'), expendable: 5 },
    { ...right('levels'), expendable: 3 },
    { ...right('lost'), expendable: 6 },
    { ...right('clip/round'), expendable: 1 },
    { ...right('max|e|'), expendable: 2 },
  ];
  const title = `WORST LAYERS  ${ranked.length} of ${measured.length} measured, by local SQNR in dB, higher is better`;
  const meanings = shownColumns(titles, rows, width).flatMap((at) => MEANINGS[titles[at]?.title ?? ''] ?? []);
  return [...wrapped(title, width), ...columns(titles, rows, width), ...legend(meanings.join(' '), width)];
}

/** By local SQNR, else self; without those that have none. */
export function worstLayers({ tensors }: Pick<Report, 'tensors'>): ReportedTensor[] {
  return tensors
    .filter((tensor) => tensor.cumulative !== undefined && worstOf(tensor) !== undefined)
    .sort((a, b) => (worstOf(a) ?? 0) - (worstOf(b) ?? 0));
}

export function right(title: string): Column {
  return { title, align: 'right' };
}

/** @param top where undefined, three */
export function falls(
  { jumps }: Pick<Report, 'jumps'>,
  style: ChalkInstance,
  { width, top = MOST_FALLS }: Room,
): string[] {
  if (jumps.length === 0) return [];
  const title = 'LARGEST FALLS of cumulative SQNR, dB, from the worst input of a layer to its output';
  const rows = jumps
    .slice(0, top)
    .map(({ node, op, from, fromDb, toDb }): Row => [
      `${INDENT}${printable(node)} (${printable(op)})`,
      fromDb === undefined ? 'exact' : fromDb.toFixed(1),
      '->',
      { text: toDb.toFixed(1), paint: style.bold },
      `from ${printable(from)}`,
    ]);
  const plain = { title: '' };
  const name = { title: '', least: 12 };
  return [...wrapped(title, width), ...columns([name, right(''), plain, right(''), name], rows, width)];
}

/** What the columns are, by title. */
const MEANINGS: Readonly<Record<string, string>> = {
  self: 'self: its own quantizer.',
  local: "local: this layer alone as integer, on the float run's inputs.",
  'cumul.': 'cumul.: everything before it quantized too.',
  'worst ch.': 'worst ch.: lowest local (else self) channel, #index.',
  levels: 'levels: steps across 98 % of the values.',
  lost: 'lost: values off by more than a quarter of themselves.',
  'clip/round': 'clip/round: shares of the noise.',
  'max|e|': 'max|e|: largest local error.',
};

const WEIGHT_LEGEND =
  "outlier channel: its largest |w| is beyond Q3 + 3 IQR of all channels' largest |w|. fewest levels: of any channel under one scale.";

export function legend(text: string, width: number): string[] {
  return labelled(INDENT, text, width);
}

/** A graph input is no layer: it goes by its own name. */
function layerName({ role, tensor, node, op }: ReportedTensor): [layer: string, op: string] {
  return role === 'input' || node === ''
    ? [`${INDENT}${printable(tensor)}`, role]
    : [`${INDENT}${printable(node)}`, shortened(op, 12)];
}

function worstOf({ local, self }: ReportedTensor): number | undefined {
  return local?.sqnrDb ?? self?.sqnrDb;
}

function channelText({ local, self }: ReportedTensor): string {
  const worst = local?.worstChannel ?? self?.worstChannel;
  return worst === undefined ? '-' : `${worst.sqnrDb.toFixed(1)} #${worst.channel}`;
}

export function levelsText({ levels }: ReportedTensor): string {
  return levels === undefined ? '-' : levels.toFixed(levels < 10 ? 1 : 0);
}

/** Shares of clipping and of rounding. */
export function noiseText(error: ErrorMeasurement | undefined): string {
  if (error === undefined || error.exact === true) return '-';
  return `${Math.round(100 * error.noise.clip)}/${Math.round(100 * error.noise.round)} %`;
}

export function weights(
  { weights: all }: Report,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const gain = ({ perTensorSqnrDb, perAxisSqnrDb }: ReportedWeight): number =>
    (perAxisSqnrDb ?? 0) - (perTensorSqnrDb ?? 0);
  const shown = all
    .filter(
      (weight) =>
        weight.outlierChannels.length > 0 || weight.deadChannels.length > 0 || gain(weight) > WORTHWHILE_DB,
    )
    .sort((a, b) => fewest(a) - fewest(b))
    .slice(0, top);
  if (shown.length === 0) return [];
  const titles: Column[] = [
    { title: `${INDENT}weight`, least: SHORTEST_NAME },
    { ...right('channels'), expendable: 1 },
    right('per-tensor'),
    right('per-axis'),
    { ...right('fewest levels'), expendable: 2 },
    { title: 'outlier channels', least: SHORTEST_NAME },
  ];
  const rows = shown.map((weight): Row => [
    `${INDENT}${printable(weight.tensor)}`,
    String(weight.channels.length),
    { text: decibels(exactOr(weight.perTensorSqnrDb)), paint: style.bold },
    decibels(exactOr(weight.perAxisSqnrDb)),
    fewest(weight).toFixed(1),
    weight.outlierChannels.length === 0 ? '-' : listed(weight.outlierChannels, 5),
  ]);
  const title = `WEIGHTS  ${shown.length} of ${all.length} with channels of unlike range; SQNR in dB with one scale, and with one per channel`;
  return [...wrapped(title, width), ...columns(titles, rows, width), ...legend(WEIGHT_LEGEND, width)];
}

/** Channels of the tensors that the user asked for, worst first. */
export function channels(
  { tensors }: { readonly tensors: readonly ReportedTensor[] },
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const asked = tensors.filter(({ channels: listing }) => listing?.asked === true);
  return asked.flatMap(({ tensor, channels: listing }, i) => {
    if (listing === undefined) return [];
    const rank = ({ localSqnrDb, selfSqnrDb }: ReportedChannel): number =>
      localSqnrDb ?? selfSqnrDb ?? Infinity;
    const shown = listing.values
      .map((channel, index) => ({ channel, index }))
      .sort((a, b) => rank(a.channel) - rank(b.channel))
      .slice(0, top);
    return [
      ...(i === 0 ? [] : ['']),
      ...wrapped(
        `CHANNELS of ${printable(tensor)}  ${shown.length} of ${listing.values.length} along axis ${listing.axis}, worst first; SQNR in dB`,
        width,
      ),
      ...channelTable(shown, style, width),
    ];
  });
}

function channelTable(
  shown: readonly { readonly channel: ReportedChannel; readonly index: number }[],
  style: ChalkInstance,
  width: number,
): string[] {
  const db = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
  const titles = [`${INDENT}#`, 'min', 'max', 'self', 'local', 'cumul.'].map(right);
  const rows = shown.map(({ channel, index }) => [
    ...[String(index), number(channel.min), number(channel.max)],
    ...[channel.selfSqnrDb, channel.localSqnrDb, channel.cumulativeSqnrDb].map(db),
  ]);
  const bold = rows.map((row) => row.map((cell, at) => (at === LOCAL ? style.bold(cell) : cell)));
  return table(titles, rows).some((line) => line.length > width)
    ? columns(titles, rows, width)
    : table(titles, bold);
}

/** Column of the local SQNR. */
const LOCAL = 4;

function exactOr(sqnrDb: number | undefined): { sqnrDb?: number } {
  return sqnrDb === undefined ? {} : { sqnrDb };
}

/** Channels that are all zero lose nothing. */
function fewest({ perTensorLevels }: ReportedWeight): number {
  return perTensorLevels.filter((levels) => levels > 0).reduce((a, b) => Math.min(a, b), Infinity);
}
