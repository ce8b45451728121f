/** Chooses what turns the outputs of a network into predictions. */
import { DataError, UsageError } from '../../errors.js';
import { CLASSES, VALUES } from './classes.js';
import { NMS } from './end-to-end.js';
import { knownClasses, listed } from './form.js';
import type { DecoderRequest, Fit, Form } from './form.js';
import { NANODET, PICODET } from './gfl.js';
import { ARGMAX, SEGMENTATION } from './masks.js';
import type { Decoder } from './prediction.js';
import { SSD } from './ssd.js';
import { isModulePath, loadUserDecoder } from './user-decoder.js';
import { YOLOV5, YOLOV8, YOLOX } from './yolo.js';

export type { DecoderRequest, OutputForm } from './form.js';
export { placementOf, toImage } from './placement.js';

/** Of those that fit equally loosely, the first is taken. */
const FORMS: readonly Form[] = [
  VALUES,
  CLASSES,
  ARGMAX,
  SEGMENTATION,
  NMS,
  SSD,
  YOLOV5,
  YOLOV8,
  YOLOX,
  NANODET,
  PICODET,
];

/** What `--decode` takes beside modules. */
export const DECODERS: readonly string[] = FORMS.map(({ name }) => name);

const STRENGTHS = ['certain', 'plausible', 'possible'] as const satisfies readonly Fit['strength'][];

/**
 * The decoder that the user named, or else the one that outputs and labels leave.
 *
 * @throws UsageError when there is no such decoder or module, or outputs and labels leave several
 * @throws DataError when the outputs do not fit the decoder, or the module is broken
 */
export async function chooseDecoder(request: DecoderRequest): Promise<Decoder> {
  const { decode } = request;
  if (decode === undefined) return automatic(request);
  if (isModulePath(decode)) return loadUserDecoder(decode, request.wanted);
  return named(decode, request);
}

function decoderOf(name: string, fit: Fit): Decoder {
  const { kind, description, classes } = fit;
  return {
    name,
    kind,
    description,
    ...(classes === undefined ? {} : { classes }),
    decode: (outputs, context) => fit.decode(outputs, context),
  };
}

function named(decode: string, request: DecoderRequest): Decoder {
  const [name, output] = split(decode);
  const form = FORMS.find((known) => known.name === name);
  if (form === undefined) {
    throw new UsageError(`--decode ${decode}: there is no such decoder`, {
      hint: `--decode ${DECODERS.join(', ')} or ./decode.js`,
    });
  }
  const outputs =
    output === undefined ? request.outputs : request.outputs.filter((given) => given.name === output);
  if (outputs.length === 0) {
    throw new UsageError(`--decode ${decode}: the network has no output ${output ?? ''}`, {
      places: request.outputs.map((given) => listed([given])),
    });
  }
  const fit = form.fit({ ...request, outputs });
  if (fit === undefined) {
    throw new DataError(
      `--decode ${decode}: the outputs are ${listed(outputs)}${batchNote(request)}; it takes ${form.wants}`,
      { hint: fitting(request) },
    );
  }
  if (request.wanted !== undefined && !request.wanted.includes(fit.kind)) {
    throw new UsageError(
      `--decode ${decode} gives ${fit.kind}; labels and metric take ${request.wanted.join(' or ')}`,
      { hint: '--metric' },
    );
  }
  return decoderOf(decode, fit);
}

/** `classes:logits` -> classes, logits. Names of outputs may hold colons themselves. */
function split(decode: string): [name: string, output?: string] {
  const colon = decode.indexOf(':');
  return colon < 0 ? [decode] : [decode.slice(0, colon), decode.slice(colon + 1)];
}

/** A hint with those that would do. */
function fitting(request: DecoderRequest): string {
  const names = FORMS.flatMap((form) => {
    const fit = form.fit(request);
    return fit !== undefined && (request.wanted?.includes(fit.kind) ?? true) ? [form.name] : [];
  });
  return `--decode ${[...names, './decode.js'].join(', ')}`;
}

function automatic(request: DecoderRequest): Decoder {
  const { wanted, outputs } = request;
  const found = FORMS.flatMap((form) => {
    const fit = form.fit(request);
    return fit !== undefined && (wanted?.includes(fit.kind) ?? true) ? [{ form, fit }] : [];
  });
  const strength = STRENGTHS.find((level) => found.some(({ fit }) => fit.strength === level));
  const best = found.filter(({ fit }) => fit.strength === strength);
  const rank = ({ fit }: { fit: Fit }): number => wanted?.indexOf(fit.kind) ?? 0;
  const highest = Math.min(...best.map(rank));
  const ranked = best.filter((entry) => rank(entry) === highest);
  // Of two layouts that the shape allows, the one whose classes are as many as labels or model have.
  const counted = ranked.filter(
    ({ fit }) => fit.classes !== undefined && fit.classes === knownClasses(request),
  );
  const left = counted.length > 0 ? counted : ranked;
  const [first] = left;
  if (first === undefined) {
    const kinds = wanted === undefined ? 'anything' : wanted.join(' or ');
    throw new UsageError(
      `the outputs are ${listed(outputs)}${batchNote(request)}: no decoder makes ${kinds} of them`,
      { hint: `--decode ${[...namesOf(wanted), './decode.js'].join(', ')}` },
    );
  }
  // What takes anything is not to be chosen among.
  if (left.length > 1 && !left.some(({ form }) => form === VALUES)) {
    throw new UsageError(`the outputs are ${listed(outputs)}: several decoders could read them`, {
      places: left.map(({ form, fit }) => `--decode ${form.name}: ${fit.description}`),
      hint: `--decode ${[...left.map(({ form }) => form.name), './decode.js'].join(', ')}`,
    });
  }
  return decoderOf(first.form.name, first.fit);
}

/** Kinds that each decoder can make, for hints where none fits. */
function namesOf(wanted: DecoderRequest['wanted']): readonly string[] {
  const byKind = {
    scores: ['classes:OUTPUT'],
    class: ['argmax:OUTPUT'],
    mask: ['segmentation:OUTPUT', 'argmax:OUTPUT'],
    boxes: ['nms', 'ssd', 'yolov5', 'yolov8', 'yolox', 'nanodet', 'picodet'],
    values: ['values'],
  } as const;
  return wanted === undefined ? DECODERS : [...new Set(wanted.flatMap((kind) => byKind[kind]))];
}

/** Why outputs of several samples fit nothing. */
function batchNote({ outputs }: DecoderRequest): string {
  const [batch = 1] = outputs[0]?.dims ?? [];
  const isBatch = batch > 1 && outputs.every(({ dims }) => dims.length > 1 && dims[0] === batch);
  return isBatch ? ` (a batch of ${batch}? one sample at a time is decoded)` : '';
}
