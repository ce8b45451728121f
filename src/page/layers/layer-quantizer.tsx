/** Quantizers of a layer: of its activation, and of the constants of its operator. */
import type { JSX } from 'preact';
import type { ComparedConstant } from '../../report/compare-report.js';
import type { ReportedQuant } from '../../report/report.js';
import { Chart } from '../frame/chart.js';
import { fileName } from '../frame/download.js';
import { Name, visible } from '../frame/layer-name.js';
import { count, decibels, short } from '../frame/numbers.js';
import { drawScales } from './channel-plot.js';
import type { Layer, LayerTensor } from './layer.js';
import { gridOf } from './quant-grid.js';

/** Scales that are listed; more are drawn. */
const MOST_LISTED = 6;

export function LayerQuantizers({
  layer: { activation, constants },
  compared,
}: {
  readonly layer: Layer;
  /** Constants of the operator beside those of the reference. */
  readonly compared: readonly ComparedConstant[];
}): JSX.Element | null {
  const quantized = [activation, ...constants].filter(({ quant }) => quant !== undefined);
  if (quantized.length === 0 && compared.length === 0) return null;
  return (
    <section class="panel-part">
      <h3>Parameters</h3>
      {quantized.map((tensor) => (
        <Quantizer tensor={tensor} isOwn={tensor === activation} key={tensor.tensor} />
      ))}
      {compared.map((constant) => (
        <Compared constant={constant} key={constant.tensor} />
      ))}
    </section>
  );
}

function Quantizer({
  tensor: { tensor, role, quant, shape, self },
  isOwn,
}: {
  readonly tensor: LayerTensor;
  readonly isOwn: boolean;
}): JSX.Element | null {
  if (quant === undefined) return null;
  const grid = gridOf(quant);
  const scales = quant.scale.filter((scale) => Number.isFinite(scale));
  return (
    <>
      <h4>
        {isOwn ? 'activation' : role} <Name name={tensor} longest={48} />
      </h4>
      <dl class="facts">
        <dt>type</dt>
        <dd>
          {visible(quant.dtype)}, codes {count(quant.qmin)} to {count(quant.qmax)}
        </dd>
        <dt>{quant.scale.length === 1 ? 'scale' : 'scales'}</dt>
        <dd>{scaleText(quant)}</dd>
        <dt>{quant.zeroPoint.length > 1 && !isOneValue(quant.zeroPoint) ? 'zero points' : 'zero point'}</dt>
        <dd>{listOf(quant.zeroPoint)}</dd>
        {grid === undefined ? null : (
          <>
            <dt>range</dt>
            <dd>
              {short(grid.lo)} to {short(grid.hi)}
            </dd>
          </>
        )}
        <dt>from</dt>
        <dd>{visible(quant.source)}</dd>
        {isOwn ? null : (
          <>
            <dt>shape</dt>
            <dd>[{shape.map((size) => size ?? '?').join(', ')}]</dd>
            <dt>self SQNR</dt>
            <dd>{decibels(self)}</dd>
          </>
        )}
      </dl>
      {scales.length > MOST_LISTED ? (
        <Chart
          title="Scale per channel"
          description={`${count(scales.length)} scales, from ${short(least(scales))} to ${short(largest(scales))}.`}
          file={fileName(tensor, 'scales')}
          inputs={[quant]}
          draw={(width) => drawScales(scales, width)}
          data={() => ({
            titles: ['position', 'scale', 'zero point'],
            rows: quant.scale.map((scale, i) => [i, scale, quant.zeroPoint[i] ?? quant.zeroPoint[0]]),
          })}
        />
      ) : null}
    </>
  );
}

function Compared({
  constant: { tensor, reference, role, correlation, error },
}: {
  readonly constant: ComparedConstant;
}): JSX.Element {
  return (
    <>
      <h4>
        {role} <Name name={tensor} longest={48} /> beside the reference
      </h4>
      <dl class="facts">
        <dt>in the reference</dt>
        <dd>
          <Name name={reference} />
        </dd>
        {correlation === undefined ? null : (
          <>
            <dt>correlation</dt>
            <dd>{correlation.toFixed(4)}</dd>
          </>
        )}
        {error === undefined ? null : (
          <>
            <dt>SQNR</dt>
            <dd>{decibels(error)}</dd>
            <dt>largest error</dt>
            <dd>{short(error.maxAbsError)}</dd>
          </>
        )}
      </dl>
    </>
  );
}

function scaleText({ scale, axis, blockSize }: ReportedQuant): string {
  const where = axis === undefined ? '' : ` along axis ${axis}`;
  const blocks = blockSize === undefined ? '' : `, blocks of ${count(blockSize)}`;
  const finite = scale.filter((value) => Number.isFinite(value));
  const bad = scale.length - finite.length;
  const broken = bad === 0 ? '' : `; ${count(bad)} not a number`;
  if (scale.length <= MOST_LISTED || finite.length === 0) return `${listOf(scale)}${where}${blocks}`;
  return `${count(scale.length)}${where}${blocks}, ${short(least(finite))} to ${short(largest(finite))}${broken}`;
}

/** One value where all are the same. A document has text where a file has no number. */
function listOf(values: readonly number[]): string {
  const texts = values.map((value) => (Number.isFinite(value) ? short(value) : String(value)));
  if (isOneValue(values)) return texts[0] ?? '–';
  const more = texts.length - MOST_LISTED;
  return `${texts.slice(0, MOST_LISTED).join(', ')}${more > 0 ? `, … (${count(texts.length)})` : ''}`;
}

function isOneValue(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
