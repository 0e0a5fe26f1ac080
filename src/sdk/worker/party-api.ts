/** A party of its own behind a port: one model, and what its page calls on it. */
import { TercetError } from '../../core/errors.ts';
import { workerEnvironment } from '../browser/environment.ts';
import { OwnerModel } from '../../owner/owner-model.ts';
import { plainError, toEnvelope } from './result-envelope.ts';
import type { PartyHealth } from '../../owner/types/index.ts';
import type { ModelInfo, OpenRequest, PortCommand, PortEvent, WorkerApi } from './protocol.ts';

/** Serves the other end of one port. A worker has one, or one for each frame that uses it. */
export function partyApi(): WorkerApi {
  let model: OwnerModel | undefined;
  let tell: (event: PortEvent) => void = () => undefined;
  const calls = new Map<number, AbortController>();

  /** Runs a call under a signal that the page can fire by its number. */
  function abortable<T>(call: number, work: (signal: AbortSignal) => Promise<T>) {
    const control = new AbortController();
    calls.set(call, control);
    return toEnvelope(() => work(control.signal).finally(() => calls.delete(call)));
  }

  function opened(): OwnerModel {
    if (model === undefined) throw new TercetError('ERR_STATE', 'no model was loaded', 'load one with fromPretrained');
    return model;
  }

  async function open(
    { id, options, base, webrtc, events, page }: OpenRequest,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    tell = (event) => events.postMessage(event);
    events.onmessage = ({ data }: MessageEvent<PortCommand>) => calls.get(data.call)?.abort();
    model = await OwnerModel.load(
      id,
      {
        ...options,
        signal,
        progress_callback: (event) => tell({ kind: 'progress', event }),
        onFallback: (event) => tell({ kind: 'fallback', event }),
        trace: options.trace ? (event) => tell({ kind: 'trace', event }) : undefined,
      },
      workerEnvironment(base, webrtc ? page : undefined),
    );
    const { task, device, layers, maxTokens, downloadedBytes, labels } = model;
    return { id, task, device, layers, maxTokens, downloadedBytes, labels };
  }

  return {
    open: (call, request) => abortable(call, (signal) => open(request, signal)),
    check: (text) =>
      toEnvelope(async () => {
        const { problem, ...rest } = await opened().check(text);
        return problem === undefined ? rest : { ...rest, problem: plainError(problem) };
      }),
    prepare: (call, length, options) => abortable(call, (signal) => opened().prepare(length, { ...options, signal })),
    release: () => toEnvelope(() => opened().release()),
    predict: (call, text, options) => abortable(call, (signal) => opened().predict(text, { ...options, signal })),
    classify: (call, text, options) => abortable(call, (signal) => opened().classify(text, { ...options, signal })),
    classifyBatch: (call, texts, options) =>
      abortable(call, (signal) => opened().classifyBatch(texts, { ...options, signal })),
    answerQuestion: (call, input, options) =>
      abortable(call, (signal) => opened().answerQuestion(input, { ...options, signal })),
    extractEntities: (call, text, options) =>
      abortable(call, (signal) => opened().extractEntities(text, { ...options, signal })),
    embed: (call, texts, options) => abortable(call, (signal) => opened().embed(texts, { ...options, signal })),
    generate: (call, prompt, options) =>
      abortable(call, async (signal) => {
        const stream = opened().generate(prompt, { ...options, signal });
        for await (const text of stream) tell({ kind: 'token', call, text });
        return stream;
      }),
    health: () =>
      toEnvelope(async () => {
        const [one, two, ...dealer] = await opened().health();
        return [plainHealth(one), plainHealth(two), ...dealer.map(plainHealth)] as const;
      }),
    dispose: () => toEnvelope(async () => model?.dispose()),
  };
}

function plainHealth({ error, ...rest }: PartyHealth) {
  return error === undefined ? rest : { ...rest, error: plainError(error) };
}
