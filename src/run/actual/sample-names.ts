/** Which sample a folder name means: its name, or its number. */

/** Names of folders that hold the tensors of one sample each, by their number. */
const NUMBERED = /^(?:sample|image|img|result|item|frame|in|t|s)?[_-]?(\d{1,9})$/i;

export class SampleNames {
  readonly #count: number;
  readonly #byName = new Map<string, number | undefined>();

  /** @param ids names of the samples in order */
  constructor(ids: readonly string[]) {
    this.#count = ids.length;
    ids.forEach((id, index) => {
      const bare = id.replace(/\.[^./]+(?=#|$)/, '');
      for (const name of new Set([id, bare, bare.split('/').at(-1) ?? bare])) {
        for (const form of new Set([name, plain(name)])) {
          // A name that two samples have means neither.
          this.#byName.set(form, this.#byName.has(form) ? undefined : index);
        }
      }
    });
  }

  /**
   * The sample of each path of folders; undefined where its folders name none. Either all paths go by names or all by numbers:
   * 5 may be the name of the first.
   *
   * @param paths folders of each array, outermost first
   */
  resolve(paths: readonly (readonly string[])[]): (number | undefined)[] {
    const named = paths.map((path) => this.#named(path));
    const numbered = this.#numbered(paths);
    const count = (found: readonly (number | undefined)[]): number =>
      found.filter((index) => index !== undefined).length;
    return count(named) >= count(numbered) ? named : numbered;
  }

  #named(path: readonly string[]): number | undefined {
    for (let length = path.length; length > 0; length--) {
      for (let start = 0; start + length <= path.length; start++) {
        const name = path.slice(start, start + length).join('/');
        const index = this.#byName.get(name) ?? this.#byName.get(plain(name));
        if (index !== undefined) return index;
      }
    }
    return undefined;
  }

  /** Numbers from 0; from 1 where there is no 0 but one for the last. */
  #numbered(paths: readonly (readonly string[])[]): (number | undefined)[] {
    const numbers = paths.map((path) => {
      const digits = path
        .map((segment) => NUMBERED.exec(segment)?.[1])
        .findLast((found) => found !== undefined);
      return digits === undefined ? undefined : Number(digits);
    });
    const first = numbers.includes(this.#count) && !numbers.includes(0) ? 1 : 0;
    return numbers.map((number) => {
      const index = number === undefined ? -1 : number - first;
      return index >= 0 && index < this.#count ? index : undefined;
    });
  }
}

function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '_');
}
