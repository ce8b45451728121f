/** Classes beside each other: which one has lost what. */
import type { JSX } from 'preact';
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { count } from '../frame/numbers.js';
import { deltaText, valueText } from './metric-numbers.js';

interface ClassRow {
  readonly label: number;
  readonly name: string;
  readonly support: number;
  readonly values: readonly (number | undefined)[];
  readonly change?: number;
}

export function ClassTable({ metric }: { readonly metric: Accuracy }): JSX.Element | null {
  const { unit, deltaUnit, better } = metric;
  const networks = metric.networks.filter(({ perClass = [] }) => perClass.length > 0);
  const [reference] = networks;
  if (reference === undefined) return null;
  const byLabel = networks.map(({ perClass = [] }) => new Map(perClass.map((entry) => [entry.label, entry])));
  const told = Math.max(
    1,
    networks.findIndex(({ network }) => network === 'candidate'),
  );
  const rows = (reference.perClass ?? []).map(({ label, name, support }): ClassRow => {
    const values = byLabel.map((classes) => classes.get(label)?.value);
    const [from, to] = [values[0], values[told]];
    return {
      label,
      name: visible(name ?? String(label)),
      support,
      values,
      ...(from === undefined || to === undefined ? {} : { change: to - from }),
    };
  });
  const columns: Column<ClassRow>[] = [
    { key: 'label', title: 'Class', kind: 'number', value: ({ label }) => label },
    { key: 'name', title: 'Name', value: ({ name }) => name },
    {
      key: 'support',
      title: 'In the labels',
      hint: 'samples, pixels or boxes of this class',
      kind: 'number',
      value: ({ support }) => support,
      show: ({ support }) => count(support),
    },
    ...networks.map(({ network, title }, at): Column<ClassRow> => ({
      key: `network-${network}`,
      title: visible(title),
      kind: 'number',
      value: ({ values }) => values[at],
      show: ({ values }) => valueText(values[at], unit),
    })),
    {
      key: 'change',
      title: 'Change',
      kind: 'number',
      value: ({ change }) => change,
      show: ({ change }) => deltaText(change, deltaUnit),
    },
  ];
  return (
    <details open={rows.length <= 20}>
      <summary>By class ({rows.length})</summary>
      <DataTable
        id="classes"
        caption={`${metricName(metric.metric)} by class`}
        file={`qdbg-${metric.metric}-classes`}
        columns={columns}
        rows={rows}
        rowKey={({ label }) => String(label)}
        sorting={{ key: 'change', direction: better === 'higher' ? 'ascending' : 'descending' }}
      />
    </details>
  );
}
