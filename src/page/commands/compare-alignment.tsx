/** How two networks were laid beside each other: what belongs together and why, and what is in one only. */
import type { JSX } from 'preact';
import type { Ground } from '../../diff/alignment/alignment.js';
import type { ReportedAlignment, UnmatchedNode } from '../../report/compare-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name, visible } from '../frame/layer-name.js';
import { count, decibels, percent, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import type { ComparePage } from './compare-ladder.js';
import { Shares, type Share } from './shares.js';

const GROUNDS: Readonly<Record<Ground, string>> = {
  input: 'position among the inputs',
  name: 'the same name',
  weights: 'weights alike',
  structure: 'structure around them',
  behaviour: 'behaviour on samples',
};

type Pair = ComparePage['tensors'][number];
type Input = ReportedAlignment['inputs'][number];
type Output = ReportedAlignment['outputs'][number];
interface Only extends UnmatchedNode {
  readonly network: 'reference' | 'candidate';
}

export function CompareAlignment({ report }: { readonly report: ComparePage }): JSX.Element {
  const { alignment, tensors } = report;
  const { operators, grounds, unmatched } = alignment;
  const { layer, select } = usePage();
  const only: readonly Only[] = [
    ...unmatched.reference.map((node) => ({ ...node, network: 'reference' as const })),
    ...unmatched.candidate.map((node) => ({ ...node, network: 'candidate' as const })),
  ];
  const told = Object.entries(grounds).map(([ground, tensorCount]): Share => ({
    name: GROUNDS[ground as Ground] ?? visible(ground),
    value: tensorCount,
  }));
  return (
    <Section
      id="alignment"
      title="Alignment"
      lead="Which tensor of the candidate is which of the reference. What has no counterpart is not measured, and an operator that is in one network only is often the answer."
    >
      <dl class="tiles">
        <Matched name="Compute operators" {...operators} />
        <Matched name="Tensors" {...alignment.tensors} />
        <div class="tile">
          <dt>In one network only</dt>
          <dd>
            {count(unmatched.reference.length + unmatched.candidate.length)}{' '}
            <span class="quiet">
              {count(unmatched.reference.length)} of the reference, {count(unmatched.candidate.length)} of the
              candidate
            </span>
          </dd>
        </div>
      </dl>
      <Shares
        title="What told that tensors belong together"
        file="alignment-grounds"
        unit="tensors"
        shares={told}
      />
      {only.length === 0 ? null : (
        <>
          <h3>In one network only</h3>
          <DataTable
            id="unmatched-table"
            caption="Nodes without a counterpart"
            file="compare-unmatched"
            columns={ONLY}
            rows={only}
            rowKey={({ network, node, tensor }) => `${network} ${node} ${tensor}`}
          />
        </>
      )}
      <Ports alignment={alignment} />
      {tensors.length === 0 ? null : (
        <>
          <h3>Pairs of tensors</h3>
          <DataTable
            id="pairs-table"
            caption="Pairs of tensors"
            file="compare-pairs"
            columns={PAIRS.filter(
              ({ key, value }) => key === 'tensor' || tensors.some((row) => value(row) !== undefined),
            )}
            rows={tensors}
            rowKey={({ tensor, order }) => `${order} ${tensor}`}
            isSelected={({ tensor }) => layer?.tensor === tensor}
            onRow={({ tensor }) => select(tensor)}
          />
        </>
      )}
    </Section>
  );
}

function Matched({
  name,
  matched,
  total,
}: {
  readonly name: string;
  readonly matched: number;
  readonly total: number;
}): JSX.Element {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        {count(matched)} of {count(total)}{' '}
        {total === 0 ? null : <span class="quiet">{percent(matched / total)}</span>}
      </dd>
    </div>
  );
}

const ONLY: readonly Column<Only>[] = [
  { key: 'network', title: 'Network', value: ({ network }) => network },
  { key: 'op', title: 'Operator', value: ({ op }) => op, show: ({ op }) => <Name name={op} /> },
  { key: 'node', title: 'Node', value: ({ node }) => node, show: ({ node }) => <LayerName name={node} /> },
  {
    key: 'tensor',
    title: 'Writes',
    value: ({ tensor }) => tensor,
    show: ({ tensor, node }) => (tensor === node ? '' : <LayerName name={tensor} />),
  },
];

