/** Quantized tensors of a file with their parameters, odd ones marked. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Extremes, InspectedQuantization, InspectedTensor } from '../../report/inspect-report.js';
import { DataTable, type Column } from '../frame/data-table.js';
import { LayerName, Name, visible } from '../frame/layer-name.js';
import { count, plural, short } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { Choice } from './choice.js';
import { shapeText } from './inspect-files.js';

type Shown = 'all' | 'odd' | 'activations' | 'constants';

export function InspectTensors({
  quantization: { tensors },
}: {
  readonly quantization: InspectedQuantization;
}): JSX.Element | null {
  const { selected, select } = usePage();
  const [shown, setShown] = useState<Shown>('all');
  if (tensors.length === 0) return null;
  const odd = tensors.filter(({ marks }) => marks.length > 0);
  const rows: Readonly<Record<Shown, readonly InspectedTensor[]>> = {
    all: tensors,
    odd,
    activations: tensors.filter((tensor) => !isConstant(tensor)),
    constants: tensors.filter(isConstant),
  };
  const options = (Object.keys(rows) as Shown[])
    .filter((value) => value === 'all' || (rows[value].length > 0 && rows[value].length < tensors.length))
    .map((value) => ({ value, label: `${value} ${count(rows[value].length)}` }));
  return (
    <Section
      id="quantized-tensors"
      title="Quantized tensors"
      lead={
        odd.length === 0
          ? 'Parameters as the file has them: value = (code − zero point) × scale.'
          : `${plural(odd.length, 'tensor')} with odd parameters (▲), listed first.`
      }
    >
      <DataTable
        id="quantized-tensors-table"
        caption="Table of quantized tensors"
        file="inspect-quantized"
        columns={COLUMNS.filter(
          ({ key, value }) => key === 'tensor' || rows[shown].some((row) => (value(row) ?? '') !== ''),
        )}
        rows={rows[shown]}
        rowKey={({ tensor, node, onlyInput }) => `${tensor} ${node} ${onlyInput ?? ''}`}
        isSelected={({ tensor, node }) => tensor === selected || node === selected}
        onRow={({ tensor }) => select(tensor)}
      >
        <Choice name="Tensors" options={options} chosen={shown} onChoose={setShown} />
      </DataTable>
    </Section>
  );
}

function isConstant({ role }: InspectedTensor): boolean {
  return role === 'weight' || role === 'bias';
}

function between({ min, max }: Partial<Extremes>): string {
  if (min === undefined || max === undefined) return '–';
  return min === max ? short(min) : `${short(min)} to ${short(max)}`;
}

const COLUMNS: readonly Column<InspectedTensor>[] = [
  {
    key: 'tensor',
    title: 'Tensor',
    value: ({ tensor }) => tensor,
    show: ({ tensor, marks, onlyInput }) => (
      <>
        {marks.length === 0 ? '' : '▲ '}
        <LayerName name={tensor} longest={44} />
        {onlyInput === undefined ? '' : ' (one use)'}
      </>
    ),
  },
  { key: 'role', title: 'Role', value: ({ role }) => role },
  { key: 'op', title: 'Operator', value: ({ op }) => op, show: ({ op }) => <Name name={op} longest={24} /> },
  { key: 'shape', title: 'Shape', value: ({ shape }) => shapeText(shape) },
  { key: 'dtype', title: 'Type', value: ({ dtype }) => visible(dtype) },
  {
    key: 'scales',
    title: 'Scales',
    value: ({ scales, axis, blockSize }) =>
      axis === undefined
        ? '1'
        : `${count(scales.count)} on axis ${axis}${blockSize === undefined ? '' : ` by ${blockSize}`}`,
  },
  {
    key: 'scale',
    title: 'Scale',
    kind: 'number',
    value: ({ scales }) => scales.max,
    show: ({ scales }) => between(scales),
  },
  {
    key: 'zero',
    title: 'Zero point',
    kind: 'number',
    value: ({ zeroPoints }) => zeroPoints.max,
    show: ({ zeroPoints }) => between(zeroPoints),
  },
  {
    key: 'low',
    title: 'From',
    hint: 'real value that the first code stands for',
    kind: 'number',
    value: ({ represents }) => represents?.min,
    show: ({ represents }) => (represents === undefined ? '–' : short(represents.min)),
  },
  {
    key: 'high',
    title: 'to',
    hint: 'real value that the last code stands for',
    kind: 'number',
    value: ({ represents }) => represents?.max,
    show: ({ represents }) => (represents === undefined ? '–' : short(represents.max)),
  },
  {
    key: 'marks',
    title: 'Odd',
    value: ({ marks }) => marks.map(({ text }) => visible(text)).join('; '),
    show: ({ marks }) =>
      marks.map(({ kind, text }) => (
        <p class={kind === 'illegal' ? 'mark illegal' : 'mark'} key={text}>
          {visible(text)}
        </p>
      )),
  },
];
