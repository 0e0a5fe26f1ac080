/** Models of a Hugging Face style hub, for pages, workers and Node alike. */
export { HubModel, hubFiles } from './download.ts';
export { isHubId, parseHubId } from './id.ts';
export { browserStore } from './memory-store.ts';
export type { HubOptions, HubProgress, Pin } from './types.ts';
