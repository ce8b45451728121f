/** The report of `qdbg compare`, of documents written by hand. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CompareReport } from '../../src/report/compare-report.js';
import { renderCompare } from '../../src/report/compare-terminal.js';
import { renderJson } from '../../src/report/json.js';
import type { TerminalOptions } from '../../src/report/terminal.js';
import {
  DEEP,
  DEVICE_DIFFERS,
  GRAPH_DIFFERS,
  HEALTHY,
  hostile,
  ladderOf,
  NOT_MEASURED,
  other,
  OUTPUTS_SWAPPED,
  rung,
  RUNTIME_DEPARTS,
  SAME_FILE,
  SCALE_TOO_SMALL,
  SITUATIONS,
  tensor,
  UNALIGNED,
  WEIGHTS_SWAPPED,
} from '../support/compared-reports.js';
import { errorOf } from '../support/evidence.js';

const PLAIN: TerminalOptions = { width: 120, color: false, top: undefined, quiet: false };
const WIDTHS = [60, 80, 120, 160];

const linesOf = (report: CompareReport, options: Partial<TerminalOptions> = {}): string[] =>
  renderCompare(report, { ...PLAIN, ...options }).split('\n');

/** Titles of sections, in order. */
function titlesOf(report: CompareReport, options: Partial<TerminalOptions> = {}): string[] {
  return linesOf(report, options)
    .map((line) => /^[A-Z]{2,}( [A-Z]{3,})*/.exec(line)?.[0])
    .filter((title) => title !== undefined);
}

/** Lines of the section whose first line starts so, up to the next blank line. */
function section(report: CompareReport, title: string, options: Partial<TerminalOptions> = {}): string[] {
  const lines = linesOf(report, options);
  const start = lines.findIndex((line) => line.startsWith(title));
  return start < 0 ? [] : lines.slice(start, lines.indexOf('', start));
}

const text = (lines: readonly string[]): string => lines.join(' ').replace(/\s+/g, ' ');
const cells = (line: string | undefined): string[] => (line ?? '').trim().split(/ {2,}/);

describe('the order of the report', () => {
  it('is answer, causes, evidence, and what it rests on', () => {
    const everything: CompareReport = {
      ...OUTPUTS_SWAPPED,
      ...WEIGHTS_SWAPPED,
      alignment: { ...OUTPUTS_SWAPPED.alignment, unmatched: GRAPH_DIFFERS.alignment.unmatched },
      runtime: RUNTIME_DEPARTS.runtime!,
      actual: DEVICE_DIFFERS.actual!,
      notMeasured: NOT_MEASURED.notMeasured,
    };
    expect(titlesOf(everything)).toEqual([
      'VERDICT',
      'SQNR',
      'FINDINGS',
      'LADDER',
      'LAYERS',
      'LARGEST FALLS',
      'CONSTANTS',
      'IN ONE NETWORK ONLY',
      'OUTPUTS',
      'INPUTS',
      'ALIGNMENT',
      'RUNTIME',
      'ACTUAL',
      'CHECKED',
      'NOT MEASURED',
    ]);
    const last = linesOf(everything).map((line) => line.split(' ')[0]);
    expect(last.indexOf('reference')).toBeGreaterThan(last.indexOf('NOT'));
    expect(last.indexOf('candidate')).toBeLessThan(last.indexOf('scheme'));
    expect(last.indexOf('scheme')).toBeLessThan(last.indexOf('data'));
  });

  it('is verdict and findings only when quiet', () => {
    expect(titlesOf(WEIGHTS_SWAPPED, { quiet: true })).toEqual(['VERDICT', 'FINDINGS']);
    expect(titlesOf(HEALTHY, { quiet: true })).toEqual(['VERDICT']);
  });
});

