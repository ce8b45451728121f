/** The ladder from a float reference to a finished file, and its outputs. */
import type { JSX } from 'preact';
import type { LadderRung } from '../../report/compare-report.js';
import type { PageReport } from '../../report/html/page-document.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { count, decibels, percent, plural } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { DotChart } from './dot-chart.js';
import type { DotRow, DotValue } from './dot-spec.js';
import { fallText, largestFall, RUNGS } from './ladder.js';

export type ComparePage = Extract<PageReport, { readonly command: 'compare' }>;

interface Row {
  readonly rung: LadderRung['rung'];
  readonly samples: number;
  readonly output: LadderRung['outputs'][number];
  /** All samples, not those of the layers alone. */
  readonly isWhole: boolean;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    key: 'rung',
    title: 'Step',
    value: ({ rung, isWhole }) => (isWhole ? `${rung}, all samples` : rung),
  },
  { key: 'meaning', title: 'Of the candidate', value: ({ rung }) => RUNGS[rung] },
  {
    key: 'output',
    title: 'Output',
    value: ({ output }) => output.tensor,
    show: ({ output }) => <LayerName name={output.tensor} />,
  },
  {
    key: 'sqnr',
    title: 'SQNR',
    hint: 'beside the float reference; higher is better',
    kind: 'number',
    value: ({ output }) => (output.exact === true ? Infinity : output.sqnrDb),
    show: ({ output }) => decibels(output),
  },
  {
    key: 'agreement',
    title: 'Same argmax',
    hint: 'rows (samples, pixels) with the largest element at the same index',
    kind: 'number',
    value: ({ output }) => output.agreement,
    show: ({ output }) => (output.agreement === undefined ? '–' : percent(output.agreement)),
  },
  {
    key: 'non-finite',
    title: 'Not finite',
    hint: 'values that are NaN or infinite in one of the two',
    kind: 'number',
    value: ({ output }) => output.nonFinite,
    show: ({ output }) => (output.nonFinite === undefined ? '' : count(output.nonFinite)),
  },
  { key: 'samples', title: 'Samples', kind: 'number', value: ({ samples }) => samples },
];

export function CompareLadder({ report }: { readonly report: ComparePage }): JSX.Element | null {
  const { ladder, outputs } = report;
  if (ladder.length === 0 && outputs.outputs.length === 0) return null;
  const rows = [
    ...ladder.flatMap(({ rung, samples, outputs: own }) =>
      own.map((output): Row => ({ rung, samples, output, isWhole: false })),
    ),
    ...outputs.outputs.map((output): Row => ({
      rung: outputs.rung,
      samples: outputs.samples,
      output,
      isWhole: true,
    })),
  ];
  const fall = largestFall(ladder);
  const [first] = ladder;
  return (
    <Section
      id="ladder"
      title="Ladder"
      lead="The reference is turned into the candidate in steps. The step where the SQNR at the outputs falls is where the fault is: the graph, the weights, the activations, or how the file is run."
    >
      {fall === undefined ? null : (
        <p class="told">
          Falls most at <strong>{fall.rung}</strong> ({RUNGS[fall.rung]}): <LayerName name={fall.tensor} />{' '}
          {fallText(fall)}.
        </p>
      )}
      {first === undefined ? null : (
        <DotChart
          title="SQNR at the outputs, step by step"
          description={`${plural(ladder.length, 'step')} over ${plural(first.samples, 'sample')}. The table below has the same numbers.`}
          file="compare-ladder"
          axis="SQNR at the output (dB), higher is better"
          order="steps"
          rows={ladderRows(ladder, fall?.rung)}
          series={[{ key: 'output', title: outputsTitle(ladder), form: 'circle', color: 'var(--self)' }]}
          levels={[{ value: 20, title: 'close to float above 20 dB', form: 'dotted' }]}
          inputs={[ladder]}
        />
      )}
      {ladder.flatMap(({ rung, remark }) =>
        remark === undefined
          ? []
          : [
              <p class="told quiet" key={rung}>
                {rung}: {visible(remark)}
              </p>,
            ],
      )}
      <DataTable
        id="ladder-table"
        caption="Outputs at every step"
        file="compare-ladder"
        columns={COLUMNS.filter(
          ({ key, value }) => key === 'sqnr' || rows.some((row) => value(row) !== undefined),
        )}
        rows={rows}
        rowKey={({ rung, output, isWhole }) => `${rung} ${isWhole ? 'all' : 'some'} ${output.tensor}`}
      />
    </Section>
  );
}

function outputsTitle(ladder: readonly LadderRung[]): string {
  const outputs = new Set(ladder.flatMap(({ outputs: own }) => own.map(({ tensor }) => tensor)));
  return outputs.size === 1
    ? `output ${visible([...outputs][0] ?? '').slice(0, 40)}`
    : `an output, one of ${outputs.size}`;
}

function ladderRows(ladder: readonly LadderRung[], worst: LadderRung['rung'] | undefined): DotRow[] {
  return ladder.map(({ rung, outputs }) => ({
    key: rung,
    label: `${rung}: ${RUNGS[rung]}`,
    isStrong: rung === worst,
    values: outputs.flatMap((output): DotValue[] => {
      const text = `${visible(output.tensor).slice(0, 60)}: ${decibels(output)}`;
      if (output.exact === true) return [{ series: 'output', instead: 'exact', text }];
      if ((output.nonFinite ?? 0) > 0 && output.sqnrDb === undefined)
        return [{ series: 'output', instead: 'not finite', text }];
      return output.sqnrDb === undefined ? [] : [{ series: 'output', value: output.sqnrDb, text }];
    }),
  }));
}
