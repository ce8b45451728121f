import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { REPORTERS } from '../../src/report/index.js';
import type { InspectReport } from '../../src/report/inspect-report.js';
import { SCHEMA_VERSION } from '../../src/report/report.js';
import { EVALUATED } from '../support/evaluated-reports.js';

const OF_MEASUREMENTS = [
  'junit',
  'sarif',
  'github',
  'md',
  'csv',
  'model-explorer',
  'model-explorer-self',
  'model-explorer-cumulative',
] as const;

describe('the reporters', () => {
  it('render what was measured, each in its own form', async () => {
    const texts = await Promise.all(OF_MEASUREMENTS.map((name) => REPORTERS[name](EVALUATED)));
    expect(texts.map((text) => /^\S+/.exec(text)![0].slice(0, 8))).toEqual([
      ...['<?xml', '{', '::notice', '###', 'tensor,r', '{', '{', '{'],
    ]);
    for (const text of texts) expect(text.endsWith('\n')).toBe(true);
  });

  it('of measurements say which ones inspect has, which measures nothing', async () => {
    const report: InspectReport = {
      schemaVersion: SCHEMA_VERSION,
      tool: { name: 'qdbg', version: '1.0.0' },
      command: 'inspect',
      models: [],
    };
    for (const name of OF_MEASUREMENTS.filter((each) => each !== 'md' && each !== 'csv')) {
      const refusal = REPORTERS[name](report);
      await expect(refusal).rejects.toThrow(UsageError);
      await expect(refusal).rejects.toThrow(
        `--report ${name}: qdbg inspect measures nothing and has terminal, json, html, md and csv only`,
      );
    }
  });
});
