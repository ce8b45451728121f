/** What comes out of a network over several samples, in float and as integers. */
export interface OutputStudy {
  readonly samples: number;
}
