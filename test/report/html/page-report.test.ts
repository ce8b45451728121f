import { describe, expect, it } from 'vitest';
import type { AnyReport } from '../../../src/report/any-report.js';
import type { PageTensor, PageWeight } from '../../../src/report/html/page-document.js';
import { pageReport } from '../../../src/report/html/page-report.js';
import { cutText, rounded } from '../../../src/report/html/page-values.js';
import type { Report, ReportedTensor } from '../../../src/report/report.js';
import { EVALUATED, MEASURED, miou, named } from '../../support/evaluated-reports.js';
import { largeReport } from '../../support/large-report.js';

const tensorsOf = (report: AnyReport): readonly PageTensor[] => {
  const page = pageReport(report).report;
  return 'tensors' in page ? page.tensors : [];
};
const weightsOf = (report: Report): readonly PageWeight[] => pageReport(report).report.weights ?? [];
const withRow = (row: Partial<ReportedTensor>): Report => ({
  ...MEASURED,
  tensors: [{ ...MEASURED.tensors[0]!, ...row }],
});

describe('numbers of a page', () => {
  it('have six digits, whole ones all of them', () => {
    expect([0.123456789, -1234.56789, 1.5e-12 / 3, 123456789, 2 ** 40].map(rounded)).toEqual([
      0.123457,
      -1234.57,
      5e-13,
      123456789,
      2 ** 40,
    ]);
  });

  it('never round what is nearly all to all, nor what misses a bound to the bound', () => {
    expect([0.99999999, 19.9999999, -1e6 - 0.1, 99.9999].map(rounded)).toEqual([
      0.99999999,
      19.9999999,
      -1e6 - 0.1,
      99.9999,
    ]);
  });

  it('keep their order', () => {
    const values = [0.1, 0.1000001, 0.99999949, 0.9999999, 1, 1.0000001, 1.000002, 1e300];
    const short = values.map(rounded);
    expect(short).toEqual([...short].sort((a, b) => a - b));
  });

  it('are refused where a metric without a value is not absent, as JSON refuses them; scales are told as text', () => {
    expect(() => pageReport(withRow({ levels: NaN }))).toThrow('levels is NaN');
    const quant = { ...MEASURED.tensors[0]!.quant!, scale: [Infinity] };
    expect(tensorsOf(withRow({ quant }))[0]!.quant!.scale).toEqual(['Infinity']);
  });
});

