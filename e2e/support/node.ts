/** The same question asked from Node, to compare with. */
import { readFileSync } from 'node:fs';
import type { Deployment, Task } from './deployment.ts';
import { MODELS } from './deployment.ts';
import type { Score } from './app.ts';
import type { Model } from '../../src/owner/types/index.ts';

type NodeSdk = typeof import('../../src/sdk/node.ts');
type Weights = 'open' | 'secret';

/** The compiled SDK: it finds its workers beside itself. */
async function sdk(): Promise<NodeSdk> {
  return (await import(new URL('../../dist/sdk/node.js', import.meta.url).href)) as NodeSdk;
}

/** A call of the SDK, with the same parties. */
export async function inNode<T>(
  deployment: Deployment,
  task: Task,
  call: (model: Model) => PromiseLike<T>,
  weights: Weights = 'open',
): Promise<T> {
  const { SecureTransformer, releaseWebRtc } = await sdk();
  const credential = weights === 'secret' ? { credential: readFileSync(deployment.credential(task)) } : {};
  const model = await SecureTransformer.fromPretrained(MODELS[task], {
    deployment: deployment.tercetJson,
    weights,
    ...credential,
  });
  try {
    return await call(model);
  } finally {
    await model.dispose();
    await releaseWebRtc();
  }
}

/** Words and their scores, of a model for blanks or classes. */
export function sdkAnswer(
  deployment: Deployment,
  task: Task,
  text: string,
  weights: Weights,
): Promise<readonly Score[]> {
  return inNode(
    deployment,
    task,
    async (model) => {
      if (task === 'text-classification')
        return (await model.classify(text)).labels.map(({ label, score }) => ({ word: label, score }));
      return (await model.predict(text)).predictions.map(({ token_str, score }) => ({ word: token_str.trim(), score }));
    },
    weights,
  );
}
