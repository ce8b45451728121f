/** What int8 would do to the weights, and weights that are not numbers. */
import type { ChalkInstance } from 'chalk';
import { columns, type Column } from './columns.js';
import { count, listed, plural, printable, shortened, wrapped } from './format.js';
import type { ForecastLayer, InspectedModel, WeightForecast } from './inspect-report.js';
import type { Room } from './terminal-layers.js';
import type { TerminalOptions } from './terminal.js';

const INDENT = '  ';
/** Layers shown where the user does not say how many. */
export const FORECAST_ROWS = 10;
export const FORECAST_TITLE = 'INT8 WEIGHTS  forecast without data: symmetric, min-max, one scale per tensor';
const NON_FINITE_SHOWN = 10;

const right = (title: string, expendable?: number): Column => ({
  title,
  align: 'right',
  ...(expendable === undefined ? {} : { expendable }),
});

const COLUMNS: readonly Column[] = [
  { title: `${INDENT}layer`, least: 16 },
  { title: 'op', least: 9, expendable: 1 },
  right('channels', 3),
  right('lost'),
  right('levels'),
  right('per-tensor'),
  right('per-axis'),
  { title: 'lost channels', expendable: 2 },
];

export function forecastSection(
  { forecast }: InspectedModel,
  style: ChalkInstance,
  { width, top = FORECAST_ROWS, quiet }: TerminalOptions,
): string[] {
  const { layers } = forecast;
  const lines = wrapped(forecastText(forecast), width - INDENT.length).map(
    (line) => INDENT + style.bold(line),
  );
  const title = wrapped(FORECAST_TITLE, width);
  if (quiet || layers.length === 0) return [...title, ...lines];
  const shown = layers.slice(0, top);
  const table = columns(
    COLUMNS,
    shown.map((layer) => [
      INDENT + printable(layer.node),
      layer.depthwise ? 'depthwise' : shortened(layer.op, 20),
      String(layer.channels),
      { text: String(layer.fewLevelChannels.length), paint: layer.unusable ? style.red : style.yellow },
      layer.fewestLevels.toFixed(1),
      sqnrText(layer.perTensorSqnrDb),
      sqnrText(layer.perAxisSqnrDb),
      listed(layer.fewLevelChannels, 4),
    ]),
    width,
  );
  const legend =
    `lost: channels that keep fewer than ${forecast.fewLevels} of the 256 levels because another one sets the scale. levels: of ` +
    'the worst of them. per-tensor, per-axis: SQNR of the whole weight in dB with one scale, and with one per channel; higher is better, but wide channels hide what the others lose.';
  return [
    ...title,
    ...lines,
    ...table,
    ...(layers.length > shown.length ? [`${INDENT}and ${layers.length - shown.length} more (--top N)`] : []),
    ...wrapped(legend, width - INDENT.length).map((line) => INDENT + line),
  ];
}

function sqnrText(db: number | undefined): string {
  return db === undefined ? '-' : db.toFixed(1);
}

/** The forecast in a sentence. */
export function forecastText({ weights, fewLevels, layers }: WeightForecast): string {
  if (weights === 0) return 'no layer has float weights';
  const few = `fewer than ${fewLevels} of 256 levels`;
  if (layers.length === 0) {
    return `no channel of the ${weights === 1 ? 'one weighted layer' : `${count(weights)} weighted layers`} would have ${few}`;
  }
  const some =
    weights === 1 ? 'the one weighted layer' : `${count(layers.length)} of ${count(weights)} weighted layers`;
  const unusable = unusableText(layers.filter((layer) => layer.unusable));
  return `${some} would have channels with ${few}${unusable}; one scale per channel (--per-axis) keeps them`;
}

function unusableText(unusable: readonly ForecastLayer[]): string {
  if (unusable.length === 0) return '';
  const names = listed(
    unusable.map(({ node }) => shortened(node, 60)),
    3,
  );
  return `, and depthwise ${names} would be unusable`;
}

/** NaN and infinite values in constants: no quantizer has a code for them. */
export function nonFiniteSection(
  { nonFinite }: InspectedModel,
  style: ChalkInstance,
  { width, top = NON_FINITE_SHOWN }: Room,
): string[] {
  if (nonFinite.length === 0) return [];
  const rows = nonFinite
    .slice(0, top)
    .map(({ tensor, node, role, count: values, channels }) => [
      INDENT + printable(tensor),
      role,
      `of ${shortened(node, 40)}`,
      plural(values, 'value'),
      channels === undefined
        ? ''
        : `in ${channels.length === 1 ? 'channel' : 'channels'} ${listed(channels, 8)}`,
    ]);
  const more = nonFinite.length - rows.length;
  return [
    ...wrapped(
      `NOT FINITE  ${plural(nonFinite.length, 'constant')} with NaN or infinite values, which all numbers here leave out`,
      width,
    ).map((line) => style.red(line)),
    ...columns(
      [
        { title: '', least: 12 },
        { title: '', expendable: 1 },
        { title: '', least: 8 },
        right(''),
        { title: '', least: 12 },
      ],
      rows,
      width,
    ),
    ...(more === 0 ? [] : [`${INDENT}and ${more} more (--report json=FILE has all)`]),
  ];
}
