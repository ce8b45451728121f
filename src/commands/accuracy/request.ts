/** What the user said about labels, metrics and the meaning of outputs. */
export interface AccuracyRequest {
  /** Where labels are; looked for beside the samples when absent. */
  readonly labels?: string;
  /** Names or files; the first is the one that a gate holds. What the labels say when empty. */
  readonly metrics: readonly string[];
  /** Name of a decoder, or a file; told from the outputs when absent. */
  readonly decode?: string;
  /** Names of the model's classes: a list by name, or a file. */
  readonly classes?: string;
  readonly classMap?: string;
  readonly ignoreLabel?: number;
  readonly labelOffset?: number;
  readonly skipUnlabelled: boolean;
  /** What the float model should reach, in per cent. */
  readonly expectAccuracy?: number;
  /** Something depends on there being a metric: without one, the run ends in an error. */
  readonly isRequired: boolean;
  /** Images on which reference and candidate part most, shown in the report. */
  readonly pictures: number;
  /** Without labels, how far the networks agree is told unasked. */
  readonly tellsAgreement: boolean;
}
