/** The answer: what is lost, where, why, and what to do. */
import type { JSX } from 'preact';
import type { PageReport } from '../../report/html/page-document.js';
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { count, decibels, percent } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { CopyText } from './copy-text.js';
import { usesRandomData } from './random-data.js';

export function Verdict(): JSX.Element {
  const { report } = usePage().document;
  const subject = report.models.find(({ role }) => role !== 'reference') ?? report.models[0];
  // The summary is one sentence of several parts; a heading is read at a glance.
  const [first = '', ...more] = ('verdict' in report ? report.verdict.summary : 'What is in the file').split(
    '; ',
  );
  return (
    <div id="verdict" class="verdict">
      <p class="quiet subject">
        {titleOf(report)} <bdi class="name">{visible(subject?.path ?? '')}</bdi>
      </p>
      <h1>{visible(first)}</h1>
      {more.map((clause) => (
        <p key={clause} class="clause">
          {visible(clause)}
        </p>
      ))}
      {usesRandomData(report) ? (
        <p class="smoke">
          Smoke test: the samples are random numbers. What is lost on them says nothing about real data.
        </p>
      ) : null}
      {'verdict' in report ? <Cause verdict={report.verdict} /> : null}
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
  readonly fix?: { readonly title: string; readonly edit: string };
}

function Cause({ verdict: { cause, where, fix } }: { readonly verdict: Told }): JSX.Element | null {
  const { rules = {} } = usePage().document;
  if (cause === undefined && where === undefined && fix === undefined) return null;
  return (
    <div class="cause">
      {where === undefined ? null : (
        <p>
          Where: <LayerName name={where} longest={120} />
        </p>
      )}
      {cause === undefined ? null : (
        <p>
          Why: <a href={`#rule-${cause}`}>{Object.hasOwn(rules, cause) ? rules[cause]?.title : cause}</a>
        </p>
      )}
      {fix === undefined ? null : (
        <p>
          Try: {visible(fix.title)} <CopyText text={fix.edit} />
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
      name: metric,
      value: reference === undefined ? value(candidate) : `${value(reference)} → ${value(candidate)}`,
      ...(summary.includes('within noise') ? { note: 'within noise' } : {}),
    },
  ];
}
