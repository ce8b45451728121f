/** What a sweep ends in: the network as it should be quantized, for the tools that will do it. */
import type { Graph } from '../../../ir/graph.js';
import type { Lane } from '../../../ir/lane.js';
import type { Layer } from '../../../quant/layers.js';
import type { Scheme } from '../../../quant/scheme.js';
import type { LaneFix } from '../fixes/lane-fix.js';

export interface Decision {
  readonly graph: Graph;
  readonly scheme: Scheme;
  /** All layers that the scheme quantizes, in graph order. */
  readonly layers: readonly Layer[];
  /** Kept in float. */
  readonly float: readonly Layer[];
  /** Moved to 16 bits. */
  readonly wide: readonly Layer[];
  /** Applied. */
  readonly fixes: readonly LaneFix[];
  /** With all of that: what was evaluated, and what exports carry. */
  readonly lane: Lane;
}

/** A file for another tool. */
export interface Exported {
  readonly content: string | Uint8Array;
  /** What it is and how to use it, one line: "quantize_static(..., nodes_to_exclude=json['nodes_to_exclude'])". */
  readonly note: string;
  /** What of the decision the tool cannot be told, each in one line. */
  readonly lost: readonly string[];
}
