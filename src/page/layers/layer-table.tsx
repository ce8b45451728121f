/** Every layer with its numbers. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { DataTable } from '../frame/data-table.js';
import { shortName } from '../frame/layer-name.js';
import { count } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { layerColumns } from './layer-columns.js';
import { filteredRows, layerRows, operatorCounts } from './layer-rows.js';
import { WeightTable } from './weight-table.js';

export function LayerTable(): JSX.Element | null {
  const { document, layers, layerNamed, layer, select } = usePage();
  const { report } = document;
  const rows = useMemo(() => layerRows(report, layers, layerNamed), [report, layers, layerNamed]);
  const columns = useMemo(() => layerColumns(rows), [rows]);
  const operators = useMemo(() => operatorCounts(rows), [rows]);
  const [op, setOp] = useState('');
  const [onlyWithFindings, setOnlyWithFindings] = useState(false);
  const [onlyQuantized, setOnlyQuantized] = useState(false);
  const filtered = useMemo(
    () => filteredRows(rows, { ...(op === '' ? {} : { op }), onlyWithFindings, onlyQuantized }),
    [rows, op, onlyWithFindings, onlyQuantized],
  );
  if (rows.length === 0) return null;
  const withFindings = rows.filter(({ findings }) => findings.length > 0).length;
  const quantized = rows.filter(({ layer: { activation } }) => activation.quant !== undefined).length;
  return (
    <>
      <Section
        id="layers"
        title="Layers"
        lead="Every layer that was measured. Click a heading to sort, a row for all that is known of the layer; point at a heading to read what its number is."
      >
        <DataTable
          id="layer-table"
          caption="Numbers of every layer"
          file="layers"
          columns={columns}
          rows={filtered}
          rowKey={({ layer: { tensor } }) => tensor}
          isSelected={(row) => row.layer === layer}
          onRow={(row) => select(row.layer.tensor)}
        >
          {operators.length < 2 ? null : (
            <label>
              <span class="visually-hidden">Operator</span>
              <select value={op} onChange={({ currentTarget }) => setOp(currentTarget.value)}>
                <option value="">all operators</option>
                {operators.map(([name, times]) => (
                  <option key={name} value={name}>
                    {shortName(name, 40)} ({count(times)})
                  </option>
                ))}
              </select>
            </label>
          )}
          {withFindings === 0 || withFindings === rows.length ? null : (
            <Check
              text={`with findings (${count(withFindings)})`}
              checked={onlyWithFindings}
              onChange={setOnlyWithFindings}
            />
          )}
          {quantized === 0 || quantized === rows.length ? null : (
            <Check
              text={`quantized (${count(quantized)})`}
              checked={onlyQuantized}
              onChange={setOnlyQuantized}
            />
          )}
        </DataTable>
      </Section>
      <WeightTable />
    </>
  );
}

function Check({
  text,
  checked,
  onChange,
}: {
  readonly text: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />{' '}
      only {text}
    </label>
  );
}
