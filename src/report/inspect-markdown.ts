/** What `qdbg inspect` found as Markdown: the model, what is odd about it, and its layers behind a click. */
import { bytes, count, decibels, number, percent, plural, shape } from './format.js';
import { forecastText } from './inspect-forecast.js';
import type { InspectedModel, InspectReport, Layer, Port } from './inspect-report.js';
import { document, findingLines, subjectName, type Section, type Shown } from './markdown.js';
import { code, details, table, text } from './markdown-text.js';
import { schemeText } from './scheme-text.js';

const MOST_LAYERS = 200;
const MOST_FORECASTS = 10;
const MOST_NAMED = 20;

export function renderInspectMarkdown(
  { models, tool }: Pick<InspectReport, 'models' | 'tool'>,
  { top }: Shown = {},
): string {
  const [only] = models;
  const subject =
    models.length === 1 && only !== undefined
      ? subjectName([{ ...only, sha256: '' }])
      : plural(models.length, 'model');
  return document([
    [`### qdbg inspect ${subject}`, '', ...modelsTable(models)],
    ...models.flatMap((model) => modelSections(model, models.length > 1, top)),
    [`qdbg ${text(tool.version)}`],
  ]);
}

function modelsTable(models: readonly InspectedModel[]): Section {
  return table(
    ['model', 'format', '>size', '>operators', '>parameters', '>MACs'],
    models.map(({ path, format, opset, bytes: size, ops, parameters, macs: { total } }) => [
      code(path),
      text(`${format}${opset === undefined ? '' : ` opset ${opset}`}`),
      bytes(size),
      count(ops),
      count(parameters),
      total === undefined ? '?' : count(total),
    ]),
  );
}

function modelSections(model: InspectedModel, isNamed: boolean, top: number | undefined): Section[] {
  const { path, inputs, outputs, quantization, layers, notComputed, nonFinite } = model;
  return [
    isNamed ? [`#### ${code(path)}`] : [],
    portsTable(inputs, outputs),
    quantization === undefined ? forecastSection(model, top) : quantizationLines(quantization),
    findingLines(quantization?.findings ?? []),
    [
      ...notComputed
        .slice(0, MOST_NAMED)
        .map(({ node, reason }) => `- **not computed** ${code(node)}: ${text(reason)}`),
      ...nonFinite
        .slice(0, MOST_NAMED)
        .map(({ tensor, count: values }) => `- **not finite** ${code(tensor)}: ${plural(values, 'value')}`),
    ],
    details(layersTitle(layers.length, top), layersTable(model, top)),
  ];
}

function portsTable(inputs: readonly Port[], outputs: readonly Port[]): Section {
  const row =
    (what: string) =>
    (port: Port): string[] => [
      what,
      code(port.name),
      text(port.contract?.codes ?? port.dtype ?? '?'),
      text(shape(port.shape)),
    ];
  return table(['', 'name', 'type', 'shape'], [...inputs.map(row('input')), ...outputs.map(row('output'))]);
}

function quantizationLines({
  scheme,
  coverage: { ops, macs },
  tensors,
}: NonNullable<InspectedModel['quantization']>): Section {
  const share =
    macs.total === 0 ? '' : `, ${percent(macs.quantized / macs.total)} of the multiply-accumulates`;
  const odd = tensors.filter(({ marks }) => marks.length > 0);
  return [
    `- ${text(schemeText(scheme))}`,
    `- ${count(ops.quantized)} of ${plural(ops.total, 'operator')} compute with integers${share}`,
    ...odd
      .slice(0, MOST_NAMED)
      .map(
        ({ tensor, marks }) => `- odd: ${code(tensor)}: ${text(marks.map((mark) => mark.text).join('; '))}`,
      ),
    ...(odd.length > MOST_NAMED ? [`- and ${odd.length - MOST_NAMED} more odd ones`] : []),
  ];
}

/** What int8 would cost the weights. */
function forecastSection({ forecast }: InspectedModel, top = MOST_FORECASTS): Section {
  const shown = forecast.layers.slice(0, top);
  const db = (sqnrDb: number | undefined): string => decibels(sqnrDb === undefined ? undefined : { sqnrDb });
  return [
    `**int8 weights, one scale per tensor:** ${text(forecastText(forecast))}`,
    ...(shown.length === 0
      ? []
      : [
          '',
          ...table(
            ['layer', 'op', '>channels', '>lost', '>levels', '>per-tensor, dB', '>per-axis, dB'],
            shown.map((layer) => [
              code(layer.node),
              text(layer.op),
              count(layer.channels),
              layer.unusable ? `**${layer.fewLevelChannels.length}**` : String(layer.fewLevelChannels.length),
              layer.fewestLevels.toFixed(1),
              db(layer.perTensorSqnrDb),
              db(layer.perAxisSqnrDb),
            ]),
          ),
        ]),
  ];
}

function layersTitle(layers: number, top = MOST_LAYERS): string {
  return `${plural(layers, 'layer')} in graph order${layers > top ? `, the first ${top}` : ''}`;
}

function layersTable({ layers, macs }: InspectedModel, top = MOST_LAYERS): Section {
  if (layers.length === 0) return [];
  const cell = (value: number | undefined): string => (value === undefined ? '' : number(value));
  const share = ({ macs: own }: Layer): string =>
    own === undefined || own === 0 || macs.total === undefined ? '' : percent(own / macs.total);
  return table(
    ['>#', 'layer', 'op', 'output', '>parameters', '>MACs', '>w min', '>w max', '>spread'],
    layers
      .slice(0, top)
      .map((layer) => [
        String(layer.order),
        code(layer.node),
        text(layer.op),
        text(shape(layer.shape)),
        layer.parameters === 0 ? '' : count(layer.parameters),
        share(layer),
        cell(layer.weight?.min),
        cell(layer.weight?.max),
        cell(layer.weight?.spread),
      ]),
  );
}
