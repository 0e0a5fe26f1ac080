/** Open weights at a compute party: every parameter encoded once and kept with the kernels. P0 needs none of them. */
import type { Matrix, PanelLoader, RingKernels } from '../compute/kernels/types.ts';
import { type Words, wordsFrom } from '../compute/ring.ts';
import { invariant } from '../core/errors.ts';
import { type EncodedParameter, type ParameterEncoder, parameterEncoder } from '../ml/models/folding.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import type { ParameterView, Part } from '../mpc/protocol/frame/party.ts';
import type { Parameter } from '../mpc/protocol/types.ts';

function toWords(encoded: EncodedParameter): Words {
  if (encoded instanceof BigInt64Array)
    return { k: 64, data: new BigUint64Array(encoded.buffer, encoded.byteOffset, encoded.length) };
  return wordsFrom(encoded, 64);
}

export class OpenParameters implements ParameterView {
  readonly weights = 'open' as const;
  readonly #matrices = new Map<string, Matrix>();
  readonly #rows = new Map<string, Words>();

  private constructor() {}

  /**
   * Encodes the whole model: matrices go to the kernels, rows stay here.
   * @param encode asked for every parameter once, in the order of `listParameters`, and for no more than one matrix
   * ahead of the one that is loaded
   * @param panels loads matrices that `encode` gives in the kernels' own order; row-major ones without it
   */
  static async load(
    source: WeightSource,
    kernels: RingKernels,
    encode: ParameterEncoder = parameterEncoder(source),
    panels?: PanelLoader,
  ): Promise<OpenParameters> {
    const view = new OpenParameters();
    let loading: Promise<unknown> = Promise.resolve();
    for (const parameter of listParameters(source.config)) {
      const { name, rows, cols } = parameter;
      const encoded = await encode(parameter);
      // One matrix is loaded while the next is encoded, and no more: each is as large as its weights.
      await loading;
      if (rows > 1 && encoded instanceof Int32Array) {
        loading = (panels?.load(encoded, rows, cols) ?? kernels.loadMatrix(encoded, rows, cols)).then((matrix) =>
          view.#matrices.set(name, matrix),
        );
        loading.catch(() => undefined);
      } else view.#rows.set(name, toWords(encoded));
    }
    await loading;
    return view;
  }

  /** Lets go of the matrices. */
  async free(kernels: RingKernels): Promise<void> {
    for (const matrix of this.#matrices.values()) await kernels.freeMatrix(matrix);
    this.#matrices.clear();
  }

  async matrix(parameter: Parameter, part: Part): Promise<Matrix> {
    const matrix = this.#matrices.get(parameter.name);
    invariant(part === 'clear' && matrix !== undefined, `no open matrix ${parameter.name}`);
    return matrix;
  }

  async words(_kernels: RingKernels, parameter: Parameter, part: Part): Promise<Words> {
    const row = this.#rows.get(parameter.name);
    invariant(part === 'clear' && row !== undefined, `no open row ${parameter.name}`);
    // Positions are kept for the longest text; a shorter one takes its first rows.
    return parameter.cols === row.data.length ? row : { k: 64, data: row.data.slice(0, parameter.cols) };
  }
}
