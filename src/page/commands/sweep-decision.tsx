/** The network as it should be quantized, what that costs and gives, and the files that carry it. */
import type { JSX } from 'preact';
import type { SweptExperiment } from '../../report/sweep-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { Name, visible } from '../frame/layer-name.js';
import { percent } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { DotChart } from './dot-chart.js';
import type { DotRow } from './dot-spec.js';
import { NameList } from './name-list.js';
import { decisionText, bytes, effectText, precision, type SweepPage } from './sweep-numbers.js';
import { axisTitle, measuresOf, valueOf } from './sweep-values.js';

type Exported = SweepPage['exports'][number];

const COLUMNS: readonly Column<Exported>[] = [
  { key: 'kind', title: 'For', value: ({ kind }) => visible(kind) },
  {
    key: 'file',
    title: 'File',
    value: ({ file }) => file,
    show: ({ file }) => <Name name={file} longest={80} />,
  },
  { key: 'note', title: 'What it holds', value: ({ note }) => visible(note) },
  {
    key: 'lost',
    title: 'What it cannot say',
    value: ({ lost }) => lost.map(visible).join('; '),
  },
];

export function SweepDecision({ report }: { readonly report: SweepPage }): JSX.Element | null {
  const { decision, exports, float, quantized, basis, together } = report;
  if (decision === undefined && exports.length === 0) return null;
  const rows: { readonly key: string; readonly label: string; readonly effect: SweptExperiment['effect'] }[] =
    [
      { key: 'float', label: 'float', effect: float },
      { key: 'quantized', label: 'everything quantized', effect: quantized },
      ...(decision === undefined ? [] : [{ key: 'decided', label: 'as decided', effect: decision.effect }]),
    ];
  const [measure] = measuresOf(
    report,
    rows.map(({ effect }) => effect),
  );
  return (
    <Section id="decision" title="Decision">
      {decision === undefined ? (
        <p class="told">Nothing that was tried is better than everything quantized as the scheme says.</p>
      ) : (
        <Decided report={report} decision={decision} />
      )}
      {decision === undefined || measure === undefined ? null : (
        <DotChart
          title="Before and after"
          description={`Float, everything quantized, and as decided: ${effectText(decision.effect, basis.metric)}.`}
          file="sweep-decision"
          axis={axisTitle(measure.value, basis.metric)}
          order=""
          rows={rows.map(({ key, label, effect }): DotRow => ({
            key,
            label,
            isStrong: key === 'decided',
            values: valueOf('value', label, effect, measure.value, basis.metric),
          }))}
          series={[
            {
              key: 'value',
              title: `${measure.label}, with its 95 % interval`,
              form: 'circle',
              color: 'var(--self)',
            },
          ]}
          levels={[]}
          inputs={[report]}
        />
      )}
      {together === undefined ||
      together.fixes.length < 2 ||
      together.fixes.join() === decision?.fixes.join() ? null : (
        <p class="told">
          All {together.fixes.length} fixes that help, together: {effectText(together.effect, basis.metric)}.
        </p>
      )}
      {exports.length === 0 ? null : (
        <>
          <h3>Written for other tools</h3>
          <DataTable
            id="exports-table"
            caption="Files that were written"
            file="sweep-exports"
            columns={COLUMNS}
            rows={exports}
            rowKey={({ kind, file }) => `${kind} ${file}`}
            plain
          />
        </>
      )}
    </Section>
  );
}

function Decided({
  report,
  decision,
}: {
  readonly report: SweepPage;
  readonly decision: NonNullable<SweepPage['decision']>;
}): JSX.Element {
  const { basis, layers, search, fixes } = report;
  const own = layers.filter(({ name }) => decision.layers.includes(name));
  const macs = own.reduce((sum, { macsShare = 0 }) => sum + macsShare, 0);
  const more = own.reduce((sum, { floatBytes = 0 }) => sum + floatBytes, 0);
  return (
    <div class="answer">
      <p>
        <strong>{decisionText(decision)}</strong>: {effectText(decision.effect, basis.metric)}
        {search === undefined || decision.meetsTarget === undefined
          ? ''
          : `, ${decision.meetsTarget ? 'within' : 'not within'} the target of ${visible(search.target)}`}
        .{' '}
        {decision.layers.length === 0
          ? 'No layer leaves integers.'
          : `${percent(macs)} of the multiply-accumulates are ${precision(decision.to)}${decision.to === 'float' && more > 0 ? `, and weights take ${bytes(more)} more` : ''}.`}
      </p>
      {decision.layers.length === 0 ? null : (
        <>
          <h3>Layers {precision(decision.to)}</h3>
          <NameList names={decision.layers} />
        </>
      )}
      {decision.fixes.length === 0 ? null : (
        <>
          <h3>Fixes</h3>
          <ul class="list">
            {decision.fixes.map((id) => (
              <li key={id}>{visible(fixes.find((fix) => fix.id === id)?.title ?? id)}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
