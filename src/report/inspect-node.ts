/** One weight looked at closely: a box plot of every channel. */
import type { ChalkInstance } from 'chalk';
import { FEW_LEVELS } from '../quant/weight-spread.js';
import { labelled, listed, number, plural, printable, shortened, wrapped } from './format.js';
import type { InspectedModel, InspectedNode } from './inspect-report.js';
import type { ReportedWeight } from './report.js';
import { prose } from './terminal-page.js';
import type { TerminalOptions } from './terminal.js';
import { channelPlots, channelsOf, isPoor, widestOf, type Channel } from './weight-plots.js';

/** Box plots shown where the user does not say how many. */
const DEFAULT_TOP = 40;
const CHANNELS_LISTED = 12;

export function nodeSections(
  model: InspectedModel,
  node: InspectedNode,
  weight: ReportedWeight,
  style: ChalkInstance,
  { width, top = DEFAULT_TOP, quiet }: TerminalOptions,
): string[][] {
  const channels = channelsOf(weight);
  return [
    [...labelled('MODEL  ', prose(model.path), width), ...summary(node, weight, channels, style, width)],
    ...(quiet ? [] : [channelPlots(weight, style, { width, top })]),
  ];
}

function summary(
  { node, op, depthwise, weight: tensor, dtype, shape, nonFinite, nonFiniteChannels }: InspectedNode,
  weight: ReportedWeight,
  channels: readonly Channel[],
  style: ChalkInstance,
  width: number,
): string[] {
  const { outlierChannels, fence, perTensorSqnrDb, perAxisSqnrDb } = weight;
  const widest = widestOf(channels);
  const few = channels.filter(({ stats }) => isPoor(stats, widest)).map(({ index }) => index);
  const facts = [
    `${shortened(op, 60)}${depthwise ? ' (depthwise)' : ''}, weight ${shortened(tensor, 80)} ${printable(dtype)} ${shape.join('x')}, ` +
      `${plural(channels.length, 'channel')} along axis ${weight.axis}`,
    widest === 0
      ? 'int8 loses nothing: all values are 0'
      : `int8 SQNR: ${sqnrText(perTensorSqnrDb)} with one scale per tensor, ${sqnrText(perAxisSqnrDb)} with one per channel`,
    `${plural(outlierChannels.length, 'outlier channel')}${places(outlierChannels)}: largest |w| beyond ${number(fence)}`,
    `${plural(few.length, 'channel')}${places(few)} with fewer than ${FEW_LEVELS} of 256 levels under one scale`,
  ];
  const missing = `${plural(nonFinite, 'value')} NaN or infinite, left out, in ${plural(nonFiniteChannels.length, 'channel')}${places(nonFiniteChannels)}`;
  const indented = (text: string): string[] => wrapped(text, width - 7).map((line) => `       ${line}`);
  return [
    ...labelled('NODE   ', shortened(node, 160), width, style.bold),
    ...facts.flatMap(indented),
    ...(nonFinite === 0 ? [] : indented(missing).map((line) => style.red(line))),
  ];
}

function places(channels: readonly number[]): string {
  return channels.length === 0 ? '' : ` (${listed(channels, CHANNELS_LISTED)})`;
}

/** Where there is no number although there are values, no value changes. */
function sqnrText(db: number | undefined): string {
  return db === undefined ? 'exact' : `${db.toFixed(1)} dB`;
}
