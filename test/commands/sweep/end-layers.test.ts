/** Where networks begin and end. */
import { describe, expect, it } from 'vitest';
import { endLayers } from '../../../src/commands/sweep/experiments/end-layers.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { layersOf } from '../../../src/quant/layers.js';
import { planQuantization } from '../../../src/quant/placement/planner.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { graph, type GraphBuilder } from '../../support/graph-builder.js';

function endsOf(builder: GraphBuilder): readonly (readonly string[])[] {
  const network = inferShapes(builder.build());
  const layers = layersOf(network, planQuantization(network, SCHEMES['ort']!, NO_SELECTION));
  const { first, last } = endLayers(network, layers);
  return [first, last].map((some) => some.map(({ name }) => name));
}

/** Stems, one for each input, into one convolution; heads behind it. */
function branched(stems: readonly string[], heads: readonly string[]): GraphBuilder {
  let g = graph()
    .constant('w', 'float32', [2, 2, 1, 1], [1, 0, 0, 1])
    .constant('half', 'float32', [1], [0.5]);
  for (const stem of stems) {
    g = g
      .input(`${stem}:in`, 'float32', [1, 2, 4, 4])
      .node('Mul', { name: `${stem}/scale`, inputs: [`${stem}:in`, 'half'], outputs: [`${stem}:scaled`] })
      .node('Conv', { name: stem, inputs: [`${stem}:scaled`, 'w'], outputs: [`${stem}:raw`] })
      .node('Relu', { name: `${stem}/relu`, inputs: [`${stem}:raw`], outputs: [`${stem}:out`] });
  }
  const [first = '', second = first] = stems;
  g = g
    .node('Add', { name: 'add', inputs: [`${first}:out`, `${second}:out`], outputs: ['sum'] })
    .node('Conv', { name: 'body', inputs: ['sum', 'w'], outputs: ['body:out'] });
  for (const head of heads) {
    g = g
      .node('Conv', { name: head, inputs: ['body:out', 'w'], outputs: [`${head}:raw`] })
      .node('Sigmoid', { name: `${head}/sigmoid`, inputs: [`${head}:raw`], outputs: [`${head}:out`] })
      .output(`${head}:out`, 'float32', [1, 2, 4, 4]);
  }
  return g;
}

describe('the first and last layers', () => {
  it('are those that multiply: not what scales the picture, and not what is done to the scores', () => {
    expect(endsOf(branched(['stem'], ['head']))).toEqual([['stem'], ['head']]);
  });

  it('are as many as there are inputs and heads', () => {
    expect(endsOf(branched(['left', 'right'], ['boxes', 'scores', 'masks']))).toEqual([
      ['left', 'right'],
      ['boxes', 'scores', 'masks'],
    ]);
  });

  it('are none where nothing multiplies', () => {
    const sums = graph()
      .input('x', 'float32', [1, 4])
      .input('y', 'float32', [1, 4])
      .node('Add', { name: 'add', inputs: ['x', 'y'], outputs: ['sum'] })
      .output('sum', 'float32', [1, 4]);
    expect(endsOf(sums)).toEqual([[], []]);
  });
});
