import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { nodeLabel } from '../../src/ir/graph.js';
import type { Graph } from '../../src/ir/graph.js';
import { matchesGlob, select } from '../../src/quant/select.js';
import type { Named } from '../../src/quant/select.js';
import { graph } from '../support/graph-builder.js';
import { tensorNames } from '../support/plan-view.js';

function network(): Graph {
  const built = graph()
    .input('image')
    .node('Conv', { inputs: ['image'], outputs: ['/layer1/conv1/out'], name: '/layer1/conv1/Conv' })
    .node('Relu', { inputs: ['/layer1/conv1/out'], outputs: ['relu[0]'], name: '/layer1/relu' })
    .node('GlobalAveragePool', { inputs: ['relu[0]'], outputs: ['pooled'] })
    .node('Gemm', { inputs: ['pooled'], outputs: ['logits'], name: 'head' })
    .output('logits')
    .build();
  const [conv, ...others] = built.nodes;
  return {
    ...built,
    nodes: [{ ...conv!, origin: { ...conv!.origin, op: 'CONV_2D', absorbed: ['bn1'] } }, ...others],
  };
}

function names(built: Graph, { nodes, tensors }: Named): readonly string[] {
  return [...[...nodes].map((id) => nodeLabel(built.nodes[id]!)), ...tensorNames(built, [...tensors])];
}

function only(pattern: string): readonly string[] {
  const built = network();
  return names(built, select(built, { only: [pattern], skip: [] }).only!);
}

describe('select', () => {
  it('reads * across slashes, as names are not paths', () => {
    expect(only('/layer1/*')).toEqual(['/layer1/conv1/Conv', '/layer1/relu', '/layer1/conv1/out']);
  });

  it('finds a node by its name, its position, its tensors and the nodes merged into it', () => {
    expect(only('head')).toEqual(['head']);
    expect(only('GlobalAveragePool#2')).toEqual(['GlobalAveragePool#2']);
    expect(only('pooled')).toEqual(['pooled']);
    expect(only('bn1')).toEqual(['/layer1/conv1/Conv']);
  });

  it('takes brackets and dots as they are', () => {
    expect(only('relu[0]')).toEqual(['relu[0]']);
    expect(() => only('relu[01]')).toThrow(UsageError);
  });

  it('finds operators by type, in any case, as the IR and as the file call them', () => {
    expect(only('op:Conv')).toEqual(['/layer1/conv1/Conv']);
    expect(only('op:conv_2d')).toEqual(['/layer1/conv1/Conv']);
    expect(only('op:*Pool')).toEqual(['GlobalAveragePool#2']);
  });

  it('wants everything when nothing is named, and adds up repeated patterns', () => {
    const built = network();
    expect(select(built, { only: [], skip: [] }).only).toBeUndefined();
    expect(names(built, select(built, { only: [], skip: ['head', 'op:Relu'] }).skip)).toEqual([
      'head',
      '/layer1/relu',
    ]);
  });

  it('refuses patterns that match nothing: all of them, with the closest names', () => {
    const fail = (): unknown =>
      select(network(), { only: ['/layer1/conv2/Conv', 'head'], skip: ['op:Convolution'] });
    expect(fail).toThrow(UsageError);
    expect(fail).toThrow('2 patterns match no node and no tensor');
    expect(fail).toThrow(
      expect.objectContaining({
        places: [
          expect.stringMatching(/^--only '\/layer1\/conv2\/Conv'; close: \/layer1\/conv1\/Conv, /),
          expect.stringMatching(/^--skip 'op:Convolution'; close: op:Conv, /),
        ],
      }),
    );
  });

  it('suggests nothing when nothing is like the pattern', () => {
    expect(() => select(network(), { only: ['zzzz'], skip: [] })).toThrow(
      expect.objectContaining({ places: ["--only 'zzzz'"] }),
    );
  });
});

describe('matchesGlob', () => {
  it.each([
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a*c', 'abbbc', true],
    ['a*c', 'abbb', false],
    ['a*b*c', 'a_b_b_c', true],
    ['*b', 'abab', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['?', '', false],
    ['a**', 'a', true],
    ['conv.1', 'convx1', false],
    ['A', 'a', false],
  ])('%j on %j is %j', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  it('takes no longer than pattern times text, whatever the pattern', () => {
    const start = performance.now();
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
