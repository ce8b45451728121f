import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { baselineOf, renderBaseline } from '../../src/report/baseline.js';
import { MOST_BASELINE_BYTES, parseBaseline } from '../../src/report/baseline-file.js';
import { accuracy } from '../diff/gate/accuracies.js';
import { dataset, layer, LAYERS, run } from './baselines.js';

const TEXT = `{
  "accuracy": {"candidate":90.84,"metric":"top1","reference":91.2,"samples":1000},
  "calibration": {"samples":10,"sha256":"cc"},
  "command": "analyze",
  "coverage": {"macs":{"quantized":990,"total":1000},"ops":{"quantized":9,"total":10}},
  "data": {"samples":200,"sha256":"ee"},
  "findings": [
    {"rule":"act.clip","subject":{"tensor":"conv1"}},
    {"rule":"w.axis","subject":{"node":"conv2/node","tensor":"conv2"}}
  ],
  "layers": [
    {"cumulativeDb":40,"localDb":42,"node":"conv1/node","op":"Conv","order":0,"shape":"1x8x8x1","tensor":"conv1"},
    {"cumulativeDb":31.24,"localDb":30,"node":"conv2/node","op":"Conv","order":1,"shape":"1x8x8x2","tensor":"conv2"},
    {"cumulativeDb":25,"localDb":"exact","node":"fc/node","op":"Conv","order":2,"shape":"1x8x8x3","tensor":"fc"}
  ],
  "models": [
    {"role":"model","sha256":"aa"}
  ],
  "preprocessing": "{\\"mean\\":[0],\\"resize\\":\\"stretch\\"}",
  "processor": "x64 with AVX2",
  "schemaVersion": 1,
  "scheme": "{\\"bias\\":\\"int32\\",\\"name\\":\\"ort\\"}",
  "tool": {"name":"qdbg","runtime":"1.30.0","version":"1.2.3"}
}
`;

function refusal(text: string): UsageError {
  try {
    parseBaseline(text, 'base.json');
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a baseline', () => {
  it('is sorted and rounded, one line for every layer, and names no path', () => {
    expect(renderBaseline(baselineOf(run({ accuracy: accuracy() }), 'x64 with AVX2'))).toBe(TEXT);
  });

  it('has the same bytes whatever the order of findings and keys', () => {
    const turned = run({
      accuracy: accuracy(),
      findings: [...run().findings, ...run().findings].reverse(),
      scheme: { bias: 'int32', name: 'ort' },
      tensors: [...LAYERS].reverse(),
    });
    expect(renderBaseline(baselineOf(turned, 'x64 with AVX2'))).toBe(TEXT);
  });

  it('reads back as it was written', () => {
    const baseline = baselineOf(run({ accuracy: accuracy() }), 'x64 with AVX2');
    expect(parseBaseline(TEXT, 'base.json')).toEqual(baseline);
    expect(parseBaseline(`\uFEFF${TEXT.replaceAll('\n', '\r\n')}`, 'base.json')).toEqual(baseline);
  });

  it('leaves out what has no value, and tensors without any measurement', () => {
    const tensors = [layer(0, 'weight', undefined), layer(1, 'nan', 'lost'), layer(2, 'tiny', -0.001)];
    const { layers, ...rest } = baselineOf(run({ tensors, data: { data: dataset('dd', 5) }, findings: [] }));
    expect(layers.map(({ tensor, cumulativeDb }) => [tensor, cumulativeDb])).toEqual([
      ['nan', undefined],
      ['tiny', 0],
    ]);
    expect(Object.is(layers[1]?.cumulativeDb, -0)).toBe(false);
    expect(rest).not.toHaveProperty('accuracy');
    expect(rest).not.toHaveProperty('calibration');
    expect(rest.data).toEqual({ sha256: 'dd', samples: 5 });
    const text = renderBaseline(baselineOf(run({ tensors, findings: [] })));
    expect(parseBaseline(text, 'base.json').findings).toEqual([]);
  });
});

describe('a baseline file', () => {
  it.each([
    ['', 'base.json is no baseline: it is empty'],
    ['{"schemaVersion": 1', 'base.json is no baseline: it is not JSON'],
    [`<<<<<<< HEAD\n${TEXT}`, 'base.json has conflict markers of a merge'],
    ['null', 'base.json is no baseline'],
    ['[]', 'base.json is no baseline'],
    ['"text"', 'base.json is no baseline'],
    ['['.repeat(100_000), 'base.json is no baseline: it is not JSON'],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, 'base.json is no baseline'],
    ['{"schemaVersion":1,"tensors":[],"verdict":{}}', 'base.json is a report, not a baseline'],
    [
      TEXT.replace('"schemaVersion": 1', '"schemaVersion": 2'),
      'base.json was written by a newer qdbg: its form is 2, this one reads 1',
    ],
    [' '.repeat(MOST_BASELINE_BYTES + 1), 'base.json is no baseline: it has more than 16 MB'],
  ])('that begins with %.20j is refused', (text, message) => {
    const error = refusal(text);
    expect(error.message).toBe(message);
    expect(error.hint).toBeDefined();
  });

  it('is refused with every fault and its place', () => {
    const broken = TEXT.replace('"cumulativeDb":40', '"cumulativeDb":"fine"')
      .replace('"samples":200', '"samples":-1')
      .replace('"command": "analyze"', '"command": "inspect"')
      .replace('"rule":"act.clip"', '"rule":"act.clip","why":"x"');
    const places = refusal(broken).places.map((place) => place.split(':')[0]);
    expect(places).toEqual(['command', 'data.samples', 'layers.0.cumulativeDb', 'findings.0']);
  });

  it('cannot reach a prototype', () => {
    const { places } = refusal(TEXT.replace('{\n', '{\n  "__proto__": {"hacked": true},\n'));
    expect(places.join()).toContain('__proto__');
    expect(({} as { hacked?: boolean }).hacked).toBeUndefined();
  });
});
