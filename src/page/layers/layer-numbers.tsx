/** The numbers of a layer, series beside series, and what they mean. */
import type { ComponentChildren, JSX } from 'preact';
import type { ErrorMeasurement } from '../../diff/measurement.js';
import { Name } from '../frame/layer-name.js';
import { count, decibels, percent, short } from '../frame/numbers.js';
import { SERIES, SERIES_TEXT, type Layer } from './layer.js';
import { readingsOf } from './readings.js';
import { Swatch } from './series-form.js';

interface Line {
  readonly title: string;
  readonly hint: string;
  /** Undefined where there is nothing to say. */
  readonly show: (error: ErrorMeasurement) => ComponentChildren;
}

const LINES: readonly Line[] = [
  { title: 'SQNR', hint: 'Signal over error, all samples together. Higher is better.', show: decibels },
  {
    title: 'worst sample',
    hint: 'SQNR of the sample with the lowest',
    show: ({ worstSqnrDb }) => (worstSqnrDb === undefined ? undefined : decibels({ sqnrDb: worstSqnrDb })),
  },
  {
    title: 'worst channel',
    hint: 'SQNR of the channel with the lowest, and which it is',
    show: ({ worstChannel }) =>
      worstChannel === undefined ? undefined : `${decibels(worstChannel)} #${worstChannel.channel}`,
  },
  { title: 'mean squared error', hint: 'Mean of the squared error', show: ({ mse }) => short(mse) },
  {
    title: 'largest error',
    hint: 'Largest |error| of any value',
    show: ({ maxAbsError }) => short(maxAbsError),
  },
  {
    title: 'bias',
    hint: 'Mean of the error: what the quantized tensor is too high on average',
    show: ({ bias }) => short(bias),
  },
  {
    title: 'clipped values',
    hint: 'Share of the values that lie outside of what the codes stand for',
    show: ({ clippedShare }) => percent(clippedShare),
  },
  {
    title: 'noise: clip / round',
    hint: 'Shares of the noise on values that are clipped, and on all others',
    show: ({ noise: { clip, round }, exact }) =>
      exact === true ? undefined : `${Math.round(100 * clip)} / ${Math.round(100 * round)} %`,
  },
  {
    title: 'noise that is a shift',
    hint: 'Share of the noise that a constant shift by the bias explains',
    show: ({ biasShare, exact }) => (exact === true ? undefined : percent(biasShare)),
  },
  {
    title: '… of each channel',
    hint: 'Share of the noise that a constant shift of each channel by itself explains',
    show: ({ channelBiasShare }) => (channelBiasShare === undefined ? undefined : percent(channelBiasShare)),
  },
  {
    title: 'not finite',
    hint: 'Values that are NaN or infinite in one of the two networks',
    show: ({ nonFinite }) => (nonFinite === 0 ? undefined : count(nonFinite)),
  },
];

export function LayerNumbers({ layer }: { readonly layer: Layer }): JSX.Element | null {
  const { activation, constants, weights } = layer;
  const series = SERIES.filter((name) => activation[name] !== undefined);
  if (series.length === 0) return null;
  const readings = readingsOf(activation, constants.length + weights.length > 0);
  const lines = LINES.map(({ show, ...line }) => ({
    ...line,
    cells: series.map((name) => {
      const error = activation[name];
      return error === undefined ? undefined : show(error);
    }),
  })).filter(({ cells }) => cells.some((cell) => cell !== undefined));
  return (
    <section class="panel-part">
      <h3>Error</h3>
      {readings.map((reading) => (
        <p class="reading" key={reading}>
          {reading}
        </p>
      ))}
      <table class="numbers">
        <caption class="visually-hidden">Error of the layer: self, local and cumulative</caption>
        <thead>
          <tr>
            <td />
            {series.map((name) => (
              <th scope="col" class="number" key={name} title={SERIES_TEXT[name]}>
                <Swatch series={name} /> {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ title, hint, cells }) => (
            <tr key={title}>
              <th scope="row" title={hint}>
                {title}
              </th>
              {cells.map((cell, i) => (
                <td class="number" key={series[i]}>
                  {cell ?? '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet footnote">{series.map((name) => `${name}: ${SERIES_TEXT[name]}`).join('; ')}.</p>
    </section>
  );
}

/** Samples by their lowest SQNR. */
export function WorstSamples({ layer: { activation } }: { readonly layer: Layer }): JSX.Element | null {
  const series = (['local', 'cumulative', 'self'] as const).filter(
    (name) => (activation[name]?.worstSamples ?? []).length > 0,
  );
  const shown = series.length > 1 ? series.filter((name) => name !== 'self') : series;
  if (shown.length === 0) return null;
  return (
    <section class="panel-part">
      <h3>Worst samples</h3>
      <div class="worst-samples">
        {shown.map((name) => (
          <div key={name}>
            <h4>{name}</h4>
            <ol>
              {(activation[name]?.worstSamples ?? []).map(({ sample, sqnrDb }) => (
                <li key={sample}>
                  <Name name={sample} longest={40} /> <strong>{decibels({ sqnrDb })}</strong>
                </li>
              ))}
            </ol>
          </div>
        ))}
      </div>
    </section>
  );
}
