/**
 * Where the fields of model metadata lie: a FlatBuffer of its own in a buffer of the model.
 * tensorflow_lite_support/metadata/metadata_schema.fbs, version 1.1.0; what nothing here reads is left out.
 */
import { field } from './flat-table.js';

export const METADATA_IDENTIFIER = 'M001';

export const MODEL_METADATA = {
  name: field(0, 'string'),
  description: field(1, 'string'),
  version: field(2, 'string'),
  subgraphMetadata: field(3, 'tables'),
  author: field(4, 'string'),
  license: field(5, 'string'),
  associatedFiles: field(6, 'tables'),
} as const;

export const SUBGRAPH_METADATA = {
  inputTensorMetadata: field(2, 'tables'),
  outputTensorMetadata: field(3, 'tables'),
  associatedFiles: field(4, 'tables'),
} as const;

export const TENSOR_METADATA = {
  name: field(0, 'string'),
  description: field(1, 'string'),
  dimensionNames: field(2, 'strings'),
  content: field(3, 'table'),
  processUnits: field(4, 'tables'),
  stats: field(5, 'table'),
  associatedFiles: field(6, 'tables'),
} as const;

export const CONTENT = {
  contentPropertiesType: field(0, 'uint8'),
  contentProperties: field(1, 'table'),
} as const;

export const CONTENT_TYPES = ['none', 'feature', 'image', 'bounding-box'] as const;

export const IMAGE_PROPERTIES = { colorSpace: field(0, 'int8') } as const;

export const COLOR_SPACES = ['unknown', 'rgb', 'gray'] as const;

export const PROCESS_UNIT = {
  optionsType: field(0, 'uint8'),
  options: field(1, 'table'),
} as const;

export const PROCESS_UNITS = [
  'none',
  'normalization',
  'score-calibration',
  'score-thresholding',
  'bert-tokenizer',
  'sentence-piece-tokenizer',
] as const;

export const NORMALIZATION = {
  mean: field(0, 'float32s'),
  std: field(1, 'float32s'),
} as const;

export const STATS = {
  max: field(0, 'float32s'),
  min: field(1, 'float32s'),
} as const;

export const ASSOCIATED_FILE = {
  name: field(0, 'string'),
  description: field(1, 'string'),
  type: field(2, 'int8'),
  locale: field(3, 'string'),
} as const;

export const ASSOCIATED_FILE_TYPES = [
  'unknown',
  'descriptions',
  'tensor-axis-labels',
  'tensor-value-labels',
  'tensor-axis-score-calibration',
  'vocabulary',
] as const;
