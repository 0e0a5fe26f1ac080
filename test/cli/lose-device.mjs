/**
 * Loaded before the command line of a watched party: loses its device once, soon after it is ready.
 * `TERCET_TEST_LOST` is a file that says that it was.
 */
import { existsSync, writeFileSync } from 'node:fs';

const lost = process.env.TERCET_TEST_LOST;
if (process.env.TERCET_SUPERVISED === '1' && !existsSync(lost)) {
  const { Fault } = await import(new URL('../../dist/compute/kernels/fault.js', import.meta.url).href);
  const { lostError } = await import(new URL('../../dist/compute/kernels/webgpu/fault.js', import.meta.url).href);
  const watch = Fault.prototype.watch;
  Fault.prototype.watch = function (tell) {
    setTimeout(() => {
      writeFileSync(lost, '');
      this.raise(lostError('unknown', 'as a driver says it'));
    }, 200);
    return watch.call(this, tell);
  };
}
