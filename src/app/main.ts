/** The only module of the app that imports the SDK itself; everything else knows its types. */
import { SecureTransformer, capabilities, loadDeployment } from '../sdk/index.ts';
import { start } from './start.ts';

start({
  loadDeployment: () => loadDeployment(),
  capabilities: () => capabilities(),
  fromPretrained: (id, options) => SecureTransformer.fromPretrained(id, options),
});
