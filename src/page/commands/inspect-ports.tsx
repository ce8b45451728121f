/** Inputs and outputs: shape and type, and for quantized ones the formulas that people copy. */
import type { JSX } from 'preact';
import type { Port } from '../../report/inspect-report.js';
import type { PortContract } from '../../report/port-contract.js';
import { Entry } from '../frame/entry.js';
import { LayerName, visible } from '../frame/layer-name.js';
import { short } from '../frame/numbers.js';
import { Section } from '../frame/section.js';
import { CopyText } from '../summary/copy-text.js';
import { shapeText } from './inspect-files.js';

const MOST_PORTS = 50;

export interface InspectPortsProps {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export function InspectPorts({ inputs, outputs }: InspectPortsProps): JSX.Element | null {
  if (inputs.length + outputs.length === 0) return null;
  return (
    <Section
      id="ports"
      title="Inputs and outputs"
      lead="What an application hands over, and how to read what comes back. Formulas hold the file's own numbers."
    >
      <Ports title="Inputs" ports={inputs} isInput />
      <Ports title="Outputs" ports={outputs} isInput={false} />
    </Section>
  );
}

function Ports({
  title,
  ports,
  isInput,
}: {
  readonly title: string;
  readonly ports: readonly Port[];
  readonly isInput: boolean;
}): JSX.Element {
  return (
    <>
      <h3>{title}</h3>
      {ports.length === 0 ? <p class="told">None.</p> : null}
      <div class="ports">
        {ports.slice(0, MOST_PORTS).map((port) => (
          <div class="port keep" key={port.name}>
            <p class="port-head">
              <LayerName name={port.name} />{' '}
              <span>
                {typeOf(port)} {shapeText(port.shape)}
              </span>
            </p>
            {port.contract === undefined ? null : <Contract contract={port.contract} isInput={isInput} />}
          </div>
        ))}
      </div>
      {ports.length > MOST_PORTS ? <p class="told">and {ports.length - MOST_PORTS} more.</p> : null}
    </>
  );
}

/** What an application hands over. */
function typeOf({ contract, dtype }: Port): string {
  return visible((contract?.form === 'codes' ? contract.codes : undefined) ?? dtype ?? '?');
}

function Contract({
  contract,
  isInput,
}: {
  readonly contract: PortContract;
  readonly isInput: boolean;
}): JSX.Element {
  const {
    form,
    codes = '?',
    quantize,
    dequantize,
    numpy,
    min,
    max,
    step,
    preprocessing,
    meaning,
    remarks,
  } = contract;
  const isWanted = form === 'codes' || isInput;
  const python = isInput ? numpy?.quantize : numpy?.dequantize;
  return (
    <dl class="pairs">
      {form === 'inside' ? (
        <Entry name={isInput ? 'takes' : 'gives'}>
          {isInput ? 'floats, quantized inside' : 'floats, already dequantized'} ({visible(codes)} codes)
        </Entry>
      ) : null}
      {isInput && quantize !== undefined ? (
        <Entry name={form === 'codes' ? 'quantize' : 'inside'}>
          <CopyText text={quantize} />
        </Entry>
      ) : null}
      {isWanted && dequantize !== undefined ? (
        <Entry name={isInput ? 'back' : 'dequantize'}>
          <CopyText text={dequantize} />
        </Entry>
      ) : null}
      {form === 'codes' && python !== undefined ? (
        <Entry name="numpy">
          <CopyText text={python} />
        </Entry>
      ) : null}
      {min === undefined || max === undefined || step === undefined ? null : (
        <Entry name="range">
          {short(min)} to {short(max)} in steps of {short(step)}
        </Entry>
      )}
      {meaning === undefined ? null : <Entry name="values">{visible(meaning)}</Entry>}
      {preprocessing === undefined ? null : <Prepared contract={contract} preprocessing={preprocessing} />}
      {[...remarks, ...(preprocessing?.remarks ?? [])].map((remark) => (
        <Entry name="note" key={remark}>
          <span class="odd">{visible(remark)}</span>
        </Entry>
      ))}
    </dl>
  );
}

function Prepared({
  contract: { form, codes = 'codes' },
  preprocessing: { implied, isUnknown, pixelShift, inside, metadata },
}: {
  readonly contract: PortContract;
  readonly preprocessing: NonNullable<PortContract['preprocessing']>;
}): JSX.Element {
  return (
    <>
      {implied === undefined ? null : (
        <Entry name="implies">
          {implied.family === 'raw'
            ? 'pixels of 0 to 255, not normalized'
            : `${visible(implied.formula)} for 8-bit images`}{' '}
          (
          {implied.isExact ? 'fits within rounding' : `near: off by ${(100 * implied.distance).toFixed(1)} %`}
          {implied.alternatives.length === 0
            ? ''
            : `; so does ${implied.alternatives
                .slice(0, 2)
                .map(({ formula }) => visible(formula))
                .join(', and ')}`}
          )
        </Entry>
      )}
      {isUnknown === true ? (
        <Entry name="implies">none of the known preparations of images has this range</Entry>
      ) : null}
      {metadata === undefined ? null : (
        <Entry name="metadata">
          {visible(metadata.formula)}
          {metadata.agrees === undefined ? '' : metadata.agrees ? ', which agrees' : ', which does not agree'}
        </Entry>
      )}
      {inside === undefined ? null : (
        <Entry name="normalizes">
          inside, {visible(inside.formula)}
          {inside.range === undefined
            ? ''
            : `, which makes ${short(inside.range.min)} to ${short(inside.range.max)}`}
          {inside.quantizer === undefined
            ? ''
            : `; the quantizer behind holds ${short(inside.quantizer.min)} to ${short(inside.quantizer.max)}`}
        </Entry>
      )}
      {pixelShift !== undefined && form === 'codes' ? (
        <Entry name="pixels">
          {pixelShift === 0
            ? 'feed 8-bit pixels as they are'
            : `feed pixel ${pixelShift < 0 ? '−' : '+'} ${Math.abs(pixelShift)} as ${visible(codes)}`}
          : preparing and quantizing a pixel gives the same code, or the next
        </Entry>
      ) : null}
    </>
  );
}
