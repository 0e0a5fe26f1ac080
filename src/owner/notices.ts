/** Where notices go: to who asked for events, else to the console, for they must not be lost. */
import type { PretrainedOptions } from './types/index.ts';

export function noticeTo(callback: PretrainedOptions['progress_callback']): (message: string) => void {
  return (message) =>
    callback === undefined ? console.warn(`tercet: ${message}`) : callback({ status: 'notice', message });
}
