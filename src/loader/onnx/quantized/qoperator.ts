/**
 * Operators that read codes and write codes, with scales and zero points among their inputs: those of ai.onnx, and those that ONNX
 * Runtime's quantizer writes. https://onnx.ai/onnx/operators/onnx__QLinearConv.html,
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import { Unfoldable, type Emitted, type FoldRule, type FoldTable, type Folding } from './folding.js';
import { attrsWithout, biasParams, emitChannelsLast, int64Data, requireAlong } from './operands.js';
import { foldSoftmax } from './softmax.js';

/** x, scale, zero point, w, scale, zero point, output scale, zero point, bias. */
const conv: FoldRule = (folding) => {
  const x = folding.params(1, 2, { input: 0 });
  const w = folding.params(4, 5, { input: 3 }, 0);
  const y = folding.params(6, 7, { output: 0 });
  const inputs = [folding.values(0, x), folding.values(3, w)];
  if (folding.has(8)) inputs.push(folding.values(8, biasParams(x, w, 0)));
  const attrs = attrsWithout(folding, 'channels_last');
  // The weight is [M, C/group, kernel...] either way.
  emitPlaced(folding, { op: 'Conv', inputs, attrs, outputs: [folding.writesCodes(0, y)] }, folding.rank(3));
};

/** a, scale, zero point, b, scale, zero point, output scale, zero point; a may have scales by row, b by column. */
const matMul: FoldRule = (folding) => {
  requireAlong(folding, 1, 1);
  requireAlong(folding, 4, 0);
  const a = folding.params(1, 2, { input: 0 }, -2);
  const b = folding.params(4, 5, { input: 3 }, -1);
  const y = folding.params(6, 7, { output: 0 });
  const inputs = [folding.values(0, a), folding.values(3, b)];
  folding.emit({ op: 'MatMul', inputs, outputs: [folding.writesCodes(0, y)] });
};

/** A, scale, zero point, B, scale, zero point, C, output scale, zero point; without the last two the output is float. */
const gemm: FoldRule = (folding) => {
  const { node } = folding;
  const alpha = node.attrs.get('alpha');
  const factor = alpha?.type === 'float' ? alpha.value : 1;
  if (!(factor > 0))
    throw new Unfoldable(`its alpha is ${factor}; the scale of its C is that of the product`);
  const a = folding.params(1, 2, { input: 0 });
  const b = folding.params(4, 5, { input: 3 }, folding.intAttr('transB', 0) === 0 ? 1 : 0);
  const y = folding.has(7) ? folding.params(7, 8, { output: 0 }) : undefined;
  const inputs = [folding.values(0, a), folding.values(3, b)];
  if (folding.has(6)) {
    const dims = folding.constant(6)?.dims ?? [];
    if (b.granularity.kind === 'per-axis' && dims.at(-1) !== b.scale.length) {
      throw new Unfoldable(
        `its C has dims ${dims.join('x') || '[]'}; ${b.scale.length} columns are wanted, as B has scales`,
      );
    }
    inputs.push(folding.values(6, biasParams(a, b, dims.length - 1, factor)));
  } else if (folding.opset < 11) {
    // C is optional from then on.
    inputs.push(folding.addConstant(`${node.outputs[0] ?? ''}_C`, zero()));
  }
  const output = y === undefined ? (node.outputs[0] ?? '') : folding.writesCodes(0, y);
  folding.emit({ op: 'Gemm', inputs, attrs: attrsWithout(folding), outputs: [output] });
};

function zero(): Parameters<Folding['addConstant']>[1] {
  return { dtype: 'float32', dims: [1], byteLength: 4, bytes: () => new Uint8Array(4) };
}

/** A, scale, zero point, B, scale, zero point, output scale, zero point. */
function binary(op: string): FoldRule {
  return (folding) => {
    const a = folding.params(1, 2, { input: 0 });
    const b = folding.params(4, 5, { input: 3 });
    const y = folding.params(6, 7, { output: 0 });
    const inputs = [folding.values(0, a), folding.values(3, b)];
    folding.emit({ op, inputs, outputs: [folding.writesCodes(0, y)] });
  };
}

/** X, scale, zero point, output scale, zero point. */
function unary(op: string, emit: (folding: Folding, node: Emitted) => void): FoldRule {
  return (folding) => {
    const x = folding.params(1, 2, { input: 0 });
    const y = folding.params(3, 4, { output: 0 });
    const inputs = [folding.values(0, x)];
    emit(folding, {
      op,
      inputs,
      attrs: attrsWithout(folding),
      outputs: [folding.writesCodes(0, y)],
    });
  };
}

const emitPlain = (folding: Folding, node: Emitted): void => folding.emit(node);

/** Emits a node on [N, C, spatial...], whatever `channels_last` says of the file's. */
function emitPlaced(folding: Folding, node: Emitted, rank: number | undefined): void {
  if (folding.intAttr('channels_last', 0) === 0) folding.emit(node);
  else emitChannelsLast(folding, node, rank);
}

function emitPool(folding: Folding, node: Emitted): void {
  if (folding.opset < 10 && folding.intAttr('ceil_mode', 0) !== 0) {
    throw new Unfoldable(`it has a ceil_mode, which AveragePool of opset ${folding.opset} lacks`);
  }
  const kernel = folding.node.attrs.get('kernel_shape');
  const rank = kernel?.type === 'ints' ? kernel.value.length + 2 : undefined;
  emitPlaced(folding, { ...node, attrs: attrsWithout(folding, 'channels_last') }, rank);
}

