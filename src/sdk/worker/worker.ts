/** The worker of a page: the whole party runs here. One worker, one model. */
import { expose } from 'comlink';
import { partyApi } from './party-api.ts';

expose(partyApi());