describe('a healthy pair', () => {
  it('gets a short report that says what was compared and that nothing is wrong', () => {
    expect(titlesOf(HEALTHY)).toEqual([
      'VERDICT',
      'LADDER',
      'LAYERS',
      'CONSTANTS',
      'OUTPUTS',
      'ALIGNMENT',
      'CHECKED',
    ]);
    expect(linesOf(HEALTHY).length).toBeLessThan(34);
    expect(text(section(HEALTHY, 'LAYERS'))).toBe(
      'LAYERS 6 aligned tensors; lowest cumulative SQNR 35.0 dB at pointwise (CONV_2D#3); lowest local SQNR 37.9 dB at pointwise (CONV_2D#3)',
    );
    expect(text(section(HEALTHY, 'CONSTANTS'))).toBe(
      "CONSTANTS all 5 aligned weights and biases are the reference's; the least alike is depthwise/kernel, SQNR 39.1 dB (relative error 1.11 %)",
    );
    expect(text(section(HEALTHY, 'ALIGNMENT'))).toBe(
      'ALIGNMENT 4 of 4 compute operators of the candidate (100 %) and 6 of 6 tensors have a counterpart in the reference, told by inputs 1, weights 4, structure 1',
    );
  });

  it('shows its layers where rows are asked for', () => {
    expect(section(HEALTHY, 'LAYERS', { top: 2 })[0]).toContain('2 of 6 aligned tensors');
  });

  it.each<[string, Partial<CompareReport>]>([
    ['a cause', { verdict: { cause: 'act.clipped', summary: 'close, but' } }],
    ['a warning', { findings: [{ ...SCALE_TOO_SMALL.findings[0]!, severity: 'warning' }] }],
    ['a last step of the ladder that loses', { ladder: ladderOf(120, 40, 36, 19) }],
    ['a last step without a value', { ladder: [...HEALTHY.ladder, rung('runtime', undefined)] }],
    ['no ladder', { ladder: [] }],
    [
      'operators without a counterpart',
      { alignment: { ...HEALTHY.alignment, operators: { matched: 9, total: 10 } } },
    ],
    ['outputs in another order', { alignment: OUTPUTS_SWAPPED.alignment }],
    ['a runtime that departs', { runtime: RUNTIME_DEPARTS.runtime! }],
    ['a device that departs', { actual: DEVICE_DIFFERS.actual! }],
  ])('is not one with %s: its layers are listed', (_, change) => {
    expect(section({ ...HEALTHY, ...change }, 'LAYERS').length).toBeGreaterThan(6);
  });

  it('is one where the graph needs its quantizers, which a step of the ladder leaves out', () => {
    const folded = { ...HEALTHY, ladder: ladderOf(-36, -36, 35, 35) };
    expect(section(folded, 'LAYERS').length).toBeLessThan(4);
  });

  it('is one where a runtime differs by rounding, or could not be run', () => {
    const rounding = { source: 'ort', samples: 1, tensors: [other('a', 'Conv', 3, 2, 50, 40)], skipped: [] };
    for (const runtime of [rounding, { notRun: 'the file is TFLite' }])
      expect(section({ ...HEALTHY, runtime }, 'LAYERS').length).toBeLessThan(4);
  });

  it('is one where the candidate has no quantizers', () => {
    const ladder = [rung('graph', 120), rung('weights', 110)];
    expect(section({ ...HEALTHY, ladder }, 'LAYERS').length).toBeLessThan(4);
  });

  it('is called exact, part by part, where the same file was given twice', () => {
    expect(text(section(SAME_FILE, 'LADDER'))).toContain('no step changes a single value of the outputs');
    expect(section(SAME_FILE, 'LAYERS')).toEqual([
      'LAYERS  6 aligned tensors, all exact: not one value differs',
    ]);
    expect(section(SAME_FILE, 'CONSTANTS')).toEqual([
      "CONSTANTS  all 5 aligned weights and biases are the reference's, exactly",
    ]);
  });
});

