/** Models side by side: what they are, and where they come from. */
import type { JSX } from 'preact';
import type { InspectedModel, Port } from '../../report/inspect-report.js';
import { visible } from '../frame/layer-name.js';
import { count, plural } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { bytes } from './sweep-numbers.js';

const MOST_METADATA = 200;
const MOST_ABSORBED = 100;

/** A to Z, then A2 and so on. */
export function letterOf(index: number): string {
  const round = Math.floor(index / 26);
  return String.fromCharCode(65 + (index % 26)) + (round === 0 ? '' : String(round + 1));
}

/** Last part of a path. */
export function tailOf(path: string): string {
  return visible(path.split(/[\\/]/).at(-1) ?? path).slice(-40);
}

/** Extents, "?" for those that are not known. */
export function shapeText(shape: Port['shape']): string {
  if (shape === undefined) return '?';
  return shape.length === 0
    ? 'scalar'
    : shape.map((dim) => (dim === null ? '?' : visible(String(dim)))).join(' × ');
}

function macsText({ macs: { total, unknownLayers, counted } }: InspectedModel): string {
  const given = Object.entries(counted)
    .slice(0, 4)
    .map(([name, dims]) => `${visible(name).slice(0, 40)} ${dims.join(' × ')}`);
  if (total === undefined) return 'unknown until the shapes of the inputs are fixed';
  return [
    count(total),
    ...(given.length === 0 ? [] : [`for ${given.join(', ')}`]),
    ...(unknownLayers === 0 ? [] : [`and those of ${plural(unknownLayers, 'layer')} of unknown shape`]),
  ].join(' ');
}

interface Property {
  readonly title: string;
  readonly of: (model: InspectedModel) => JSX.Element | string | undefined;
}

const PROPERTIES: readonly Property[] = [
  { title: 'File', of: ({ path }) => <bdi class="name">{visible(path)}</bdi> },
  {
    title: 'Format',
    of: ({ format, opset, irVersion, domains }) =>
      [
        `${format}${opset === undefined ? '' : ` opset ${opset}`}`,
        ...(irVersion === undefined ? [] : [`IR version ${irVersion}`]),
        ...Object.entries(domains).map(([domain, version]) => `${visible(domain)} ${version}`),
      ].join(', '),
  },
  {
    title: 'Made by',
    of: ({ producer }) =>
      producer === undefined || producer === '' ? undefined : visible(producer).slice(0, 200),
  },
  { title: 'Size', of: (model) => bytes(model.bytes) },
  { title: 'Operators', of: ({ ops }) => count(ops) },
  { title: 'Parameters', of: ({ parameters }) => count(parameters) },
  { title: 'Multiply-accumulates', of: macsText },
  {
    title: 'Quantized',
    of: ({ quantization }) => {
      if (quantization === undefined) return 'no, in float';
      const { ops } = quantization.coverage;
      return `${count(ops.quantized)} of ${plural(ops.total, 'operator')} compute with integers`;
    },
  },
  {
    title: 'Merged',
    of: ({ absorbed }) =>
      absorbed.length === 0 ? undefined : (
        <details>
          <summary>
            {plural(absorbed.length, 'node')} merged into the layer before, as quantizers see them
          </summary>
          <bdi class="name">{absorbed.slice(0, MOST_ABSORBED).map(visible).join(', ').slice(0, 8000)}</bdi>
        </details>
      ),
  },
  {
    title: 'Metadata',
    of: ({ metadata }) => {
      const entries = Object.entries(metadata);
      return entries.length === 0 ? undefined : (
        <details>
          <summary>{entries.length === 1 ? '1 entry' : `${count(entries.length)} entries`}</summary>
          <dl class="pairs">
            {entries.slice(0, MOST_METADATA).map(([name, value]) => (
              <div key={name}>
                <dt>
                  <bdi class="name">{visible(name).slice(0, 200)}</bdi>
                </dt>
                <dd>{visible(value).slice(0, 2000)}</dd>
              </div>
            ))}
          </dl>
        </details>
      );
    },
  },
  {
    title: 'SHA-256',
    of: ({ sha256 }) => (sha256 === undefined ? undefined : <span class="name">{sha256}</span>),
  },
];

export function InspectFiles({ models }: { readonly models: readonly InspectedModel[] }): JSX.Element {
  const rows = PROPERTIES.map(({ title, of }) => ({ title, cells: models.map(of) })).filter(({ cells }) =>
    cells.some((cell) => cell !== undefined),
  );
  const title = models.length === 1 ? 'File' : 'Files side by side';
  return (
    <Section id="files" title={title}>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={`${title}: table`}>
        <table class="side-by-side">
          <caption class="visually-hidden">{title}</caption>
          {models.length === 1 ? null : (
            <thead>
              <tr>
                <td />
                {models.map((_, at) => (
                  <th scope="col" key={at}>
                    {letterOf(at)}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map(({ title: name, cells }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {cells.map((cell, at) => (
                  <td key={at}>{cell ?? '–'}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
