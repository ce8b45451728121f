/** `qdbg compare`: a reference network beside a candidate that should compute the same, run on the same data. */
import { edgesOf, type Edge } from '../compile/edges.js';
import { ERROR_KINDS, gainOf } from '../compile/measurement-program.js';
import { comparedConstants } from '../diff/compared-constants.js';
import { edgeMeasurements, type SeenEdge } from '../diff/edge-measurements.js';
import { endsOf } from '../diff/ends.js';
import { jumpsOf } from '../diff/jumps.js';
import { sqnr } from '../diff/measurement.js';
import { suspectsOf } from '../diff/suspects.js';
import { constantMeasurements } from '../diff/weight-measurements.js';
import { diagnoseComparison } from '../doctor/index.js';
import { DataError, QdbgError, UsageError } from '../errors.js';
import { nodeLabel, nodeOf, tensorOf, type TensorId } from '../ir/graph.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import { planOfLane } from '../quant/placement/lane-plan.js';
import { coverageOf, jumpRows, tensorRows } from '../report/assemble.js';
import { comparedRows, constantRows, reportedAlignment } from '../report/compare-rows.js';
import type { CompareReport, LadderRung } from '../report/compare-report.js';
import { compareVerdict } from '../report/compare-verdict.js';
import { Places } from '../report/places.js';
import { SCHEMA_VERSION } from '../report/report.js';
import { calibrate } from '../run/calibrate.js';
import type { Dataset, InputSpec } from '../run/data/dataset.js';
import { openDataset } from '../run/data/index.js';
import { Ladder } from '../run/ladder.js';
import { measure, type EdgeSums } from '../run/measure.js';
import { runtimeVersion } from '../run/runtime.js';
import { withExtents, type Samples, type Watch } from '../run/samples.js';
import { VERSION } from '../version.js';
import { namedTensors, worstTensors } from './channel-lists.js';
import type { DataRequest } from './data-request.js';
import { reportedData, reportedModel } from './describe.js';
import { laneScheme } from './file-lane.js';
import { ladderLanes } from './ladder-lanes.js';
import { networkPair, type NetworkPair } from './network-pair.js';
import { inputSpecs } from './preconditions.js';

export interface CompareRequest {
  readonly reference: string;
  readonly candidate: string;
  readonly sources: readonly string[];
  readonly data: DataRequest;
  /** Share of the candidate's compute operators that must be found in the reference. */
  readonly minAligned: number;
  /** Globs of nodes or tensors whose channels the report lists; the worst tensors' always are. */
  readonly channels: readonly string[];
  /** Also run the candidate's file itself in ONNX Runtime. */
  readonly runtime: boolean;
  /** Folder with tensors dumped from a device. */
  readonly actual?: string;
  readonly threads: number;
  readonly timestamp: boolean;
}

/** Samples of the ladder: each step is a network of its own. */
const LADDER_SAMPLES = 16;

