/** The document of `qdbg sweep`. As in every report: units in the names, a metric with no value is absent, plain data. */
import type { Accuracy, Interval, Standing } from '../diff/accuracy/accuracy.js';
import type { Report, ReportedQuant, SCHEMA_VERSION, TensorRole } from './report.js';

/** What a network, quantized in some way, is worth beside float. */
export interface Effect {
  /** At the output that keeps least; absent where it is exact or has no signal. */
  readonly outputSqnrDb?: number;
  /** No output differs from float. */
  readonly exact?: true;
  /** Share of rows (samples, pixels, boxes) of that output whose largest element is elsewhere than in float. */
  readonly changedShare?: number;
  /** Value of the metric, in its unit. */
  readonly accuracy?: number;
  /** accuracy - that of float, in the metric's `deltaUnit`. */
  readonly accuracyDelta?: number;
  /** Of `accuracy`. */
  readonly accuracyInterval?: Interval;
  /** Of `accuracyDelta`. */
  readonly deltaInterval?: Interval;
  readonly pValue?: number;
  readonly standing?: Standing;
  /** Why there is nothing: the runtime crashed on it, say. */
  readonly failure?: string;
}

/** What being left in float gives back, beside everything quantized. */
export interface Restored extends Effect {
  /** outputSqnrDb - that of everything quantized. */
  readonly gainDb?: number;
  /** Share of the noise energy at that output that is gone, 0..1; negative where there is more. */
  readonly noiseShare?: number;
  /** accuracy - that of everything quantized, in the direction of better, in `deltaUnit`. */
  readonly gain?: number;
}

/** A layer, all layers of an operator type, or a group that the user named. */
export interface SweptUnit {
  readonly name: string;
  readonly kind: 'layer' | 'op' | 'group';
  /** Operator types, such as Conv+Relu; of a layer. */
  readonly op?: string;
  /** Tensor that a layer writes. */
  readonly tensor?: string;
  /** Layers in it. */
  readonly layers: number;
  /** Of the multiply-accumulates of the whole network, 0..1. */
  readonly macsShare?: number;
  /** Bytes that its weights take more in float than quantized. */
  readonly floatBytes?: number;
  /** Only it is quantized: `--only`. */
  readonly alone?: Effect;
  /** Everything but it is quantized: `--skip`. */
  readonly restored?: Restored;
}

/** One experiment: the network under another scheme, or quantized in part. */
export interface SweptExperiment {
  readonly name: string;
  /** For the reader: "weights only, int8". */
  readonly title: string;
  /** Experiments that differ in one thing: 'parts', 'bits', 'ops', 'ends', 'observer', 'weights', 'symmetry', 'named'. */
  readonly family: string;
  /** Quantizes everything as the scheme says: what others of the family are to be held against. */
  readonly isBase?: true;
  readonly effect: Effect;
  /** Points lost against float, in the metric's `deltaUnit`, positive is worse. */
  readonly lost?: number;
  /** Share of what everything quantized loses (of points, or without a metric of noise energy), 0..1 and beyond. */
  readonly lostShare?: number;
  /** The flags that make `qdbg analyze` measure the same; absent where flags cannot say it. */
  readonly flags?: readonly string[];
}

/** One set of layers in higher precision that was evaluated. */
export interface SearchedPoint {
  /** Layers in higher precision, in graph order. */
  readonly layers: readonly string[];
  /** Of all multiply-accumulates, 0..1. */
  readonly macsShare: number;
  /** Bytes of weights beyond those of everything quantized. */
  readonly extraBytes: number;
  readonly effect: Effect;
  /** Drop against float in the direction of worse, in `deltaUnit` (or dB of SQNR wanted without a metric). */
  readonly drop?: number;
  /** 95 %, of `drop`. */
  readonly dropInterval?: Interval;
  /** The whole interval is within the target. */
  readonly isCertain?: true;
  readonly meetsTarget: boolean;
  /** No other evaluated set costs less and keeps more. */
  readonly isPareto: boolean;
}

