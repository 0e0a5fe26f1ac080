/** The document of the frame: it greets the page around it, and becomes a card when that answers. */
import { startAllWorkersSo } from '../party/start-worker.ts';
import { card } from './card.ts';
import { meetHost } from './host-link.ts';

startAllWorkersSo();
meetHost(card);
