/**
 * `mode="inline"`: the SDK for a page that has the text already. A chunk of its own, which only such a page loads; from
 * the page's own origin, because workers are.
 */
import { ask } from '../app/requests.ts';
import { EMPTY, blankOf } from '../app/form.ts';
import { TercetError } from '../core/errors.ts';
import { loadDeployment } from '../sdk/index.ts';
import { WorkerModel } from '../sdk/worker/client.ts';
import { handedOver } from './answer.ts';
import { chosen, deviceOf } from './choice.ts';
import type { Setup } from './messages.ts';
import { openParty } from './party/shared-party.ts';
import type { WidgetAnswer, WidgetEventDetails, WidgetText } from './types.ts';

export interface Inline {
  run(text: WidgetText): Promise<WidgetAnswer>;
  /** The model is there as soon as this object is. */
  prepare(): Promise<void>;
  abort(): void;
  close(): void;
}

type Tell = <K extends keyof WidgetEventDetails>(type: K, detail: WidgetEventDetails[K]) => void;

/** @throws {TercetError} as `SecureTransformer.fromPretrained`; ERR_INSECURE on a page of another origin */
export async function openInline(setup: Setup, tell: Tell): Promise<Inline> {
  if (new URL(import.meta.url).origin !== self.origin)
    throw new TercetError(
      'ERR_INSECURE',
      'mode="inline" would run on a page of another origin',
      'serve the script from your own origin, or leave the mode out',
    );
  const { deployment } = setup;
  const { task, model: entry } = chosen(setup, await loadDeployment(deployment));
  const model = await WorkerModel.load(
    entry.id,
    {
      deployment,
      device: deviceOf(setup),
      onFallback: (event) => tell('fallback', event),
      progress_callback: (event) => {
        if (event.status === 'progress')
          tell('progress', { phase: 'load', progress: event.total > 0 ? event.loaded / event.total : 0 });
        else if (event.status === 'preprocess') tell('progress', { phase: 'prepare', progress: event.progress });
        else if (event.status === 'layer') tell('progress', { phase: 'run', progress: event.progress });
      },
    },
    () => openParty(setup.page),
  );
  tell('ready', { model: model.id, task, device: model.device });
  let running: AbortController | undefined;
  return {
    async run({ text, question = '', labels = [] }) {
      running?.abort();
      const own = new AbortController();
      running = own;
      // A blank is written in one way here, whatever the model's own is.
      const written = task === 'fill-mask' ? text.replaceAll('[MASK]', () => blankOf(entry)) : text;
      const form = { ...EMPTY, text: written, question, labels: labels.join(', ') };
      return handedOver(await ask(model, task, form, own.signal));
    },
    prepare: () => Promise.resolve(),
    abort: () => running?.abort(),
    close() {
      running?.abort();
      void model.dispose();
    },
  };
}
