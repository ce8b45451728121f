/** What half of the samples would have given as ranges. */
import { expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { calibrate } from '../../src/run/calibrate.js';
import { run } from '../support/float64-network.js';
import { tensorNamed } from '../support/graph-builder.js';
import { images, ONE_THREAD, quarters, smallNetwork, UNWATCHED } from '../support/measured-networks.js';

const passes = { ...ONE_THREAD, momentum: 0.9, histograms: false };

it('every second sample counts for the half, the first among them', async () => {
  const g = smallNetwork(17, quarters);
  const samples = images(4, quarters);
  const { edges } = await calibrate(g, edgesOf(g, new Set()).edges, samples, passes, UNWATCHED);
  const empty = { name: 'float', tensors: new Map(), uses: new Map() };
  for (const name of ['image', 'conv1:out', 'logits']) {
    const { id } = tensorNamed(g, name);
    const some = samples.feeds
      .filter((_, i) => i % 2 === 0)
      .flatMap((feeds) => [...run(g, empty, feeds).get(id)!.data]);
    expect(edges.get(id)?.half, name).toEqual({ min: Math.min(...some), max: Math.max(...some), samples: 2 });
  }
});

it('one sample has no half', async () => {
  const g = smallNetwork(17, quarters);
  const { edges } = await calibrate(g, edgesOf(g, new Set()).edges, images(1, quarters), passes, UNWATCHED);
  expect([...edges.values()].every(({ half }) => half === undefined)).toBe(true);
});
