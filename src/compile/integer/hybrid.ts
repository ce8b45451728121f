/**
 * Operators with float activations and stored codes for weights, as the builtin kernels compute them on x86: the activation becomes 8
 * bits while they run, integers are multiplied and summed, the sums scaled to floats. Kernels never look at the weights' zero points.
 * They multiply by the two scales in one order or the other, which shows in the last bit; so do these.
 *
 * Source: EvalHybrid and EvalHybridPerChannel of tflite/kernels/{conv,depthwise_conv,transpose_conv}.cc in google-ai-edge/LiteRT, and
 * HybridConv, HybridConvPerChannel and DepthwiseConvHybridGeneral of tflite/kernels/internal.
 */
import { intAttr, type Node } from '../../ir/graph.js';
import type { HybridInput, QuantParams } from '../../ir/lane.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import { byteCodes } from './constant-codes.js';
import { quantizedWhileRunning, type DynamicCodes } from './dynamic-quantization.js';
import { batchMatMul } from './hybrid-batch-matmul.js';
import { fullyConnected } from './hybrid-fully-connected.js';
import type { HybridCall, HybridKernel } from './hybrid-call.js';
import { convolved } from './products.js';
