/**
 * What a card says of its tag. The app's words for the same codes name settings that a card does not have, or call it a
 * fault of ours: here it is for whoever wrote the page around the card.
 */
import type { Row } from '../../app/error-table.ts';
import type { AppEvent } from '../../app/state.ts';
import { Store } from '../../app/store.ts';
import type { ErrorCode } from '../../core/errors.ts';

const TELL = { remedy: 'tell whoever runs the page around it.', here: true, actions: ['reload'] } as const;

/** The deployment is not of this server. */
export const FOREIGN: Row = {
  title: 'The page around this card names parties of its own',
  happened:
    'A page that chose the parties could choose two of its own, and read your text. This card takes none but those of its own server. Nothing was sent.',
  ...TELL,
};

const OF_TAG: Partial<Record<ErrorCode, Row>> = {
  ERR_MODEL_NOT_FOUND: {
    title: 'This model is not served here',
    happened: 'The page around this card names a model or a task that its server does not have. Nothing was sent.',
    ...TELL,
  },
  ERR_ARGUMENT: {
    title: 'The page around this card asks for what a card does not have',
    happened: 'A card drops nothing that it is asked for, so it did not start. Nothing was sent.',
    ...TELL,
  },
};

/** The store of the app, with these words until there is a model: behind that a code is not about the tag. */
export class CardStore extends Store {
  override dispatch(event: AppEvent): void {
    const words = event.type === 'failed' && this.state.model === undefined ? OF_TAG[event.failure.code] : undefined;
    if (event.type !== 'failed' || words === undefined || event.failure.found !== undefined) super.dispatch(event);
    else super.dispatch({ ...event, failure: { ...event.failure, found: words } });
  }
}
