/** What a page is given to show: a report with the numbers that a reader can tell apart, and where operators are drawn. */
import type { AnyReport } from '../any-report.js';
import type { ReportedQuant, ReportedTensor, ReportedWeight } from '../report.js';

/** A weight whose channels may be too many to show: the outliers and evenly spread others are kept. */
export interface PageWeight extends Omit<ReportedWeight, 'channels' | 'perTensorLevels'> {
  /** Of the tensor. */
  readonly channelCount: number;
  /** In channel order; all of them where `channelCount` are here. */
  readonly channels: readonly PageChannel[];
  /** Of the tensor, where `outlierChannels` and `deadChannels` list only some. */
  readonly outlierCount?: number;
  readonly deadCount?: number;
}

/** Parameters of which a weight may have too many to show: evenly spread ones are kept, scales and zero points at the same places. */
export interface PageQuant extends ReportedQuant {
  /** Scales of the tensor; absent where all of them are here. */
  readonly scaleCount?: number;
}

/** What a row of tensors may have beside what the report says of it. */
export interface PageTensor extends ReportedTensor {
  readonly quant?: PageQuant;
  readonly channels?: NonNullable<ReportedTensor['channels']> & {
    /** Which channels `values` are of, ascending; absent where all of them are here, in their order. */
    readonly kept?: readonly number[];
    /** Of the tensor, where `kept` is here. */
    readonly channelCount?: number;
  };
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

/** An input or an output of the network, beside the operators that read or write it. */
export interface PlacedEnd extends Omit<PlacedNode, 'node'> {
  readonly kind: 'input' | 'output';
  readonly tensor: string;
}

/** Where the operators of the report's graph are drawn. */
export interface PlacedGraph {
  readonly width: number;
  readonly height: number;
  /** One for each node of the graph, in its order. */
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  /** Lines from inputs begin, and lines to outputs end, at theirs. */
  readonly ends?: readonly PlacedEnd[];
}

/** What `qdbg explain` says of a rule. */
export interface PageRule {
  readonly title: string;
  readonly what: string;
  readonly why: string;
  readonly instead: string;
}

export interface PageDocument {
  readonly report: PageReport;
  /** Of the rules that findings are of, by id. */
  readonly rules?: Readonly<Record<string, PageRule>>;
  readonly layout?: PlacedGraph;
  /** What the report has and the page does not, in sentences for the reader; absent where nothing was left out. */
  readonly leftOut?: readonly string[];
}
