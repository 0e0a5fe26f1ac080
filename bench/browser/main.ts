/** A page without an interface: the SDK, for measurements that a script makes. */
import {
  type Device,
  type Model,
  type RunCost,
  SecureTransformer,
  type Transport,
  type Weights,
} from '../../src/sdk/index.ts';

export interface Asked {
  readonly model: string;
  readonly text: string;
  readonly device: Device;
  readonly weights: Weights;
  readonly transport: Transport;
  readonly runs: number;
  /** Whether correlations are dealt before the clock starts. */
  readonly prepare: boolean;
}

export interface Measured {
  readonly costs: readonly RunCost[];
  readonly tokens: readonly string[];
  readonly downloadedBytes: number;
}

async function once(model: Model, { text, prepare }: Asked): Promise<{ cost: RunCost; token: string }> {
  const { tokens, blanks } = await model.check(text);
  if (prepare) await model.prepare(tokens, model.task === 'fill-mask' ? { blanks } : {});
  if (model.task !== 'fill-mask') {
    const { cost, label } = await model.classify(text);
    return { cost, token: label };
  }
  const { cost, predictions } = await model.predict(text, { topK: 1 });
  return { cost, token: predictions[0].token };
}

/** The first run warms up and is left out. */
async function measure(asked: Asked): Promise<Measured> {
  const { device, weights, transport } = asked;
  const model = await SecureTransformer.fromPretrained(asked.model, { device, weights, transport });
  try {
    await once(model, asked);
    const runs: { cost: RunCost; token: string }[] = [];
    for (let i = 0; i < asked.runs; i++) runs.push(await once(model, asked));
    return {
      costs: runs.map(({ cost }) => cost),
      tokens: runs.map(({ token }) => token),
      downloadedBytes: model.downloadedBytes,
    };
  } finally {
    await model.dispose();
  }
}

Object.assign(globalThis, { measure });
