/** Accuracy of a reference, of a finished export of it, and of the export's own file in ONNX Runtime. */
import { basename } from 'node:path';
import { computedOutputs, evaluationProgram } from '../../compile/evaluation-program.js';
import { RunError } from '../../errors.js';
import { ExportedNetwork } from '../../run/original/exported.js';
import type { Watch } from '../../run/samples.js';
import type { Network, NetworkPair } from '../network-pair.js';
import { evaluated, requireAccuracy, type AccuracyPart, type EvaluatedData } from './evaluated.js';
import type { EvaluatedNetwork, EvaluatedNetworks } from './networks.js';
import type { AccuracyRequest } from './request.js';

/** @throws QdbgError before the long passes, when what was asked for cannot be evaluated */
export function requireAccuracyOfPair(
  { reference, candidate, other }: NetworkPair,
  data: Pick<EvaluatedData, 'dataset' | 'extents'>,
  { accuracy, threads }: { readonly accuracy: AccuracyRequest; readonly threads: number },
): Promise<void> {
  const program = evaluationProgram(candidate.graph, [], other);
  return requireAccuracy(
    { program, networks: [evaluatedNetwork('reference', reference)] },
    data,
    accuracy,
    threads,
  );
}

/** @param runtime also runs the candidate's own file, as users do */
export async function evaluatedPair(
  pair: NetworkPair,
  data: EvaluatedData,
  request: {
    readonly accuracy: AccuracyRequest;
    readonly runtime: boolean;
    readonly threads: number;
  },
  watch: Watch,
): Promise<AccuracyPart> {
  const { accuracy, runtime, threads } = request;
  const { reference, candidate, other } = pair;
  const networks = [evaluatedNetwork('reference', reference), evaluatedNetwork('candidate', candidate)];
  const simulated = (): Promise<AccuracyPart> =>
    evaluated(
      { program: evaluationProgram(candidate.graph, [candidate.lane], other), networks },
      data,
      accuracy,
      { threads, watch },
    );
  if (!runtime) return simulated();
  try {
    return await withRuntime(
      pair,
      networks,
      (all) => evaluated(all, data, accuracy, { threads, watch }),
      threads,
    );
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const part = await simulated();
    const reason = `the file itself was not evaluated: ${error.message}`;
    return { ...part, notMeasured: [...part.notMeasured, { subject: 'accuracy of the runtime', reason }] };
  }
}

/** @throws RunError when the runtime does not take the file, or fails on a sample */
async function withRuntime<T>(
  { candidate: { graph, lane, loaded }, other }: NetworkPair,
  networks: readonly EvaluatedNetwork[],
  evaluate: (all: EvaluatedNetworks) => Promise<T>,
  threads: number,
): Promise<T> {
  const file = await ExportedNetwork.open(loaded, { graph, lane }, computedOutputs(graph), { threads });
  try {
    return await evaluate({
      program: evaluationProgram(graph, [lane], other, true),
      networks: [...networks, { network: 'runtime', title: file.runtime, graph, lane }],
      exported: { network: file, graph },
    });
  } finally {
    await file.close();
  }
}

function evaluatedNetwork(network: string, { graph, lane, loaded }: Network): EvaluatedNetwork {
  return { network, title: basename(loaded.path), graph, lane };
}
