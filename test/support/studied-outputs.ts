/** Studies of outputs written by hand. */
import type { Graph } from '../../src/ir/graph.js';
import type { Answers, OutputStudy, StudiedOutput } from '../../src/run/output-study.js';
import { tensorNamed } from './graph-builder.js';

/** A healthy output of many levels, with some of it changed. */
export function studiedOutput(g: Graph, name: string, rest: Partial<StudiedOutput> = {}): StudiedOutput {
  return {
    tensor: tensorNamed(g, name).id,
    name,
    elements: 10,
    lsb: 0.1,
    range: { min: -10, max: 10 },
    variance: { float: 400, quantized: 400 },
    moving: 10,
    stuck: 0,
    half: { float: 0, quantized: 0 },
    levels: 180,
    codes: 120,
    noise: 0.1 ** 2 / 12,
    ...rest,
  };
}

export function answers(rest: Partial<Answers> = {}): Answers {
  return {
    count: 16,
    rowsPerSample: 1,
    classes: 10,
    entropy: { float: 2.5, quantized: 2.5 },
    different: { float: 7, quantized: 7 },
    changed: 0,
    ties: { float: 0, quantized: 0 },
    ...rest,
  };
}

export function studyOf(outputs: readonly StudiedOutput[], rest: Partial<OutputStudy> = {}): OutputStudy {
  return { samples: 16, outputs, ...rest };
}
