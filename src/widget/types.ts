/**
 * The element `<tercet-infer>` as a host page sees it. Types alone: the element itself comes with the script of the
 * widget's server (docs/WIDGET.md).
 */
import type { FallbackEvent } from '../owner/types/index.ts';
import type { Alias, PipelineTask } from '../sdk/pipeline-types.ts';

/** Where the text is: typed into a frame of the widget's own origin, or given by the host page. */
export type WidgetMode = 'frame' | 'inline';

/**
 * What a host page is handed of an answer: what the model says, and nothing that repeats the text around it. Answers
 * to questions and names are words of the text, because that is what they are.
 */
export type WidgetAnswer =
  | {
      readonly task: 'fill-mask';
      /** A list for each blank, best first. */
      readonly blanks: readonly (readonly { readonly token_str: string; readonly score: number }[])[];
    }
  | {
      readonly task: 'text-classification' | 'zero-shot-classification';
      readonly labels: readonly { readonly label: string; readonly score: number }[];
    }
  | {
      readonly task: 'question-answering';
      readonly answers: readonly { readonly answer: string; readonly score: number }[];
    }
  | {
      readonly task: 'token-classification';
      readonly entities: readonly { readonly word: string; readonly entity_group: string; readonly score: number }[];
    }
  | {
      readonly task: 'text-generation';
      /** What was added to the text. */
      readonly text: string;
    }
  | { readonly task: 'feature-extraction'; readonly dims: readonly number[]; readonly data: Float32Array };

/** With `mode="inline"`: what a task works on, as the page gives it. */
export interface WidgetText {
  readonly text: string;
  /** For question-answering; `text` is searched for the answer. */
  readonly question?: string;
  /** For zero-shot-classification. */
  readonly labels?: readonly string[];
}

/** `event.detail` of the element's events, by their names. */
export interface WidgetEventDetails {
  /** A model is there. */
  readonly ready: { readonly model: string; readonly task: PipelineTask; readonly device: string };
  /** How far the model, the keys or a run are; 0 to 1. Of a run in the frame without bytes: those tell lengths. */
  readonly progress: { readonly phase: 'load' | 'prepare' | 'run'; readonly progress: number };
  /** A run is done. `answer` is there where the host is handed it: with `share-result`, or inline. */
  readonly result: { readonly answer: WidgetAnswer | undefined };
  /** A run, or the start, failed. What is wrong with a text is said in the frame alone. */
  readonly error: { readonly code: string; readonly message: string };
  /** A choice that was not the best one. */
  readonly fallback: FallbackEvent;
}

/** Events of the element: they bubble and are composed. */
export type WidgetEventMap = {
  readonly [K in keyof WidgetEventDetails]: CustomEvent<WidgetEventDetails[K]>;
};

/**
 * Attributes of the tag, for the typings of frameworks.
 *
 * @example
 * const attributes: WidgetAttributes = { model: 'sst2-bert', task: 'ner', 'share-result': '' };
 */
export interface WidgetAttributes {
  readonly model?: string;
  /** By any of its names, as `pipeline` takes them. */
  readonly task?: PipelineTask | Alias;
  /** In a frame: the document of the widget's own server, or nothing. Inline: any address that the page trusts. */
  readonly deployment?: string;
  readonly mode?: WidgetMode;
  /** Hand the answers to this page, and say so in the frame. */
  readonly 'share-result'?: boolean | '';
  readonly theme?: 'auto' | 'light' | 'dark';
  readonly device?: 'auto' | 'webgpu' | 'wasm';
  readonly lang?: string;
  readonly dir?: string;
  readonly name?: string;
  readonly required?: boolean | '';
  readonly disabled?: boolean | '';
}

/**
 * `<tercet-infer>`: a form-associated element whose value is the answer.
 *
 * Security: in the mode `frame` the page cannot read the text. It can lie about what its visitors see, cover the frame,
 * or put another one in its place (docs/WIDGET.md).
 *
 * @example
 * const card = document.querySelector('tercet-infer');
 * card?.addEventListener('result', ({ detail }) => console.log(detail.answer));
 */
export interface TercetInferElement
  extends HTMLElement,
    Pick<
      ElementInternals,
      'form' | 'labels' | 'validity' | 'validationMessage' | 'willValidate' | 'checkValidity' | 'reportValidity'
    > {
  model: string;
  task: string;
  deployment: string;
  mode: WidgetMode;
  shareResult: boolean;
  theme: string;
  device: string;
  name: string;
  required: boolean;
  disabled: boolean;
  /** Words of the interface: what stands in it in English, and what is to stand there. A figure is `{1}`, `{2}`, …. */
  strings: Readonly<Record<string, string>>;
  /** The answer in words, once there is one that the page is handed; else empty. */
  readonly value: string;
  /** The same as data. */
  readonly result: WidgetAnswer | undefined;
  readonly state: 'waiting' | 'loading' | 'ready' | 'running';
  /**
   * Runs what stands in the frame; inline, the text that is given. While somebody types in the frame it is refused.
   *
   * @example
   * const card = document.createElement('tercet-infer');
   * document.body.append(card);
   * const answer = await card.run();
   *
   * @returns the answer where the page is handed it, else undefined.
   * @throws {Error} with `code`, `ERR_ABORTED` say.
   */
  run(text?: string | WidgetText): Promise<WidgetAnswer | undefined>;
  /**
   * Loads the model now, without waiting for the element to come into view.
   *
   * @example
   * const card = document.createElement('tercet-infer');
   * document.body.append(card);
   * await card.prepare();
   *
   * @throws {Error} with `code`: of what cannot be loaded.
   */
  prepare(): Promise<void>;
  /**
   * Ends the run at all parties.
   *
   * @example
   * document.querySelector('tercet-infer')?.abort();
   *
   * @throws never
   */
  abort(): void;
  /**
   * As on any element, with the types of this one's events.
   *
   * @example
   * const card = document.createElement('tercet-infer');
   * card.addEventListener('progress', ({ detail }) => console.log(detail.phase, detail.progress));
   *
   * @throws never
   */
  addEventListener<K extends keyof WidgetEventMap>(
    type: K,
    listener: (this: TercetInferElement, event: WidgetEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /**
   * Any other event.
   *
   * @example
   * document.createElement('tercet-infer').addEventListener('focusin', () => console.log('somebody is there'));
   *
   * @throws never
   */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'tercet-infer': TercetInferElement;
  }
}
