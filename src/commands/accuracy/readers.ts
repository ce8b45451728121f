/** What the outputs of each network mean: one decoder for each, and where images lie in its input. */
import { DataError } from '../../errors.js';
import { detectionResults } from '../../ir/detections.js';
import { tensorOf } from '../../ir/graph.js';
import { storedParams } from '../../ir/stored.js';
import type { Picture, Sample } from '../../run/data/dataset.js';
import type { ResolvedPreprocessing } from '../../run/data/preprocessing.js';
import type { OutputForm } from '../../run/predictions/form.js';
import { chooseDecoder } from '../../run/predictions/index.js';
import { isModulePath } from '../../run/predictions/user-decoder.js';
import { placementOf, toImage } from '../../run/predictions/placement.js';
import {
  FILLING,
  type DecodeContext,
  type Decoder,
  type NetworkOutput,
  type Placement,
  type Prediction,
  type PredictionKind,
} from '../../run/predictions/prediction.js';
import type { AccuracyRequest } from './request.js';
import { constantsOf, inputExtents, type EvaluatedNetwork } from './networks.js';

/** What is known of outputs beside their shapes. */
export interface OutputHints {
  /** Kinds of predictions that labels and metric can use, best first. */
  readonly wanted?: readonly PredictionKind[];
  /** Classes that labels or the user name. */
  readonly classes?: number;
}

/** Turns the outputs of one network into predictions. */
export class NetworkReader {
  readonly decoder: Decoder;
  readonly #context: DecodeContext;

  private constructor(decoder: Decoder, context: DecodeContext) {
    this.decoder = decoder;
    this.#context = context;
  }

  /**
   * @param outputs of the first sample
   * @throws UsageError when nothing says what the outputs are
   */
  static async open(
    { graph, lane }: EvaluatedNetwork,
    outputs: readonly NetworkOutput[],
    { decode }: AccuracyRequest,
    { wanted, classes }: OutputHints,
    preprocessing: ResolvedPreprocessing | undefined,
  ): Promise<NetworkReader> {
    const context: DecodeContext = {
      input: inputExtents(graph, preprocessing?.size),
      constants: (dims) => constantsOf(graph, dims),
    };
    const results = detectionResults(graph);
    const decoder = await chooseDecoder({
      ...(decode === undefined ? {} : { decode }),
      outputs: outputs.map(({ name, dims }): OutputForm => {
        const id = graph.outputs.find((output) => tensorOf(graph, output).name === name);
        const dtype = (id === undefined ? undefined : tensorOf(graph, id).dtype) ?? 'float32';
        const params = id === undefined ? undefined : storedParams(graph, lane, id);
        const [step, ...others] = params?.scale ?? [];
        const result = id === undefined ? undefined : results.get(id);
        return {
          name,
          dims,
          dtype,
          ...(params === undefined ? {} : { isQuantized: true }),
          ...(step === undefined || others.length > 0 ? {} : { step }),
          ...(result === undefined ? {} : { result }),
        };
      }),
      ...(wanted === undefined ? {} : { wanted }),
      ...(classes === undefined ? {} : { classes }),
      format: graph.format,
      metadata: graph.metadata,
      context,
    });
    return new NetworkReader(decoder, context);
  }

  /** On the upright image. @throws DataError naming the sample */
  async read(outputs: readonly NetworkOutput[], placement: Placement, sample: string): Promise<Prediction> {
    const prediction = await this.#decoded(outputs, sample);
    return prediction.kind === 'boxes' ? toImage(prediction, placement) : prediction;
  }

  async #decoded(outputs: readonly NetworkOutput[], sample: string): Promise<Prediction> {
    try {
      return await this.decoder.decode(outputs, { ...this.#context, sample });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const named = error.message.includes(sample) ? error.message : `${sample}: ${error.message}`;
      const isUsers = isModulePath(this.decoder.name);
      throw new DataError(named, {
        places: error.places,
        hint: error.hint ?? (isUsers ? 'qdbg template decode writes one to start from' : '--decode NAME'),
        cause: error,
      });
    }
  }
}

/** Extents of the image that a sample was made of, if it was. */
export function pictureOf({ feeds }: Sample): Picture | undefined {
  return [...feeds.values()].find(({ picture }) => picture !== undefined)?.picture;
}

/** Where the image of a sample lies in the input; the whole of it where no image was resized. */
export function placementIn(sample: Sample, preprocessing: ResolvedPreprocessing | undefined): Placement {
  const picture = pictureOf(sample);
  return picture === undefined || preprocessing === undefined ? FILLING : placementOf(picture, preprocessing);
}