export interface ReportedSearch {
  /** What layers are moved to. */
  readonly to: 'float' | 'int16';
  /** As asked: `1pt`. */
  readonly target: string;
  /** In the order of evaluation. */
  readonly points: readonly SearchedPoint[];
  /** Position of the answer among the points; absent where none meets the target. */
  readonly chosen?: number;
  /** Position of the point that loses least, where none meets the target. */
  readonly best?: number;
  /** Why it ended: "target met and no layer can be spared", "what is left is within noise". */
  readonly stopped: string;
}

export interface ReportedLaneFix {
  readonly id: string;
  readonly kind: string;
  /** What is done, for the reader: "range of conv3/out from the 99.9th percentile". */
  readonly title: string;
  readonly places: readonly string[];
  readonly effect: Effect;
  /** As of `Restored`. */
  readonly gainDb?: number;
  readonly gain?: number;
  /** What it costs at run time: share of multiply-accumulates in higher precision, and bytes more. Nothing for most. */
  readonly cost: { readonly macsShare: number; readonly bytes: number };
  /** gain (gainDb without a metric) per unit of cost; fixes without cost come first and have none. */
  readonly gainPerCost?: number;
}

/** The network as it should be quantized. */
export interface ReportedDecision {
  /** Layers in higher precision, in graph order. */
  readonly layers: readonly string[];
  readonly to: 'float' | 'int16';
  /** Ids of the fixes that are applied. */
  readonly fixes: readonly string[];
  readonly effect: Effect;
  /** Of the search's target; absent without one. */
  readonly meetsTarget?: boolean;
}

export interface SweepReport {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: Report['tool'];
  readonly command: 'sweep';
  readonly createdAt?: string;
  readonly models: Report['models'];
  readonly data: Report['data'];
  readonly scheme: Report['scheme'];
  readonly coverage: Report['coverage'];
  /** Of the network in float; names as those of layers and tensors. */
  readonly graph?: Report['graph'];
  /** What the numbers are of. */
  readonly basis: {
    /** For noise at the outputs. */
    readonly samples: number;
    /** Outputs, or the last tensors that can be measured, by name. */
    readonly outputs: readonly string[];
    readonly metric?: Pick<Accuracy, 'metric' | 'description' | 'unit' | 'deltaUnit' | 'better' | 'samples'>;
  };
  /** Of the network in float; only its accuracy says anything. */
  readonly float: Effect;
  /** Of everything quantized. */
  readonly quantized: Effect;
  /** In graph order. */
  readonly layers: readonly SweptUnit[];
  /** Operator types, then named groups. */
  readonly groups: readonly SweptUnit[];
  /** Quantized activations in graph order, each with what the layer that writes it shows. */
  readonly tensors: readonly {
    readonly tensor: string;
    readonly node: string;
    readonly op: string;
    readonly role: TensorRole;
    readonly order: number;
    readonly shape: readonly (number | string | null)[];
    readonly quant?: ReportedQuant;
    readonly alone?: Effect;
    readonly restored?: Restored;
  }[];
  readonly experiments: readonly SweptExperiment[];
  readonly search?: ReportedSearch;
  /** Best first. */
  readonly fixes: readonly ReportedLaneFix[];
  /** All fixes that help, together. */
  readonly together?: { readonly fixes: readonly string[]; readonly effect: Effect };
  /** What exports carry; absent where nothing of it is better than everything quantized. */
  readonly decision?: ReportedDecision;
  /** What was written for other tools. */
  readonly exports: readonly {
    readonly kind: string;
    readonly file: string;
    readonly note: string;
    /** What the tool cannot be told. */
    readonly lost: readonly string[];
  }[];
  readonly verdict: {
    readonly where?: string;
    readonly summary: string;
    readonly fix?: { readonly title: string; readonly edit: string };
  };
  readonly accuracy?: Accuracy;
  readonly notMeasured: Report['notMeasured'];
}
