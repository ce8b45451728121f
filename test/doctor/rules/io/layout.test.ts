import { describe, expect, it } from 'vitest';
import { layout } from '../../../../src/doctor/rules/io/layout.js';
import type { Shape } from '../../../../src/ir/graph.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../../../src/ir/lane.js';
import type { NeighbourSteps } from '../../../../src/run/data/neighbours.js';
import { alignmentOf } from '../../../support/comparison.js';
import { dataStudy, inputStudy } from '../../../support/data-studies.js';
import { graph, tensorNamed } from '../../../support/graph-builder.js';

const net = (shape: Shape, format: 'onnx' | 'tflite' = 'onnx', perm?: readonly number[]) => {
  const begun = graph({ format }).input('x', 'float32', shape);
  const moved =
    perm === undefined
      ? begun.node('Identity', { inputs: ['x'], outputs: ['t'] })
      : begun.node('Transpose', { name: 'transpose', inputs: ['x'], outputs: ['t'], attrs: { perm } });
  return inferShapes(
    moved
      .node('Relu', { inputs: ['t'], outputs: ['y'] })
      .output('y')
      .build(),
  );
};

describe('pictures', () => {
  const NCHW = net([1, 3, 8, 8]);
  const said = (steps: NeighbourSteps) =>
    layout.check({ graph: NCHW, data: dataStudy([inputStudy('x', 0, 1, { neighbours: steps })]) });
  const steps = (read: 'planes' | 'pixels', within: number, across: number, apart: number) =>
    said({ read, channels: 3, within, across, apart });

  // Measured on photographs, pixel by pixel and in planes.
  it('that are pixels and were read as planes are an error', () => {
    const [finding] = steps('planes', 24.2, 45.2, 15);
    expect(finding).toMatchObject({ severity: 'error', subject: { tensor: 'x' } });
    expect(finding!.message).toBe(
      'the data were read as NCHW, but as NHWC neighbours differ by 0.48 times as much: the channels are on another axis',
    );
    expect(finding!.fix?.edit).toBe('x = x.reshape(-1, 8, 8, 3).transpose(0, 3, 1, 2)');
  });

  it('that are planes and were read as pixels are an error', () => {
    const [finding] = steps('pixels', 15, 15, 29.1);
    expect(finding).toMatchObject({ severity: 'error' });
    expect(finding!.message).toContain('were read as NHWC, but as NCHW');
  });

  it('with much noise are a warning', () => {
    expect(steps('planes', 31.9, 43.7, 27.2)).toMatchObject([{ severity: 'warning' }]);
    expect(steps('pixels', 27.2, 27.1, 34.5)).toMatchObject([{ severity: 'warning' }]);
  });

  it.each([
    ['planes of photographs', 'planes', 15, 15, 29.1],
    ['pixels of photographs', 'pixels', 24.2, 45.2, 15],
    ['grey pixels of three channels', 'pixels', 0, 11.3, 11.3],
    ['noise', 'planes', 1.13, 1.13, 1.13],
    ['one value', 'planes', 0, 0, 0],
  ] as const)('that were read rightly: %s', (_, read, within, across, apart) => {
    expect(steps(read, within, across, apart)).toEqual([]);
  });
});

describe('an input', () => {
  it('with channels last in ONNX, moved first, is a note', () => {
    expect(layout.check({ graph: net([1, 8, 8, 3], 'onnx', [0, 3, 1, 2]) })).toMatchObject([
      {
        severity: 'note',
        subject: { node: 'transpose', tensor: 'x' },
        message: 'input x takes [1, 8, 8, 3]: channels last (NHWC), which is unusual in ONNX',
      },
    ]);
  });

  it('with channels first in TFLite is a note', () => {
    expect(layout.check({ graph: net([1, 3, 8, 8], 'tflite') })).toMatchObject([{ severity: 'note' }]);
  });

  it('as its format has it, or whose extents say nothing, is none', () => {
    expect(layout.check({ graph: net([1, 3, 8, 8]) })).toEqual([]);
    expect(layout.check({ graph: net([1, 8, 8, 3], 'tflite') })).toEqual([]);
    expect(layout.check({ graph: net([1, 8, 8, 3]) })).toEqual([]);
    expect(layout.check({ graph: net([1, 3, 8, 3], 'tflite') })).toEqual([]);
    expect(layout.check({ graph: net([1, 300]) })).toEqual([]);
  });
});

describe('reference and candidate', () => {
  const said = (wanted: Shape, own: Shape, perm?: readonly number[]) => {
    const [reference, candidate] = [net(wanted), net(own, 'tflite')];
    const view = perm === undefined ? {} : { view: { dims: own.map(Number), perm } };
    const inputs = [
      {
        reference: tensorNamed(reference, 'x').id,
        candidate: tensorNamed(candidate, 'x').id,
        ground: 'input' as const,
        ...view,
      },
    ];
    return layout.check({
      graph: candidate,
      reference: { graph: reference, lane: FLOAT_LANE },
      alignment: alignmentOf({ inputs }),
    });
  };

  it('that take a picture in different orders are a note', () => {
    expect(said([1, 3, 8, 8], [1, 8, 8, 3], [0, 2, 3, 1])).toMatchObject([
      {
        severity: 'note',
        message:
          'input x takes [1, 8, 8, 3], the reference [1, 3, 8, 8]: the application transposes what it feeds',
      },
    ]);
  });

  it('are a warning where equal extents hide it', () => {
    expect(said([1, 5, 5, 5], [1, 5, 5, 5], [0, 2, 3, 1])).toMatchObject([{ severity: 'warning' }]);
  });

  it('that take the same are none', () => {
    expect(said([1, 5, 5, 5], [1, 5, 5, 5])).toEqual([]);
    expect(said([1, 8, 8, 3], [1, 8, 8, 3])).toEqual([]);
  });
});
