/** What `qdbg inspect` found as text for a terminal: the model, its layers in order, and the forecast last, where the eye is. */
import { Chalk, type ChalkInstance } from 'chalk';
import { bytes, count, labelled, listed, plural, printable, shape, shortened, wrapped } from './format.js';
import { groupBy } from './group.js';
import { layersSection } from './inspect-layers.js';
import { nodeSections } from './inspect-node.js';
import type { InspectedModel, InspectReport, Port } from './inspect-report.js';
import { sideBySideSections } from './inspect-side-by-side.js';
import { portsSection } from './inspect-ports.js';
import { quantizationFindings, quantizationSection } from './inspect-quantization.js';
import { tensorsSection } from './inspect-tensor-table.js';
import { forecastSection, nonFiniteSection } from './inspect-forecast.js';
import { page, prose } from './terminal-page.js';
import type { Room } from './terminal-layers.js';
import type { TerminalOptions } from './terminal.js';
import { displayWidth, headOf, paddedTo } from './text-width.js';

const INDENT = '  ';
const METADATA_SHOWN = 12;
const OPS_SHOWN = 30;
const FLAGS_SHOWN = 4;

export function renderInspect(report: InspectReport, options: TerminalOptions): string {
  const style = new Chalk({ level: options.color ? 1 : 0 });
  return page(sectionsOf(report, style, options), options);
}

function sectionsOf(report: InspectReport, style: ChalkInstance, options: TerminalOptions): string[][] {
  const [model] = report.models;
  if (report.weightRanges !== undefined)
    return sideBySideSections(report.models, report.weightRanges, style, options);
  if (model === undefined) return [];
  const [weight] = report.weights ?? [];
  if (report.node !== undefined && weight !== undefined)
    return nodeSections(model, report.node, weight, style, options);
  const { width, top, quiet } = options;
  return [
    headerSection(model, style, width),
    ...(quiet
      ? []
      : [
          [...portsSection('INPUTS', model.inputs, style, width), ...openSection(model.inputs, width)],
          portsSection('OUTPUTS', model.outputs, style, width),
          metadataSection(model, options),
          layersSection(model, style, width, top),
          opsSection(model, width),
        ]),
    nonFiniteSection(model, style, options),
    notComputedSection(model, style, width),
    ...(quiet ? [] : [tensorsSection(model, style, options)]),
    quantizationSection(model, style, width),
    quantizationFindings(model, style, width),
    // What int8 would cost the weights is no question where they are integers.
    ...(model.quantization === undefined ? [forecastSection(model, style, options)] : []),
  ];
}

function headerSection(model: InspectedModel, style: ChalkInstance, width: number): string[] {
  const { path, format, opset, irVersion, producer, domains, absorbed } = model;
  const others = Object.entries(domains).map(([domain, version]) => `${printable(domain)} ${version}`);
  const kind = [
    `${format}${opset === undefined ? '' : ` opset ${opset}`}`,
    ...others,
    ...(irVersion === undefined ? [] : [`IR version ${irVersion}`]),
    ...(producer === undefined ? [] : [`by ${shortened(producer, 40)}`]),
    bytes(model.bytes),
  ];
  const size = [plural(model.ops, 'operator'), plural(model.parameters, 'parameter'), macsText(model)];
  return [
    ...labelled('MODEL  ', prose(path), width, style.bold),
    ...[kind.join(', '), size.join(', '), ...absorbedText(absorbed)].flatMap((line) =>
      wrapped(line, width - INDENT.length).map((text) => INDENT + text),
    ),
  ];
}

function absorbedText(absorbed: readonly string[]): string[] {
  if (absorbed.length === 0) return [];
  const names = listed(
    absorbed.map((name) => shortened(name, 30)),
    2,
  );
  return [`merged into the layer before, as quantizers see them: ${count(absorbed.length)} (${names})`];
}

