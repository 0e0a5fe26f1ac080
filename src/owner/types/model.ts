/** A loaded model: the one object that runs texts. */
import type { Device, ServersHealth, Task } from './deployment.ts';
import type {
  AnswerOptions,
  BatchOptions,
  ClassifyOptions,
  EmbedOptions,
  EntityOptions,
  GenerateOptions,
  PredictOptions,
  PrepareOptions,
} from './options.ts';
import type {
  AnswerResult,
  BatchResult,
  ClassifyResult,
  EmbedResult,
  EntitiesResult,
  GenerateStream,
  PredictResult,
  TextCheck,
} from './results.ts';

/**
 * What a task works on: a text, or for `question-answering` a question with the context that answers it. It stays on
 * this device: the parties receive shares of it.
 */
export type TaskText = string | { readonly question: string; readonly context: string };

/**
 * A model that the parties of a deployment serve, loaded for this data owner. Made by
 * `SecureTransformer.fromPretrained`.
 *
 * Security: semi-honest. The two compute parties learn the padded length, the number of texts of a run, the task and
 * the model, and neither learns a text or an answer, unless both pool what they have (docs/SECURITY.md).
 *
 * Cost: every method that runs a text costs megabytes from this device to the parties, and one round trip.
 * `RunCost.links` says how many; `prepare` moves most of them ahead of the text.
 *
 * Errors: each method rejects with a `TercetError`. ERR_STATE: the model was disposed. ERR_ARGUMENT: an option is
 * unknown, has a wrong value, or the model is for another task. Those that reach the parties also reject with
 * ERR_PEER_UNREACHABLE, ERR_LINK_BLOCKED, ERR_PEER_* and ERR_IDENTITY_* (`error.party` says which party),
 * ERR_DEVICE_LOST, ERR_RANGE_EXCEEDED (the text drives a value out of the range that is computed exactly), and
 * ERR_ABORTED. Nothing was opened then.
 */
