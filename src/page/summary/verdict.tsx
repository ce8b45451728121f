/** The answer: what is lost, where, why, and what to do. */
import type { JSX } from 'preact';
import type { PageReport } from '../../report/html/page-document.js';
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import type { Fix } from '../../doctor/finding.js';
import type { ReportedData } from '../../report/report.js';
import { LayerName, shortName, visible } from '../frame/layer-name.js';
import { metricName } from '../frame/metric-name.js';
import { count, decibels, percent } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { CopyText } from './copy-text.js';
import { Measured } from './measured-fix.js';
import { usesRandomData } from './random-data.js';

export function Verdict(): JSX.Element {
  const { report } = usePage().document;
  const subject = report.models.find(({ role }) => role !== 'reference') ?? report.models[0];
  const reference = report.models.find(({ role }) => role === 'reference');
  // The summary is one sentence of several parts; a heading is read at a glance.
  const [first = '', ...more] = ('verdict' in report ? report.verdict.summary : 'What is in the file').split(
    '; ',
  );
  return (
    <div id="verdict" class="verdict">
      <p class="quiet subject">
        {titleOf(report)} <bdi class="name">{visible(subject?.path ?? '')}</bdi>
        {reference === undefined || reference === subject ? null : (
          <>
            {' with '}
            <bdi class="name">{visible(reference.path)}</bdi>
          </>
        )}
      </p>
      <Headline text={withShortNames(first)} />
      {more.map((clause) => (
        <p key={clause} class="clause">
          {withShortNames(clause)}
        </p>
      ))}
      {usesRandomData(report) ? (
        <p class="smoke">
          Smoke test: the samples are random numbers. What is lost on them says nothing about real data.
        </p>
      ) : null}
      {'verdict' in report ? <Cause verdict={report.verdict} /> : null}
      <Guess report={report} />
      <dl class="tiles">
        {tilesOf(report).map(({ name, value, note }) => (
          <div key={name} class="tile">
            <dt>{name}</dt>
            <dd>
              {value}
              {note === undefined ? null : <span class="quiet"> {note}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Names stand whole in the tables; one of thousands of letters must not fill the screen before the first finding. */
function withShortNames(text: string): string {
  return visible(text)
    .replaceAll(/\S{80,}/g, (name) => shortName(name, 80))
    .slice(0, LONGEST_CLAUSE);
}

const LONGEST_CLAUSE = 600;

/** How sure the loss is stands in brackets behind it: smaller, or the loss itself is not seen. */
function Headline({ text }: { readonly text: string }): JSX.Element {
  const [, loss = text, sureness, rest = ''] = /^(.*?)( \(95 % [^()]*\))(.*)$/s.exec(text) ?? [];
  return (
    <h1>
      {loss}
      {sureness === undefined ? null : <span class="sureness">{sureness}</span>}
      {rest}
    </h1>
  );
}

/** What no flag and no file said, and all numbers rest on. */
function Guess({ report }: { readonly report: PageReport }): JSX.Element | null {
  if (!('data' in report)) return null;
  const guessed = Object.values(report.data as Readonly<Record<string, ReportedData | undefined>>).find(
    (data) => data?.guessed !== undefined,
  )?.guessed;
  if (guessed === undefined) return null;
  return (
    <p class="guess">
      <span aria-hidden="true">▲</span> {visible(guessed.what)} {visible(guessed.value)} is a guess: see{' '}
      <a href="#basis">measured with</a>
    </p>
  );
}

function titleOf({ command }: PageReport): string {
  const titles = {
    analyze: 'Analysis of',
    compare: 'Comparison of',
    doctor: 'Diagnosis of',
    inspect: 'Inspection of',
    sweep: 'Sweep of',
  } as const satisfies Record<PageReport['command'], string>;
  return titles[command];
}

interface Told {
  readonly cause?: string;
  readonly where?: string;
  readonly fix?: Fix;
}

function Cause({ verdict: { cause, where, fix } }: { readonly verdict: Told }): JSX.Element | null {
  const { rules = {} } = usePage().document;
  if (cause === undefined && where === undefined && fix === undefined) return null;
  return (
    <div class="cause">
      {where === undefined ? null : (
        <p>
          <span class="asked">Where</span> <LayerName name={where} longest={120} />
        </p>
      )}
      {cause === undefined ? null : (
        <p>
          <span class="asked">Why</span>{' '}
          <a href={`#rule-${encodeURIComponent(visible(cause))}`}>
            {Object.hasOwn(rules, cause) ? rules[cause]?.title : visible(cause)}
          </a>
        </p>
      )}
      {fix === undefined ? null : (
        <p>
          <span class="asked">Try</span> {visible(fix.title)} <CopyText text={fix.edit} />
          <Measured fix={fix} />
        </p>
      )}
    </div>
  );
}

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
}

/** The few numbers that a reader looks for first. */
function tilesOf(report: PageReport): Tile[] {
  if (report.command === 'inspect') return [];
  const tiles: Tile[] = [];
  const accuracy = report.accuracy ?? ('agreement' in report ? report.agreement : undefined);
  if (accuracy !== undefined) tiles.push(...accuracyTiles(accuracy));
  if (report.command === 'sweep') {
    tiles.push({
      name: 'SQNR, all quantized',
      value: decibels(sweepLevel(report.quantized)),
      note: 'worst output',
    });
  } else {
    const outputs = report.tensors.filter(
      ({ role, cumulative }) => role === 'output' && cumulative !== undefined,
    );
    const worst = outputs.reduce<(typeof outputs)[number] | undefined>(
      (a, b) => ((b.cumulative?.sqnrDb ?? Infinity) < (a?.cumulative?.sqnrDb ?? Infinity) ? b : (a ?? b)),
      undefined,
    );
    if (worst !== undefined) {
      tiles.push({
        name: 'SQNR at the output',
        value: decibels(worst.cumulative),
        ...(outputs.length > 1 ? { note: `worst of ${outputs.length}` } : {}),
      });
    }
  }
  if ('coverage' in report && report.coverage.ops.total > 0) {
    const { ops, macs } = report.coverage;
    tiles.push({
      name: 'Quantized',
      value:
        macs.total > 0 ? `${percent(macs.quantized / macs.total)} of MACs` : `${ops.quantized} operators`,
      note: `${count(ops.quantized)} of ${count(ops.total)} operators`,
    });
  }
  const data = report.data.eval ?? report.data.data ?? report.data.calib;
  if (data !== undefined)
    tiles.push({ name: 'Measured on', value: `${count(data.samples)} samples`, note: data.kind });
  return tiles;
}

function sweepLevel({ outputSqnrDb, exact }: { readonly outputSqnrDb?: number; readonly exact?: true }): {
  readonly sqnrDb?: number;
  readonly exact?: true;
} {
  return {
    ...(outputSqnrDb === undefined ? {} : { sqnrDb: outputSqnrDb }),
    ...(exact === undefined ? {} : { exact }),
  };
}

function accuracyTiles({ metric, reference, candidate, unit, summary }: Accuracy): Tile[] {
  if (candidate === undefined) return [];
  const value = (number: number): string => `${number.toFixed(2)}${unit === '' ? '' : ` ${unit}`}`;
  return [
    {
      name: metricName(metric),
      value: reference === undefined ? value(candidate) : `${value(reference)} → ${value(candidate)}`,
      ...(summary.includes('within noise') ? { note: 'within noise' } : {}),
    },
  ];
}
