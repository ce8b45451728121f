import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/json.js';
import type { AnyReport } from '../../src/report/any-report.js';

const report = (content: object): AnyReport => content as AnyReport;

describe('JSON', () => {
  it('is the report, key by key in its order, with a line break at the end', () => {
    const text = renderJson(report({ b: 1, a: { z: [1, 2], y: 'ü\u202e' } }));
    expect(text.endsWith('}\n')).toBe(true);
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['b', 'a']);
    expect(JSON.parse(text)).toEqual({ b: 1, a: { z: [1, 2], y: 'ü\u202e' } });
  });

  it('leaves out what is undefined', () => {
    expect(JSON.parse(renderJson(report({ a: undefined, b: 2 })))).toEqual({ b: 2 });
  });

  it.each([NaN, Infinity, -Infinity])(
    'refuses %s, which it would write as null, and says where it was',
    (value) => {
      expect(() => renderJson(report({ tensors: [{ self: { sqnrDb: value } }] }))).toThrow(/sqnrDb is/);
      expect(() => renderJson(report({ list: [1, value] }))).toThrow(RangeError);
    },
  );
});
