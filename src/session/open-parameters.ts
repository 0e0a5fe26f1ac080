/** Open weights at a compute party: every parameter encoded once and kept with the kernels. P0 needs none of them. */
import type { Matrix, PanelLoader, RingKernels } from '../compute/kernels/types.ts';
import type { Words } from '../compute/ring.ts';
import { wideOf } from '../compute/words64.ts';
import { invariant } from '../core/errors.ts';
import { type EncodedParameter, type ParameterEncoder, parameterEncoder } from '../ml/models/folding.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import type { ParameterView, Part } from '../mpc/protocol/frame/party.ts';
import type { Parameter } from '../mpc/protocol/types.ts';

function toWords(encoded: EncodedParameter): Words {
  if (encoded instanceof BigInt64Array)
    return { k: 64, data: new BigUint64Array(encoded.buffer, encoded.byteOffset, encoded.length) };
  return wideOf({ signed: encoded });
}

export class OpenParameters implements ParameterView {
  readonly weights = 'open' as const;
  readonly #matrices = new Map<string, Matrix>();
  readonly #rows = new Map<string, Words>();

  readonly #rowMajor: ParameterEncoder | undefined;

  private constructor(rowMajor: ParameterEncoder | undefined) {
    this.#rowMajor = rowMajor;
  }

  /**
   * Encodes the whole model: matrices go to the kernels, rows stay here.
   * @param encode asked for every parameter once, in the order of `listParameters`, and for no more than one matrix
   * ahead of the one that is loaded
   * @param panels loads matrices that `encode` gives in the kernels' own order; row-major ones without it
   * @param rowMajor encodes a matrix again where a proof asks for its words and the kernels cannot give them back
   */
  static async load(
    source: WeightSource,
    kernels: RingKernels,
    encode: ParameterEncoder = parameterEncoder(source),
    panels?: PanelLoader,
    rowMajor?: ParameterEncoder,
  ): Promise<OpenParameters> {
    const view = new OpenParameters(rowMajor);
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

  async columns(
    kernels: RingKernels,
    { name }: Parameter,
    v: BigUint64Array,
    sigma: number,
  ): Promise<Words | undefined> {
    const matrix = this.#matrices.get(name);
    return matrix && kernels.columns?.(matrix, v, sigma);
  }

  async signed(kernels: RingKernels, parameter: Parameter): Promise<Int32Array | undefined> {
    const matrix = this.#matrices.get(parameter.name);
    // What is asked for is often the matrix that is loaded, and to read it back is a copy.
    const held = matrix === undefined ? undefined : await kernels.entries?.(matrix);
    if (held !== undefined || this.#rowMajor === undefined || this.#rows.has(parameter.name)) return held;
    const encoded = await this.#rowMajor(parameter);
    return encoded instanceof Int32Array ? encoded : undefined;
  }

  async words(kernels: RingKernels, parameter: Parameter, part: Part): Promise<Words> {
    const row = this.#rows.get(parameter.name);
    invariant(part === 'clear', `no part "${part}" of open weights`);
    // Proofs alone ask for the words of a matrix. They are read back, and not kept: they are as large as a model.
    if (row === undefined) {
      const signed = await this.signed(kernels, parameter);
      if (signed !== undefined) return wideOf({ signed });
      invariant(this.#rowMajor !== undefined, `no words of the open matrix ${parameter.name}`);
      return toWords(await this.#rowMajor(parameter));
    }
    // Positions are kept for the longest text; a shorter one takes its first rows.
    return parameter.cols === row.data.length ? row : { k: 64, data: row.data.slice(0, parameter.cols) };
  }
}