export async function compare(request: CompareRequest, watch: Watch): Promise<CompareReport> {
  const [reference, candidate] = await Promise.all([
    loadModel(request.reference, { shapes: request.data.shapes }),
    loadModel(request.candidate),
  ]);
  const { dataset, extents } = await dataOf(reference, candidate, request);
  const samples = withExtents(dataset, extents);
  const { threads } = request;
  const pair = await networkPair({ reference, candidate }, extents, samples, { threads });
  requireAligned(pair, request.minAligned);
  const { graph, lane } = pair.candidate;

  const plan = planOfLane(graph, lane);
  const fusedAway = new Set(plan.fusedAway);
  const { edges: all, unmeasured } = edgesOf(graph, fusedAway);
  const edges = all.filter(({ tensor }) => pair.other.counterparts.has(tensor));
  if (edges.length === 0) {
    throw new UsageError(
      'there is nothing to compare: the two networks have no tensor of known shape in common',
      {
        hint: `qdbg inspect ${reference.path} ${candidate.path} puts them side by side`,
      },
    );
  }
  const places = new Places(graph, plan);
  const asked = namedTensors(graph, places, edges, request.channels);
  const ends = endsOf(graph, new Set(edges.map(({ tensor }) => tensor)));

  const rungs = ladderLanes(pair);
  const endEdges = edges.filter(({ tensor }) => ends.has(tensor));
  const ladder = new Ladder(
    graph,
    rungs.map((rung) => rung.lane),
    endEdges,
    pair.other,
    { threads },
  );
  let sums: EdgeSums[];
  try {
    const options = {
      threads,
      kinds: ERROR_KINDS,
      clipping: new Set(edges.map(({ tensor }) => tensor)),
      gains: await gainsOf(pair, edges, samples, threads),
      other: pair.other,
      ranges: true,
    };
    sums = await measure(
      graph,
      lane,
      edges,
      fusedAway,
      ladder.alongside(samples, LADDER_SAMPLES),
      options,
      watch,
    );
  } finally {
    await ladder.close();
  }

  const measurements = edgeMeasurements(graph, lane, sums, seenBy(sums));
  const constants = constantMeasurements(graph, lane, plan.quantizers);
  const compared = comparedConstants({
    reference: pair.reference.graph,
    candidate: graph,
    lane,
    alignment: pair.alignment,
  });
  const jumps = jumpsOf(graph, measurements);
  const suspects = suspectsOf(graph, measurements);
  const findings = diagnoseComparison({
    graph,
    lane,
    edges: measurements,
    constants,
    jumps,
    reference: pair.reference,
    alignment: pair.alignment,
    compared,
    suspects,
  }).map(({ rule, severity, subject, message, args }) => ({ rule, severity, subject, message, args }));
  const rows = tensorRows(graph, places, measurements, constants, {
    worst: worstTensors(graph, measurements),
    asked,
    forecast: () => undefined,
  });
  const reportedJumps = jumpRows(graph, places, jumps);
  const steps = rungs.map(({ rung, remark }, at): LadderRung => ({
    rung,
    samples: ladder.samples,
    outputs: endEdges.map(({ tensor }, edge) => rungOutput(pair, tensor, ladder.sums[at]?.[edge])),
    ...(remark === undefined ? {} : { remark }),
  }));
  const tensors = comparedRows(pair.reference.graph, graph, pair.alignment, rows);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime: await runtimeVersion() },
    command: 'compare',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [
      await reportedModel(reference, pair.reference.graph, 'reference'),
      await reportedModel(candidate, graph, 'candidate'),
    ],
    data: { data: await reportedData(dataset) },
    scheme: laneScheme(graph, lane),
    coverage: coverageOf(graph, plan),
    alignment: reportedAlignment(pair.reference.graph, graph, lane, pair.alignment, {
      matched: edges.length,
      total: all.length,
    }),
    tensors,
    constants: constantRows(pair.reference.graph, graph, compared),
    ladder: steps,
    findings,
    verdict: compareVerdict({
      tensors,
      ends: new Set([...ends].map((id) => tensorOf(graph, id).name)),
      findings,
      jumps: reportedJumps,
    }),
    jumps: reportedJumps,
    notMeasured: [
      ...unmeasured,
      ...all
        .filter(({ tensor }) => !pair.other.counterparts.has(tensor))
        .map(({ tensor }) => ({ tensor, reason: 'it is not in the reference' })),
    ].map(({ tensor, reason }) => ({ subject: tensorOf(graph, tensor).name, reason })),
  };
}

function rungOutput(
  { candidate: { graph } }: NetworkPair,
  tensor: TensorId,
  sums: Ladder['sums'][number][number] | undefined,
): LadderRung['outputs'][number] {
  const { sumXX = 0, sumEE = 0, moved = 0, rows = 0 } = sums ?? {};
  return {
    tensor: tensorOf(graph, tensor).name,
    ...sqnr(sumXX, sumEE),
    ...(rows === 0 ? {} : { agreement: 1 - moved / rows }),
  };
}

interface OpenedData {
  readonly dataset: Dataset;
  /** Of the reference's inputs in the first sample. */
  readonly extents: ReadonlyMap<string, readonly number[]>;
}

