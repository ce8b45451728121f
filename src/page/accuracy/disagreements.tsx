/** Samples on which a network parts from the reference: the first few of them. */
import type { JSX } from 'preact';
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { Name, visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';

type Disagreement = Accuracy['disagreements'][number];

export function Disagreements({ metric }: { readonly metric: Accuracy }): JSX.Element | null {
  const { disagreements, networks, perClass = [] } = metric;
  if (disagreements.length === 0) return null;
  const names = new Map(perClass.map(({ label, name }) => [label, name]));
  const nameOf = (label: number | undefined): string | undefined =>
    label === undefined ? undefined : visible(names.get(label) ?? String(label));
  const columns: readonly Column<Disagreement>[] = [
    {
      key: 'sample',
      title: 'Sample',
      value: ({ sample }) => sample,
      show: ({ sample }) => <Name name={sample} />,
    },
    { key: 'network', title: 'Network', value: ({ network }) => visible(networks[network]?.title ?? '') },
    { key: 'truth', title: 'Label', value: ({ truth }) => nameOf(truth) },
    { key: 'reference', title: 'Reference', value: ({ reference }) => nameOf(reference) },
    { key: 'candidate', title: 'This network', value: ({ candidate }) => nameOf(candidate) },
  ];
  const filled = columns.filter(({ value }) => disagreements.some((row) => value(row) !== undefined));
  return (
    <details>
      <summary>Samples that part from the reference (the first {disagreements.length})</summary>
      <DataTable
        id={`disagreements-${metric.metric}`}
        caption={`Samples that part, ${metricName(metric.metric)}`}
        file={`qdbg-${metric.metric}-samples`}
        columns={filled}
        rows={disagreements}
        rowKey={({ sample, network }) => `${network} ${sample}`}
      />
    </details>
  );
}