const PAIRS: readonly Column<Pair>[] = [
  { key: 'order', title: '#', hint: 'position in graph order', kind: 'number', value: ({ order }) => order },
  {
    key: 'tensor',
    title: 'Candidate',
    value: ({ tensor }) => tensor,
    show: ({ tensor }) => <LayerName name={tensor} longest={48} />,
  },
  {
    key: 'reference',
    title: 'Reference',
    value: ({ reference }) => reference,
    show: ({ reference, tensor }) =>
      reference === tensor ? (
        <span class="quiet">the same name</span>
      ) : (
        <Name name={reference} longest={48} />
      ),
  },
  {
    key: 'layout',
    title: 'Axes',
    hint: 'how the reference was brought into the order of the candidate',
    value: ({ layout }) => layout,
  },
  { key: 'op', title: 'Operator', value: ({ op }) => op, show: ({ op }) => <Name name={op} longest={24} /> },
  {
    key: 'type',
    title: 'Type',
    value: ({ quant }) => quant?.dtype ?? 'float',
  },
  sqnrColumn('self', 'the float values through the own quantizer of the tensor'),
  sqnrColumn('local', 'this layer as the candidate has it, on the values of the reference'),
  sqnrColumn('cumulative', 'the candidate from its inputs up to here'),
];

function sqnrColumn(key: 'self' | 'local' | 'cumulative', hint: string): Column<Pair> {
  return {
    key,
    title: `${key.charAt(0).toUpperCase()}${key.slice(1)}`,
    hint: `SQNR beside the reference: ${hint}; higher is better`,
    kind: 'number',
    value: (row) => (row[key]?.exact === true ? Infinity : row[key]?.sqnrDb),
    show: (row) => decibels(row[key]),
  };
}

const INPUTS: readonly Column<Input>[] = [
  {
    key: 'candidate',
    title: 'Candidate',
    value: ({ candidate }) => candidate,
    show: ({ candidate }) => <Name name={candidate} />,
  },
  {
    key: 'reference',
    title: 'Reference',
    value: ({ reference }) => reference,
    show: ({ reference }) => <Name name={reference} />,
  },
  { key: 'type', title: 'Type', value: ({ type }) => type ?? 'as in the reference' },
  { key: 'layout', title: 'Axes', value: ({ layout }) => layout ?? 'as in the reference' },
];

const OUTPUTS: readonly Column<Output>[] = [
  { key: 'position', title: '#', kind: 'number', value: ({ position }) => position },
  {
    key: 'candidate',
    title: 'Candidate',
    value: ({ candidate }) => candidate,
    show: ({ candidate }) => <LayerName name={candidate} />,
  },
  {
    key: 'reference',
    title: 'Reference',
    value: ({ reference }) => reference ?? 'none',
    show: ({ reference }) => (reference === undefined ? <strong>none</strong> : <Name name={reference} />),
  },
  {
    key: 'referencePosition',
    title: '# there',
    hint: 'position among the outputs of the reference',
    kind: 'number',
    value: ({ referencePosition }) => referencePosition,
    show: ({ position, referencePosition, reference }) =>
      referencePosition === undefined ? (
        reference === undefined ? (
          '–'
        ) : (
          'no output'
        )
      ) : referencePosition === position ? (
        referencePosition
      ) : (
        <strong>{referencePosition}, moved</strong>
      ),
  },
  { key: 'type', title: 'Type', value: ({ type }) => visible(type) },
  { key: 'layout', title: 'Axes', value: ({ layout }) => layout ?? 'as in the reference' },
];

function Ports({ alignment: { inputs, outputs } }: { readonly alignment: ReportedAlignment }): JSX.Element {
  return (
    <>
      {inputs.length === 0 ? null : (
        <>
          <h3>{plural(inputs.length, 'input')}</h3>
          <DataTable
            id="aligned-inputs"
            caption="Inputs of the candidate"
            file="compare-inputs"
            columns={INPUTS}
            rows={inputs}
            rowKey={({ candidate, reference }) => `${candidate} ${reference}`}
            plain
          />
        </>
      )}
      {outputs.length === 0 ? null : (
        <>
          <h3>{plural(outputs.length, 'output')}</h3>
          <DataTable
            id="aligned-outputs"
            caption="Outputs of the candidate"
            file="compare-outputs"
            columns={OUTPUTS}
            rows={outputs}
            rowKey={({ position }) => String(position)}
            plain
          />
        </>
      )}
    </>
  );
}
