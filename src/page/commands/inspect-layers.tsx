/** Layers in graph order, operators by type, and what is wrong with constants and operators. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { InspectedModel, Layer, NonFiniteConstant } from '../../report/inspect-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { Name, visible } from '../frame/layer-name.js';
import { count, percent, plural, short } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { DotChart } from './dot-chart.js';
import { shapeText } from './inspect-files.js';

/** From this on, one int8 scale for all channels of a weight leaves some of them few levels. */
const WIDE_SPREAD = 16;
const MOST_TYPES = 40;

type Shown = 'spread' | 'macs' | 'parameters';

const SHOWN: Readonly<Record<Shown, { readonly label: string; readonly axis: string }>> = {
  spread: { label: 'spread of weights', axis: 'largest over median |w| of channels' },
  macs: { label: 'MACs', axis: 'share of the multiply-accumulates (%)' },
  parameters: { label: 'parameters', axis: 'share of the parameters (%)' },
};

export function InspectLayers({ model }: { readonly model: InspectedModel }): JSX.Element | null {
  const { layers, macs, opCounts } = model;
  const { selected, select } = usePage();
  const options = (['spread', 'macs', 'parameters'] as const)
    .filter((shown) => layers.some((layer) => valueOf(layer, shown, model) !== undefined))
    .map((value) => ({ value, label: SHOWN[value].label }));
  const [wanted, setWanted] = useState<Shown>('spread');
  const shown = options.find(({ value }) => value === wanted)?.value ?? options[0]?.value;
  if (layers.length === 0) return null;
  const drawn = layers.filter((layer) => shown !== undefined && valueOf(layer, shown, model) !== undefined);
  return (
    <Section
      id="file-layers"
      title="Layers of the file"
      lead={`${plural(layers.length, 'layer')} of ${plural(opCounts.length, 'operator type')}. Where the spread of a weight is large, one scale for all of its channels leaves the others few levels.`}
    >
      {shown === undefined ? null : (
        <DotChart
          title="Layers in graph order"
          description={`${SHOWN[shown].axis} of ${plural(drawn.length, 'layer')}. The table below has the same numbers.`}
          file={`inspect-layers-${shown}`}
          axis={SHOWN[shown].axis}
          order="layers in graph order"
          hasZero
          rows={drawn.map((layer) => {
            const value = valueOf(layer, shown, model) ?? 0;
            return {
              key: `${layer.order}`,
              label: layer.node,
              isStrong: layer.node === selected,
              values: [{ series: shown, value, text: `${visible(layer.op)}: ${short(value)}` }],
            };
          })}
          series={[{ key: shown, title: SHOWN[shown].axis, form: 'bar', color: 'var(--self)' }]}
          levels={
            shown === 'spread' && drawn.some((layer) => (layer.weight?.spread ?? 0) >= WIDE_SPREAD)
              ? [{ value: WIDE_SPREAD, title: `wide from ${WIDE_SPREAD} on`, form: 'dashed' }]
              : []
          }
          inputs={[layers, shown, selected]}
        >
          <Choice name="Shown" options={options} chosen={shown} onChoose={setWanted} />
        </DotChart>
      )}
      <DataTable
        id="file-layers-table"
        caption="Table of the layers of the file"
        file="inspect-layers"
        columns={columnsOf(layers, macs.total)}
        rows={layers}
        rowKey={({ order }) => String(order)}
        isSelected={({ node }) => node === selected}
        onRow={({ node }) => select(node)}
      />
      {opCounts.length < 2 ? null : (
        <DotChart
          title="Operators"
          description={opCounts
            .slice(0, MOST_TYPES)
            .map(({ op, count: many }) => `${visible(op)} ${many}`)
            .join(', ')
            .slice(0, 1000)}
          file="inspect-operators"
          axis="operators"
          order="operator types, most frequent first"
          hasZero
          isCount
          rows={opCounts.slice(0, MOST_TYPES).map(({ op, count: many }) => ({
            key: op,
            label: op,
            values: [{ series: 'count', value: many, text: plural(many, 'operator') }],
          }))}
          series={[{ key: 'count', title: 'operators of the type', form: 'bar', color: 'var(--self)' }]}
          levels={[]}
          inputs={[opCounts]}
        />
      )}
    </Section>
  );
}

function valueOf(
  { weight, macs, parameters }: Layer,
  shown: Shown,
  model: Pick<InspectedModel, 'macs' | 'parameters'>,
): number | undefined {
  const share = (part: number | undefined, whole: number | undefined): number | undefined =>
    part === undefined || part === 0 || whole === undefined || whole === 0 ? undefined : (100 * part) / whole;
  if (shown === 'spread') return weight?.spread;
  return shown === 'macs' ? share(macs, model.macs.total) : share(parameters, model.parameters);
}

