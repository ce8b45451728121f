/** Spread of the weights of an operator, channel beside channel. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PageChannel, PageWeight } from '../../report/html/page-document.js';
import { Chart, type ChartData } from '../frame/chart.js';
import { fileName } from '../frame/download.js';
import { Name } from '../frame/layer-name.js';
import { count, decibels, short } from '../frame/numbers.js';
import { drawBoxes } from './box-plot.js';

/** Channels that are listed by their numbers. */
const MOST_LISTED = 20;

export function LayerWeights({ weight }: { readonly weight: PageWeight }): JSX.Element {
  const [isSorted, setSorted] = useState(false);
  const [withoutOutliers, setWithoutOutliers] = useState(false);
  const { tensor, axis, channels, channelCount, outlierChannels, deadChannels, fence } = weight;
  const { perTensorSqnrDb, perAxisSqnrDb } = weight;
  const step = stepOf(channels);
  const ordered = isSorted ? [...channels].sort((a, b) => (b.absmax ?? 0) - (a.absmax ?? 0)) : channels;
  const isThinned = channels.length < channelCount;
  return (
    <section class="panel-part">
      <h3>
        Weights <Name name={tensor} longest={48} />
      </h3>
      <Chart
        title="Spread per channel"
        description={`Smallest, largest, quartiles and median of ${count(channelCount)} channels along axis ${axis}. ${listText('Outliers', outlierChannels)}`}
        file={fileName(tensor, 'channels')}
        inputs={[weight, isSorted, withoutOutliers]}
        draw={(width) =>
          drawBoxes(
            {
              channels: ordered,
              outliers: outlierChannels,
              dead: deadChannels,
              fence,
              withoutOutliers,
              ...(step === undefined ? {} : { step }),
            },
            width,
          )
        }
        data={() => weightData(ordered)}
      >
        {channels.length < 2 ? null : (
          <button type="button" class="tool" aria-pressed={isSorted} onClick={() => setSorted(!isSorted)}>
            largest first
          </button>
        )}
        {outlierChannels.length === 0 ? null : (
          <button
            type="button"
            class="tool"
            aria-pressed={withoutOutliers}
            onClick={() => setWithoutOutliers(!withoutOutliers)}
          >
            zoom to the others
          </button>
        )}
      </Chart>
      <ul class="facts-list">
        <li>
          One scale for all gives {exactOr(perTensorSqnrDb)}, one per channel {exactOr(perAxisSqnrDb)}{' '}
          <span class="quiet">(self SQNR)</span>
        </li>
        {outlierChannels.length === 0 ? null : (
          <li>
            {listText(outlierChannels.length === 1 ? 'Outlier, red' : 'Outliers, red', outlierChannels)}: the
            largest |w| is beyond {short(fence)} (dashed), Q3 + 3 IQR of all channels
          </li>
        )}
        {deadChannels.length === 0 ? null : (
          <li>
            {listText('Marked ×', deadChannels)}: one scale for all rounds{' '}
            {deadChannels.length === 1 ? 'it' : 'them'} to 0 altogether
          </li>
        )}
        {step === undefined ? null : (
          <li>Orange band: what one scale for all rounds to 0, a step of {short(step)} wide</li>
        )}
        {isThinned ? (
          <li>
            Drawn are {count(channels.length)} of {count(channelCount)} channels: the outliers, and others
            evenly spread
          </li>
        ) : null}
      </ul>
    </section>
  );
}

/** Of one scale for all, that reaches from -absmax to absmax of each channel in `perTensorLevels` steps. */
function stepOf(channels: readonly PageChannel[]): number | undefined {
  const told = channels.find(
    ({ absmax = 0, perTensorLevels = 0 }) =>
      absmax > 0 && perTensorLevels > 0 && Number.isFinite(perTensorLevels),
  );
  return told?.absmax === undefined || told.perTensorLevels === undefined
    ? undefined
    : (2 * told.absmax) / told.perTensorLevels;
}

function exactOr(sqnrDb: number | undefined): string {
  return sqnrDb === undefined ? 'no error or no signal' : decibels({ sqnrDb });
}

/** "Outliers: channels 7, 10". */
function listText(what: string, channels: readonly number[]): string {
  if (channels.length === 0) return '';
  const more = channels.length - MOST_LISTED;
  const listed = channels.slice(0, MOST_LISTED).join(', ');
  const noun = channels.length === 1 ? 'channel' : 'channels';
  return `${what}: ${noun} ${listed}${more > 0 ? ` and ${more} more` : ''}`;
}

function weightData(channels: readonly PageChannel[]): ChartData {
  return {
    titles: ['channel', 'min', 'q1', 'median', 'q3', 'max', 'absmax', 'levels under one scale'],
    rows: channels.map(({ channel, min, q1, median, q3, max, absmax, perTensorLevels }) => [
      channel,
      min,
      q1,
      median,
      q3,
      max,
      absmax,
      perTensorLevels,
    ]),
  };
}
