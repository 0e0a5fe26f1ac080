/** The only module of the app that imports the SDK itself; everything else knows its types. */
import { SecureTransformer, capabilities, loadDeployment } from '../sdk/index.ts';
import { asksForSomething } from './address.ts';
import type { Sdk } from './port.ts';
import { start } from './start.ts';

const sdk: Sdk = {
  loadDeployment: () => loadDeployment(),
  capabilities: () => capabilities(),
  fromPretrained: (id, options) => SecureTransformer.fromPretrained(id, options),
};
// In a task of its own: in this one the modules were compiled and run.
setTimeout(
  () =>
    void start(
      sdk,
      asksForSomething(location, (id) => document.getElementById(id) !== null),
    ),
);
