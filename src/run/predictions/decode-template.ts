/** The module that a user starts from when no decoder of qdbg reads the outputs. */

/** Text of a JavaScript module that works as it stands for classifiers, and with one line changed for detectors. */
export function decodeTemplate(): string {
  return TEMPLATE;
}

const TEMPLATE = `// Turns the outputs of a network into predictions, for qdbg --decode ./decode.js
//
// It runs in the process of qdbg, once for every sample and network. An error that is thrown here ends the run with the name
// of the sample; so does what does not have the form described below, and a promise that takes longer than a minute. A loop
// that never ends cannot be stopped from outside.

/** What the function below returns: 'scores', 'class', 'mask', 'boxes' or 'values'. */
export const kind = 'scores';

// For the detector below: export const kind = 'boxes', and export default detection.
export default classification;

/**
 * A classifier.
 *
 * @param {{ name: string, dims: number[], data: Float32Array | Float64Array }[]} outputs
 *   in the order of the model file; row-major; quantized outputs as real values.
 * @param {{ input?: { width: number, height: number }, sample?: string, constants(dims: number[]): Float32Array[] }} context
 *   input: extents of the model's image input in pixels; sample: its name; constants: those of the model file with these
 *   dims, such as anchors.
 * @returns one of
 *   { kind: 'scores', scores }              a score for each class, larger for more likely
 *   { kind: 'class', label }                the class, from 0
 *   { kind: 'mask', width, height, data }   the class of each cell of a grid over the input, row by row
 *   { kind: 'boxes', boxes }                [{ x0, y0, x1, y1, label, score }], edges as shares (0 to 1) of the model's input
 *   { kind: 'values', data }                numbers to be compared one by one
 */
function classification(outputs, context) {
  const logits = outputs[0].data;
  return { kind: 'scores', scores: softmax(logits) };
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/**
 * A detector with two outputs: boxes [1, N, 4] as x, y, width, height in pixels of the input, and scores [1, N, classes].
 */
export function detection(outputs, context) {
  const [boxes, scores] = outputs;
  const [, count, classes] = scores.dims;
  const { width, height } = context.input;
  const found = [];
  for (let i = 0; i < count; i++) {
    const [x, y, w, h] = boxes.data.subarray(4 * i, 4 * i + 4);
    for (let label = 0; label < classes; label++) {
      const score = scores.data[i * classes + label];
      // Low for average precision, which ranks all of them; 0.25 is for pictures.
      if (score < 0.001) continue;
      found.push({
        x0: (x - w / 2) / width,
        y0: (y - h / 2) / height,
        x1: (x + w / 2) / width,
        y1: (y + h / 2) / height,
        label,
        score,
      });
    }
  }
  return { kind: 'boxes', boxes: withoutDuplicates(found, 0.65, 300) };
}

/** Non-maximum suppression: of boxes of one class that overlap by more than \`limit\` (IoU), the surest. */
function withoutDuplicates(boxes, limit, most) {
  const kept = [];
  for (const box of boxes.sort((a, b) => b.score - a.score)) {
    if (kept.length === most) break;
    if (!kept.some((other) => other.label === box.label && overlap(other, box) > limit)) kept.push(box);
  }
  return kept;
}

function overlap(a, b) {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (width <= 0 || height <= 0) return 0;
  const area = (box) => (box.x1 - box.x0) * (box.y1 - box.y0);
  return (width * height) / (area(a) + area(b) - width * height);
}
`;
