/** What all of this was measured with, and what was not measured. */
import type { JSX } from 'preact';
import type { ReportedData } from '../../report/report.js';
import { Entry } from '../frame/entry.js';
import { visible } from '../frame/layer-name.js';
import { count, plural } from '../frame/numbers.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';

export function BasisSection(): JSX.Element {
  const { report } = usePage().document;
  const { tool } = report;
  const runtime = 'runtime' in tool ? tool.runtime : undefined;
  return (
    <Section id="basis" title="Measured with">
      <dl class="basis">
        {report.models.map((model, at) => (
          <Entry key={at} name={model.role}>
            <bdi class="name">{visible(model.path)}</bdi> {model.format}
            {model.opset === undefined ? '' : `, opset ${model.opset}`}, {plural(model.ops, 'operator')},{' '}
            {count(model.parameters)} parameters, {count(model.bytes)} bytes
            {model.sha256 === undefined ? null : <span class="name quiet"> sha256 {model.sha256}</span>}
          </Entry>
        ))}
        {'scheme' in report && report.scheme !== undefined ? (
          <Entry name="scheme">{schemeText(report.scheme)}</Entry>
        ) : null}
        {'data' in report
          ? Object.entries(report.data as Readonly<Record<string, ReportedData | undefined>>).map(
              ([role, data]) =>
                data === undefined ? null : (
                  <Entry key={role} name={role}>
                    <Data data={data} />
                  </Entry>
                ),
            )
          : null}
        <Entry name="tool">
          qdbg {tool.version}
          {runtime === undefined ? '' : `, ${visible(runtime)}`}
          {report.createdAt === undefined ? '' : `, ${report.createdAt}`}
        </Entry>
      </dl>
      <Missing />
      <LeftOut />
    </Section>
  );
}

/** "ort: activations uint8 asymmetric per-tensor minmax, weights int8 symmetric per-tensor minmax, bias int32". */
function schemeText({ name, activations, weights, bias }: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value);
    const { dtype, symmetric, granularity, observer } = value as Readonly<Record<string, unknown>>;
    const kind = typeof observer === 'object' && observer !== null && 'kind' in observer ? observer.kind : '';
    const words = [dtype, symmetric === true ? 'symmetric' : 'asymmetric', granularity, kind];
    return words.filter((word) => typeof word === 'string' && word !== '').join(' ');
  };
  const source = name === 'file' ? "the file's own" : String(name);
  return visible(
    `${source}: activations ${part(activations)}, weights ${part(weights)}, bias ${String(bias)}`,
  );
}

function Data({ data }: { readonly data: ReportedData }): JSX.Element {
  const { path, kind, samples, assumed, guessed, excluded } = data;
  return (
    <>
      <bdi class="name">{visible(path)}</bdi> {kind}, {plural(samples, 'sample')}
      {guessed === undefined ? null : (
        <p class="guessed">
          Guessed: {visible(guessed.what)} {visible(guessed.value)}. Nothing but a default stands behind it,
          and it decides all values.
        </p>
      )}
      {assumed.length === 0 ? null : (
        <details>
          <summary>{plural(assumed.length, 'assumption')}</summary>
          <ul>
            {assumed.map(({ what, value, from }, at) => (
              <li key={at}>
                {visible(what)} {visible(value)} <span class="quiet">({visible(from)})</span>
              </li>
            ))}
          </ul>
        </details>
      )}
      {excluded.length === 0 ? null : (
        <details>
          <summary>{plural(excluded.length, 'sample')} left out</summary>
          <ul>
            {excluded.slice(0, 200).map(({ sample, reason }, at) => (
              <li key={at}>
                <bdi class="name">{visible(sample)}</bdi>: {visible(reason)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Missing(): JSX.Element | null {
  const { report } = usePage().document;
  const missing = 'notMeasured' in report ? report.notMeasured : [];
  if (missing.length === 0) return null;
  return (
    <details>
      <summary>{plural(missing.length, 'thing')} not measured</summary>
      <ul>
        {missing.slice(0, 500).map(({ subject, reason }, at) => (
          <li key={at}>
            <bdi class="name">{visible(subject)}</bdi>: {visible(reason)}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** What the page has less of than the JSON report. */
function LeftOut(): JSX.Element | null {
  const { leftOut = [] } = usePage().document;
  if (leftOut.length === 0) return null;
  return (
    <details>
      <summary>Not in this page, but in the JSON report</summary>
      <ul>
        {leftOut.map((text) => (
          <li key={text}>{visible(text)}</li>
        ))}
      </ul>
    </details>
  );
}
