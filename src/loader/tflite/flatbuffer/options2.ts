/**
 * Tables of the union BuiltinOptions2, which goes on where the numbers of the first one end.
 * Tables without fields are not listed. tensorflow/compiler/mlir/lite/schema/schema.fbs
 */
import { field } from './flat-table.js';
import { optionsTable, word } from './options-table.js';
import type { OptionFields, OptionsTable } from './options-table.js';
import {
  COMPARISON_DIRECTIONS,
  COMPARISON_TYPES,
  CUSTOM_OPTIONS_FORMATS,
  REDUCE_WINDOW_FUNCTIONS,
  RNG_ALGORITHMS,
} from './words.js';

const table = (type: number, fields: OptionFields): OptionsTable => optionsTable('second', type, fields);

export const OPTIONS_2 = {
  StablehloConcatenateOptions: table(1, { dimension: field(0, 'int64') }),
  StablehloBroadcastInDimOptions: table(2, { broadcastDimensions: field(0, 'int64s') }),
  StablehloSliceOptions: table(3, {
    startIndices: field(0, 'int64s'),
    limitIndices: field(1, 'int64s'),
    strides: field(2, 'int64s'),
  }),
  StablehloConvolutionOptions: table(4, {
    windowStrides: field(0, 'int64s'),
    padding: field(1, 'int64s'),
    lhsDilation: field(2, 'int64s'),
    rhsDilation: field(3, 'int64s'),
    windowReversal: field(4, 'bools'),
    inputBatchDimension: field(5, 'int64'),
    inputFeatureDimension: field(6, 'int64'),
    inputSpatialDimensions: field(7, 'int64s'),
    kernelInputFeatureDimension: field(8, 'int64'),
    kernelOutputFeatureDimension: field(9, 'int64'),
    kernelSpatialDimensions: field(10, 'int64s'),
    outputBatchDimension: field(11, 'int64'),
    outputFeatureDimension: field(12, 'int64'),
    outputSpatialDimensions: field(13, 'int64s'),
    featureGroupCount: field(14, 'int64'),
    batchGroupCount: field(15, 'int64'),
    precisionConfig: field(16, 'uint32s'),
  }),
  StablehloCustomCallOptions: table(5, {
    callTargetName: field(0, 'string'),
    hasSideEffect: field(1, 'bool'),
    backendConfig: field(2, 'string'),
    apiVersion: field(3, 'int32'),
    calledComputations: field(4, 'int32s'),
    customAttributes: field(5, 'uint8s'),
  }),
  StablehloReduceOptions: table(6, { dimensions: field(0, 'int64s'), bodySubgraphIndex: field(1, 'int32') }),
  StablehloScatterOptions: table(7, {
    indicesAreSorted: field(0, 'bool'),
    updateWindowDims: field(1, 'int64s'),
    insertedWindowDims: field(2, 'int64s'),
    scatterDimsToOperandDims: field(3, 'int64s'),
    indexVectorDim: field(4, 'int64'),
    uniqueIndices: field(5, 'bool'),
    updateComputationSubgraphIndex: field(6, 'int32'),
  }),
  StablehloCompareOptions: table(8, {
    comparisonDirection: word(0, 'uint32', COMPARISON_DIRECTIONS),
    compareType: word(1, 'uint32', COMPARISON_TYPES),
  }),
  StablehloDynamicSliceOptions: table(9, { sliceSizes: field(0, 'int64s') }),
  StablehloPadOptions: table(10, {
    edgePaddingLow: field(0, 'int64s'),
    edgePaddingHigh: field(1, 'int64s'),
    interiorPadding: field(2, 'int64s'),
  }),
  StablehloIotaOptions: table(11, { iotaDimension: field(0, 'int64') }),
  StablehloDotGeneralOptions: table(12, {
    lhsBatchingDimensions: field(0, 'int64s'),
    rhsBatchingDimensions: field(1, 'int64s'),
    lhsContractingDimensions: field(2, 'int64s'),
    rhsContractingDimensions: field(3, 'int64s'),
    precisionConfig: field(4, 'uint32s'),
  }),
  StablehloReduceWindowOptions: table(13, {
    windowDimensions: field(0, 'int64s'),
    windowStrides: field(1, 'int64s'),
    baseDilations: field(2, 'int64s'),
    windowDilations: field(3, 'int64s'),
    padding: field(4, 'int64s'),
    bodySubgraphIndex: field(5, 'int32'),
  }),
  StablehloSortOptions: table(14, {
    dimension: field(0, 'int64'),
    isStable: field(1, 'bool'),
    comparatorSubgraphIndex: field(2, 'int32'),
  }),
  StablehloWhileOptions: table(15, {
    condSubgraphIndex: field(0, 'int32'),
    bodySubgraphIndex: field(1, 'int32'),
  }),
  StablehloGatherOptions: table(16, {
    offsetDims: field(0, 'int64s'),
    collapsedSliceDims: field(1, 'int64s'),
    startIndexMap: field(2, 'int64s'),
    indexVectorDim: field(3, 'int64'),
    sliceSizes: field(4, 'int64s'),
    indicesAreSorted: field(5, 'bool'),
  }),
  StablehloTransposeOptions: table(17, { permutation: field(0, 'int64s') }),
  StablehloRngBitGeneratorOptions: table(19, { algorithm: word(0, 'int8', RNG_ALGORITHMS) }),
  ReduceWindowOptions: table(20, { reduceFunction: word(0, 'int32', REDUCE_WINDOW_FUNCTIONS) }),
  StableHLOCompositeOptions: table(21, {
    name: field(0, 'string'),
    decompositionSubgraphIndex: field(1, 'int32'),
    compositeAttributes: field(2, 'uint8s'),
    compositeAttributesFormat: word(3, 'int8', CUSTOM_OPTIONS_FORMATS),
    version: field(4, 'int32'),
  }),
  StablehloCaseOptions: table(23, { branchSubgraphIndices: field(0, 'int32s') }),
} as const;
