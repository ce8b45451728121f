import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { renderCsv } from '../../src/report/csv.js';
import { HOSTILE, MEASURED, named } from '../support/evaluated-reports.js';
import { errorOf } from '../support/evidence.js';

/** Read by a package that knows the format. */
const rowsOf = (csv: string): Record<string, string>[] =>
  parse(csv, { columns: true, record_delimiter: '\r\n' });

describe('the CSV report', () => {
  it('has a row for each tensor, with units in the titles and nothing where nothing was measured', () => {
    const [first, second] = rowsOf(renderCsv(MEASURED));
    expect(first).toMatchObject({
      tensor: 'stem:out',
      reference: '',
      op: 'Conv+Relu',
      role: 'activation',
      shape: '1xNx?',
      scale_min: '0.25',
      scale_max: '0.5',
      scale_count: '2',
      range_min: '-1.5',
      levels: '101.5',
      self_sqnr_db: '',
      self_exact: 'true',
      local_sqnr_db: '41.25',
      local_worst_channel: '3',
      cumulative_sqnr_db: '40',
    });
    expect(second).toMatchObject({ tensor: 'w', dtype: '', local_sqnr_db: '', local_exact: '' });
  });

  it('reads back as written, whatever the names are', () => {
    for (const name of [HOSTILE, 'a,"b"\r\nc', ',', '"']) {
      const [row] = rowsOf(renderCsv(named(name)));
      expect(row!['node']).toBe(row!['tensor']);
      expect(row!['local_sqnr_db']).toBe('41.25');
    }
    expect(rowsOf(renderCsv(named('a,"b"')))[0]!['tensor']).toBe('a,"b"');
  });

  it('gives a spreadsheet no formula to run, and leaves numbers alone', () => {
    for (const name of ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\uff1d1', '=a,"b"']) {
      const [row] = rowsOf(renderCsv(named(name)));
      expect(row!['tensor']).not.toMatch(/^\s*[=+\-@\uff1d]/);
    }
    expect(rowsOf(renderCsv(named('=1+1')))[0]!['tensor']).toBe("'=1+1");
    expect(rowsOf(renderCsv(MEASURED))[0]!['range_min']).toBe('-1.5');
  });

  it('has as many cells in every line, and lines that end as RFC 4180 says', () => {
    const lines = renderCsv(MEASURED).split('\r\n');
    expect(lines.at(-1)).toBe('');
    const cells = lines.slice(0, -1).map((line) => line.split(',').length);
    expect(new Set(cells).size).toBe(1);
    expect(renderCsv(MEASURED)).not.toMatch(/[^\r]\n/);
  });

  it('takes a weight with more scales than a call has arguments', () => {
    const [tensor] = MEASURED.tensors;
    const scale = Array.from({ length: 300_000 }, (_, i) => i + 1);
    const wide = { ...tensor!, quant: { ...tensor!.quant!, scale }, self: errorOf(1) };
    expect(rowsOf(renderCsv({ ...MEASURED, tensors: [wide] }))[0]).toMatchObject({
      scale_min: '1',
      scale_max: '300000',
    });
  });
});
