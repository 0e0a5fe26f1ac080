/**
 * The public interface of the SDK: the same in a page, in a worker and in Node.
 *
 * Result and progress shapes follow transformers.js, with more members for what only a private run has: parties,
 * links, rounds, phases. Nothing here holds a share or a key; `Captured` holds bytes that left this device, for
 * people who want to look at them.
 */
export type * from './deployment.ts';
export type * from './events.ts';
export type * from './model.ts';
export type * from './options.ts';
export type * from './results.ts';
