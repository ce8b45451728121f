/**
 * Lanes whose equal quantizers and constants are the same objects. Programs share what is computed with the same objects: lanes that
 * were made one by one, or came from another process, would else share less than they could.
 */
import type { ConstantData } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { constantDigest, paramsDigest } from './lane-digest.js';

export class SharedObjects {
  readonly #params = new Recent<QuantParams>(paramsDigest);
  readonly #constants = new Recent<ConstantData>(constantDigest);

  /** What a lane was given before is given again; what only lanes before the last such call had is forgotten, so that memory does not grow. */
  lanes(lanes: readonly Lane[]): Lane[] {
    this.#params.turn();
    this.#constants.turn();
    return lanes.map((lane) => this.#lane(lane));
  }

  #lane(lane: Lane): Lane {
    const { tensors, uses, codes, values } = lane;
    const params = (of: QuantParams): QuantParams => this.#params.get(of);
    const constant = (of: ConstantData): ConstantData => this.#constants.get(of);
    return {
      ...lane,
      tensors: mapped(tensors, params),
      uses: mapped(uses, params),
      ...(codes === undefined ? {} : { codes: mapped(codes, constant) }),
      ...(values === undefined ? {} : { values: mapped(values, constant) }),
    };
  }
}

export function mapped<K, V, W>(map: ReadonlyMap<K, V>, to: (value: V) => W): Map<K, W> {
  return new Map([...map].map(([key, value]): [K, W] => [key, to(value)]));
}

/** One object for every content, of this turn and the one before. */
class Recent<T extends object> {
  readonly #digest: (of: T) => string;
  #before = new Map<string, T>();
  #now = new Map<string, T>();

  constructor(digest: (of: T) => string) {
    this.#digest = digest;
  }

  get(object: T): T {
    const digest = this.#digest(object);
    const kept = this.#now.get(digest) ?? this.#before.get(digest) ?? object;
    this.#now.set(digest, kept);
    return kept;
  }

  turn(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }
}