export interface Model {
  /** The name under which the deployment serves it. */
  readonly id: string;
  /** What its head was trained for; decides which methods it has. */
  readonly task: Task;
  /** What computes here: the choice of `device: 'auto'`, or what was asked for. */
  readonly device: Device;
  /** Layers of the transformer, as `layer` events count them. */
  readonly layers: number;
  /** Longest text in tokens, special ones included: the largest bucket. */
  readonly maxTokens: number;
  /** Bytes downloaded to get here: deployment, config, tokenizer. */
  readonly downloadedBytes: number;
  /** Names of a classifier's classes, or of entities' tags. */
  readonly labels: readonly string[];
  /**
   * Tokenizes a text here, and says how long it is and whether it can run. Sends nothing. Cost: microseconds to
   * milliseconds; meant for every key stroke.
   *
   * @example
   * const { tokens, paddedTokens, problem } = await model.check('The capital of France is [MASK].');
   * if (problem !== undefined) console.log(problem.line());
   * else await model.prepare(paddedTokens ?? tokens);
   *
   * @throws {TercetError} what cannot run is no error here: it is in `problem`.
   */
  check(text: TaskText): Promise<TextCheck>;
  /**
   * Deals the correlations of one run for texts of up to `length` tokens (rounded up to a bucket), and keeps them
   * for 5 minutes. A second call for another bucket replaces the first. They do not depend on the text, so this can go
   * on while it is typed. The run that fits uses them up; one that does not fit makes its own.
   *
   * Cost: nearly all bytes that this device sends for a run, and its computation.
   *
   * @param length tokens, 1 to `maxTokens`.
   * @example
   * await model.prepare(16);
   * const { cost } = await model.predict('The capital of France is [MASK].');
   * console.log(cost.preparedAhead); // true
   *
   * @throws {TercetError} ERR_STATE, ERR_ARGUMENT (no text is so long), ERR_TOO_MANY_TOKENS (no run takes so
   * many texts), ERR_PEER_BUSY, and what a link can fail with.
   */
  prepare(length: number, options?: PrepareOptions): Promise<void>;
  /**
   * Lets go of what `prepare` made or makes, here and at both parties, so that they have room for others. For a
   * page that is hidden or left alone. Nothing, if nothing is prepared. A 'released' event tells when it goes
   * without this call.
   *
   * @example
   * document.addEventListener('visibilitychange', () => {
   *   if (document.hidden) void model.release();
   * });
   *
   * @throws {TercetError} never for a link that is gone already.
   */
  release(): Promise<void>;
  /**
   * Fill-mask: the words that fit the blanks of a text. `[MASK]` (or the model's own mask token) marks a blank.
   *
   * @returns scores between 0 and 1, a softmax over the vocabulary, or over `targets`; best first.
   * @example
   * const { predictions } = await model.predict('The capital of France is [MASK].', { topK: 3 });
   * for (const { token_str, score } of predictions) console.log(token_str, score.toFixed(3));
   *
   * @throws {TercetError} ERR_NO_MASK, ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG, ERR_TEXT_CONTROL, ERR_TEXT_ENCODING,
   * ERR_ARGUMENT (a target is not one piece of the vocabulary, or the model is for another task), ERR_STATE, and what
   * a run can fail with (see `Model`).
   */
  predict(text: string, options?: PredictOptions): Promise<PredictResult>;
  /**
   * The class of a text: of a classifier's own classes, or, on a model for fill-mask or one trained on entailment, of
   * `labels` in words (zero-shot). Zero-shot on an entailment model costs one sequence for each label, in one run.
   *
   * @returns scores between 0 and 1: a softmax over the classes, or each for itself with `multiLabel`; best first.
   * @example
   * const { label, score } = await model.classify('A warm and funny film.');
   * const topic = await model.classify('The striker scored twice.', { labels: ['sport', 'politics'] });
   *
   * @throws {TercetError} ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG, ERR_TEXT_CONTROL, ERR_TEXT_ENCODING, ERR_ARGUMENT
   * (labels that the model cannot tell, or options of another kind of model), ERR_STATE, and what a run can fail with.
   */
  classify(text: string, options?: ClassifyOptions): Promise<ClassifyResult>;
  /**
   * `classify` for a list: `batchSize` texts go through the parties in one run, whose rounds they share. All texts are
   * looked at before the first one is sent.
   *
   * @example
   * const { results } = await model.classifyBatch(['A warm film.', 'Two wasted hours.'], { batchSize: 2 });
   * console.log(results.map(({ label }) => label));
   *
   * @throws {TercetError} ERR_ARGUMENT for an empty list, ERR_TOO_MANY_TOKENS for a batch that no run takes; else as
   * `classify`, naming the text by its number.
   */
  classifyBatch(texts: readonly string[], options?: BatchOptions): Promise<BatchResult>;
  /**
   * The span of a context that answers a question. Both are private; the answer is cut from the context here.
   *
   * @returns `start` and `end` in UTF-16 units of the context as it was given; scores between 0 and 1.
   * @example
   * const { text, score } = await model.answerQuestion({
   *   question: 'Who wrote the letter?',
   *   context: 'The letter that Ada wrote in 1843 arrived late.',
   * });
   *
   * @throws {TercetError} ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG (question and context together), ERR_TEXT_CONTROL,
   * ERR_TEXT_ENCODING, ERR_ARGUMENT, ERR_STATE, and what a run can fail with.
   */
  answerQuestion(
    input: { readonly question: string; readonly context: string },
    options?: AnswerOptions,
  ): Promise<AnswerResult>;
  /**
   * The names in a text: persons, places, and what else the model's tags tell.
   *
   * @returns entities in the order of the text; `start` and `end` in UTF-16 units of the text as it was given.
   * @example
   * const { entities } = await model.extractEntities('Ada Lovelace lived in London.');
   * for (const { text, label } of entities) console.log(label, text);
   *
   * @throws {TercetError} ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG, ERR_TEXT_CONTROL, ERR_TEXT_ENCODING, ERR_ARGUMENT,
   * ERR_STATE, and what a run can fail with.
   */
  extractEntities(text: string, options?: EntityOptions): Promise<EntitiesResult>;
  /**
   * Goes on with a prompt, piece by piece. The logits open to this device, which chooses the next piece and sends it as
   * a private input again. Leaving the loop early stops all three parties.
   *
   * Cost: a run for the prompt, then one step for each piece, on keys and values that the parties keep as shares. The
   * parties learn how many pieces there were.
   *
   * @example
   * for await (const piece of model.generate('Once upon a time', { maxNewTokens: 10, seed: 1 })) console.log(piece);
   * const { text, reason } = await model.generate('Once upon a time');
   *
   * @throws {TercetError} from the loop or the awaited result: ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG,
   * ERR_TOO_MANY_TOKENS (prompt and pieces are longer than the model), ERR_ARGUMENT, ERR_STATE, and what a run can fail
   * with.
   */
  generate(prompt: string, options?: GenerateOptions): GenerateStream;
  /**
   * Vectors of texts. Pooled vectors are made before they open, so nobody sees those of single words.
   *
   * @returns one vector for each text, float32: `dims` is `[1, width]` with pooling, else `[tokens, width]`.
   * @example
   * const { vectors } = await model.embed(['a cat', 'a kitten']);
   * const [a, b] = vectors.map(({ data }) => data);
   * console.log(a.reduce((sum, x, i) => sum + x * b[i], 0)); // the cosine, where vectors have length one
   *
   * @throws {TercetError} ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG, ERR_TOO_MANY_TOKENS, ERR_ARGUMENT (an empty list, too),
   * ERR_STATE, and what a run can fail with.
   */
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<EmbedResult>;
  /**
   * Asks both parties, and the dealer where one was chosen, how they are. Nothing private is sent. Never fails for one
   * that does not answer: its `error` says why.
   *
   * @example
   * for (const { party, ok, milliseconds } of await model.health()) console.log(party, ok, milliseconds);
   *
   * @throws {TercetError} never for what a party says or does not say.
   */
  health(): Promise<ServersHealth>;
  /**
   * Ends what runs (it rejects with ERR_ABORTED), drops what was prepared, wipes keys and stops workers. A second call
   * does nothing.
   *
   * @example
   * const model = await SecureTransformer.fromPretrained('capitals-bert', { deployment: './tercet.json' });
   * try {
   *   await model.predict('The capital of France is [MASK].');
   * } finally {
   *   await model.dispose();
   * }
   *
   * @throws {TercetError} never for a party that is gone.
   */
  dispose(): Promise<void>;
}
