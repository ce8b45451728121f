/** What a page is given to show: a report with the numbers that a reader can tell apart, and where operators are drawn. */
import type { AnyReport } from '../any-report.js';
import type { ReportedWeight } from '../report.js';

/** A weight whose channels may be too many to show: the outliers and evenly spread others are kept. */
export interface PageWeight extends Omit<ReportedWeight, 'channels' | 'perTensorLevels'> {
  /** Of the tensor. */
  readonly channelCount: number;
  /** In channel order; all of them where `channelCount` are here. */
  readonly channels: readonly PageChannel[];
}

/** Statistics are absent for channels without a finite value. */
export interface PageChannel {
  readonly channel: number;
  readonly min?: number;
  readonly q1?: number;
  readonly median?: number;
  readonly q3?: number;
  readonly max?: number;
  readonly absmax?: number;
  /** Quantizer steps that the channel has left under a per-tensor scale. */
  readonly perTensorLevels?: number;
}

/** The report with weights as pages show them. */
export type PageReport = {
  [Command in AnyReport['command']]: Omit<Extract<AnyReport, { readonly command: Command }>, 'weights'> & {
    readonly weights?: readonly PageWeight[];
  };
}[AnyReport['command']];

export interface PlacedNode {
  /** Position among the nodes of the graph. */
  readonly node: number;
  /** Centre and extents, in the unit of the drawing: 1 is a CSS pixel at zoom 1. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  /** Positions among the nodes of the graph; absent for inputs and outputs of the network. */
  readonly from?: number;
  readonly to?: number;
  readonly tensor: string;
  /** Line from the one to the other. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Where the operators of the report's graph are drawn. */
export interface PlacedGraph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export interface PageDocument {
  readonly report: PageReport;
  readonly layout?: PlacedGraph;
}