/** The data as the reference takes it; where it does not fit, as codes that the candidate takes. */
async function dataOf(
  reference: LoadedModel,
  candidate: LoadedModel,
  request: CompareRequest,
): Promise<OpenedData> {
  const inputs = inputSpecs(reference.graph, reference.lane);
  const open = async (specs: readonly InputSpec[]): Promise<OpenedData> => {
    const { metadata } = reference.graph;
    const dataset = await openDataset({
      sources: request.sources,
      inputs: specs,
      ...request.data,
      metadata: metadata.size > 0 ? metadata : candidate.graph.metadata,
      flag: '--data',
    });
    return { dataset, extents: await extentsOf(dataset) };
  };
  try {
    return await open(inputs);
  } catch (error) {
    const coded = inputSpecs(candidate.graph, candidate.lane);
    const asCodes = inputs.map((input, position) => {
      const quant = (coded.find(({ name }) => name === input.name) ?? coded[position])?.quant;
      return quant === undefined || input.quant !== undefined ? input : { ...input, quant };
    });
    const isTaken = error instanceof QdbgError && asCodes.some((input, i) => input !== inputs[i]);
    if (!isTaken) throw error;
    return open(asCodes).catch(() => {
      throw error;
    });
  }
}

async function extentsOf(dataset: Dataset): Promise<ReadonlyMap<string, readonly number[]>> {
  for await (const { feeds } of dataset.samples()) {
    return new Map([...feeds].map(([name, feed]) => [name, feed.dims]));
  }
  throw new DataError(`${dataset.path} holds no sample that can be read`, {
    hint: '--data PATH with at least one sample',
  });
}

/** @throws UsageError when too little of the candidate was found in the reference */
function requireAligned({ reference, candidate, alignment }: NetworkPair, least: number): void {
  const { matched, total } = alignment.coverage;
  if (total === 0 ? alignment.edges.length > alignment.inputs.length : matched >= least * total) return;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  throw new UsageError(
    `the two models do not look like the same network: ${matched} of ${total} compute operators of the candidate were found in the reference (${percent(total === 0 ? 0 : matched / total)}), ${percent(least)} are wanted`,
    {
      places: alignment.unmatched.candidate
        .slice(0, 10)
        .map((id) => `${nodeLabel(nodeOf(candidate.graph, id))} (${nodeOf(candidate.graph, id).origin.op})`),
      hint: `qdbg inspect ${reference.loaded.path} ${candidate.loaded.path} puts them side by side; --min-aligned PERCENT goes on with less`,
    },
  );
}

/** Gains of edges whose values leave what float32 can square, by the first sample of the reference. */
async function gainsOf(
  { reference, alignment }: NetworkPair,
  edges: readonly Edge[],
  samples: Samples,
  threads: number,
): Promise<ReadonlyMap<TensorId, number>> {
  const twins = new Map(alignment.edges.map((edge) => [edge.candidate, edge.reference]));
  const wanted = new Set(edges.map(({ tensor }) => twins.get(tensor)));
  const seen = edgesOf(reference.graph, new Set()).edges.filter(({ tensor }) => wanted.has(tensor));
  const options = { threads, histograms: false, momentum: 0 };
  const { edges: ranges } = await calibrate(
    reference.graph,
    seen,
    firstOf(samples),
    options,
    () => undefined,
  );
  return new Map(
    edges.flatMap(({ tensor }): [TensorId, number][] => {
      const range = ranges.get(twins.get(tensor) as TensorId);
      const gain = range === undefined ? undefined : gainOf(Math.max(-range.min, range.max));
      return gain === undefined ? [] : [[tensor, gain]];
    }),
  );
}

function firstOf(samples: Samples): Samples {
  return {
    count: 1,
    async *samples() {
      for await (const sample of samples.samples()) {
        yield sample;
        return;
      }
    },
  };
}

function seenBy(sums: readonly EdgeSums[]): ReadonlyMap<TensorId, SeenEdge> {
  return new Map(
    sums.map(({ edge, value, seen }): [TensorId, SeenEdge] => {
      if (seen === undefined) throw new RangeError(`no ranges for tensor ${edge.tensor}`);
      return [
        edge.tensor,
        {
          min: seen.min.reduce((a, b) => Math.min(a, b), Infinity),
          max: seen.max.reduce((a, b) => Math.max(a, b), -Infinity),
          channels: seen,
          nonFinite: value.nonFinite,
          nonFiniteIn: undefined,
        },
      ];
    }),
  );
}
