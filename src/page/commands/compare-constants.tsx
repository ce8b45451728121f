/** Weights and biases of the candidate beside those of the reference. */
import type { JSX } from 'preact';
import type { ComparedConstant } from '../../report/compare-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name, visible } from '../frame/layer-name.js';
import { count, decibels, percent, plural, short } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import type { ComparePage } from './compare-ladder.js';
import { DotChart } from './dot-chart.js';

/** Below these, rounding to 8 bits does not explain the difference. */
const ALIKE_CORRELATION = 0.95;
const ALIKE_DB = 15;

export function CompareConstants({ report }: { readonly report: ComparePage }): JSX.Element | null {
  const { constants } = report;
  const { layer, select } = usePage();
  if (constants.length === 0) return null;
  const others = constants.filter(isOther);
  return (
    <Section
      id="constants"
      title="Weights and biases"
      lead="Constants of the candidate, as its codes stand for them, beside those of the reference. Quantizing to 8 bits leaves 30 to 50 dB and a correlation of nearly 1; much less means other values."
    >
      <p class="told">
        {others.length === 0
          ? `All ${count(constants.length)} that are aligned are those of the reference.`
          : `${count(others.length)} of ${count(constants.length)} ${others.length === 1 ? 'is' : 'are'} not as in the reference (✕).`}
      </p>
      {constants.every(({ error }) => error?.sqnrDb === undefined) ? null : (
        <DotChart
          title="SQNR of constants"
          description={`${plural(constants.length, 'constant')} in graph order. The table below has the same numbers.`}
          file="compare-constants"
          axis="SQNR beside the reference (dB), higher is better"
          order="constants in graph order"
          rows={constants.map((constant) => {
            const { tensor, role, error } = constant;
            const series = isOther(constant) ? 'other' : role;
            const text = `${role}: ${decibels(error)}, correlation ${correlationText(constant)}`;
            return {
              key: tensor,
              label: tensor,
              isStrong: layer?.constants.some((own) => own.tensor === tensor) === true,
              values:
                error?.exact === true
                  ? [{ series, instead: 'exact', text }]
                  : error?.sqnrDb === undefined
                    ? []
                    : [{ series, value: error.sqnrDb, text }],
            };
          })}
          series={[
            { key: 'weight', title: 'weight', form: 'circle' as const, color: 'var(--self)' },
            { key: 'bias', title: 'bias', form: 'triangle' as const, color: 'var(--local)' },
            { key: 'other', title: 'not as in the reference', form: 'cross' as const, color: 'var(--mark)' },
          ].filter(({ key }) =>
            constants.some((constant) => (isOther(constant) ? 'other' : constant.role) === key),
          )}
          levels={[
            { value: ALIKE_DB, title: `${ALIKE_DB} dB: less is not explained by 8 bits`, form: 'dotted' },
          ]}
          isTogether
          inputs={[constants, layer]}
        />
      )}
      <DataTable
        id="constants-table"
        caption="Constants of the candidate"
        file="compare-constants"
        columns={COLUMNS.filter(
          ({ key, value }) => key === 'tensor' || constants.some((row) => value(row) !== undefined),
        )}
        rows={constants}
        rowKey={({ tensor, node, role }) => `${role} ${node} ${tensor}`}
        isSelected={({ node }) => layer?.node === node}
        onRow={({ node }) => select(node)}
      />
    </Section>
  );
}

function isOther({ correlation = 1, error }: ComparedConstant): boolean {
  return correlation < ALIKE_CORRELATION || (error?.sqnrDb ?? Infinity) < ALIKE_DB;
}

function correlationText({ correlation }: ComparedConstant): string {
  return correlation === undefined ? '–' : correlation.toFixed(3);
}

/** RMS of the difference over RMS of the reference's values. */
function relativeError({ error }: ComparedConstant): number | undefined {
  if (error?.exact === true) return 0;
  return error?.sqnrDb === undefined ? undefined : 10 ** (-error.sqnrDb / 20);
}

const COLUMNS: readonly Column<ComparedConstant>[] = [
  {
    key: 'tensor',
    title: 'Constant',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <Name name={tensor} longest={48} />,
  },
  {
    key: 'reference',
    title: 'In the reference',
    value: ({ reference }) => reference,
    show: ({ reference, tensor }) =>
      reference === tensor ? (
        <span class="quiet">the same name</span>
      ) : (
        <Name name={reference} longest={48} />
      ),
  },
  {
    key: 'node',
    title: 'Node',
    value: ({ node }) => node,
    show: ({ node }) => <LayerName name={node} longest={32} />,
  },
  { key: 'role', title: 'Role', value: ({ role }) => role },
  {
    key: 'correlation',
    title: 'Correlation',
    hint: '1 when the two differ by a factor only, −1 when the sign is flipped, near 0 for another layer or a wrong order',
    kind: 'number',
    value: ({ correlation }) => correlation,
    show: correlationText,
  },
  {
    key: 'sqnr',
    title: 'SQNR',
    kind: 'number',
    value: ({ error }) => (error?.exact === true ? Infinity : error?.sqnrDb),
    show: ({ error }) => decibels(error),
  },
  {
    key: 'relative',
    title: 'Relative error',
    hint: "RMS of the difference over RMS of the reference's values",
    kind: 'number',
    value: relativeError,
    show: (constant) => {
      const share = relativeError(constant);
      if (share === undefined) return '–';
      return share < 10 ? percent(share) : `${short(share)} times`;
    },
  },
  {
    key: 'largest',
    title: 'Largest error',
    kind: 'number',
    value: ({ error }) => error?.maxAbsError,
    show: ({ error }) => (error === undefined ? '–' : short(error.maxAbsError)),
  },
  {
    key: 'channel',
    title: 'Worst channel',
    hint: 'with the lowest SQNR',
    kind: 'number',
    value: ({ error }) => error?.worstChannel?.sqnrDb,
    show: ({ error }) =>
      error?.worstChannel === undefined
        ? '–'
        : `${error.worstChannel.sqnrDb.toFixed(1)} dB, #${error.worstChannel.channel}`,
  },
  {
    key: 'other',
    title: 'Told',
    value: (constant) => (isOther(constant) ? 'not as in the reference' : 'alike'),
    show: (constant) =>
      isOther(constant) ? <strong>{visible('✕ not as in the reference')}</strong> : 'alike',
  },
];
