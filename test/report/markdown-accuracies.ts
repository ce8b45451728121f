/** Metrics written by hand: agreement that has no labels, and a loss with samples and confusions to tell. */
import type { Accuracy } from '../../src/diff/accuracy/accuracy.js';
import { TOP1 } from '../support/evaluated-reports.js';

export const AGREEMENT: Accuracy = {
  metric: 'agreement',
  description: 'share of samples in which both have the largest score in the same class',
  unit: '%',
  deltaUnit: 'pt',
  better: 'higher',
  samples: 720,
  decoder: TOP1.decoder,
  candidate: 98.2,
  candidateInterval: [96.7, 99],
  networks: [
    { network: 'reference', title: 'float' },
    { network: 'candidate', title: 'int8, simulated', value: 98.2, interval: [96.7, 99] },
  ],
  disagreements: [],
  leftOut: 0,
  summary:
    'the same class in 98.20 % of 720 samples (95 % 96.7 to 99.0): agreement only; this does not prove an accuracy loss',
};

const [reference, candidate] = TOP1.networks as [Accuracy['networks'][0], Accuracy['networks'][0]];
const sample = (network: number, name: string): Accuracy['disagreements'][0] => ({
  ...{ sample: name, network, truth: 0, reference: 0, candidate: 1 },
});

export const LOST: Accuracy = {
  ...TOP1,
  standing: 'worse',
  summary: '87.22 % -> 70.00 %, -17.22 pt (95 % -20.0 to -14.0, p < 0.001, n 720): a real loss',
  networks: [
    { ...reference, also: [{ metric: 'map50', value: 61 }] },
    {
      ...candidate,
      standing: 'worse',
      perClass: [
        { label: 0, name: 'cat', value: 75, support: 72, delta: -3 },
        { label: 1, name: 'dog', value: 72, support: 72, delta: -18 },
      ],
      confusions: [{ from: 0, to: 1, share: 0.5, count: 1234 }],
      also: [{ metric: 'map50', value: 58.5 }],
    },
    { ...candidate, network: 'weights', title: 'weights only' },
  ],
  disagreements: [sample(2, 'step/0.png'), ...Array.from({ length: 8 }, (_, i) => sample(1, `cat/${i}.png`))],
};
