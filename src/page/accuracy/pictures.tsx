/** Before and after, for the samples that changed most. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PicturedAnswer, ReportedPicture, ReportedPictures } from '../../report/report-pictures.js';
import { Name, visible } from '../frame/layer-name.js';
import { count, percent, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { BoxOverlay, MOST_DRAWN } from './box-overlay.js';
import { metricsOf, networkNames, type NetworkNames } from './network-names.js';

export function PicturesSection(): JSX.Element | null {
  const { report } = usePage().document;
  const [isBare, setBare] = useState(false);
  const pictures = 'pictures' in report ? report.pictures : undefined;
  if (pictures === undefined || pictures.samples.length === 0) return null;
  const { samples, among } = pictures;
  const [metric] = metricsOf(report);
  const names =
    metric === undefined ? { reference: 'reference', candidate: 'candidate' } : networkNames(metric);
  return (
    <Section
      id="pictures"
      title="Samples that changed most"
      lead={`What ${names.reference} answers beside what ${names.candidate} answers, for ${samples.length} of ${count(among)} samples, worst first.`}
    >
      {samples.some(({ reference }) => reference.kind === 'mask' || reference.kind === 'boxes') ? (
        <div class="table-tools">
          <button type="button" class="tool" aria-pressed={isBare} onClick={() => setBare(!isBare)}>
            Pictures without answers
          </button>
        </div>
      ) : null}
      <ol
        class={
          samples.some(({ reference }) => reference.kind === 'mask' || reference.kind === 'boxes')
            ? 'pictures'
            : 'pictures small'
        }
      >
        {samples.map((picture) => (
          <li key={picture.sample} class="keep">
            <Compared picture={picture} pictures={pictures} names={names} isBare={isBare} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Compared({
  picture,
  pictures,
  names,
  isBare,
}: {
  readonly picture: ReportedPicture;
  readonly pictures: ReportedPictures;
  readonly names: NetworkNames;
  readonly isBare: boolean;
}): JSX.Element {
  const { sample, reason, reference, candidate, truth } = picture;
  const sides: readonly (readonly [title: string, answer: PicturedAnswer | undefined])[] = [
    [names.reference, reference],
    [names.candidate, candidate],
    ['label', truth],
  ];
  // Answers that lie over no part of a picture need it once.
  const isDrawn = reference.kind === 'mask' || reference.kind === 'boxes';
  return (
    <>
      <h3 class="sample">
        <Name name={sample} longest={80} /> <span class="quiet">{visible(reason)}</span>
      </h3>
      <div class="sides">
        {isDrawn ? null : <Photo picture={picture} />}
        {sides.map(([title, answer]) =>
          answer === undefined ? null : (
            <Side
              key={title}
              title={title}
              answer={answer}
              picture={picture}
              pictures={pictures}
              isBare={isBare}
              isDrawn={isDrawn}
            />
          ),
        )}
      </div>
    </>
  );
}

interface SideProps {
  readonly title: string;
  readonly answer: PicturedAnswer;
  readonly picture: ReportedPicture;
  readonly pictures: ReportedPictures;
  readonly isBare: boolean;
  /** Over the picture. */
  readonly isDrawn: boolean;
}

/** A picture on end is not taller than this, in rem: three of them and their numbers are seen at once. */
const TALLEST = 18;

/** A report may have been made by anybody: nothing but pixels becomes a picture. */
function pixelsOf(address: string): string {
  return /^data:image\/(?:png|jpeg);base64,[A-Za-z0-9+/=]*$/.test(address) ? address : '';
}

/** Pictures smaller than this are of pixels that one should see. */
const FEW_PIXELS = 64;

function Photo({ picture }: { readonly picture: ReportedPicture }): JSX.Element {
  const { image, sample, width, height } = picture;
  const pixelated = width < FEW_PIXELS ? 'pixelated' : '';
  return (
    <img
      class={`photo ${pixelated}`}
      src={pixelsOf(image)}
      alt={visible(sample)}
      width={width}
      height={height}
    />
  );
}

function Side({ title, answer, picture, pictures, isBare, isDrawn }: SideProps): JSX.Element {
  const { classNames = {} } = pictures;
  const nameOf = (label: number): string =>
    Object.hasOwn(classNames, label) ? visible(classNames[label] ?? '') : String(label);
  const told = toldAnswer(answer, nameOf);
  return (
    <figure class={isDrawn ? 'side' : 'side said'}>
      <figcaption>{title}</figcaption>
      {isDrawn ? (
        <div
          class="frame"
          style={{
            aspectRatio: `${picture.width} / ${picture.height}`,
            maxWidth: `${(TALLEST * picture.width) / picture.height}rem`,
          }}
        >
          <img
            class={picture.width < FEW_PIXELS ? 'pixelated' : ''}
            src={pixelsOf(picture.image)}
            alt={`${visible(picture.sample)}, ${title}: ${told}`}
            width={picture.width}
            height={picture.height}
          />
          {answer.kind === 'mask' && !isBare ? (
            <img class="mask" src={pixelsOf(answer.image)} alt="" />
          ) : null}
          {answer.kind === 'boxes' && !isBare ? (
            <BoxOverlay boxes={answer.boxes} nameOf={nameOf} width={picture.width} height={picture.height} />
          ) : null}
        </div>
      ) : null}
      <Told answer={answer} nameOf={nameOf} />
    </figure>
  );
}

/** Answers that are told beside a picture. */
const MOST_TOLD = 6;

function boxesTold({
  boxes,
  all = boxes.length,
}: Extract<PicturedAnswer, { readonly kind: 'boxes' }>): string {
  return all > MOST_DRAWN
    ? `the best ${MOST_DRAWN} of ${plural(all, 'box', 'boxes')}`
    : plural(all, 'box', 'boxes');
}

function toldAnswer(answer: PicturedAnswer, nameOf: (label: number) => string): string {
  switch (answer.kind) {
    case 'class':
      return nameOf(answer.label);
    case 'scores':
      return answer.best.map(({ label, share }) => `${nameOf(label)} ${percent(share)}`).join(', ');
    case 'boxes':
      return boxesTold(answer);
    case 'mask':
      return answer.labels
        .slice(0, MOST_TOLD)
        .map(({ label, share }) => `${nameOf(label)} ${percent(share)}`)
        .join(', ');
  }
}

function Told({
  answer,
  nameOf,
}: {
  readonly answer: PicturedAnswer;
  readonly nameOf: (label: number) => string;
}): JSX.Element {
  if (answer.kind === 'mask') {
    return (
      <ul class="told">
        {answer.labels.slice(0, MOST_TOLD).map(({ label, color, share }) => (
          <li key={label}>
            <span class="swatch" style={{ background: /^#[0-9a-f]{6}$/i.test(color) ? color : 'none' }} />
            {nameOf(label)} {percent(share)}
          </li>
        ))}
      </ul>
    );
  }
  if (answer.kind === 'scores') {
    return (
      <ul class="told">
        {answer.best.map(({ label, share }) => (
          <li key={label} class="scored">
            <span class="bar" style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
            <span>
              {nameOf(label)} {percent(share)}
            </span>
          </li>
        ))}
      </ul>
    );
  }
  return <p class="told">{toldAnswer(answer, nameOf)}</p>;
}
