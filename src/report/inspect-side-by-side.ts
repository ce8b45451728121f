/** Several models side by side: what they are, and how wide the ranges of their weights are. */
import type { ChalkInstance } from 'chalk';
import { bar } from './bar.js';
import { columns, type Column } from './columns.js';
import { bytes, count, listed, number, printable, shortened, wrapped } from './format.js';
import { FORECAST_TITLE, forecastText } from './inspect-forecast.js';
import type { InspectedModel, ModelWeightRanges, WeightRanges } from './inspect-report.js';
import type { TerminalOptions } from './terminal.js';

const INDENT = '  ';
/** Columns of one model in the histogram; models that do not fit beside each other go below. */
const NARROWEST = 16;
const WIDEST = 32;
const COUNT_WIDTH = 6;
const FAR_OUT_SHOWN = 8;

const right = (title: string, expendable?: number): Column => ({
  title,
  align: 'right',
  ...(expendable === undefined ? {} : { expendable }),
});

export function sideBySideSections(
  models: readonly InspectedModel[],
  ranges: WeightRanges,
  style: ChalkInstance,
  { width, quiet }: TerminalOptions,
): string[][] {
  return [
    modelsSection(models, width),
    ...(quiet ? [] : histogramSections(models, ranges, width)),
    statisticsSection(ranges, style, width),
    forecastsSection(models, width),
  ];
}

/** A to Z, then A2 and so on: what the rest calls the models. */
function letter(index: number): string {
  const round = Math.floor(index / 26);
  return String.fromCharCode(65 + (index % 26)) + (round === 0 ? '' : String(round + 1));
}

function modelsSection(models: readonly InspectedModel[], width: number): string[] {
  const layout: Column[] = [
    { title: '' },
    { title: 'model', least: 16 },
    { title: 'format', expendable: 2 },
    right('size'),
    right('operators', 3),
    right('parameters'),
    right('MACs', 1),
  ];
  const rows = models.map(({ path, format, opset, bytes: size, ops, parameters, macs }, i) => [
    INDENT + letter(i),
    printable(path),
    `${format}${opset === undefined ? '' : ` opset ${opset}`}`,
    bytes(size),
    count(ops),
    count(parameters),
    macs.total === undefined ? '?' : count(macs.total),
  ]);
  return [`MODELS  ${models.length}`, ...columns(layout, rows, width)];
}

function histogramSections(
  models: readonly InspectedModel[],
  ranges: WeightRanges,
  width: number,
): string[][] {
  const { edges, of } = ranges;
  if (edges.length === 0) return [['WEIGHT RANGES  no model has weights']];
  const labels = edges.slice(1).map((top, i) => `${INDENT}${number(edges[i] ?? 0)} .. ${number(top)}`);
  const label = labels.reduce(
    (longest, text) => Math.max(longest, text.length),
    INDENT.length + 'max - min'.length,
  );
  const room = width - label;
  const abreast = Math.max(1, Math.min(models.length, Math.floor(room / (NARROWEST + 2))));
  const cell = Math.min(WIDEST, Math.max(NARROWEST, Math.floor(room / abreast) - 2));
  const largest = ranges.models.reduce(
    (most, own) => Math.max(most, ...own.counts.map((value) => share(value, own))),
    0,
  );
  const blocks = Array.from({ length: Math.ceil(models.length / abreast) }, (_, block) => {
    const indices = [...models.keys()].slice(block * abreast, (block + 1) * abreast);
    const layout: Column[] = [
      right(`${INDENT}max - min`),
      ...indices.map((i) => ({ title: shortened(`${letter(i)} ${fileName(models[i]?.path ?? '')}`, cell) })),
    ];
    const rows = labels.map((text, bin) => [
      text,
      ...indices.map((i) => {
        const own = ranges.models[i];
        const value = own?.counts[bin] ?? 0;
        if (own === undefined || value === 0) return '';
        return `${bar(share(value, own) / largest, cell - COUNT_WIDTH)} ${value}`.padEnd(cell);
      }),
    ]);
    return columns(layout, rows, Infinity);
  });
  const title =
    `WEIGHT RANGES  max - min of the whole weight of each ${of === 'convolutions' ? 'convolution' : 'weighted layer'}: how many lie where. ` +
    'Bars are shares of a model, bins grow 1-2-5.';
  return blocks.map((lines, block) => (block === 0 ? [...wrapped(title, width), ...lines] : lines));
}

function share(value: number, { layers }: ModelWeightRanges): number {
  return layers === 0 ? 0 : value / layers;
}

function fileName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

function statisticsSection(ranges: WeightRanges, style: ChalkInstance, width: number): string[] {
  const layout: Column[] = [
    { title: '' },
    right(ranges.of === 'convolutions' ? 'convolutions' : 'weights'),
    right('median'),
    right('p95'),
    right('max'),
    right('far out'),
    { title: 'widest', least: 16, expendable: 1 },
  ];
  const rows = ranges.models.map(({ layers, median, p95, max, widest, farOut }, i) => [
    INDENT + letter(i),
    count(layers),
    ...[median, p95, max].map((value) => (value === undefined ? '-' : number(value))),
    { text: String(farOut.length), ...(farOut.length > 0 ? { paint: style.yellow } : {}) },
    printable(widest ?? '-'),
  ]);
  const beyond = ranges.models.flatMap(({ farOut }, i) =>
    farOut.length < 2 ? [] : [`${letter(i)}  far out: ${farOutText(farOut)}`],
  );
  return [
    ...wrapped('RANGES  far out: more than 20 times the median', width),
    ...columns(layout, rows, width),
    ...beyond.flatMap((line) =>
      wrapped(line, width - 5).map((text, at) => `${at === 0 ? INDENT : '     '}${text}`),
    ),
  ];
}

function farOutText(nodes: readonly string[]): string {
  return listed(
    nodes.map((node) => shortened(node, 40)),
    FAR_OUT_SHOWN,
  );
}

function forecastsSection(models: readonly InspectedModel[], width: number): string[] {
  return [
    ...wrapped(FORECAST_TITLE, width),
    ...models.flatMap(({ forecast }, i) =>
      wrapped(forecastText(forecast), width - 5).map(
        (line, at) => `${INDENT}${at === 0 ? letter(i) : ' '}  ${line}`,
      ),
    ),
  ];
}
