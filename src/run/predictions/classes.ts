/** Networks that say one class, or numbers. */
import { DataError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { isWhole, listed, squeezed } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { anyOutputOf, outputOf } from './rows.js';

/** Outputs of numbers in a row, but for extents of 1. */
function lists({ outputs }: DecoderRequest): readonly OutputForm[] {
  // A leading extent above 1 beside another is a batch, or no list.
  return outputs.filter((output) => !isWhole(output) && squeezed(output.dims).length <= 1);
}

export const CLASSES: Form = {
  name: 'classes',
  wants: 'one output [1, classes] of scores, or of one number',
  fit(request): Fit | undefined {
    const found = lists(request);
    const longest = found.filter(({ dims }) => squeezed(dims).length === 1);
    const [output, another] = longest.length > 0 ? longest : found;
    if (output === undefined || another !== undefined) return undefined;
    const [classes = 1] = squeezed(output.dims);
    if (classes < 1) return undefined;
    const isSole = request.outputs.length === 1;
    return {
      kind: 'scores',
      description: `output ${listed([output])}: ${classes === 1 ? 'one score' : 'one score per class'}`,
      ...(classes === 1 ? {} : { classes }),
      strength: classes === 1 ? 'possible' : isSole ? 'certain' : 'plausible',
      decode: (outputs) => ({ kind: 'scores', scores: outputOf(outputs, output).data }),
    };
  },
};

export const VALUES: Form = {
  name: 'values',
  wants: 'any outputs; their values, one output behind the other',
  fit({ outputs }): Fit | undefined {
    if (outputs.length === 0) return undefined;
    return {
      kind: 'values',
      description: `${listed(outputs)}: values`,
      strength: 'possible',
      decode: (given) => {
        const found = outputs.map(({ name }) => anyOutputOf(given, name));
        if (found.length === 1) return { kind: 'values', data: found[0]!.data };
        const data = new Float64Array(found.reduce((sum, { data: part }) => sum + part.length, 0));
        let at = 0;
        for (const { data: part } of found) {
          data.set(part, at);
          at += part.length;
        }
        return { kind: 'values', data };
      },
    };
  },
};

/** Largest class that masks can hold beside IGNORED. */
export const LARGEST_CLASS = 0xfffe;

/** @throws DataError when it is none */
export function classOf(value: number, output: OutputForm): number {
  if (Number.isInteger(value) && value >= 0 && value <= LARGEST_CLASS) return value;
  throw new DataError(
    `output ${output.name} ${formatDims(output.dims)} holds ${value}; --decode argmax takes whole numbers from 0 to ${LARGEST_CLASS}, one class each`,
    { hint: '--decode segmentation, classes or values' },
  );
}