function columnsOf(layers: readonly Layer[], total: number | undefined): Column<Layer>[] {
  const all: Column<Layer>[] = [
    { key: 'order', title: '#', kind: 'number', value: ({ order }) => order },
    { key: 'node', title: 'Layer', value: ({ node }) => node, show: ({ node }) => <Name name={node} /> },
    {
      key: 'op',
      title: 'Operator',
      value: ({ op, opaque }) => (opaque === true ? `${op} (opaque)` : op),
      show: ({ op, opaque }) => (
        <>
          <Name name={op} longest={32} />
          {opaque === true ? ' (opaque)' : ''}
        </>
      ),
    },
    {
      key: 'shape',
      title: 'Writes',
      hint: 'shape of its first output',
      value: ({ shape }) => shapeText(shape),
    },
    {
      key: 'parameters',
      title: 'Parameters',
      kind: 'number',
      value: ({ parameters }) => parameters,
      show: ({ parameters }) => (parameters === 0 ? '' : count(parameters)),
    },
    {
      key: 'macs',
      title: 'MACs',
      hint: 'multiply-accumulates',
      kind: 'number',
      value: ({ macs }) => macs,
      show: ({ macs }) => (macs === undefined ? '?' : macs === 0 ? '' : count(macs)),
    },
    {
      key: 'share',
      title: 'of all',
      kind: 'number',
      value: ({ macs }) =>
        macs === undefined || total === undefined || total === 0 ? undefined : macs / total,
      show: ({ macs = 0 }) => (macs === 0 || total === undefined || total === 0 ? '' : percent(macs / total)),
    },
    {
      key: 'min',
      title: 'Weight from',
      kind: 'number',
      value: ({ weight }) => weight?.min,
      show: ({ weight }) => (weight?.min === undefined ? '' : short(weight.min)),
    },
    {
      key: 'max',
      title: 'to',
      kind: 'number',
      value: ({ weight }) => weight?.max,
      show: ({ weight }) => (weight?.max === undefined ? '' : short(weight.max)),
    },
    {
      key: 'spread',
      title: 'Spread',
      hint: "largest over median of the channels' largest |w|",
      kind: 'number',
      value: ({ weight }) => weight?.spread,
      show: ({ weight }) =>
        weight?.spread === undefined ? (
          ''
        ) : weight.spread >= WIDE_SPREAD ? (
          <strong>▲ {weight.spread.toFixed(1)}</strong>
        ) : (
          weight.spread.toFixed(1)
        ),
    },
    {
      key: 'outliers',
      title: 'Outlier channels',
      hint: 'channels beyond Q3 + 3 IQR of the same',
      value: ({ weight }) => {
        const outliers = weight?.outlierChannels ?? [];
        return outliers.length === 0 ? undefined : listed(outliers);
      },
    },
  ];
  return all.filter(({ value }) => layers.some((layer) => value(layer) !== undefined));
}

/** "7, 10", "0, 1, 2, 3 and 12 more". */
export function listed(channels: readonly number[], most = 8): string {
  const more = channels.length - most;
  return `${channels.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const NON_FINITE: readonly Column<NonFiniteConstant>[] = [
  {
    key: 'tensor',
    title: 'Constant',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <Name name={tensor} />,
  },
  { key: 'role', title: 'Role', value: ({ role }) => role },
  { key: 'node', title: 'Node', value: ({ node }) => node, show: ({ node }) => <Name name={node} /> },
  { key: 'count', title: 'Values', kind: 'number', value: (constant) => constant.count },
  {
    key: 'channels',
    title: 'Channels',
    value: ({ channels }) => (channels === undefined ? undefined : listed(channels)),
  },
];

type NotComputed = InspectedModel['notComputed'][number];

const NOT_COMPUTED: readonly Column<NotComputed>[] = [
  { key: 'node', title: 'Node', value: ({ node }) => node, show: ({ node }) => <Name name={node} /> },
  { key: 'reason', title: 'Why', value: ({ reason }) => visible(reason) },
];

/** What no quantizer has a code for, and what no command can compute. */
export function InspectProblems({ model }: { readonly model: InspectedModel }): JSX.Element | null {
  const { nonFinite, notComputed } = model;
  if (nonFinite.length + notComputed.length === 0) return null;
  return (
    <Section id="problems" title="Cannot be measured">
      {nonFinite.length === 0 ? null : (
        <>
          <h3>Constants with NaN or infinite values</h3>
          <p class="told">No quantizer has a code for them; all numbers here leave them out.</p>
          <DataTable
            id="non-finite-table"
            caption="Constants with values that are not finite"
            file="inspect-non-finite"
            columns={NON_FINITE}
            rows={nonFinite}
            rowKey={({ tensor, node }) => `${node} ${tensor}`}
          />
        </>
      )}
      {notComputed.length === 0 ? null : (
        <>
          <h3>Operators that are not computed</h3>
          <p class="told">What depends on them cannot be measured.</p>
          <DataTable
            id="not-computed-table"
            caption="Operators that are not computed"
            file="inspect-not-computed"
            columns={NOT_COMPUTED}
            rows={notComputed}
            rowKey={({ node }) => node}
          />
        </>
      )}
    </Section>
  );
}