describe('texts of a page', () => {
  it('are whole up to 10,000 characters, and beyond keep both ends and what tells them apart', () => {
    const name = 'x'.repeat(10_000);
    expect(tensorsOf(named(name))[0]!.tensor).toBe(name);
    const long = (middle: string): string => `begin${'x'.repeat(9000)}${middle}${'x'.repeat(9000)}end`;
    const [a, b] = [long('a'), long('b')].map((text) => cutText(text, 10_000));
    expect(a).toMatch(/^begin.*\[18009 characters, sha256 [0-9a-f]{12}\].*end$/u);
    expect(a!.length).toBeLessThanOrEqual(10_000);
    expect(a).not.toBe(b);
  });

  it('are shorter where all of them would be too much, the same everywhere', () => {
    const report = largeReport(400, 2);
    const long = (name: string): string => `${name}${'y'.repeat(9000)}`;
    const tensors = report.tensors.map((row) => ({ ...row, tensor: long(row.tensor), node: long(row.node) }));
    const nodes = report.graph!.nodes.map((node) => ({ ...node, outputs: node.outputs.map(long) }));
    const { report: page } = pageReport({ ...report, tensors, graph: { ...report.graph!, nodes } });
    expect(JSON.stringify(page).length).toBeLessThan(16e6);
    if (page.command !== 'analyze') throw new Error('of another command');
    expect(page.graph!.nodes[5]!.outputs[0]).toBe(page.tensors.find(({ order }) => order === 11)!.tensor);
  });

  it('are not cut where they are pictures', () => {
    const image = `data:image/png;base64,${'A'.repeat(40_000)}`;
    expect(cutText(image, 10_000)).toBe(image);
  });

  it('may be the names of what objects inherit', () => {
    const parsed = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as Report['scheme'];
    const report: Report = { ...MEASURED, scheme: parsed };
    const { report: page } = pageReport(report);
    const scheme = 'scheme' in page ? page.scheme : undefined;
    expect(JSON.stringify(scheme)).toBe('{"__proto__":{"polluted":1},"constructor":2}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('weights of a page', () => {
  it('have all their channels where there are few', () => {
    const report = largeReport(20, 32);
    const pages = weightsOf(report);
    expect(pages.map(({ channels, channelCount }) => [channels.length, channelCount])).toEqual(
      pages.map(() => [32, 32]),
    );
    expect(pages[3]!.channels[7]).toEqual({
      channel: 7,
      ...Object.fromEntries(
        Object.entries(report.weights[3]!.channels[7]!).map(([key, x]) => [key, rounded(x)]),
      ),
      perTensorLevels: rounded(report.weights[3]!.perTensorLevels[7]!),
    });
    expect(pages[0]).not.toHaveProperty('perTensorLevels');
  });

  it('share a budget: outliers, dead and first and last channels of each, the worst layers whole', () => {
    const report = largeReport(1000, 512);
    const pages = weightsOf(report);
    const total = pages.reduce((sum, { channels }) => sum + channels.length, 0);
    expect(total).toBeGreaterThan(25_000);
    expect(total).toBeLessThanOrEqual(32_000);
    for (const [at, { channels, outlierChannels, deadChannels }] of pages.entries()) {
      const kept = channels.map(({ channel }) => channel);
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      expect(kept).toEqual(expect.arrayContaining([0, 511, ...outlierChannels, ...deadChannels]));
      expect(outlierChannels).toEqual(report.weights[at]!.outlierChannels);
    }
    const named = new Set(
      report.findings.filter(({ severity }) => severity !== 'note').map(({ subject }) => subject.node),
    );
    const whole = pages.filter(({ channels }) => channels.length === 512);
    expect(whole.length).toBeGreaterThan(20);
    for (const { node } of whole) expect(named).toContain(node);
  });

  it('name a part of very many dead channels, with their number', () => {
    const report = largeReport(2, 1000);
    const deadChannels = Array.from({ length: 900 }, (_, i) => i + 50);
    const weights = report.weights.map((weight) => ({ ...weight, deadChannels }));
    const [page] = weightsOf({ ...report, weights });
    expect(page!.deadChannels).toHaveLength(256);
    expect(page!.deadCount).toBe(900);
    expect(page).not.toHaveProperty('outlierCount');
  });
});

describe('other lists of a page', () => {
  it('keep the smallest and the largest of very many scales, with their number', () => {
    const quant = {
      ...MEASURED.tensors[0]!.quant!,
      scale: Array.from({ length: 65_536 }, (_, i) =>
        i === 777 ? 9.5 : i === 40_001 ? 0.0001 : 0.01 + i / 1e6,
      ),
      zeroPoint: Array.from({ length: 65_536 }, (_, i) => i % 200),
    };
    const page = tensorsOf(withRow({ quant }))[0]!.quant!;
    expect(page.scaleCount).toBe(65_536);
    expect(page.scale.length).toBeLessThan(30_000);
    expect(Math.max(...page.scale)).toBe(9.5);
    expect(Math.min(...page.scale)).toBe(0.0001);
    expect(page.zeroPoint).toHaveLength(page.scale.length);
    expect(page.zeroPoint[page.scale.indexOf(9.5)]).toBe(777 % 200);
  });

  it('join bins where there are more than a plot shows; no value is lost', () => {
    const counts = Array.from({ length: 2001 }, (_, i) => i);
    const page = tensorsOf(withRow({ histogram: { lo: -1, hi: 1, counts } }))[0]!.histogram!;
    expect(page.counts.length).toBeLessThanOrEqual(256);
    expect(page.counts.reduce((a, b) => a + b, 0)).toBe((2000 * 2001) / 2);
    const width = (page.hi - page.lo) / page.counts.length;
    expect(width).toBeCloseTo((2 / 2001) * 8, 6);
    expect(page.counts[10]).toBe(80 + 81 + 82 + 83 + 84 + 85 + 86 + 87);
  });

  it('keep the worst of very many channels of an activation, and say which ones they are', () => {
    const values = Array.from({ length: 60_000 }, (_, i) => ({
      min: 0,
      max: i,
      localSqnrDb: i === 31_415 ? -3 : 30,
    }));
    const page = tensorsOf(withRow({ channels: { axis: 1, values } }))[0]!.channels!;
    expect(page.channelCount).toBe(60_000);
    expect(page.kept).toHaveLength(page.values.length);
    expect(page.values[page.kept!.indexOf(31_415)]).toMatchObject({ max: 31_415, localSqnrDb: -3 });
  });

  it('keep the classes that change most of 21,000, the same ones of every network', () => {
    const accuracy = miou(21_000);
    const changed = accuracy.networks.map((network, at) => ({
      ...network,
      perClass: network.perClass!.map((entry) => ({
        ...entry,
        delta: at === 2 && entry.label === 20_500 ? -99 : 0,
      })),
    }));
    const { report, leftOut } = pageReport({ ...MEASURED, accuracy: { ...accuracy, networks: changed } });
    const { networks } = (report as unknown as Report).accuracy!;
    const lists = networks.map(({ perClass }) => perClass!.map(({ label }) => label));
    expect(lists.map((labels) => labels.length)).toEqual([1000, 1000, 1000, 1000]);
    expect(lists[0]).toContain(20_500);
    expect(new Set(lists.map(String)).size).toBe(1);
    expect(leftOut).toContain(
      '1000 of 21000 classes of miou are shown here; the JSON report has all of them',
    );
  });

  it('are told of only where something was left out', () => {
    expect(pageReport(EVALUATED).leftOut).toEqual([]);
    const findings = Array.from({ length: 4000 }, () => MEASURED.findings[0]!);
    expect(pageReport({ ...MEASURED, findings }).leftOut).toEqual([
      '3000 of 4000 findings are shown here; the JSON report has all of them',
    ]);
  });
});
