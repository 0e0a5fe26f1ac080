import { useEffect, useState } from 'react';
import { type Model, SecureTransformer } from 'tercet';

/** A model for as long as a component stands; `undefined` while it loads. Errors go to the next boundary. */
export function useModel(id: string): Model | undefined {
  const [model, setModel] = useState<Model>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const stop = new AbortController();
    const loading = SecureTransformer.fromPretrained(id, { deployment: '/tercet.json', signal: stop.signal });
    loading.then(setModel).catch((cause: unknown) => stop.signal.aborted || setError(cause));
    return () => {
      setModel(undefined);
      stop.abort();
      loading.then((loaded) => loaded.dispose()).catch(() => undefined);
    };
  }, [id]);
  if (error !== undefined) throw error;
  return model;
}