function emitGlobalPool(folding: Folding, node: Emitted): void {
  emitPlaced(folding, { ...node, attrs: new Map() }, folding.rank(0));
}

function emitReduceMean(folding: Folding, node: Emitted): void {
  const axes = folding.node.attrs.get('axes');
  if (folding.opset < 18 || axes?.type !== 'ints' || axes.value.length === 0) return folding.emit(node);
  const constant = folding.addConstant(`${node.outputs[0] ?? ''}_axes`, int64Data(axes.value.map(Number)));
  folding.emit({ ...node, inputs: [...node.inputs, constant], attrs: attrsWithout(folding, 'axes') });
}

/** Output scale, zero point, then tensor, scale and zero point of each part. */
const concat: FoldRule = (folding) => {
  const y = folding.params(0, 1, { output: 0 });
  const { inputs } = folding.node;
  if (inputs.length < 5 || inputs.length % 3 !== 2) {
    throw new Unfoldable(`it has ${inputs.length} inputs; 2 and 3 for each part are wanted`);
  }
  const slots = inputs.map((_, slot) => slot).filter((slot) => slot % 3 === 2);
  const params = slots.map((slot) => folding.params(slot + 1, slot + 2, { input: slot }));
  const parts = slots.map((slot, i) => folding.values(slot, params[i] ?? y));
  folding.emit({
    op: 'Concat',
    inputs: parts,
    attrs: attrsWithout(folding),
    outputs: [folding.writesCodes(0, y)],
  });
};

/** Condition, X, scale, zero point, Y, scale, zero point, output scale, zero point. */
const where: FoldRule = (folding) => {
  const x = folding.params(2, 3, { input: 1 });
  const y = folding.params(5, 6, { input: 4 });
  const z = folding.params(7, 8, { output: 0 });
  const inputs = [folding.real(0), folding.values(1, x), folding.values(4, y)];
  folding.emit({ op: 'Where', inputs, outputs: [folding.writesCodes(0, z)] });
};

/** MaxPool of codes, [N, spatial..., C]: the largest code is that of the largest value. */
const nhwcMaxPool: FoldRule = (folding) => {
  const { attrs } = folding.node;
  const x = folding.codes(0);
  if (x === undefined) throw new Unfoldable('it reads codes of which nothing says what they stand for');
  const kernel = attrs.get('kernel_shape');
  const rank = kernel?.type === 'ints' ? kernel.value.length + 2 : undefined;
  const outputs = [folding.writesCodes(0, x.params)];
  emitChannelsLast(folding, { op: 'MaxPool', inputs: [x.operand], attrs, outputs }, rank);
};

/** Operators that quantize inside themselves. */
function stays(reason: string): FoldRule {
  return () => {
    throw new Unfoldable(reason);
  };
}

const FUSED = 'it quantizes values inside itself, which are on no edge of the graph';
const GPU_ONLY = 'it is for one kind of GPU, whose order of elements it has';
const NO_SCALES = 'it computes on integers without a scale';

export const QOPERATOR_RULES: FoldTable = {
  ':QLinearConv': conv,
  ':QLinearMatMul': matMul,
  'com.microsoft:QLinearConv': conv,
  'com.microsoft:QGemm': gemm,
  'com.microsoft:QLinearAdd': binary('Add'),
  'com.microsoft:QLinearMul': binary('Mul'),
  'com.microsoft:QLinearAveragePool': unary('AveragePool', emitPool),
  'com.microsoft:QLinearGlobalAveragePool': unary('GlobalAveragePool', emitGlobalPool),
  'com.microsoft:QLinearConcat': concat,
  'com.microsoft:QLinearLeakyRelu': unary('LeakyRelu', emitPlain),
  'com.microsoft:QLinearSigmoid': unary('Sigmoid', emitPlain),
  'com.microsoft:QLinearSoftmax': unary('Softmax', foldSoftmax),
  'com.microsoft:QLinearReduceMean': unary('ReduceMean', emitReduceMean),
  'com.microsoft:QLinearWhere': where,
  'com.microsoft:NhwcMaxPool': nhwcMaxPool,
  'com.microsoft:QAttention': stays(FUSED),
  'com.microsoft:QEmbedLayerNormalization': stays(FUSED),
  'com.microsoft:QMoE': stays(FUSED),
  'com.microsoft:QOrderedAttention': stays(GPU_ONLY),
  'com.microsoft:QOrderedGelu': stays(GPU_ONLY),
  'com.microsoft:QOrderedLayerNormalization': stays(GPU_ONLY),
  'com.microsoft:QOrderedLongformerAttention': stays(GPU_ONLY),
  'com.microsoft:QOrderedMatMul': stays(GPU_ONLY),
  'com.microsoft:QuantizeWithOrder': stays(GPU_ONLY),
  'com.microsoft:DequantizeWithOrder': stays(GPU_ONLY),
  'com.microsoft:MatMulInteger16': stays(NO_SCALES),
  'com.microsoft:MulInteger': stays(NO_SCALES),
  'com.microsoft:ReduceSumInteger': stays(NO_SCALES),
};