describe('the ladder', () => {
  it('says which quantity it is, of which output, over how many samples, and reads itself', () => {
    const [title, reading, head, ...rest] = section(SCALE_TOO_SMALL, 'LADDER');
    expect(title).toBe(
      'LADDER  SQNR at logits over 64 samples beside the float reference, in dB, higher is better',
    );
    expect(reading).toBe('  the exported graph computes the float function; quantizing activations loses it');
    expect(cells(head)).toEqual(['step', 'of the candidate', 'SQNR', 'same argmax']);
    expect(rest.slice(0, 4).map((line) => [cells(line)[0], ...cells(line).slice(2)])).toEqual([
      ['graph', '118.2', '100 %'],
      ['weights', '43.2', '100 %'],
      ['activations', '3.7', '21.8 %'],
      ['everything', '3.6', '21.8 %'],
    ]);
  });

  it('lists several outputs at every step, the four worst of many', () => {
    const rows = section(OUTPUTS_SWAPPED, 'LADDER').slice(3, 5).map(cells);
    expect(rows.map((row) => row.slice(-3))).toEqual([
      ['boxes', '120.0', '-'],
      ['scores', '118.0', '100 %'],
    ]);
    const outputs = Array.from({ length: 9 }, (_, i) => ({ tensor: `out${i}`, sqnrDb: 30 - i }));
    const many = { ...HEALTHY, ladder: [rung('everything', undefined, undefined, { outputs })] };
    expect(section(many, 'LADDER')[0]).toContain('at the 4 worst of 9 outputs');
    expect(text(section(many, 'LADDER'))).not.toContain('out4');
    expect(text(section(many, 'LADDER'))).toContain('out8');
  });

  it('has a column of samples where the steps had different ones', () => {
    const ladder = [...HEALTHY.ladder, rung('runtime', 30, 1, { samples: 4 })];
    const lines = section({ ...HEALTHY, ladder }, 'LADDER');
    expect(lines[0]).not.toContain('64');
    expect(cells(lines.find((line) => line.startsWith('  runtime'))).at(-1)).toBe('4');
    expect(cells(lines.find((line) => line.startsWith('  graph'))).at(-1)).toBe('64');
  });

  it('says of how many of the samples it is', () => {
    const ladder = HEALTHY.ladder.map((step) => ({ ...step, samples: 16 }));
    expect(section({ ...HEALTHY, ladder }, 'LADDER')[0]).toContain('at logits over 16 of 64 samples');
  });

  it('says once what several steps have in common', () => {
    const ladder = HEALTHY.ladder.map((step, i) =>
      i % 2 === 0 ? { ...step, remark: '2 are its own' } : step,
    );
    expect(section({ ...HEALTHY, ladder }, 'LADDER').at(-1)).toBe('  graph, activations: 2 are its own');
  });

  it('tells remarks, and the sample that the outputs keep worst', () => {
    expect(section(GRAPH_DIFFERS, 'LADDER')).toContain(
      "  everything: 1 constant has no counterpart: the candidate's own is used",
    );
    const cumulative = errorOf(30, { worstSample: '7_19.png', worstSqnrDb: 4.21 });
    const tensors = [tensor(0, 'logits', 'Gemm', [40, 40, 30], { role: 'output', cumulative })];
    expect(section({ ...HEALTHY, tensors }, 'LADDER').at(-1)).toBe(
      '  worst of 64 samples: 7_19.png, 4.2 dB cumulative SQNR at logits',
    );
  });
});

