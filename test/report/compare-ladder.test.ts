import { describe, expect, it } from 'vitest';
import type { LadderRung } from '../../src/report/compare-report.js';
import { isClose, ladderSentence, worstOf } from '../../src/report/compare-ladder.js';
import { ladderOf, rung } from '../support/compared-reports.js';

const two = (name: LadderRung['rung'], a: number, b: number): LadderRung =>
  rung(name, undefined, undefined, {
    outputs: [
      { tensor: 'a', sqnrDb: a },
      { tensor: 'b', sqnrDb: b },
    ],
  });

describe('ladderSentence', () => {
  it.each([
    ['the exported graph computes the float function; quantizing activations loses it', [120, 41, 3, 2]],
    ["the exported graph computes the float function; the candidate's weights lose it", [120, 3, 36, 2]],
    [
      "the exported graph computes the float function; the candidate's weights cost much and quantizing activations loses it",
      [120, 14, 3, 2],
    ],
    [
      'the exported graph computes the float function; its weights alone keep it, its activations alone keep it, together they cost much',
      [120, 24, 23, 17],
    ],
    [
      'the exported graph computes the float function; quantizing keeps it; most of the noise is from the activations',
      [120, 41, 33, 32],
    ],
    [
      'the exported graph computes the float function; quantizing keeps it; most of the noise is from the weights',
      [120, 30, 40, 29.5],
    ],
    [
      'the exported graph computes the float function; quantizing keeps it; weights and activations cost alike',
      [120, 36, 35, 32],
    ],
    [
      'the exported graph computes nearly the float function (34.1 dB); quantizing activations loses it',
      [34.1, 33, 3, 2],
    ],
    [
      'the exported graph does not compute the float function: 2.8 dB at the outputs before anything is quantized; quantizing adds little to that',
      [2.8, 2.8, 2.6, 2.5],
    ],
    [
      'the exported graph does not compute the float function: 18.0 dB at the outputs before anything is quantized, 1.0 dB when everything is',
      [18, 17, 1.2, 1],
    ],
    [
      'the exported graph cannot be judged without its quantizers (-36.4 dB, 0.2 dB with them), whose ranges may stand for activation functions; the graph or its quantizers lose it',
      [-36.4, -36.4, 0.2, 0.1],
    ],
    [
      'the exported graph needs its quantizers (-36.4 dB without them): their ranges stand for activation functions; quantizing keeps it',
      [-36.4, -36.4, 34.9, 34.9],
    ],
    [
      "the exported graph needs its quantizers (-36.4 dB without them): their ranges stand for activation functions; the candidate's weights lose it",
      [-36.4, -36.4, 34.9, 3],
    ],
    [
      'the exported graph needs its quantizers (1.0 dB without them): their ranges stand for activation functions; quantizing activations costs much',
      [1, 1, 14, 13],
    ],
  ] as const)('reads "%s" from %j', (sentence, [graph, weights, activations, everything]) => {
    expect(ladderSentence(ladderOf(graph, weights, activations, everything, 0.93))).toBe(sentence);
  });

  it('says of identical networks that nothing changes', () => {
    expect(ladderSentence(ladderOf('exact', 'exact', 'exact', 'exact'))).toBe(
      'no step changes a single value of the outputs',
    );
  });

  it('calls a finished file exact that is, though a step was not', () => {
    expect(ladderSentence(ladderOf(120, 'exact', 'exact', 'exact'))).toBe(
      'the exported graph computes the float function; the finished file is exact',
    );
  });

  it('judges by the worst output', () => {
    const ladder = [two('graph', 120, 110), two('activations', 40, 3), two('everything', 40, 2)];
    expect(ladderSentence(ladder)).toContain('quantizing activations loses it');
    expect(worstOf(ladder[1])).toBe(3);
  });

  it('leaves out the steps that were not measured', () => {
    expect(ladderSentence([])).toBeUndefined();
    expect(ladderSentence([rung('graph', undefined)])).toBeUndefined();
    expect(ladderSentence([rung('graph', 120), rung('everything', 4)])).toBe(
      'the exported graph computes the float function; the candidate as a whole loses it',
    );
    expect(ladderSentence([rung('everything', 34)])).toBe('quantizing keeps it');
    expect(ladderSentence([rung('weights', 3)])).toBe("the candidate's weights lose it");
  });

  it('tells the kernels of a runtime from the file', () => {
    const kept = ladderOf(120, 41, 33, 32);
    const lost = ladderOf(120, 41, 3, 2, 0.1);
    expect(ladderSentence([...kept, rung('runtime', 4)])).toMatch(
      /; ONNX Runtime's own run of the file loses it where the simulation does not: suspect the kernels/,
    );
    expect(ladderSentence([...lost, rung('runtime', 30)])).toMatch(
      /; ONNX Runtime's own run of the file keeps it where the simulation does not/,
    );
    expect(ladderSentence([...kept, rung('runtime', 31.8)])).not.toContain('ONNX Runtime');
    expect(ladderSentence([...lost, rung('runtime', 2)])).not.toContain('ONNX Runtime');
  });

  it('says where decisions and SQNR disagree, and never rounds up to all', () => {
    expect(ladderSentence(ladderOf(120, 41, 16, 15, 0.9999))).toMatch(
      /; the largest element is still the same in 99.9 % of rows$/,
    );
    expect(ladderSentence(ladderOf(120, 41, 26, 25, 0.5))).toMatch(
      /; yet the largest element is the same in 50 % of rows only$/,
    );
  });
});

describe('isClose', () => {
  it('needs a measured output, and all of them close', () => {
    expect(isClose(rung('graph', 'exact'))).toBe(true);
    expect(isClose(two('everything', 40, 20))).toBe(true);
    expect(isClose(two('everything', 40, 19.9))).toBe(false);
    expect(isClose(rung('graph', undefined))).toBe(false);
  });
});
