import { describe, expect, it } from 'vitest';
import { fileFormat } from '../../../../src/doctor/rules/io/file-format.js';
import { dataStudy, inputStudy } from '../../../support/data-studies.js';
import { graph } from '../../../support/graph-builder.js';

const NET = graph()
  .input('x', 'float32', [1, 4])
  .node('Relu', { name: 'relu', inputs: ['x'], outputs: ['y'] })
  .output('y')
  .build();

describe('io.file-format', () => {
  it('tells how many samples were left out, and why the first was', () => {
    const excluded = { count: 3, first: [{ id: 'b/7.png', reason: 'it ends too early' }] };
    const calib = dataStudy([inputStudy('x', 0, 1)], { flag: '--calib', samples: 27, excluded });
    expect(fileFormat.check({ graph: NET, calib })).toMatchObject([
      {
        severity: 'warning',
        subject: {},
        message: '3 of 30 samples of --calib (10 %) were left out, the first, b/7.png: it ends too early',
      },
    ]);
  });

  it.each([
    ['too large', -3.1e38, 2.9e38],
    ['too small', -1e-20, 1.2e-19],
  ])('tells of numbers that are %s for any measurement', (_, min, max) => {
    const [finding, ...more] = fileFormat.check({ graph: NET, data: dataStudy([inputStudy('x', min, max)]) });
    expect(finding).toMatchObject({ severity: 'error', subject: { node: 'relu', tensor: 'x' } });
    expect(finding!.message).toContain('bytes of another type');
    expect(more).toEqual([]);
  });

  it('is silent about usual numbers, about masks, and about zeros', () => {
    const of = (min: number, max: number, distinct?: number) =>
      fileFormat.check({
        graph: NET,
        data: dataStudy([inputStudy('x', min, max, distinct === undefined ? {} : { distinct })]),
      });
    expect(of(-4096, 1e9)).toEqual([]);
    expect(of(-1e-6, 1e-6)).toEqual([]);
    expect(of(-3.4028235e38, 0, 2)).toEqual([]);
    expect(of(0, 0, 1)).toEqual([]);
  });
});
