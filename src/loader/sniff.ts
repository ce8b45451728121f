/**
 * What a file is, by its first bytes: extensions lie, and "not a model" alone helps nobody.
 */

/** Bytes of the beginning of a file that `sniff` wants to see. */
export const SNIFF_LENGTH = 4096;

export interface Sniffed {
  /** 'maybe-onnx': protobuf has no signature, so only reading it tells. */
  readonly kind: 'maybe-onnx' | 'tflite' | 'other';
  /** What it is, to follow "this is"; '' for 'maybe-onnx'. */
  readonly description: string;
  readonly hint?: string;
}

interface Signature {
  readonly matches: (head: Uint8Array, text: string) => boolean;
  readonly description: string;
  readonly hint?: string;
}

const EXPORT_TORCH = 'export it with torch.onnx.export';
const EXPORT_KERAS = 'convert it with tf2onnx (python -m tf2onnx.convert)';

const startsWith =
  (...bytes: readonly number[]) =>
  (head: Uint8Array): boolean =>
    bytes.every((byte, i) => head[i] === byte);
const at =
  (offset: number, ascii: string) =>
  (_head: Uint8Array, text: string): boolean =>
    text.startsWith(ascii, offset);
const zipHolding =
  (entry: RegExp) =>
  (_head: Uint8Array, text: string): boolean =>
    text.startsWith('PK\u0003\u0004') && entry.test(text);
const textLike =
  (pattern: RegExp) =>
  (_head: Uint8Array, text: string): boolean =>
    pattern.test(text);

/** First match counts, so special cases stand before general ones. */
const SIGNATURES: readonly Signature[] = [
  {
    matches: textLike(/^version https:\/\/git-lfs\.github\.com\//),
    description: 'a Git LFS pointer, not the file it stands for',
    hint: 'git lfs pull',
  },
  {
    matches: at(4, 'ORTM'),
    description: 'a model in ONNX Runtime format (.ort)',
    hint: 'use the .onnx file it was made from',
  },
  {
    matches: zipHolding(/^PK\u0003\u0004[^]*\/(?:data\.pkl|\.format_version|byteorder)/),
    description: 'a PyTorch archive (zip)',
    hint: EXPORT_TORCH,
  },
  {
    matches: zipHolding(/^.{30}(?:metadata|config)\.json/s),
    description: 'a Keras archive (zip)',
    hint: EXPORT_KERAS,
  },
  {
    matches: zipHolding(/^.{30}[^/]*\.npy/s),
    description: 'a NumPy archive (.npz)',
    hint: 'data is given with --calib, --eval or --data',
  },
  { matches: zipHolding(/^/), description: 'a zip archive', hint: 'unpack it and give the model inside' },
  {
    matches: startsWith(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    description: 'an HDF5 file (Keras .h5)',
    hint: EXPORT_KERAS,
  },
  {
    matches: startsWith(0x80, 0x02),
    description: 'a Python pickle (old PyTorch, scikit-learn)',
    hint: EXPORT_TORCH,
  },
  {
    matches: (head) => head[0] === 0x80 && (head[1] ?? 9) >= 3 && (head[1] ?? 9) <= 5,
    description: 'a Python pickle',
  },
  {
    matches: textLike(/^.{8}\{"/s),
    description: 'a safetensors file (weights without a graph)',
    hint: EXPORT_TORCH,
  },
  { matches: at(0, 'GGUF'), description: 'a GGUF file (weights without a graph)' },
  {
    matches: startsWith(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59),
    description: 'a NumPy array (.npy)',
    hint: 'data is given with --calib, --eval or --data',
  },
  {
    matches: startsWith(0x89, 0x50, 0x4e, 0x47),
    description: 'a PNG image',
    hint: 'images are given with --calib, --eval or --data',
  },
  {
    matches: startsWith(0xff, 0xd8, 0xff),
    description: 'a JPEG image',
    hint: 'images are given with --calib, --eval or --data',
  },
  { matches: startsWith(0x1f, 0x8b), description: 'a gzip file', hint: 'gunzip it first' },
  { matches: at(257, 'ustar'), description: 'a tar archive', hint: 'unpack it and give the model inside' },
  { matches: at(0, '%PDF'), description: 'a PDF document' },
  { matches: startsWith(0x7f, 0x45, 0x4c, 0x46), description: 'a program or library (ELF)' },
  {
    matches: textLike(/^\s*<(?:!doctype html|html)/i),
    description: 'an HTML page, likely an error or login page saved as a model',
    hint: 'fetch the file again',
  },
  {
    matches: textLike(/^\s*<\?xml|^\s*<net\s/i),
    description: 'an XML file (an OpenVINO .xml holds no weights)',
    hint: 'use the .onnx file it was made from',
  },
  {
    matches: textLike(/^\s*(?:ir_version:|<\s*ir_version)/),
    description: 'an ONNX model as text',
    hint: 'convert it with onnx.parser or google.protobuf.text_format',
  },
  { matches: textLike(/^\s*[[{]\s*["[{\]}\d-]/), description: 'a JSON file' },
  { matches: textLike(/^[\t\n\r\x20-\x7e]+$/), description: 'a text file' },
];

/** @param head the first SNIFF_LENGTH bytes of the file, or all of it when it is shorter. */
export function sniff(head: Uint8Array): Sniffed {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (text.startsWith('TFL3', 4)) return { kind: 'tflite', description: 'a TFLite model' };
  for (const { matches, description, hint } of SIGNATURES) {
    if (matches(head, text)) return { kind: 'other', description, ...(hint === undefined ? {} : { hint }) };
  }
  return { kind: 'maybe-onnx', description: '' };
}