function macsText({ macs: { total, unknownLayers, counted }, inputs }: InspectedModel): string {
  const sizes = Object.entries(counted).map(([name, dims]) => `${shortened(name, 24)} ${shape(dims)}`);
  const given = sizes.length === 0 ? '' : ` for ${listed(sizes, 3)}`;
  if (total === undefined) {
    const open = inputs.filter(({ shape: dims }) => isOpen(dims)).map(({ name }) => shortened(name, 24));
    return `multiply-accumulates unknown${open.length === 0 ? '' : ` until the shape of ${listed(open, 3)} is fixed`}`;
  }
  const missing =
    unknownLayers === 0 ? '' : ` and those of ${plural(unknownLayers, 'layer')} of unknown shape`;
  return `${count(total)} multiply-accumulates${given}${missing}`;
}

function isOpen(dims: Port['shape']): boolean {
  return dims === undefined || dims.some((dim) => typeof dim !== 'number');
}

/** What is to be fixed before the model can run, and with which flags. */
function openSection(ports: readonly Port[], width: number): string[] {
  const open = ports.filter(({ shape: dims }) => isOpen(dims));
  if (open.length === 0) return [];
  const flags = open.slice(0, FLAGS_SHOWN).map(({ name, shape: dims }) => {
    const extents = dims?.map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? 1 : placeholder(dim)));
    return `--shape ${shortened(`${name}=${extents?.join('x') ?? 'DIMS'}`, 60)}`;
  });
  const more = open.length > flags.length ? ` and so on for ${open.length - flags.length} more` : '';
  const text = `open extents: data fixes them, or ${flags.join(' ')}${more}`;
  return wrapped(text, width - INDENT.length).map((line) => INDENT + line);
}

function placeholder(dim: string | null): string {
  return `<${dim === null ? '?' : printable(dim)}>`;
}

function metadataSection({ metadata }: InspectedModel, { width, top = METADATA_SHOWN }: Room): string[] {
  const entries = Object.entries(metadata);
  if (entries.length === 0) return [];
  const shown = entries.slice(0, top);
  const key = Math.min(
    30,
    Math.floor(width / 2),
    Math.max(...shown.map(([name]) => displayWidth(printable(name)))),
  );
  return [
    `METADATA  ${entries.length}`,
    ...shown.map(([name, value]) => {
      const text = paddedTo(shortened(name, key), key);
      const room = width - INDENT.length - key - 2;
      const full = printable(value);
      return `${INDENT}${text}  ${displayWidth(full) > room ? `${headOf(full, room - 1)}…` : full}`;
    }),
    ...(entries.length > shown.length
      ? [`${INDENT}and ${entries.length - shown.length} more (--report json=FILE has all)`]
      : []),
  ];
}

/** Analysis stops in front of these. */
function notComputedSection({ notComputed }: InspectedModel, style: ChalkInstance, width: number): string[] {
  if (notComputed.length === 0) return [];
  const byReason = groupBy(notComputed, ({ reason }) => reason);
  const lines = [...byReason].map(
    ([reason, nodes]) =>
      `${listed(
        nodes.map(({ node }) => shortened(node, 60)),
        4,
      )}: ${printable(reason)}`,
  );
  return [
    style.yellow(
      `NOT COMPUTED  ${plural(notComputed.length, 'operator')}; what depends on them cannot be measured`,
    ),
    ...lines.flatMap((line) => wrapped(line, width - INDENT.length).map((text) => INDENT + text)),
  ];
}

function opsSection({ opCounts, ops }: InspectedModel, width: number): string[] {
  if (opCounts.length === 0) return [];
  const counts = opCounts.map(({ op, count: nodes }) => `${shortened(op, 40)} ${count(nodes)}`);
  const line = listed(counts, OPS_SHOWN);
  return [
    `OPERATORS  ${count(ops)} of ${plural(opCounts.length, 'type')}`,
    ...wrapped(line, width - 2).map((text) => INDENT + text),
  ];
}
