/** What a fix costs where the network runs, beside what the whole network costs. */
import { elementCount } from '../../../ir/elements.js';
import { tensorOf } from '../../../ir/graph.js';
import { bitsOf } from '../../../quant/affine.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import { UnitCosts } from '../units/unit-costs.js';
import { nodesIn } from '../units/units.js';

export interface FixCost {
  /** Of the multiply-accumulates of the network, 0..1: those in higher precision. 0 where they cannot be counted. */
  readonly macsShare: number;
  readonly bytes: number;
  /** Share of multiply-accumulates and share of the bytes of quantized constants, added up. */
  readonly share: number;
  readonly isFree: boolean;
}

export class FixCosts {
  readonly #units: UnitCosts;
  readonly #bytes: number;

  constructor({ simulated }: FixGround) {
    const { simulation, lane } = simulated;
    this.#units = new UnitCosts(simulation.graph, lane);
    this.#bytes = [...lane.tensors].reduce((sum, [tensor, { dtype }]) => {
      const { data } = tensorOf(simulation.graph, tensor);
      return data === undefined ? sum : sum + (elementCount(data.dims) * bitsOf(dtype)) / 8;
    }, 0);
  }

  of({ cost }: Pick<LaneFix, 'cost'>): FixCost {
    const { layers = [], bytes = 0 } = cost ?? {};
    const macsShare = layers.length === 0 ? 0 : (this.#units.macsShare(nodesIn(layers)) ?? 0);
    const share = macsShare + (this.#bytes === 0 ? 0 : bytes / this.#bytes);
    return { macsShare, bytes, share, isFree: layers.length === 0 && bytes === 0 };
  }
}
