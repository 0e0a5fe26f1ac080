/** Open weights at a compute party: every parameter encoded once and kept with the kernels. P0 needs none of them. */
import type { Fold } from '../compute/fold.ts';
import type { Matrix, RingKernels } from '../compute/kernels/types.ts';
import { type Words, wordsFrom } from '../compute/ring.ts';
import { invariant } from '../core/errors.ts';
import { type EncodedParameter, parameterEncoder } from '../ml/models/folding.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { WeightSource } from '../ml/models/weights.ts';
import type { ParameterView, Part } from '../mpc/protocol/semi-honest/party.ts';
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
   * @param fold what weights are encoded by: the same integers, whichever it is
   */
  static async load(source: WeightSource, kernels: RingKernels, fold?: Fold): Promise<OpenParameters> {
    const view = new OpenParameters();
    const encode = parameterEncoder(source, fold);
    for (const parameter of listParameters(source.config)) {
      const encoded = await encode(parameter);
      if (parameter.rows > 1 && encoded instanceof Int32Array) {
        view.#matrices.set(parameter.name, await kernels.loadMatrix(encoded, parameter.rows, parameter.cols));
      } else view.#rows.set(parameter.name, toWords(encoded));
    }
    return view;
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
