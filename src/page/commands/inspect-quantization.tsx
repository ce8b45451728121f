/** What a file says of its own quantization: how much of it computes with integers, how it was made, and its float islands. */
import type { JSX } from 'preact';
import type { InspectedIsland, InspectedQuantization } from '../../report/inspect-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { count, percent, plural } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { NameList } from './name-list.js';
import { Shares } from './shares.js';

const MOST_NAMES = 100;

export interface InspectQuantizationProps {
  readonly quantization: InspectedQuantization;
  /** Activation functions that are left to the ranges of integers. */
  readonly implied?: number;
}

export function InspectQuantization({ quantization, implied }: InspectQuantizationProps): JSX.Element {
  const { scheme, coverage, origin, dynamic, unfolded } = quantization;
  const { ops, macs, hybrid, islands } = coverage;
  return (
    <Section id="quantization" title="Quantization of the file">
      <dl class="tiles">
        <Tile name="Activations" value={kindText(scheme['activations'])} />
        <Tile name="Weights" value={kindText(scheme['weights'])} />
        <Tile name="Biases" value={kindText(scheme['bias'])} />
        <Tile
          name="Compute with integers"
          value={`${count(ops.quantized)} of ${plural(ops.total, 'operator')}`}
        />
      </dl>
      {macs.total === 0 ? null : (
        <Shares
          title="Multiply-accumulates"
          file="inspect-macs"
          unit="multiply-accumulates"
          shares={[
            { name: 'with integers', value: macs.quantized },
            { name: 'integer products between floats', value: hybrid.macs },
            { name: 'in float', value: Math.max(0, macs.total - macs.quantized - hybrid.macs) },
          ]}
        />
      )}
      <h3>How it was made</h3>
      <ul class="list">
        {origin.evidence.map((sentence) => (
          <li key={sentence}>{visible(sentence)}</li>
        ))}
        {implied === undefined ? null : (
          <li>
            Assumed: {plural(implied, 'layer')} without an activation function{' '}
            {implied === 1 ? 'has' : 'have'} one, since the range of the integers starts at 0 (RELU) or goes
            from 0 to 6 (RELU6)
          </li>
        )}
      </ul>
      {dynamic.length === 0 ? null : (
        <details>
          <summary>
            {plural(dynamic.length, 'activation')} quantized while running, from the values at hand
          </summary>
          <NameList names={dynamic.map(({ tensor }) => tensor)} first={100} />
        </details>
      )}
      {unfolded.length === 0 ? null : (
        <details>
          <summary>{plural(unfolded.length, 'quantizer')} not understood, left as the file has them</summary>
          <ul>
            {unfolded.slice(0, MOST_NAMES).map(({ node, reason }) => (
              <li key={node}>
                <LayerName name={node} />: {visible(reason)}
              </li>
            ))}
          </ul>
        </details>
      )}
      {islands.length === 0 ? null : (
        <>
          <h3>Islands in float</h3>
          <p class="told">
            Operators in floating point between integers; there is a quantizer at each border.
          </p>
          <DataTable
            id="islands-table"
            caption="Islands in float"
            file="inspect-islands"
            columns={islandColumns(macs.total)}
            rows={islands}
            rowKey={({ nodes }) => nodes.join(' ')}
          />
        </>
      )}
    </Section>
  );
}

function Tile({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** "int8 symmetric per-axis". */
function kindText(kind: unknown): string {
  if (typeof kind !== 'object' || kind === null) return visible(String(kind));
  const { dtype, symmetric, granularity } = kind as {
    readonly dtype?: unknown;
    readonly symmetric?: unknown;
    readonly granularity?: unknown;
  };
  const parts = [dtype, symmetric === true ? 'symmetric' : 'asymmetric', granularity];
  return visible(parts.filter((part) => typeof part === 'string').join(' '));
}

function islandColumns(total: number): Column<InspectedIsland>[] {
  return [
    {
      key: 'nodes',
      title: 'Operators',
      value: ({ nodes }) => nodes.join(' '),
      show: ({ nodes }) => <NameList names={nodes} first={3} longest={40} />,
    },
    { key: 'reason', title: 'Why', value: ({ reason }) => visible(reason) },
    {
      key: 'entries',
      title: 'From',
      value: ({ entries }) => entries.join(' '),
      show: ({ entries }) => <NameList names={entries} first={3} longest={40} />,
    },
    {
      key: 'exits',
      title: 'To',
      value: ({ exits }) => exits.join(' '),
      show: ({ exits }) => <NameList names={exits} first={3} longest={40} />,
    },
    {
      key: 'macs',
      title: 'MACs',
      kind: 'number',
      value: ({ macs }) => macs,
      show: ({ macs }) => (macs === 0 || total === 0 ? '' : percent(macs / total)),
    },
  ];
}
