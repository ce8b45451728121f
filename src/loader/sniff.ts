/**
 * What a file is, by its first bytes: extensions lie, and "not a model" alone helps nobody.
 */

/** Bytes of the beginning of a file that `sniff` wants to see. */
export const SNIFF_LENGTH = 4096;

export interface Sniffed {
  /** 'maybe-onnx': protobuf has no signature, so only reading it tells. */
  readonly kind: 'maybe-onnx' | 'tflite' | 'other';
  /** What it is, to follow "it is"; '' for 'maybe-onnx'. */
  readonly description: string;
  /** A command or flag that leads on. */
  readonly hint?: string;
}

interface Signature {
  readonly matches: (head: Uint8Array, text: string) => boolean;
  readonly description: string;
  readonly hint?: (path: string) => string;
}

const exportTorch = (): string => 'torch.onnx.export(model, example_input, "model.onnx")';
const convertKeras = (path: string): string =>
  `python -m tf2onnx.convert --keras ${path} --output model.onnx`;
const useAsData = (path: string): string => `--calib ${path}`;

const bytes =
  (...start: readonly number[]) =>
  (head: Uint8Array): boolean =>
    start.every((byte, i) => head[i] === byte);
const ascii =
  (offset: number, word: string) =>
  (_head: Uint8Array, text: string): boolean =>
    text.startsWith(word, offset);
const zipHolding =
  (entry: RegExp) =>
  (_head: Uint8Array, text: string): boolean =>
    text.startsWith('PK\u0003\u0004') && entry.test(text);
const textLike =
  (pattern: RegExp) =>
  (_head: Uint8Array, text: string): boolean =>
    pattern.test(text);

const TFLITE_IDENTIFIER = 'TFL3';
/** Tags of the fields that an ONNX file may begin with: numbers 1 to 8, 14, 20, 25 and 26 of ModelProto. */
const ONNX_TAGS = [0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca, 0xd2];

/** First match counts, so special cases stand before general ones. */
const SIGNATURES: readonly Signature[] = [
  {
    matches: textLike(/^version https:\/\/git-lfs\.github\.com\//),
    description: 'a Git LFS pointer, not the file it stands for',
    hint: (path) => `git lfs pull --include ${path}`,
  },
  {
    matches: textLike(/^.{4}TFL[0-24-9]/s),
    description: `a TFLite file of another format version than "${TFLITE_IDENTIFIER}"`,
  },
  { matches: ascii(4, 'ORTM'), description: 'a model in ONNX Runtime format, made from an .onnx file' },
  {
    matches: zipHolding(/\/(?:data\.pkl|\.format_version|byteorder)/),
    description: 'a PyTorch archive (zip)',
    hint: exportTorch,
  },
  {
    matches: zipHolding(/^.{30}(?:metadata|config)\.json/s),
    description: 'a Keras archive (zip)',
    hint: convertKeras,
  },
  { matches: zipHolding(/^.{30}[^/]*\.npy/s), description: 'a NumPy archive (.npz)', hint: useAsData },
  { matches: zipHolding(/^/), description: 'a zip archive', hint: (path) => `unzip ${path}` },
  {
    matches: bytes(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    description: 'an HDF5 file (Keras .h5)',
    hint: convertKeras,
  },
  {
    matches: bytes(0x80, 0x02),
    description: 'a Python pickle (old PyTorch, scikit-learn)',
    hint: exportTorch,
  },
  {
    matches: (head) => head[0] === 0x80 && [3, 4, 5].includes(head[1] ?? 0),
    description: 'a Python pickle',
  },
  {
    matches: textLike(/^.{8}\{"/s),
    description: 'a safetensors file (weights without a graph)',
    hint: exportTorch,
  },
  { matches: ascii(0, 'GGUF'), description: 'a GGUF file (weights without a graph)' },
  {
    matches: bytes(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
    description: 'a NumPy array (.npy)',
    hint: useAsData,
  },
  { matches: bytes(0x89, 0x50, 0x4e, 0x47), description: 'a PNG image', hint: useAsData },
  { matches: bytes(0xff, 0xd8, 0xff), description: 'a JPEG image', hint: useAsData },
  { matches: bytes(0x1f, 0x8b), description: 'a gzip file', hint: (path) => `gunzip --keep ${path}` },
  { matches: ascii(257, 'ustar'), description: 'a tar archive', hint: (path) => `tar -xf ${path}` },
  { matches: ascii(0, '%PDF'), description: 'a PDF document' },
  { matches: bytes(0x7f, 0x45, 0x4c, 0x46), description: 'a program or library (ELF)' },
  {
    matches: textLike(/^\s*<(?:!doctype html|html)/i),
    description: 'an HTML page, likely an error or login page saved in place of the model',
  },
  {
    matches: textLike(/^\s*<\?xml|^\s*<net\s/i),
    description: 'an XML file (an OpenVINO .xml holds no weights)',
  },
  { matches: textLike(/^\s*(?:ir_version:|<\s*ir_version)/), description: 'an ONNX model written as text' },
  { matches: textLike(/^\s*[[{]\s*["[{\]}\d-]/), description: 'a JSON file' },
  { matches: textLike(/^[\t\n\r\x20-\x7e]+$/), description: 'a text file' },
];

/** @param head the first SNIFF_LENGTH bytes of the file at `path`, or all of it when it is shorter. */
export function sniff(head: Uint8Array, path: string): Sniffed {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (text.startsWith(TFLITE_IDENTIFIER, 4)) return { kind: 'tflite', description: 'a TFLite model' };
  for (const { matches, description, hint } of SIGNATURES) {
    if (!matches(head, text)) continue;
    return { kind: 'other', description, ...(hint === undefined ? {} : { hint: hint(path) }) };
  }
  if (/\.tflite$/i.test(path) && !ONNX_TAGS.includes(head[0] ?? 0)) {
    const found = Buffer.from(head.subarray(4, 8)).toString('hex');
    return {
      kind: 'other',
      description: `without the identifier of TFLite files: bytes 4 to 7 are ${found === '' ? 'missing' : `0x${found}`}, 0x54464c33 ("${TFLITE_IDENTIFIER}") is wanted`,
    };
  }
  return { kind: 'maybe-onnx', description: '' };
}
