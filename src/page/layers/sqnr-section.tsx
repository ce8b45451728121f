/** SQNR of every layer in graph order. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { PageReport } from '../../report/html/page-document.js';
import type { ReportedJump } from '../../report/report.js';
import { Chart, type ChartData } from '../frame/chart.js';
import { LayerName, Name, shortName } from '../frame/layer-name.js';
import { decibels, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { findingsByLayer, worstSeverity } from './finding-places.js';
import { SERIES, type Layer, type Series } from './layer.js';
import { SeriesButtons, toggled } from './series-form.js';
import { fallText, type Threshold } from './sqnr-marks.js';
import { drawSqnr, layersPerPoint } from './sqnr-plot.js';

/** Falls that are marked: more would hide one another. */
const MOST_JUMPS = 5;
/** The noise doubles: what is less is marked only where there is nothing else. */
const NOTABLE_DB = 3;
const MOST_THRESHOLDS = 4;

export function SqnrSection(): JSX.Element | null {
  const { document, layers, layerNamed, layer, select } = usePage();
  const { report } = document;
  const present = useMemo(() => seriesOf(layers), [layers]);
  const [perPoint, setPerPoint] = useState(1);
  const [shown, setShown] = useState<readonly Series[]>(SERIES);
  const severities = useMemo(() => {
    const findings = 'findings' in report ? report.findings : [];
    return new Map(
      [...findingsByLayer(layers, findings, layerNamed)].flatMap(([tensor, its]) => {
        const severity = worstSeverity(its);
        return severity === undefined ? [] : [[tensor, severity] as const];
      }),
    );
  }, [report, layers, layerNamed]);
  if (present.length === 0) return null;
  const jumps = notableJumps('jumps' in report ? report.jumps : []);
  const thresholds = thresholdsOf(report);
  return (
    <Section
      id="sqnr"
      title="SQNR by layer"
      lead="Signal over error of every layer, from the inputs to the outputs. Higher is better: 40 dB is an error of 1 %, 20 dB of 10 %, at 0 dB the noise is as large as the signal. Click a layer for all that is known of it."
    >
      <Chart
        title="Self, local and cumulative"
        description={`${plural(layers.length, 'layer')} in graph order. ${largestFall(jumps)}The table of layers has the same numbers.`}
        file="sqnr-by-layer"
        inputs={[layers, shown, severities, layer]}
        draw={(width) => {
          setPerPoint(layersPerPoint(layers.length, width));
          return drawSqnr(
            {
              layers,
              shown: shown.filter((series) => present.includes(series)),
              jumps,
              severities,
              thresholds,
              selected: layer?.tensor,
              onSelect: select,
            },
            width,
          );
        }}
        data={() => sqnrData(layers)}
      >
        <SeriesButtons
          present={present}
          shown={shown}
          onToggle={(series) => setShown(toggled(shown, series))}
        />
        {severities.size === 0 ? null : <FindingKey />}
      </Chart>
      {perPoint === 1 ? null : (
        <p class="reading">
          Each point is the lowest of {perPoint} layers; the pale band reaches up to the highest of them.
        </p>
      )}
      {jumps.length === 0 ? null : (
        <div class="jumps">
          <h3>Largest falls of cumulative SQNR</h3>
          <ol>
            {jumps.map(({ tensor, node, op, from, fromDb, toDb }) => (
              <li key={tensor}>
                <LayerName name={tensor} />{' '}
                <span class="quiet">
                  <Name name={op} longest={32} /> <Name name={node} longest={32} />
                </span>{' '}
                <strong>{fallText(fromDb, toDb)}</strong>
                {fromDb === undefined ? null : `: ${fromDb.toFixed(1)} to ${toDb.toFixed(1)} dB`}
                <span class="quiet">, from its input </span>
                <LayerName name={from} />
              </li>
            ))}
          </ol>
        </div>
      )}
    </Section>
  );
}

function FindingKey(): JSX.Element {
  return (
    <span class="finding-key quiet">
      findings:
      <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
        <path d="M0 -5.5L5.5 0L0 5.5L-5.5 0Z" fill="var(--error)" />
      </svg>
      error
      <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
        <path d="M0 -5L5 4H-5Z" fill="var(--warning)" />
      </svg>
      warning
      <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
        <circle r="3" fill="var(--note)" />
      </svg>
      note
    </span>
  );
}

/** Those that any layer has a number for. */
function seriesOf(layers: readonly Layer[]): Series[] {
  return SERIES.filter((series) =>
    layers.some(
      ({ activation: { [series]: value } }) => value?.exact === true || value?.sqnrDb !== undefined,
    ),
  );
}

function largestFall([jump]: readonly ReportedJump[]): string {
  if (jump === undefined) return '';
  return `The largest fall of cumulative SQNR is at ${shortName(jump.tensor)}, ${fallText(jump.fromDb, jump.toDb)}. `;
}

function notableJumps(jumps: readonly ReportedJump[]): readonly ReportedJump[] {
  const notable = jumps.filter(({ fromDb = Infinity, toDb }) => fromDb - toDb >= NOTABLE_DB);
  return notable.length === 0 ? jumps.slice(0, 1) : notable.slice(0, MOST_JUMPS);
}

function thresholdsOf(report: PageReport): Threshold[] {
  const checks = 'gate' in report ? (report.gate?.checks ?? []) : [];
  return checks
    .filter(({ name, unit }) => unit === 'dB' && name.startsWith('min-sqnr'))
    .slice(0, MOST_THRESHOLDS)
    .map(({ name, threshold }) => ({ db: threshold, label: `${name} ${threshold} dB` }));
}

function sqnrData(layers: readonly Layer[]): ChartData {
  return {
    titles: ['position', 'tensor', 'node', 'op', ...SERIES.map((series) => `${series} SQNR (dB)`)],
    rows: layers.map(({ tensor, node, op, activation }, i) => [
      i + 1,
      tensor,
      node,
      op,
      ...SERIES.map((series) => {
        const value = activation[series];
        return value?.exact === true ? decibels(value) : value?.sqnrDb;
      }),
    ]),
  };
}
