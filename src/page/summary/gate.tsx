/** What had to hold, and whether it does; what has changed since the baseline. */
import type { JSX } from 'preact';
import type { GateCheck, GateVerdict } from '../../diff/gate/gate.js';
import type { Level } from '../../report/baseline.js';
import type { BaselineComparison, LayerDrift } from '../../report/baseline-compare.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { plural, short, signed } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';

const WORDS: Readonly<Record<GateVerdict, string>> = {
  pass: '✔ passed',
  fail: '✖ failed',
  inconclusive: '? too few samples to decide',
};

const COLUMNS: readonly Column<GateCheck>[] = [
  {
    key: 'verdict',
    title: 'Verdict',
    value: ({ verdict }) => verdict,
    show: ({ verdict }) => <span class={`gate-${verdict}`}>{WORDS[verdict]}</span>,
  },
  { key: 'name', title: 'Check', value: ({ name }) => visible(name) },
  {
    key: 'threshold',
    title: 'Threshold',
    kind: 'number',
    value: ({ threshold }) => threshold,
    show: ({ threshold, unit }) => `${short(threshold)} ${unit}`,
  },
  {
    key: 'observed',
    title: 'Observed',
    kind: 'number',
    value: ({ observed }) => observed,
    show: ({ observed, unit }) => (observed === undefined ? '–' : `${short(observed)} ${unit}`),
  },
  {
    key: 'margin',
    title: 'Margin',
    hint: 'what is left; negative where it is exceeded',
    kind: 'number',
    value: ({ margin }) => margin,
    show: ({ margin }) => (margin === undefined ? '–' : signed(margin, 2)),
  },
  {
    key: 'where',
    title: 'Where',
    value: ({ where }) => where,
    show: ({ where }) => (where === undefined ? '' : <LayerName name={where} />),
  },
  { key: 'note', title: 'Note', value: ({ note }) => (note === undefined ? undefined : visible(note)) },
  { key: 'source', title: 'From', value: ({ source }) => visible(source) },
];

export function GateSection(): JSX.Element | null {
  const { report } = usePage().document;
  const gate = 'gate' in report ? report.gate : undefined;
  const drift = 'drift' in report ? report.drift : undefined;
  if (gate === undefined && drift === undefined) return null;
  return (
    <Section id="gate" title={gate === undefined ? 'Since the baseline' : `Gate: ${WORDS[gate.verdict]}`}>
      {gate === undefined ? null : (
        <DataTable
          id="gate-checks"
          caption="Checks of the gate"
          file="qdbg-gate"
          columns={COLUMNS}
          rows={gate.checks}
          rowKey={({ name }) => name}
          plain
        />
      )}
      {drift === undefined ? null : <Drift drift={drift} />}
    </Section>
  );
}

const DRIFT_COLUMNS: readonly Column<LayerDrift>[] = [
  {
    key: 'tensor',
    title: 'Tensor',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <LayerName name={tensor} />,
  },
  { key: 'op', title: 'Operator', value: ({ op }) => visible(op) },
  ...(['local', 'cumulative'] as const).flatMap((kind): Column<LayerDrift>[] => [
    {
      key: `${kind}-from`,
      title: `${kind}, baseline`,
      kind: 'number',
      value: (row) => decibelsOf(row[kind]?.from),
      show: (row) => (row[kind] === undefined ? 'as it was' : levelText(row[kind].from)),
    },
    {
      key: `${kind}-to`,
      title: `${kind}, now`,
      kind: 'number',
      value: (row) => decibelsOf(row[kind]?.to),
      show: (row) => (row[kind] === undefined ? '' : levelText(row[kind].to)),
    },
  ]),
];

function decibelsOf(level: Level | undefined): number | undefined {
  return typeof level === 'number' ? level : undefined;
}

function levelText(level: Level | undefined): string {
  if (level === undefined) return '–';
  return typeof level === 'number' ? `${level.toFixed(1)} dB` : level;
}

function Drift({ drift }: { readonly drift: BaselineComparison }): JSX.Element {
  const { matched, findings, notes, source, drift: layers } = drift;
  return (
    <>
      <h3>Held against {visible(source)}</h3>
      <p>
        {plural(matched, 'layer')} matched, {plural(layers.length, 'layer')} changed;{' '}
        {plural(findings.appeared.length, 'new finding')}, {plural(findings.gone.length, 'finding')} gone.{' '}
        {notes.map(visible).join('; ')}
      </p>
      {layers.length === 0 ? null : (
        <DataTable
          id="drift"
          caption="Layers that have changed since the baseline"
          file="qdbg-drift"
          columns={DRIFT_COLUMNS}
          rows={layers}
          rowKey={({ tensor }) => tensor}
        />
      )}
    </>
  );
}