describe('the layers', () => {
  it('stand worst first by local SQNR, every number under a title that says which it is', () => {
    const [title, broken, head, ...rows] = section(SCALE_TOO_SMALL, 'LAYERS', { top: 5 });
    expect(title).toBe('LAYERS  5 of 6 aligned tensors, by local SQNR in dB, higher is better');
    expect(broken).toBe(
      '  first below 10 dB cumulative: depthwise (DEPTHWISE_CONV_2D#2) with 2.9 dB; conv1, which it reads, has 41.0 dB',
    );
    expect(cells(head).slice(0, 6)).toEqual(['tensor', 'op', 'self', 'local', 'cumul.', 'worst ch.']);
    expect(cells(rows[0])).toEqual([
      'depthwise',
      expect.stringMatching(/CONV_2D#2$/),
      '3.1',
      '3.0',
      '2.9',
      '-3.0 #7',
      '0/0 %',
      'int8 0.02353 -128',
    ]);
    const local = rows.slice(0, 5).map((row) => Number(cells(row)[3]));
    expect(local).toEqual(local.toSorted((a, b) => a - b));
    const legend = text(rows.slice(5));
    for (const term of ['self:', 'local:', 'cumul.:', 'worst ch.:']) expect(legend).toContain(term);
  });

  it('put what has a cumulative SQNR only behind what was measured by itself', () => {
    const tensors = [
      tensor(0, 'inherited', 'Relu', [undefined, undefined, 1]),
      tensor(1, 'own', 'Conv', [undefined, 30, 2]),
      tensor(2, 'exact', 'Reshape', ['exact', 'exact', 'exact']),
    ];
    const rows = section({ ...HEALTHY, ladder: [], tensors }, 'LAYERS').slice(3, 5);
    expect(rows.map((row) => cells(row)[0])).toEqual(['own', 'inherited']);
  });

  it('name the first that breaks in graph order, below 20 dB where none is below 10', () => {
    const tensors = [
      tensor(7, 'second', 'Conv', [40, 40, 12]),
      tensor(3, 'first', 'Conv', [40, 40, 15]),
      tensor(1, 'before', 'Conv', [40, 40, 25]),
    ];
    expect(section({ ...HEALTHY, ladder: [], tensors }, 'LAYERS')[1]).toBe(
      '  first below 20 dB cumulative: first (Conv#3) with 15.0 dB',
    );
  });

  it('have no falls where nothing falls below 20 dB', () => {
    expect(titlesOf(SCALE_TOO_SMALL)).toContain('LARGEST FALLS');
    expect(titlesOf(OUTPUTS_SWAPPED)).not.toContain('LARGEST FALLS');
  });

  it('show the name in the reference where it is another, and nameless nodes by their place', () => {
    const row = section(DEEP, 'LAYERS', { width: 160 })
      .map(cells)
      .find(([, op]) => op?.startsWith('CONV')) as string[];
    expect(row[1]).toBe('CONV_2D#141');
    expect(row.at(-1)).toBe('/stage.14/block.1/Conv_output_0');
    const named = tensor(0, 't', 'Conv+Relu', [3, 3, 3], { node: '/layer1/Conv' });
    expect(cells(section({ ...HEALTHY, ladder: [], tensors: [named] }, 'LAYERS')[3])[1]).toBe('Conv+Relu');
  });

  it('list the channels that were asked for', () => {
    const values = [{ min: 0, max: 1, localSqnrDb: 3 }];
    const asked = tensor(0, 't', 'Conv', [3, 3, 3], { channels: { axis: 1, asked: true, values } });
    expect(section({ ...HEALTHY, tensors: [asked] }, 'CHANNELS')[0]).toContain('CHANNELS of t');
    expect(titlesOf(HEALTHY)).not.toContain('CHANNELS');
  });

  it('are cut to the rows asked for', () => {
    expect(section(DEEP, 'LAYERS')[0]).toContain('10 of 300');
    const rows = section(DEEP, 'LAYERS', { top: 40 }).filter((line) => line.includes('CONV_2D#'));
    // With the line that names the first that breaks.
    expect(rows).toHaveLength(41);
  });
});

describe('the constants', () => {
  it("list those that are not the reference's with correlation, SQNR and relative error", () => {
    const [title, head, ...rows] = section(WEIGHTS_SWAPPED, 'CONSTANTS');
    expect(title).toBe("CONSTANTS  2 of 5 are not the reference's; SQNR in dB, higher is better");
    expect(cells(head)).toEqual([
      'constant',
      'role',
      'correlation',
      'SQNR',
      'relative error',
      'worst ch.',
      'node',
    ]);
    expect(cells(rows[0])).toEqual([
      'logits/kernel',
      'weight',
      '-1.000',
      '-6.0',
      '200 %',
      '-',
      'FULLY_CONNECTED#5',
    ]);
    expect(cells(rows[1])).toEqual([
      'pointwise/kernel',
      'weight',
      '0.013',
      '-2.8',
      '138 %',
      '-5.1 #3',
      'CONV_2D#3',
    ]);
  });

  it('list one that a finding accuses although its numbers look right', () => {
    const finding = { ...SCALE_TOO_SMALL.findings[0]!, subject: { tensor: 'conv1/bias' } };
    const rows = section({ ...HEALTHY, findings: [finding] }, 'CONSTANTS');
    expect(rows[0]).toContain("1 of 5 is not the reference's");
    expect(cells(rows[2])[0]).toBe('conv1/bias');
  });

  it('name the least alike channel where the outputs are lost, since pooled numbers hide it', () => {
    expect(text(section(SCALE_TOO_SMALL, 'CONSTANTS'))).toMatch(
      /; the least alike channel is #3 of depthwise\/kernel, 34.0 dB$/,
    );
  });

  it('say how many were left out', () => {
    expect(section(DEEP, 'CONSTANTS')[0]).toContain("12 of 600 are not the reference's, the worst 10");
  });

  it('are left out where none was aligned', () => {
    expect(titlesOf({ ...HEALTHY, constants: [] })).not.toContain('CONSTANTS');
  });
});

describe('what differs between the networks', () => {
  it('lists operators of one only, with what they write', () => {
    const [title, ...rows] = section(GRAPH_DIFFERS, 'IN ONE NETWORK ONLY');
    expect(title).toBe('IN ONE NETWORK ONLY  3 nodes of the reference, 0 of the candidate');
    expect(rows.map(cells)).toEqual([
      ['reference', 'Sub', 'norm/sub', 'writes norm/sub:0'],
      ['reference', 'Div', 'norm/div', 'writes norm/div:0'],
      ['reference', 'Relu', 'depthwise/relu', 'writes depthwise/relu:0'],
    ]);
  });

  it('counts the rest of many by operator', () => {
    const rows = section(UNALIGNED, 'IN ONE NETWORK ONLY');
    expect(rows.slice(-2)).toEqual([
      '  and 8 more of the reference: 8 Conv',
      '  and 6 more of the candidate: 4 CONV_2D, 2 RESIZE_NEAREST_NEIGHBOR',
    ]);
    expect(text(section(UNALIGNED, 'ALIGNMENT'))).toContain(
      '24 of 40 compute operators of the candidate (60 %)',
    );
  });

  it('says of every output which of the reference it is and how to read it, in full on any screen', () => {
    for (const width of WIDTHS) {
      const told = text(section(OUTPUTS_SWAPPED, 'OUTPUTS', { width }));
      expect(told).toBe(
        'OUTPUTS of the candidate, in another order than those of the reference ' +
          '#0 boxes is #1 StatefulPartitionedCall/boxes of the reference; uint8, value = (code - 128) * 0.00390625; [N,C,H,W] as [N,H,W,C] ' +
          '#1 scores is #0 StatefulPartitionedCall/scores of the reference; uint8, value = code * 0.003906 ' +
          '#2 count has no counterpart in the reference; float32',
      );
    }
    expect(section(HEALTHY, 'OUTPUTS')[0]).toBe('OUTPUTS of the candidate');
  });

  it('shows inputs only where their layout or type is another', () => {
    expect(text(section(OUTPUTS_SWAPPED, 'INPUTS'))).toContain(
      'image is input of the reference; uint8, value = code * 0.003922; [N,C,H,W] as [N,H,W,C]',
    );
    expect(titlesOf(HEALTHY)).not.toContain('INPUTS');
  });
});

describe('a run elsewhere', () => {
  it('is told by the first tensor that departs by more than rounding', () => {
    const [title, ...rest] = section(RUNTIME_DEPARTS, 'RUNTIME');
    expect(title).toBe(
      'RUNTIME  onnxruntime-node 1.30.0, optimizations off, beside the simulation, 64 samples: 4 of 5 tensors differ',
    );
    expect(text(rest)).toMatch(
      /^ first that departs: depthwise \(\S+\): 20 411 of 65 536 values differ, by 97 codes at most; SQNR beside the simulation 7.7 dB/,
    );
    const rows = rest.map(cells).filter(([, op]) => /CONV|CONNECTED/.test(op ?? ''));
    expect(rows.map(([name, , ...numbers]) => [name, ...numbers])).toEqual([
      ['depthwise', '31.1 %', '31.1 %', '97', '-', '7.7', '7.5'],
      ['pointwise', '91.6 %', '91.6 %', '44', '-', '8.8', '8.7'],
      ['logits', '1 %', '1 %', '61', '-', '9.3', '9.1'],
    ]);
    expect(rest).toContain('  not listed: 1 before these');
  });

  it('does not blame an operator for what it reads', () => {
    const inherited = { ...other('a', 'Conv', 60_000, 9, 8, 8), inputsDiffer: true };
    const own = { ...other('b', 'Gemm', 60_000, 9, 8, 8), inputsDiffer: false };
    const run = { source: 'ort', samples: 1, skipped: [] };
    expect(text(section({ ...HEALTHY, runtime: { ...run, tensors: [inherited, own] } }, 'RUNTIME'))).toMatch(
      /first that departs: b \(Gemm\): .*; what it reads agrees /,
    );
    expect(text(section({ ...HEALTHY, runtime: { ...run, tensors: [inherited] } }, 'RUNTIME'))).toMatch(
      /first that departs: a \(Conv\): .*; what it reads differs too /,
    );
  });

  it('counts what is not finite on one side as departing', () => {
    const tensors = [{ ...other('a', 'Conv', 3, 1, 70, 40), nonFinite: 3 }];
    const told = text(
      section({ ...HEALTHY, runtime: { source: 'ort', samples: 1, skipped: [], tensors } }, 'RUNTIME'),
    );
    expect(told).toContain('3 of 65 536 values differ, by 1 code at most, 3 of them by not being finite');
  });

  it('with optimizations has a section of its own, and the processor is told', () => {
    const optimized = { source: 'ort, optimizations on', samples: 1, skipped: [], tensors: [] };
    const report = { ...HEALTHY, optimized, processor: 'x64 with AVX2' };
    expect(text(section(report, 'OPTIMIZED'))).toBe(
      'OPTIMIZED ort, optimizations on, beside the simulation, 1 sample: no tensor was compared',
    );
    expect(linesOf(report)).toContain('processor  x64 with AVX2');
  });

  it('of floats, counts by SQNR; says how dumps were read and what was skipped', () => {
    const told = text(section(DEVICE_DIFFERS, 'ACTUAL'));
    expect(told).toContain('dump/, beside the simulation, 4 samples: 1 of 2 tensors differs');
    expect(told).toContain(
      'pointwise (CONV_2D): 65 000 of 65 536 values differ; SQNR beside the simulation 12.9 dB',
    );
    expect(told).toContain('dequantized values');
    expect(told).toContain('skipped 1 because no tensor has this name: dump/conv9.npy');
  });

  it('says so where all is equal, nothing was compared, or it was not run', () => {
    const run = { source: 'ort', samples: 2, skipped: [] };
    const runtime = (tensors: readonly ReturnType<typeof other>[]): string =>
      text(section({ ...HEALTHY, runtime: { ...run, tensors } }, 'RUNTIME'));
    expect(runtime([other('a', 'Conv', 0, 0, 'exact', 40)])).toMatch(/: 1 tensor compared, none differs$/);
    expect(runtime([])).toMatch(/: no tensor was compared$/);
    expect(runtime([other('a', 'Conv', 9, 1, 50, 40)])).toMatch(
      /: 1 of 1 tensor differs by rounding only, 1 code at most$/,
    );
    expect(text(section({ ...HEALTHY, runtime: { notRun: 'the file is TFLite' } }, 'RUNTIME'))).toBe(
      'RUNTIME not run: the file is TFLite',
    );
  });
});

describe('what was not measured', () => {
  it('is grouped by reason, the most common first, and does not fill the screen', () => {
    const rows = section(NOT_MEASURED, 'NOT MEASURED');
    expect(rows[0]).toBe('NOT MEASURED  181');
    expect(rows[1]).toMatch(/^ {2}140 because its shape depends on the data: detections\/nms_0/);
    expect(rows).toHaveLength(10);
    expect(rows.at(-1)).toBe('  34 for other reasons; --report json lists all');
  });
});

describe('the text of any report', () => {
  const all = Object.entries(SITUATIONS);

  it.each(all)(
    '%s fits screens of all widths, without trailing blanks, and ends with one line break',
    (_, report) => {
      for (const width of WIDTHS) {
        const lines = linesOf(report, { width });
        expect(lines.filter((line) => line.length > width)).toEqual([]);
        expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
        expect(lines.at(-1)).toBe('');
        expect(lines.at(-2)).not.toBe('');
      }
    },
  );

  it.each(all)('%s has the same words with and without colours', (_, report) => {
    const plain = renderCompare(report, PLAIN);
    const colored = renderCompare(report, { ...PLAIN, color: true });
    expect(colored).toContain('\u001b[1m');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it.each(all)(
    '%s never has an SNR that is not said to be an SQNR, and no value that is none',
    (_, report) => {
      expect(renderCompare(report, PLAIN)).not.toMatch(/\bSNR\b|NaN|undefined|Infinity|\[object/);
    },
  );

  it.each(all)('%s is JSON as it is', (_, report) => {
    expect(JSON.parse(renderJson(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });
});

describe('a network of 10,000 layers', () => {
  it('is rendered in time that does not matter', () => {
    const tensors = Array.from({ length: 10_000 }, (_, i) => tensor(i, `t${i}`, 'Conv', [40, i % 37, 5]));
    const constants = tensors.map(({ tensor: name, node }) => ({
      ...WEIGHTS_SWAPPED.constants[0]!,
      tensor: name,
      node,
    }));
    const nodes = tensors.map(({ tensor: name, node, op }) => ({ tensor: name, node, op }));
    const jumps = tensors.map(({ tensor: name, node, op }) => ({
      tensor: name,
      node,
      op,
      toDb: 5,
      from: name,
    }));
    const alignment = { ...HEALTHY.alignment, unmatched: { reference: nodes, candidate: nodes } };
    const start = performance.now();
    const lines = linesOf({ ...HEALTHY, ladder: [], tensors, constants, jumps, alignment });
    expect(performance.now() - start).toBeLessThan(2000);
    expect(lines.length).toBeLessThan(120);
  });
});

describe('names that anybody may have written into a file', () => {
  /** Escape sequences, a line break, text direction, and length. */
  const SHORT = '\u001b[2J\u0007\r\n\u202e\u061c\ufeff';
  const LONG = `${SHORT}${'x'.repeat(10_000)}`;
  const cases = WIDTHS.flatMap((width) => [SHORT, LONG].map((name) => [width, name.length, name] as const));

  it.each(cases)(
    'neither steer the terminal nor leave the screen of %i columns: %i characters',
    (width, _, name) => {
      const output = renderCompare(hostile(name), { ...PLAIN, width });
      expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u061c\ufeff]/);
      expect(output).toContain('\\u001b');
      expect(output.split('\n').filter((line) => line.length > width)).toEqual([]);
      expect(titlesOf(hostile(name), { width })).toHaveLength(15);
    },
  );

  it('do not bury the rest of the report', () => {
    // Paths are told in full, whatever their length: two models and the data.
    const lines = linesOf(hostile(LONG));
    expect(lines.filter((line) => !/^\s*x+$/.test(line)).length).toBeLessThan(160);
  });
});

describe('a finding about no place', () => {
  it('has no place, and no trailing blanks', () => {
    const finding = { ...SCALE_TOO_SMALL.findings[0]!, subject: {} };
    expect(section({ ...HEALTHY, findings: [finding] }, 'FINDINGS')[1]).toBe('  error    act.clipped');
  });
});

describe('a candidate without quantizers', () => {
  it('is said to have none', () => {
    const scheme = { name: 'file', weights: 'float', activations: 'float', bias: 'float' };
    const lines = linesOf({ ...SAME_FILE, scheme });
    expect(lines).toContain('scheme     none: the candidate has no quantizers');
    expect(lines.join()).not.toContain('0 of');
  });
});

describe('what a report may lack', () => {
  it('is left out with its title', () => {
    const empty: CompareReport = {
      ...HEALTHY,
      tensors: [],
      constants: [],
      ladder: [],
      jumps: [],
      data: {},
      alignment: { ...HEALTHY.alignment, outputs: [], inputs: [], grounds: {} },
    };
    expect(titlesOf(empty)).toEqual(['VERDICT', 'ALIGNMENT', 'CHECKED']);
  });

  it('is a dash in a table, never a zero', () => {
    const bare = { tensor: 'w', reference: 'w', node: 'Conv#0', role: 'weight' as const };
    const finding = { ...SCALE_TOO_SMALL.findings[0]!, subject: { tensor: 'w' } };
    const rows = section({ ...HEALTHY, constants: [bare], findings: [finding] }, 'CONSTANTS');
    expect(cells(rows[2])).toEqual(['w', 'weight', '-', '-', '-', '-', 'Conv#0']);
  });
});
