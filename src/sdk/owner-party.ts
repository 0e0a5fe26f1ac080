/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The data owner's party in the steps of a protocol: start, share, distribute, result. A view on a loaded model, which
 * does all of it; nothing is computed here.
 */
import { TercetError } from '../core/errors.ts';
import type { Model, TaskText } from '../owner/types/index.ts';
import { type TaskResult, type TaskRunOptions, runTask } from './any-task.ts';

/**
 * A text that was read and dealt for, and has not left this device. Usable once, by the party that made it. Printing
 * it shows no text.
 */
export class InputShares {
  /** Of the text, special ones included. */
  readonly tokens: number;
  /** The bucket, which the compute parties learn. */
  readonly paddedTokens: number;

  /** Made by `DataOwnerParty.shareInput`. */
  constructor(tokens: number, paddedTokens: number) {
    this.tokens = tokens;
    this.paddedTokens = paddedTokens;
  }
}

/** A model, and what else ends with it. */
export interface PartyModel {
  readonly model: Model;
  readonly close?: () => Promise<void>;
}

/**
 * The data owner's party as `DataOwnerParty` shows it, whatever its links are.
 *
 * @example
 * await using party = new DataOwnerParty({ model: 'capitals-bert', deployment: 'https://alder.example/tercet.json' });
 * await party.start();
 * const shares = await party.shareInput('The capital of France is [MASK].');
 * party.distributeShares(shares);
 * const result = await party.getComputationResult();
 */
export class OwnerParty {
  readonly #open: () => Promise<PartyModel>;
  #opening: Promise<PartyModel> | undefined;
  #opened: PartyModel | undefined;
  /** Texts that were shared and not sent yet. Held here, so that no handle shows one. */
  readonly #texts = new WeakMap<InputShares, TaskText>();
  #result: Promise<TaskResult> | undefined;
  #running = false;

  /** Made by `new DataOwnerParty`. */
  constructor(open: () => Promise<PartyModel>) {
    this.#open = open;
  }

  /**
   * Loads the model. A second call waits for the same.
   *
   * @example
   * await party.start();
   *
   * @throws {TercetError} as `SecureTransformer.fromPretrained`.
   */
  async start(): Promise<void> {
    this.#opening ??= this.#open();
    const opening = this.#opening;
    try {
      this.#opened = await opening;
    } catch (error) {
      // What did not open may be tried again.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  /**
   * Reads a text and deals for it: nearly all bytes of a run go out here, and none depends on the text. The text itself
   * stays on this device.
   *
   * @example
   * const shares = await party.shareInput('The capital of France is [MASK].');
   * console.log(shares.paddedTokens);
   *
   * @throws {TercetError} ERR_STATE before `start`; what is wrong with the text (`Model.check`); as `Model.prepare`.
   */
  async shareInput(text: TaskText, options: TaskRunOptions = {}): Promise<InputShares> {
    const model = this.#model();
    const { tokens, paddedTokens, blanks, problem } = await model.check(text);
    if (problem !== undefined) throw problem;
    const shares = new InputShares(tokens, paddedTokens ?? tokens);
    await model.prepare(shares.paddedTokens, model.task === 'fill-mask' ? { ...options, blanks } : options);
    this.#texts.set(shares, text);
    return shares;
  }

  /**
   * Sends the one message that depends on the text, masked, to both compute parties, and lets them compute.
   *
   * @param shares of `shareInput`. They are used up: what was sent under one mask is never sent again.
   * @example
   * party.distributeShares(await party.shareInput('The capital of France is [MASK].'));
   *
   * @throws {TercetError} ERR_STATE for shares that were sent already or that another party made, and while a run is
   * under way. What the run fails with comes from `getComputationResult`.
   */
  distributeShares(shares: InputShares, options: TaskRunOptions = {}): void {
    const model = this.#model();
    const text = this.#texts.get(shares);
    if (text === undefined)
      throw state('these shares were sent already, or another party made them', 'share the text again');
    if (this.#running) throw state('a computation is under way', 'await getComputationResult() first');
    this.#texts.delete(shares);
    this.#running = true;
    this.#result = runTask(model, text, options).finally(() => {
      this.#running = false;
    });
    // Whoever asks for the result hears of it.
    this.#result.catch(() => undefined);
  }

  /**
   * The answer, which opens to this device alone. A second call gives the same one.
   *
   * @example
   * const result = await party.getComputationResult();
   * if (result.task === 'fill-mask') console.log(result.predictions[0].token_str);
   *
   * @throws {TercetError} ERR_STATE if nothing was distributed, and what a run can fail with (see `Model`).
   */
  async getComputationResult(): Promise<TaskResult> {
    if (this.#result === undefined) throw state('nothing was distributed', 'call distributeShares first');
    return this.#result;
  }

  /**
   * Ends what runs, wipes keys and lets go of the parties. A second call does nothing.
   *
   * @example
   * await party.stop();
   *
   * @throws never for a party that is gone.
   */
  async stop(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    this.#opened = undefined;
    this.#opening = undefined;
    await opened?.model.dispose();
    await opened?.close?.();
  }

  /**
   * `stop`, at the end of a block with `await using`.
   *
   * @example
   * await using party = new DataOwnerParty({ model: 'capitals-bert', deployment: 'https://alder.example/tercet.json' });
   *
   * @throws never for a party that is gone.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #model(): Model {
    if (this.#opened === undefined) throw state('the party was not started', 'await start() first');
    return this.#opened.model;
  }
}

const state = (what: string, hint: string) => new TercetError('ERR_STATE', what, hint);
