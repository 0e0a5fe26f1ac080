/** Loads a model, its public files from a hub, and asks it once. */
import {
  GpuOutOfMemoryError,
  type HubSource,
  InputError,
  NetworkError,
  NetworkTimeoutError,
  SecureTransformer,
  SecurityViolationError,
  TercetError,
} from '../../../src/sdk/index.ts';

const CLASSES = {
  GpuOutOfMemoryError,
  InputError,
  NetworkError,
  NetworkTimeoutError,
  SecurityViolationError,
  TercetError,
};

export interface Loaded {
  readonly answer?: string;
  readonly downloadedBytes?: number;
  /** Files that came over the network. */
  readonly fetched: readonly string[];
  readonly error?: string;
  /** What the error is an instance of, here. */
  readonly classes?: readonly string[];
}

export async function load(id: string, deployment: string, text: string, hub: boolean | HubSource): Promise<Loaded> {
  const fetched = new Set<string>();
  try {
    const model = await SecureTransformer.fromPretrained(id, {
      deployment,
      hub,
      device: 'wasm',
      transport: 'websocket',
      progress_callback: (event) => event.status === 'progress' && fetched.add(event.file),
    });
    const { predictions } = await model.predict(text);
    const { downloadedBytes } = model;
    await model.dispose();
    return { answer: predictions[0].token, downloadedBytes, fetched: [...fetched] };
  } catch (error) {
    const classes = Object.entries(CLASSES).flatMap(([name, type]) => (error instanceof type ? [name] : []));
    return { fetched: [...fetched], error: error instanceof TercetError ? error.line() : String(error), classes };
  }
}
