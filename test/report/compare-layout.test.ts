/** Orders of elements in words. The element-by-element check uses `viewed`, which the words must describe. */
import { describe, expect, it } from 'vitest';
import type { View } from '../../src/ir/view.js';
import { layoutText } from '../../src/report/compare-layout.js';

const tensor = (shape: readonly number[], fileAxes?: readonly number[]) => ({
  shape,
  ...(fileAxes === undefined ? {} : { fileAxes }),
});
const view = (dims: readonly number[], perm: readonly number[]): View => ({ dims, perm });

describe('layoutText', () => {
  it.each([
    ['[N,C,H,W] as [N,H,W,C]', [1, 3, 8, 9], [0, 2, 3, 1], [1, 8, 9, 3]],
    ['[N,H,W,C] as [N,C,H,W]', [1, 8, 9, 3], [0, 3, 1, 2], [1, 3, 8, 9]],
    ['[C,H,W] as [H,W,C]', [3, 8, 9], [1, 2, 0], [8, 9, 3]],
    ['[H,W,C] as [C,H,W]', [8, 9, 3], [2, 0, 1], [3, 8, 9]],
    ['[N,C,D,H,W] as [N,D,H,W,C]', [2, 3, 4, 8, 9], [0, 2, 3, 4, 1], [2, 4, 8, 9, 3]],
  ])('names the order of channels: %s', (text, from, perm, to) => {
    expect(layoutText(view(from, perm), tensor(from), tensor(to))).toBe(text);
  });

  it('recognizes a view whose axes were merged or that leaves out extents of 1', () => {
    const merged = view([3, 72], [1, 0]);
    expect(layoutText(merged, tensor([1, 3, 8, 9]), tensor([1, 8, 9, 3]))).toBe('[N,C,H,W] as [N,H,W,C]');
  });

  it('says what was flattened behind it', () => {
    const flat = view([1, 16, 4, 4], [0, 2, 3, 1]);
    expect(layoutText(flat, tensor([1, 16, 4, 4]), tensor([1, 256]))).toBe('[N,C,H,W] as [N,H,W,C] in 1x256');
  });

  it('gives extents where the axes have no names', () => {
    expect(layoutText(view([1, 64, 100], [0, 2, 1]), tensor([1, 64, 100]), tensor([1, 100, 64]))).toBe(
      '1x64x100 as 1x100x64: 64x100 transposed by [1,0]',
    );
    expect(layoutText(view([1, 16, 16], [0, 2, 1]), tensor([1, 256]), tensor([1, 256]))).toBe(
      '1x256 as 1x256: 16x16 transposed by [1,0]',
    );
  });

  it('says nothing where the elements lie in the same order', () => {
    expect(layoutText(undefined, tensor([1, 3, 8, 8]), tensor([1, 3, 8, 8]))).toBeUndefined();
    expect(
      layoutText(view([1, 16, 1, 1], [0, 2, 3, 1]), tensor([1, 16, 1, 1]), tensor([1, 1, 1, 16])),
    ).toBeUndefined();
    expect(layoutText(undefined, tensor([4, 64]), tensor([4, 8, 8]))).toBeUndefined();
    expect(layoutText(undefined, tensor([]), tensor([1]))).toBeUndefined();
  });

  it('speaks of the axes of the files, not of the graphs', () => {
    // A TFLite tensor that its graph holds as [N,C,H,W], beside an ONNX tensor in that order.
    const nhwc = tensor([1, 3, 8, 9], [0, 2, 3, 1]);
    expect(layoutText(undefined, tensor([1, 3, 8, 9]), nhwc)).toBe('[N,C,H,W] as [N,H,W,C]');
    expect(layoutText(undefined, nhwc, tensor([1, 3, 8, 9]))).toBe('[N,H,W,C] as [N,C,H,W]');
    expect(layoutText(undefined, nhwc, nhwc)).toBeUndefined();
    // What the graphs have in different orders, the files may have in the same.
    expect(layoutText(view([1, 8, 9, 3], [0, 3, 1, 2]), tensor([1, 8, 9, 3]), nhwc)).toBeUndefined();
  });

  it('composes orders whose axes were split differently', () => {
    const nhwc = tensor([1, 16, 4, 4], [0, 2, 3, 1]);
    expect(layoutText(view([16, 16], [1, 0]), nhwc, tensor([1, 4, 4, 16]))).toBeUndefined();
  });

  it('says nothing of extents that are not known, empty, or do not fit', () => {
    const open = { shape: ['batch', 3, 8, 8] };
    expect(layoutText(undefined, open, tensor([1, 8, 8, 3]))).toBeUndefined();
    expect(layoutText(undefined, { shape: undefined }, tensor([1]))).toBeUndefined();
    expect(layoutText(undefined, tensor([0, 3]), tensor([3, 0]))).toBeUndefined();
    expect(layoutText(view([5, 7], [1, 0]), tensor([6, 6]), tensor([7, 5]))).toBeUndefined();
  });
});
