/**
 * Loaded before the command line of a watched party: loses its device once, soon after it is ready.
 * `TERCET_TEST_LOST` is a file that says that it was. The file of the command line that has the class `Fault` is
 * changed as it is loaded: what is bundled cannot be reached from outside.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';

const lost = process.env.TERCET_TEST_LOST;

const LOSS = `
const watch = Fault.prototype.watch;
Fault.prototype.watch = function (tell) {
  globalThis.loseDevice(() => this.raise(new TercetError('ERR_DEVICE_LOST', 'as a driver says it', 'start again')));
  return watch.call(this, tell);
};`;

const HOOK = `
export async function load(url, context, next) {
  const loaded = await next(url, context);
  const source = /[/]dist[/]cli[/][^/]+$/.test(url) ? String(loaded.source) : '';
  return source.includes('\\nvar Fault = class {')
    ? { ...loaded, source: source + ${JSON.stringify(LOSS)} }
    : loaded;
}`;

if (process.env.TERCET_SUPERVISED === '1' && !existsSync(lost)) {
  globalThis.loseDevice = (raise) => {
    setTimeout(() => {
      writeFileSync(lost, '');
      raise();
    }, 200);
  };
  register(`data:text/javascript,${encodeURIComponent(HOOK)}`);
}
