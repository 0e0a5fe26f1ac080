/** Turns what a session tells into the events of the SDK, with the figures of the three links. */
import type { Status } from '../session/status.ts';
import type { Links, OnlinePart, ProgressEvent, SentSample } from './types/index.ts';
import type { Channel } from '../net/wire/types.ts';
import { type CountingChannel, linkBytes } from './counting-channel.ts';

export interface ProgressReporterOptions {
  /** Layers of the model. */
  readonly layers: number;
  /** Positions of a text, with padding. */
  readonly length: number;
  /** Whether the prepared run is made before there is a run. */
  readonly ahead: boolean;
  now(): number;
  onProgress(event: ProgressEvent): void;
}

/** Progress of the deal is told at most this often. */
const DEAL_PROGRESS_MS = 60;
/** And that a party was heard. */
const HEARD_MS = 500;

/** The embeddings are layer 0, the head comes behind the last. */
interface Place {
  readonly layer: number;
  readonly section: string;
}

const START: Place = { layer: 0, section: 'embeddings' };

export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  readonly #channels: readonly [CountingChannel, CountingChannel];
  readonly #dealer: Channel | undefined;
  #between = 0;
  /** Rounds of the steps before this one, done in this one, and in all that have begun. */
  #before = 0;
  #rounds = 0;
  #totalRounds = 0;
  #lastDeal = Number.NEGATIVE_INFINITY;
  readonly #lastHeard: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  #prepared = false;
  #inputTold = false;
  #place: Place = START;

  constructor(
    options: ProgressReporterOptions,
    channels: readonly [CountingChannel, CountingChannel],
    dealer?: Channel,
  ) {
    this.#dealer = dealer;
    this.#options = options;
    this.#channels = channels;
  }

  /** Of all steps so far. */
  links(): Links {
    const [p1, p2] = this.#channels;
    const between = { bytes: this.#between, rounds: this.#before + this.#rounds, totalRounds: this.#totalRounds };
    const dealer = this.#dealer?.stats.sentPayloadBytes;
    return { p1: linkBytes(p1.stats), p2: linkBytes(p2.stats), dealer, between };
  }

  /** Deals of later steps happen behind a run, and are told by its links alone. */
  dealt(progress: number): void {
    const now = this.#options.now();
    if (this.#prepared || now - this.#lastDeal < DEAL_PROGRESS_MS) return;
    this.#lastDeal = now;
    this.#preprocess(progress, false);
  }

  /** The first step is dealt; it takes `rounds`. @param online this device's part in them */
  prepared(rounds: number, online: OnlinePart | undefined): void {
    this.#prepared = true;
    this.#totalRounds = rounds;
    this.#preprocess(1, true, online);
  }

  #preprocess(progress: number, done: boolean, online?: OnlinePart): void {
    const { length, ahead, onProgress } = this.#options;
    const [links, sample] = [this.links(), this.#sample()];
    onProgress({ status: 'preprocess', length, progress, links, done, ahead, online, sample });
  }

  /** A further step begins; it takes `rounds`. */
  begin(rounds: number): void {
    this.#before += this.#rounds;
    this.#rounds = 0;
    this.#totalRounds = this.#before + rounds;
    this.#inputTold = false;
    this.#place = START;
  }

  status({ done, total, between, last, before }: Status, section: string): void {
    const { onProgress, layers } = this.#options;
    this.#between = between;
    this.#rounds = Math.floor(done / 2);
    if (!this.#inputTold) {
      this.#inputTold = true;
      onProgress({ status: 'input', links: this.links(), sample: this.#sample() });
    }
    if (before !== undefined) {
      onProgress({ status: 'queued', before: before.runs, milliseconds: before.ms });
      return;
    }
    const place = last ? { layer: layers + 1, section: '' } : this.#forward(placeOf(section, layers));
    onProgress({
      status: 'layer',
      ...place,
      layers,
      progress: done / Math.max(1, total),
      links: this.links(),
      sample: this.#sample(),
    });
  }

  /**
   * Gates that wait for nothing run in an early half-round, wherever the model has them: the head's rows among those of
   * layer 1. A run is where most of it is, so it neither leaps to the head nor goes back.
   */
  #forward(next: Place): Place {
    const early = next.layer > this.#options.layers && this.#place.layer < this.#options.layers;
    if (!early && next.layer >= this.#place.layer) this.#place = next;
    return this.#place;
  }

  /** A message of that party came: a report, a word of the rounds or of a proof. Before the text nobody asks. */
  heard(party: 1 | 2): void {
    if (!this.#inputTold) return;
    const now = this.#options.now();
    if (now - this.#lastHeard[party - 1] < HEARD_MS) return;
    this.#lastHeard[party - 1] = now;
    this.#options.onProgress({ status: 'heard', party });
  }

  opened(): void {
    this.#options.onProgress({ status: 'reconstruct', links: this.links(), sample: this.#sample() });
  }

  token(index: number, text: string): void {
    this.#options.onProgress({ status: 'token', index, text, links: this.links() });
  }

  #sample(): SentSample {
    return [this.#channels[0].sample, this.#channels[1].sample];
  }
}

/** `layer 3/12/attention/scores` → 3, `attention/scores`. */
function placeOf(section: string, layers: number): Place {
  const match = /^layer (\d+)\/\d+\/?(.*)$/.exec(section);
  if (match !== null) return { layer: Number(match[1]), section: match[2] };
  return { layer: section.startsWith('embeddings') ? 0 : layers + 1, section };
}
