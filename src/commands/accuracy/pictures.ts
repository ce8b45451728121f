/** The samples on which candidate and reference part most: chosen while they are evaluated, opened again and made small afterwards. */
import { DataError } from '../../errors.js';
import type {
  PicturedAnswer,
  PicturedBox,
  ReportedPicture,
  ReportedPictures,
} from '../../report/report-pictures.js';
import type { Dataset, Picture, Sample } from '../../run/data/dataset.js';
import { smallPicture, smallSize } from '../../run/data/small-picture.js';
import { IGNORED, type Truth } from '../../run/labels/truth.js';
import { maskImage } from '../../run/pictures/mask-image.js';
import { MOST_BOXES, partingOf, type Answer, type Reason } from '../../run/pictures/parting.js';
import { MaskComparer, maskOver, type SmallMask } from '../../run/pictures/small-mask.js';
import { Worst } from '../../run/pictures/worst.js';
import type { Placement, Prediction } from '../../run/predictions/prediction.js';
import { reasonText } from './picture-reason.js';
import { pictureOf } from './readers.js';

/** What is held of a sample. */
interface Kept {
  readonly id: string;
  readonly index: number;
  readonly size: Picture;
  readonly reason: Reason;
  readonly answers: readonly [reference: Answer, candidate: Answer];
  readonly truth: KeptTruth | undefined;
}

type KeptTruth =
  Exclude<Truth, { kind: 'values' | 'mask' }> | { readonly kind: 'mask'; readonly mask: SmallMask };

export interface PictureNaming {
  readonly classNames: ReadonlyMap<number, string>;
  /** Added to class labels, as in the accuracy. */
  readonly labelOffset: number;
}

/** Holds a few predictions, whatever the number of samples. */
export class Pictures {
  readonly #worst: Worst<Kept>;
  readonly #comparer = new MaskComparer();
  #among = 0;

  /** @param most samples */
  constructor(most: number) {
    this.#worst = new Worst(most);
  }

  /** Samples that are no images, and predictions that are no answers to one, are passed over. */
  add(
    sample: Sample,
    [reference, candidate]: readonly Prediction[],
    placement: Placement,
    truth: Truth | undefined,
  ): void {
    const picture = pictureOf(sample);
    if (picture === undefined || reference === undefined || candidate === undefined) return;
    const size = smallSize(picture);
    const parting = partingOf(reference, candidate, { comparer: this.#comparer, placement, size });
    if (parting === undefined) return;
    this.#among++;
    const { distance, reason } = parting;
    if (!this.#worst.wants(distance)) return;
    const { id, index } = sample;
    const answers = parting.answers();
    this.#worst.add(distance, { id, index, size, reason, answers, truth: keptTruth(truth, size) });
  }

  /** @returns undefined where there are no images, or none of those to be shown can be read again */
  async result(dataset: Dataset, naming: PictureNaming): Promise<ReportedPictures | undefined> {
    if (this.#among === 0) return undefined;
    const samples: ReportedPicture[] = [];
    // One after the other: each image is decoded as a whole.
    for (const { distance, value } of this.#worst.all) {
      const small = await this.#opened(dataset, value);
      if (small === undefined) continue;
      const [reference, candidate] = value.answers;
      const truth = await truthOf(value.truth, naming);
      samples.push({
        sample: value.id,
        image: small,
        ...value.size,
        reference: await pictured(reference, naming),
        candidate: await pictured(candidate, naming),
        ...(truth === undefined ? {} : { truth }),
        distance,
        reason: reasonText(value.reason, naming.classNames),
      });
    }
    if (samples.length === 0 && this.#worst.all.length > 0) return undefined;
    const shown = new Set(samples.flatMap(labelsOf));
    const named = [...naming.classNames].filter(([label]) => shown.has(label));
    return {
      samples,
      among: this.#among,
      ...(named.length === 0 ? {} : { classNames: Object.fromEntries(named) }),
    };
  }

  /** @returns undefined where the file has gone or changed since it was evaluated */
  async #opened({ names, preprocessing }: Dataset, { index, size }: Kept): Promise<string | undefined> {
    const file = names.find((name) => name.index === index)?.file;
    if (file === undefined) return undefined;
    try {
      const small = await smallPicture(file, preprocessing?.orientation ?? 'stored');
      const isSame = small.width === size.width && small.height === size.height;
      return isSame ? dataAddress(small.type, small.bytes) : undefined;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return undefined;
    }
  }
}

function keptTruth(truth: Truth | undefined, size: Picture): KeptTruth | undefined {
  switch (truth?.kind) {
    case 'class':
      return truth.label === IGNORED ? undefined : truth;
    case 'boxes':
      return truth;
    case 'mask':
      return { kind: 'mask', mask: maskOver(truth, size) };
    case 'values':
    case undefined:
      return undefined;
  }
}

function truthOf(truth: KeptTruth | undefined, naming: PictureNaming): Promise<PicturedAnswer | undefined> {
  switch (truth?.kind) {
    case 'class':
      return Promise.resolve({ kind: 'class', label: truth.label + naming.labelOffset });
    case 'boxes': {
      // A crowd is a region that asks for nothing.
      const boxes = truth.boxes.filter(({ crowd }) => !crowd);
      return Promise.resolve({
        kind: 'boxes',
        boxes: boxes.slice(0, MOST_BOXES).map(boxOf),
        ...(boxes.length > MOST_BOXES ? { all: boxes.length } : {}),
      });
    }
    case 'mask':
      return pictured(truth, naming);
    case undefined:
      return Promise.resolve(undefined);
  }
}

async function pictured(answer: Answer, { classNames }: PictureNaming): Promise<PicturedAnswer> {
  switch (answer.kind) {
    case 'class':
      return answer;
    case 'scores':
      return {
        kind: 'scores',
        best: answer.best.map(({ label, share }) => ({ label, share: rounded(share) })),
      };
    case 'boxes':
      return {
        kind: 'boxes',
        boxes: answer.boxes.map((box) => ({ ...boxOf(box), score: rounded(box.score) })),
        ...(answer.all === undefined ? {} : { all: answer.all }),
      };
    case 'mask': {
      const { png, labels } = await maskImage(answer.mask, classNames);
      return {
        kind: 'mask',
        image: dataAddress('image/png', png),
        labels: labels.map(({ share, ...label }) => ({ ...label, share: rounded(share) })),
      };
    }
  }
}

function boxOf({ x0, y0, x1, y1, label }: PicturedBox): PicturedBox {
  return { x0: rounded(x0), y0: rounded(y0), x1: rounded(x1), y1: rounded(y1), label };
}

/** Classes that a picture shows. */
export function labelsOf({ reference, candidate, truth }: ReportedPicture): number[] {
  return [reference, candidate, truth].flatMap((answer) => {
    switch (answer?.kind) {
      case 'class':
        return [answer.label];
      case 'scores':
        return answer.best.map(({ label }) => label);
      case 'boxes':
        return answer.boxes.map(({ label }) => label);
      case 'mask':
        return answer.labels.map(({ label }) => label);
      case undefined:
        return [];
    }
  });
}

function dataAddress(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}

/** A hundredth of a pixel of a small picture, or of a percent. */
function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4;
}
