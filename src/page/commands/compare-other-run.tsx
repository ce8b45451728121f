/** What other implementations compute for the same file: the runtime's own integers, a device. */
import type { JSX } from 'preact';
import type { NotRun, OtherRun, OtherTensor } from '../../run/other-run.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name, visible } from '../frame/layer-name.js';
import { count, decibels, percent, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import type { ComparePage } from './compare-ladder.js';
import { DotChart } from './dot-chart.js';

const RUNS: readonly {
  readonly key: 'runtime' | 'optimized' | 'actual';
  readonly title: string;
  readonly lead: string;
}[] = [
  {
    key: 'runtime',
    title: 'ONNX Runtime, integers as the file has them',
    lead: 'The file run by ONNX Runtime without optimizations, beside the simulation of the same file. Where the two depart although the inputs agree, suspect the kernel.',
  },
  {
    key: 'optimized',
    title: 'ONNX Runtime, all optimizations',
    lead: 'The outputs as users run the file, beside the simulation.',
  },
  {
    key: 'actual',
    title: 'Tensors of the device',
    lead: 'What a device computed for the same samples, beside the simulation of the same file.',
  },
];

export function CompareOtherRuns({ report }: { readonly report: ComparePage }): JSX.Element {
  return (
    <>
      {RUNS.map(({ key, title, lead }) => {
        const run = report[key];
        return run === undefined ? null : (
          <Run key={key} id={key} title={title} lead={lead} run={run} processor={report.processor} />
        );
      })}
    </>
  );
}

interface RunProps {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly run: OtherRun | NotRun;
  readonly processor: string | undefined;
}

function Run({ id, title, lead, run, processor }: RunProps): JSX.Element {
  const { layer, select } = usePage();
  if ('notRun' in run) {
    return (
      <Section id={`run-${id}`} title={title}>
        <p class="told">Not run: {visible(run.notRun)}.</p>
      </Section>
    );
  }
  const { source, samples, tensors, skipped, firstDeparture } = run;
  const differing = tensors.filter((tensor) => tensor.differing > 0);
  return (
    <Section id={`run-${id}`} title={title} lead={lead}>
      <p class="told">
        {visible(source)}, {plural(samples, 'sample')}
        {id === 'actual' || processor === undefined ? '' : `, ${visible(processor)}`}:{' '}
        <strong>
          {tensors.length === 0
            ? 'no tensor was compared'
            : differing.length === 0
              ? `${plural(tensors.length, 'tensor')} compared, none differs`
              : `${count(differing.length)} of ${plural(tensors.length, 'tensor')} ${differing.length === 1 ? 'differs' : 'differ'}`}
        </strong>
        {firstDeparture === undefined ? (
          '.'
        ) : (
          <>
            ; the first that differs by itself is <LayerName name={firstDeparture} />.
          </>
        )}
      </p>
      {differing.length === 0 ? null : (
        <DotChart
          title="Values that differ from the simulation"
          description={`${plural(tensors.length, 'tensor')} in graph order. The table below has the same numbers.`}
          file={`compare-${id}`}
          axis="values that differ (%), less is better"
          order="tensors in graph order"
          hasZero
          rows={tensors.map((other) => ({
            key: other.tensor,
            label: other.tensor,
            isStrong: other.tensor === firstDeparture || layer?.tensor === other.tensor,
            values: [
              {
                series: other.inputsDiffer === true ? 'inherited' : 'own',
                value: other.values === 0 ? 0 : (100 * other.differing) / other.values,
                text: differenceText(other),
              },
            ],
          }))}
          series={[
            { key: 'own', title: 'what it reads agrees', form: 'circle' as const, color: 'var(--mark)' },
            {
              key: 'inherited',
              title: 'what it reads differs too',
              form: 'triangle' as const,
              color: 'var(--self)',
            },
          ].filter(({ key }) =>
            tensors.some((each) => (each.inputsDiffer === true ? 'inherited' : 'own') === key),
          )}
          levels={[]}
          isTogether
          onPick={select}
          inputs={[tensors, layer]}
        />
      )}
      {tensors.length === 0 ? null : (
        <DataTable
          id={`run-${id}-table`}
          caption={`${title}: tensors`}
          file={`compare-${id}`}
          columns={COLUMNS.filter(
            ({ key, value }) => key === 'tensor' || tensors.some((row) => value(row) !== undefined),
          )}
          rows={tensors}
          rowKey={({ tensor }) => tensor}
          isSelected={({ tensor }) => layer?.tensor === tensor}
          onRow={({ tensor }) => select(tensor)}
        />
      )}
      <Skipped skipped={skipped} />
    </Section>
  );
}

function differenceText({ values, differing, maxCodes, simulated }: OtherTensor): string {
  const codes = maxCodes === undefined || maxCodes === 0 ? '' : `, by ${plural(maxCodes, 'code')} at most`;
  return `${count(differing)} of ${plural(values, 'value')} differ${codes}; ${decibels(simulated)} beside the simulation`;
}

function share(part: number | undefined, values: number): number | undefined {
  return part === undefined || values === 0 ? undefined : part / values;
}

const COLUMNS: readonly Column<OtherTensor>[] = [
  {
    key: 'tensor',
    title: 'Tensor',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <LayerName name={tensor} longest={48} />,
  },
  { key: 'op', title: 'Operator', value: ({ op }) => op, show: ({ op }) => <Name name={op} longest={24} /> },
  {
    key: 'differ',
    title: 'Differ',
    hint: 'values whose codes are not those of the simulation',
    kind: 'number',
    value: ({ differing, values }) => share(differing, values),
    show: ({ differing, values }) => percent(share(differing, values) ?? 0),
  },
  {
    key: 'two',
    title: 'By > 2 codes',
    kind: 'number',
    value: ({ beyondTwoCodes, values }) => share(beyondTwoCodes, values),
    show: ({ beyondTwoCodes, values }) =>
      beyondTwoCodes === undefined ? '–' : percent(share(beyondTwoCodes, values) ?? 0),
  },
  {
    key: 'codes',
    title: 'Largest, codes',
    kind: 'number',
    value: ({ maxCodes }) => maxCodes,
    show: ({ maxCodes }) => (maxCodes === undefined ? '–' : count(maxCodes)),
  },
  {
    key: 'inputs',
    title: 'Inputs',
    hint: 'whether what the operator reads agrees, so that the difference is its own',
    value: ({ inputsDiffer }) =>
      inputsDiffer === undefined ? undefined : inputsDiffer ? 'differ too' : 'agree',
  },
  {
    key: 'non-finite',
    title: 'Not finite',
    kind: 'number',
    value: ({ nonFinite }) => nonFinite,
  },
  {
    key: 'simulated',
    title: 'SQNR, simulation',
    hint: 'beside the simulation of the same file; higher is better',
    kind: 'number',
    value: ({ simulated }) => (simulated.exact === true ? Infinity : simulated.sqnrDb),
    show: ({ simulated }) => decibels(simulated),
  },
  {
    key: 'reference',
    title: 'SQNR, reference',
    hint: 'beside the float reference',
    kind: 'number',
    value: ({ reference }) => (reference?.exact === true ? Infinity : reference?.sqnrDb),
    show: ({ reference }) => decibels(reference),
  },
  { key: 'read', title: 'Read as', value: ({ read }) => (read === undefined ? undefined : visible(read)) },
];

function Skipped({ skipped }: Pick<OtherRun, 'skipped'>): JSX.Element | null {
  if (skipped.length === 0) return null;
  return (
    <details>
      <summary>{count(skipped.length)} skipped</summary>
      <ul>
        {skipped.slice(0, 500).map(({ subject, reason }, at) => (
          <li key={at}>
            <Name name={subject} />: {visible(reason)}
          </li>
        ))}
      </ul>
    </details>
  );
}
