/** What an evaluation shows beside the accuracy itself, and what the user expects of it. */

export interface EvaluationEvidence {
  /** What the float network should reach, per cent. */
  readonly expected?: number;
  /** How much the candidate may lose, points of percent. */
  readonly tolerance?: number;
  /** Of boxes: classes of the labels, and how many of them the reference never answers. */
  readonly boxClasses?: { readonly labelled: number; readonly unanswered: number };
}
