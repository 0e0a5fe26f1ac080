/**
 * What a host page and the frame of the widget say to each other. Two greetings go between windows; everything else
 * over the port that the second one carries.
 *
 * Security: the port's two ends are this server's frame and a page that may be hostile. Nothing here has room for a
 * text, and each end checks what the other sends (`frame/host-link.ts`, `frame-link.ts`).
 */
import type { WidgetAnswer, WidgetEventDetails } from './types.ts';

export const VERSION = 1;

/** Frame to parent: its script runs. Says nothing, so it goes to any origin. */
export interface Hello {
  readonly tercet: 'hello';
  readonly version: number;
  /** Drawn by the frame: the answer to this greeting has it too. */
  readonly nonce: string;
}

/** Parent to frame, with a port, once. */
export interface Connect {
  readonly tercet: 'connect';
  readonly version: number;
  readonly nonce: string;
  readonly setup: Setup;
  readonly look: Look;
}

/** Holds for as long as the frame lives: another choice takes another frame. */
export interface Setup {
  readonly model: string;
  readonly task: string;
  readonly deployment: string;
  readonly device: string;
  /** Whether the answer is handed to the page. Never switched on under a text that stands there already. */
  readonly shareResult: boolean;
  /** Names the page that the frame stands on, to its other frames. */
  readonly page: string;
  /** Names of all attributes of the tag: what it does not have is refused and not dropped. */
  readonly attributes: readonly string[];
}

/** May change at any time. */
export interface Look {
  readonly theme: string;
  readonly lang: string;
  readonly dir: string;
  readonly disabled: boolean;
  readonly strings: Readonly<Record<string, string>>;
  /** Colours and a radius, by the names of `COLOURS`. */
  readonly colours: Readonly<Record<string, string>>;
}

/** Custom properties of the element, `--tercet-NAME`, that the frame takes over. */
export const COLOURS = ['paper', 'surface', 'zone', 'tint', 'ink', 'soft', 'line', 'edge', 'accent', 'danger'] as const;

export type ToFrame =
  | { readonly op: 'look'; readonly look: Look }
  | { readonly op: 'run' | 'prepare'; readonly call: number }
  | { readonly op: 'abort' | 'reset' };

type Told = { readonly [K in keyof WidgetEventDetails]: { readonly op: K; readonly detail: WidgetEventDetails[K] } };

export type ToHost =
  | Told[keyof Told]
  /** A text was changed, or a run began: the answer before is not the answer any more. */
  | { readonly op: 'cleared' }
  | { readonly op: 'running' }
  /** A call of the page is over. */
  | { readonly op: 'done'; readonly call: number; readonly answer: WidgetAnswer | undefined }
  | { readonly op: 'failed'; readonly call: number; readonly code: string; readonly message: string };
