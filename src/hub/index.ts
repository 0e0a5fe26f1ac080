/** Models of a Hugging Face style hub, for pages, workers and Node alike. */
export { HubModel, hubFiles } from './download.ts';
export { isCommit, isHubId, parseHubId } from './id.ts';
export { browserStore } from './memory-store.ts';
export { DEFAULT_ENDPOINT, type HubOptions, type HubProgress, type HubStore, type Pin } from './types.ts';
