/** Custom operators that are known, by the name that a file calls them. */
import { detectionPostProcess } from './detection-postprocess.js';
import type { Rule } from './lowering.js';

export const CUSTOM_RULES: Readonly<Record<string, Rule>> = {
  TFLite_Detection_PostProcess: detectionPostProcess,
};
