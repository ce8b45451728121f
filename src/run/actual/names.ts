/** Which tensor a file name means. Tools that dump tensors write names in ways that a file system, or their author, likes. */
import type { Candidate } from '../other-run.js';
import type { Target } from '../other/targets.js';

/** What a file has under the name: the codes of a tensor, values read back from them, or the tensor before it has codes. */
export type Form = 'codes' | 'values' | 'tensor';

interface Named {
  readonly target: Target;
  readonly form: Form;
}

interface NameMatch {
  readonly found: readonly Named[];
  /** How sure: 0 is the very name. */
  readonly level: number;
}

/** From this level on it is no name, but a number or a place. */
export const NO_NAME = 6;

/** A number in front of a name, such as the position of its operator: "012_conv1". */
const COUNTED = /^\d+[^A-Za-z0-9/]+(?=.)/;
/** The output of an operator, as TensorFlow writes it: "conv1:0". */
const PORT = /[:_]0$/;

/** How a tensor comes to a name. */
interface Meant {
  readonly form: Form;
  /** The graph itself calls it so; other names are those that the file has for its codes and what is read back from them. */
  readonly isOwn: boolean;
}

type Index = Map<string, Map<Target, Meant>>;

export class TensorNames {
  readonly #exact: Index = new Map();
  readonly #plain: Index = new Map();
  readonly #caseless: Index = new Map();
  readonly #byNumber = new Map<number, Target>();
  readonly #byPlace = new Map<string, Target>();

  constructor({ graph, lane }: Candidate, targets: readonly Target[]) {
    const byTensor = new Map(targets.map((target) => [target.tensor, target]));
    for (const target of targets) {
      const { codes = [], values = [] } = lane.stored?.get(target.tensor) ?? {};
      for (const name of codes) this.#add(name, target, 'codes');
      for (const name of values) this.#add(name, target, 'values');
      this.#add(target.name, target, 'tensor');
      // In TFLite a tensor has a number that tools use; its names may repeat.
      if (graph.format === 'tflite') this.#byNumber.set(target.tensor, target);
    }
    for (const [word, ids] of [
      ['input', graph.inputs],
      ['output', graph.outputs],
    ] as const) {
      ids.forEach((id, at) => {
        const target = byTensor.get(id);
        if (target === undefined) return;
        this.#byPlace.set(`${word}_${at}`, target);
        if (ids.length === 1) this.#byPlace.set(word, target);
      });
    }
  }

  #add(name: string, target: Target, form: Form): void {
    const meant: Meant = { form, isOwn: name === target.name };
    put(this.#exact, name, target, meant);
    for (const variant of new Set([name, name.replace(PORT, '')])) {
      put(this.#plain, plain(variant), target, meant);
      put(this.#caseless, plain(variant).toLowerCase(), target, meant);
    }
  }

  /**
   * What the name may mean. A tensor of that name goes before one whose codes or values the file calls so: an output of a network is
   * often read back from the codes of another tensor. Of several tensors with the same name, the one that a number in front tells.
   */
  find(name: string): NameMatch | undefined {
    const decoded = decode(name);
    const bare = plain(decoded.replace(COUNTED, ''));
    const attempts = [
      () => this.#exact.get(name),
      () => this.#exact.get(decoded),
      () => this.#plain.get(plain(decoded)),
      () => this.#plain.get(bare),
      () => this.#plain.get(bare.replace(PORT, '')),
      () => this.#caseless.get(bare.toLowerCase()),
      () => this.#numbered(decoded),
      () => this.#placed(decoded),
    ];
    for (const [level, attempt] of attempts.entries()) {
      const meant = attempt();
      if (meant === undefined) continue;
      const own = [...meant].filter(([, { isOwn }]) => isOwn);
      const found = (own.length > 0 ? own : [...meant]).map(([target, { form }]): Named => ({
        target,
        form,
      }));
      const number = Number(/^\d+/.exec(decoded)?.[0] ?? NaN);
      const told = found.filter(({ target }) => found.length > 1 && this.#byNumber.get(number) === target);
      return { found: told.length === 1 ? told : found, level };
    }
    return undefined;
  }

  #numbered(name: string): Map<Target, Meant> | undefined {
    const number = /^(?:t|tensor)?[_-]?(\d{1,9})$/i.exec(name)?.[1];
    return alone(number === undefined ? undefined : this.#byNumber.get(Number(number)));
  }

  #placed(name: string): Map<Target, Meant> | undefined {
    const [, word = '', at = ''] = /^(input|output)s?[_-]?(\d{0,9})$/i.exec(name) ?? [];
    return alone(this.#byPlace.get(at === '' ? word.toLowerCase() : `${word.toLowerCase()}_${Number(at)}`));
  }
}

function put(index: Index, key: string, target: Target, meant: Meant): void {
  const known = index.get(key) ?? new Map<Target, Meant>();
  index.set(key, known);
  const first = known.get(target);
  known.set(target, first === undefined ? meant : { ...first, isOwn: first.isOwn || meant.isOwn });
}

function alone(target: Target | undefined): Map<Target, Meant> | undefined {
  return target === undefined ? undefined : new Map([[target, { form: 'tensor', isOwn: true }]]);
}

/** Letters and digits, whatever stands between them. */
function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '_').replace(/^_|_$/g, '');
}

/** URL escapes resolved, where they are such. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
