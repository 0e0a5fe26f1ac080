/** What the app needs of the SDK. `main.ts` passes the real one; a scripted one shows every state without a network. */
import type { Capabilities, Deployment, Model, PretrainedOptions } from '../owner/types/index.ts';

export interface Sdk {
  loadDeployment(): Promise<Deployment>;
  capabilities(): Promise<Capabilities>;
  fromPretrained(id: string, options: PretrainedOptions): Promise<Model>;
}
